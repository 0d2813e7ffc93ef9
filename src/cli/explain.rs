//! `restow explain`: a transform's documentation, or what restow sees at a line.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::survey::{self, Configs};
use super::{Color, Common, Format, run};
use crate::dockerfile::Keyword;
use crate::engine;
use crate::facts::caches::{Account, account};
use crate::facts::{Base, Facts, Run, Scripts};
use crate::report::{hunks, text};
use crate::transform::{Example, Level, Transform};
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
    for change in &outcome.changes {
        let _ = writeln!(out, "- line {}, {}: {}: {}", change.line, change.level.name(), change.title, change.reason);
    }
    for skip in &outcome.skips {
        let _ = writeln!(out, "- line {}, left alone: {}", skip.line, skip.reason);
    }
    out
}

/// What restow sees at a line, and what it would do there.
fn line_text(path: &str, line: usize, arguments: &Arguments) -> anyhow::Result<String> {
    let source = survey::load(Path::new(path)).map_err(|(line, column, message)| match line {
        0 => anyhow::anyhow!("{path}: {message}"),
        line => anyhow::anyhow!("{path}:{line}:{column}: {message}"),
    })?;
    let file = engine::read_dockerfile(&source)
        .map_err(|refusal| anyhow::anyhow!("{path}:{}:{}: {}", refusal.line, refusal.column, refusal.message))?;
    let holds = |ins: &&crate::dockerfile::Instruction| ins.start_line <= line && line <= ins.end_line;
    let Some(at) = file.instructions.iter().position(|ins| holds(&ins)) else {
        bail!("{path}:{line} holds no instruction; the file has {} of them", file.instructions.len());
    };
    let common = Common {
        paths: vec![PathBuf::from(path)],
        only: None,
        except: Vec::new(),
        review: true,
        config: arguments.config.clone(),
        dockerfile: Vec::new(),
        cache_mode: None,
        stdin_name: String::new(),
        jobs: 1,
        format: Format::Text,
        color: Color::Never,
        strict: true,
        quiet: true,
        verbose: false,
    };
    let finished = run::run(&common)?;
    let settings = Configs::new(&common)?.for_file(Path::new(path))?;
    let facts = Facts::new(&source, &file, &settings.knowledge, &Scripts::new());
    let instruction = &file.instructions[at];
    let mut out = String::new();
    let keyword = instruction.keyword_span.of(&source).to_uppercase();
    let _ = writeln!(out, "{path}:{}-{} {keyword}", instruction.start_line, instruction.end_line);
    if instruction.keyword == Keyword::Run
        && let Some(run) = facts.runs.iter().find(|run| run.instruction == at)
    {
        run_text(&facts, run, &mut out);
    }
    let lines = instruction.start_line..=instruction.end_line;
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

fn run_text(facts: &Facts<'_>, run: &Run, out: &mut String) {
    let stage = &facts.stages[run.stage];
    let name = stage.name.as_deref().map_or_else(|| format!("number {}", run.stage), str::to_owned);
    let chain: Vec<String> = facts
        .ancestors(run.stage)
        .iter()
        .map(|at| match &facts.stages[*at].base {
            Base::Image(image) => {
                let known = if image.known.is_some() { "known" } else { "unknown" };
                format!("{} ({known} base image)", image.reference)
            }
            Base::Stage(parent) => facts.stages[*parent].name.clone().unwrap_or_else(|| parent.to_string()),
            Base::Scratch => "scratch".to_owned(),
        })
        .collect();
    let _ = writeln!(out, "  stage {name}, from {}", chain.join(", from "));
    let user = match &run.state.user {
        Some(user) => {
            let uid = user.uid.map_or_else(|| "unknown uid".to_owned(), |uid| format!("uid {uid}"));
            let home = run.state.home().map_or_else(|| "unknown home".to_owned(), |home| format!("home {home}"));
            format!("{} ({uid}, {home})", user.name)
        }
        None => "decided by the base image, which is not known".to_owned(),
    };
    let _ = writeln!(out, "  user {user}");
    for mount in &run.mounts {
        let _ = writeln!(
            out,
            "  mount {} at {}",
            mount.kind,
            mount.target.as_deref().unwrap_or("a path that can't be told")
        );
    }
    if let Err(reason) = run.script() {
        let _ = writeln!(out, "  commands not read: {reason}");
    }
    for call in run.calls() {
        let command = &run.commands()[call.command];
        let whom = match account(run, command) {
            Account::Root => "as root",
            Account::User { .. } => "not as root",
            Account::Unknown => "as a user that can't be told",
        };
        let caches = crate::facts::caches::caches(run, call);
        let place = match caches {
            Ok(caches) => caches.iter().map(|cache| cache.path.clone()).collect::<Vec<_>>().join(", "),
            Err(reason) => reason,
        };
        let _ = writeln!(out, "  {} {:?} {whom}; its cache: {place}", call.manager.id, call.verb);
    }
}
