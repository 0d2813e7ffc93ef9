//! `restow explain`: a transform's documentation, or what restow sees at a line.

mod block;
mod instruction;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::services::{self, Surveyed};
use super::{Common, beside, run};
use crate::discover;
use crate::engine::Parsed;
use crate::report::{hunks, text};
use crate::transform::{Example, Kind, Level, Transform};
use crate::transforms;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A transform's id, or PATH:LINE
    #[arg(value_name = "ID|PATH:LINE")]
    pub what: String,
    /// Use this restow.toml instead of the nearest one upwards from the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// # Errors
/// An unknown transform; a file that can't be read, or has no such line.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    if let Some(transform) = transforms::ALL.iter().find(|transform| transform.meta().id == arguments.what) {
        super::print(&documentation(*transform))?;
        return Ok(super::DONE);
    }
    let place =
        arguments.what.rsplit_once(':').and_then(|(path, line)| line.parse::<usize>().ok().map(|line| (path, line)));
    let Some((path, line)) = place else {
        bail!("{:?} is neither a transform ({}) nor PATH:LINE", arguments.what, transforms::ids().join(", "));
    };
    super::print(&line_text(path, line, arguments)?)?;
    Ok(super::DONE)
}

/// A transform's text and its examples, run.
pub fn documentation(transform: &dyn Transform) -> String {
    let meta = transform.meta();
    let mut out = format!("# {}\n\n{}\n\n## Examples\n", meta.id, meta.documentation());
    for example in meta.examples {
        let _ = write!(out, "\n### {}\n\n", example.name.replace('-', " "));
        if !example.files.is_empty() {
            let names: Vec<&str> = example.files.iter().map(|(path, _)| *path).collect();
            let _ = writeln!(out, "With {} beside it.\n", names.join(", "));
        }
        let _ = writeln!(out, "{}", run_example(transform, example).trim_end());
    }
    out
}

/// docs/transforms.md.
pub fn page() -> String {
    let mut out = String::from(
        "# The transforms\n\n<!-- Written from transforms/ by `cargo test`; edit it there. -->\n\nIn application order. Every diff below is made by running the example.\n",
    );
    for transform in transforms::ALL {
        let text = documentation(*transform).replace("\n### ", "\n#### ").replace("\n## ", "\n### ");
        out.push('\n');
        out.push('#');
        out.push_str(&text);
    }
    out
}

/// What a code fence calls the language of a file.
fn language(path: &str) -> &'static str {
    match (discover::kind_of(Path::new(path)), path.rsplit('.').next()) {
        (Some(Kind::Bake), Some("json")) => "json",
        (Some(Kind::Bake), _) => "hcl",
        (Some(Kind::Compose | Kind::Workflow), _) => "yaml",
        _ => "dockerfile",
    }
}

/// An example's diff with titles and reasons, or why it is left alone.
pub fn run_example(transform: &dyn Transform, example: &Example) -> String {
    let outcome = match crate::examples::run(&[transform], example, Level::Review) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            return format!("refused: line {}, column {}: {}\n", refusal.line, refusal.column, refusal.message);
        }
    };
    let mut out = String::new();
    if outcome.is_changed() {
        let _ = writeln!(out, "```diff\n{}```\n", hunks(&outcome.before, &outcome.after));
    } else {
        let end = if example.before.ends_with('\n') { "" } else { "\n" };
        let _ = writeln!(out, "```{}\n{}{end}```\n", language(example.path), example.before);
    }
    for (path, made) in beside::made(example.path, &outcome) {
        let _ = writeln!(out, "{path}:\n\n```diff\n{}```\n", hunks("", &made.after));
    }
    for change in &outcome.changes {
        let _ = writeln!(out, "- line {}, {}: {}: {}", change.line, change.level.name(), change.title, change.reason);
    }
    for skip in &outcome.skips {
        let _ = writeln!(out, "- line {}, left alone: {}", skip.line, skip.reason);
    }
    out
}

/// What stands at a line.
struct Place {
    /// Its first and last line, from 1.
    lines: (usize, usize),
    /// What it is, and what is known of it, indented.
    text: String,
}

/// What restow sees at a line, and what it would do there.
fn line_text(path: &str, line: usize, arguments: &Arguments) -> anyhow::Result<String> {
    let common = Common {
        review: true,
        config: arguments.config.clone(),
        jobs: 1,
        strict: true,
        quiet: true,
        ..Common::new(vec![PathBuf::from(path)])
    };
    if Path::new(path).is_dir() {
        bail!("{path}: a folder has no lines; name a file in it");
    }
    let Surveyed { loaded, projects, errors } = services::survey(&common)?;
    if let Some(error) = errors.first() {
        bail!("{}", error.text());
    }
    let loaded = loaded.first().with_context(|| format!("{path}: nothing to read"))?;
    let (source, file) = match &loaded.read {
        Ok(read) => read,
        Err((_, _, message)) => bail!("{path}: {message}"),
    };
    let project = projects.get(&loaded.found.root).cloned().unwrap_or_default();
    let place = match file {
        Parsed::Dockerfile(file) => instruction::at(source, file, line, &loaded.settings).with_context(|| {
            format!("{path}:{line} holds no instruction; the file has {} of them", file.instructions.len())
        })?,
        file => block::at(&block::Around { source, file, loaded, project: &project }, line)
            .map_err(|reason| anyhow::anyhow!("{path}:{line} {reason}"))?,
    };
    let mut out = format!("{path}:{}-{} {}", place.lines.0, place.lines.1, place.text);
    let lines = place.lines.0..=place.lines.1;
    let finished = run::run(&common)?;
    let mut said = false;
    for file in &finished.report.files {
        for change in file.outcome.changes.iter().filter(|change| lines.contains(&change.line)) {
            let _ = writeln!(out, "would change\n  {}", text::line(&file.path, change));
            said = true;
        }
        let whole = |reason: &str| reason.starts_with("restow: ignore-file");
        for skip in file.outcome.skips.iter().filter(|skip| lines.contains(&skip.line) || whole(&skip.reason)) {
            let _ = writeln!(out, "left alone\n  # {} {}:{} {}", skip.transform, file.path, skip.line, skip.reason);
            said = true;
        }
    }
    for error in &finished.report.errors {
        let _ = writeln!(out, "error\n  {}", error.text());
    }
    if !said {
        let _ = writeln!(out, "nothing to change here: no transform has a rule that concerns it");
    }
    Ok(out)
}
