//! `--format github`: workflow commands that GitHub Actions shows beside the lines.

use super::Report;

/// One annotation per change and per error.
pub fn report(report: &Report) -> String {
    let mut out = String::new();
    for file in &report.files {
        for change in file.outcome.changes.iter().filter(|change| change.is_here()) {
            out.push_str(&format!(
                "::warning file={},line={},title={}::{}\n",
                property(&file.relative),
                change.line,
                property(&format!("restow {}: {}", change.transform, change.title)),
                message(&change.reason),
            ));
        }
    }
    for error in &report.errors {
        let level = if error.fatal { "error" } else { "warning" };
        out.push_str(&format!(
            "::{level} file={},line={}::{}\n",
            property(&error.path),
            error.line.max(1),
            message(&error.message)
        ));
    }
    out
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
