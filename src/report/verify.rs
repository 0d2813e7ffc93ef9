//! `restow verify`: a verdict and a table per service, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::{ErrorReport, json};
use crate::verify::{Described, Measured, Outcome as Side, Played, Verdict, Way, Word};

/// Differing paths that are shown to people.
const SHOWN: usize = 20;

/// A block per service, then the builder.
pub fn text(verdicts: &[Verdict], builder: &Described) -> String {
    let mut out = String::new();
    for verdict in verdicts {
        service(verdict, &mut out);
        out.push('\n');
    }
    let kind = match builder.kind {
        Way::ThrowAway => "a throw-away builder",
        Way::Own => "your own builder",
        Way::Podman => "podman",
    };
    let _ = writeln!(out, "built in {kind} ({} {})", builder.engine.name(), builder.version);
    if let Some(reason) = &builder.reason {
        let _ = writeln!(out, "  why not a throw-away one: {reason}");
    }
    for what in &builder.not_measured {
        let _ = writeln!(out, "  not measured: {what}");
    }
    for what in &builder.remains {
        let _ = writeln!(out, "  remains: {what}");
    }
    out
}

fn service(verdict: &Verdict, out: &mut String) {
    let target = verdict.target.as_ref().map(|target| format!(", target {target}")).unwrap_or_default();
    let _ = writeln!(out, "{}  {}, context {}{target}", verdict.service, verdict.dockerfile, verdict.context);
    let paths = |count: usize| format!("{count} path{}", if count == 1 { "" } else { "s" });
    match verdict.verdict {
        Word::Same => {
            let _ = write!(out, "  the same image: {}", paths(verdict.paths));
            if !verdict.noise.is_empty() {
                let _ = write!(out, "; {} differ between two builds of the file as it was", paths(verdict.noise.len()));
            }
            if !verdict.expected.is_empty() {
                let named: Vec<&str> = verdict.expected.iter().map(|expected| expected.path.as_str()).collect();
                let _ = write!(out, "; changed on purpose: {}", named.join(", "));
            }
            out.push('\n');
        }
        Word::Differs => {
            let _ = writeln!(out, "  the image differs in {}:", paths(verdict.differences.len()));
            for difference in verdict.differences.iter().take(SHOWN) {
                let _ = writeln!(out, "    {}", difference.text());
            }
            if verdict.differences.len() > SHOWN {
                let _ = writeln!(out, "    and {} more (--format json lists all)", verdict.differences.len() - SHOWN);
            }
        }
        Word::Failed | Word::Refused => {
            let word = if verdict.verdict == Word::Failed { "failed" } else { "not built" };
            let reason = verdict.reason.as_deref().unwrap_or_default();
            let _ = writeln!(out, "  {word}: {}", reason.replace('\n', "\n    "));
        }
    }
    if verdict.clean.is_some() {
        table(verdict, out);
    }
}

/// Seconds, megabytes downloaded and steps CACHED of each build, as before / after.
fn table(verdict: &Verdict, out: &mut String) {
    const HEAD: [&str; 8] = ["", "s", "MB", "CACHED", "s", "MB", "CACHED", "forecast"];
    let mut rows: Vec<[String; 8]> = Vec::new();
    if let Some(clean) = &verdict.clean {
        rows.push(row("clean", Some(&clean.before), Some(&clean.after), String::new()));
    }
    for played in &verdict.scenarios {
        rows.push(row(&played.title, played.before.measured(), played.after.measured(), held(played)));
    }
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).chain([HEAD[at].len()]).max().unwrap_or(0))
        .collect();
    let group = |from: usize| widths[from] + widths[from + 1] + widths[from + 2] + 4;
    let heads = format!("  {:w$}  {:b$}  after", "", "before", w = widths[0], b = group(1));
    let _ = writeln!(out, "{}", heads.trim_end());
    for row in std::iter::once(HEAD.map(str::to_owned)).chain(rows) {
        let mut line = format!("  {:w$}", row[0], w = widths[0]);
        for at in 1..HEAD.len() {
            let _ = match at {
                7 => write!(line, "  {}", row[at]),
                _ => write!(line, "  {:>w$}", row[at], w = widths[at]),
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    for played in &verdict.scenarios {
        for (name, side) in [("before", &played.before), ("after", &played.after)] {
            if let Side::Not { not_measured } = side {
                let _ = writeln!(out, "  {}, {name}: not measured: {not_measured}", played.title);
            }
        }
        for mismatch in &played.mismatch {
            let line = mismatch.line.map(|line| format!(" line {line},")).unwrap_or_default();
            let _ = writeln!(
                out,
                "  {}, {}:{line} forecast {}, measured {}: {}",
                played.title, mismatch.side, mismatch.forecast, mismatch.measured, mismatch.step
            );
        }
    }
}

fn row(title: &str, before: Option<&Measured>, after: Option<&Measured>, held: String) -> [String; 8] {
    let cells = |side: Option<&Measured>| match side {
        None => ["–".to_owned(), "–".to_owned(), "–".to_owned()],
        Some(side) => [seconds(side.seconds), megabytes(side.bytes), format!("{}/{}", side.cached, side.steps)],
    };
    let ([a, b, c], [d, e, f]) = (cells(before), cells(after));
    [title.to_owned(), a, b, c, d, e, f, held]
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}") } else { format!("{seconds:.0}") }
}

fn megabytes(bytes: Option<u64>) -> String {
    match bytes {
        None => "–".to_owned(),
        Some(0) => "0".to_owned(),
        Some(bytes) if bytes < 10_000_000 => format!("{:.1}", bytes as f64 / 1e6),
        Some(bytes) => format!("{:.0}", bytes as f64 / 1e6),
    }
}

fn held(played: &Played) -> String {
    match played.agrees {
        None => String::new(),
        Some(true) => "holds".to_owned(),
        Some(false) => {
            let told = |side: &Side| match side.measured().and_then(|measured| measured.forecast) {
                Some((least, most)) if least == most => least.to_string(),
                Some((least, most)) => format!("{least} to {most}"),
                None => "–".to_owned(),
            };
            format!("WRONG: {} and {}", told(&played.before), told(&played.after))
        }
    }
}

/// The last line on standard error.
pub fn counts(verdicts: &[Verdict]) -> String {
    let count = |word: Word| verdicts.iter().filter(|verdict| verdict.verdict == word).count();
    let mut parts = Vec::new();
    for (word, text) in
        [(Word::Same, "the same"), (Word::Differs, "differ"), (Word::Failed, "failed"), (Word::Refused, "not built")]
    {
        if count(word) > 0 {
            parts.push(format!("{} {text}", count(word)));
        }
    }
    let wrong = verdicts.iter().flat_map(|verdict| &verdict.scenarios).filter(|played| played.agrees == Some(false));
    let wrong = match wrong.count() {
        0 => String::new(),
        1 => "; 1 forecast was wrong".to_owned(),
        count => format!("; {count} forecasts were wrong"),
    };
    let images = if verdicts.len() == 1 { "image" } else { "images" };
    format!("{} {images}: {}{wrong}", verdicts.len(), parts.join(", "))
}

/// The JSON text; without a builder where nothing was to be built.
///
/// # Errors
/// JSON that can't be made.
pub fn json(verdicts: &[Verdict], builder: Option<&Described>, errors: &[ErrorReport]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Root<'a> {
        version: u32,
        builder: Option<&'a Described>,
        services: &'a [Verdict],
        errors: Vec<json::Error<'a>>,
    }
    let root = Root { version: 1, builder, services: verdicts, errors: json::errors(errors) };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}
