//! `restow forecast`: steps that are CACHED in each scenario, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::ErrorReport;
use crate::forecast::{Edit, Expense, Outcome, Status, Step, Theme};

/// An image and what becomes of its steps.
#[derive(Debug, Serialize)]
pub struct Image {
    pub service: Option<String>,
    pub dockerfile: String,
    pub context: String,
    pub target: Option<String>,
    /// Steps of the target.
    pub steps: Counts,
    pub scenarios: Vec<Scenario>,
}

/// Steps before and after the pending changes; none after where nothing is pending.
#[derive(Debug, Serialize)]
pub struct Counts {
    pub before: usize,
    pub after: Option<usize>,
}

/// A scenario, before and after the pending changes.
#[derive(Debug, Serialize)]
pub struct Scenario {
    pub scenario: Theme,
    pub title: String,
    pub edit: Edit,
    pub before: Side,
    pub after: Option<Side>,
}

/// What becomes of the steps of one version.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Least and most.
    pub cached: [usize; 2],
    pub steps: usize,
    /// The steps that run again, or may.
    pub again: Vec<Step>,
}

impl Side {
    pub fn new(outcome: &Outcome) -> Self {
        let (least, most) = outcome.cached();
        let again = outcome.steps.iter().filter(|step| step.status != Status::Cached).cloned().collect();
        Self { cached: [least, most], steps: outcome.steps.len(), again }
    }

    fn cached(&self) -> String {
        format!("{} of {}", range(self.cached), self.steps)
    }

    /// How many slow steps run again, and how many of these find their downloads in a mount.
    fn slow(&self) -> String {
        let kinds = [Expense::Install, Expense::Download, Expense::Compilation].into_iter().filter_map(|expense| {
            let steps: Vec<&Step> = self.again.iter().filter(|step| step.expense == Some(expense)).collect();
            let certain = steps.iter().filter(|step| step.status == Status::Again).count();
            let mounted = steps.iter().filter(|step| step.finds_downloads).count();
            let plural = if steps.len() == 1 { "" } else { "s" };
            let from = match mounted {
                0 => String::new(),
                _ if mounted == steps.len() => " from mounts".to_owned(),
                _ => format!(" ({mounted} from mounts)"),
            };
            let count = range([certain, steps.len()]);
            (!steps.is_empty()).then(|| format!("{count} {}{plural}{from}", expense.name()))
        });
        let kinds: Vec<String> = kinds.collect();
        if kinds.is_empty() { "-".to_owned() } else { kinds.join(", ") }
    }

    /// The steps that run again, or may, a line each.
    fn list(&self, version: &str, out: &mut String) {
        for step in &self.again {
            let status = if step.status == Status::Depends { "perhaps" } else { "again" };
            let expense = match (step.expense, step.finds_downloads) {
                (None, _) => String::new(),
                (Some(expense), false) => format!(" ({})", expense.name()),
                (Some(expense), true) => format!(" ({}, from its mount)", expense.name()),
            };
            let text: String = step.text.chars().take(80).collect();
            let _ = writeln!(out, "    {version:7}{status:8} {:>4}  {text}{expense}", step.line);
        }
    }
}

/// An image that is passed over, and why.
#[derive(Debug, Serialize)]
pub struct Refused {
    pub service: Option<String>,
    pub dockerfile: String,
    pub reason: String,
}

impl Refused {
    /// The Dockerfile, and the service where one is named.
    pub fn name(&self) -> String {
        match &self.service {
            Some(service) => format!("{} ({service})", self.dockerfile),
            None => self.dockerfile.clone(),
        }
    }
}

/// `5`, or `5-7`.
pub fn range([least, most]: [usize; 2]) -> String {
    if least == most { least.to_string() } else { format!("{least}-{most}") }
}

/// A table per image; with the steps that run again where `all` is wanted.
pub fn text(images: &[Image], all: bool) -> String {
    let mut out = String::new();
    for image in images {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{}", heading(image));
        let mut rows = Vec::new();
        let has_after = image.scenarios.iter().any(|scenario| scenario.after.is_some());
        rows.push(match has_after {
            true => vec!["scenario", "CACHED", "after", "slow steps again", "after"],
            false => vec!["scenario", "CACHED", "slow steps again"],
        });
        let mut rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.into_iter().map(str::to_owned).collect()).collect();
        for scenario in &image.scenarios {
            let mut row = vec![scenario.title.clone(), scenario.before.cached()];
            row.extend(scenario.after.as_ref().map(Side::cached));
            row.push(scenario.before.slow());
            row.extend(scenario.after.as_ref().map(Side::slow));
            rows.push(row);
        }
        table(&rows, &mut out);
        for scenario in image.scenarios.iter().filter(|_| all) {
            let _ = writeln!(out, "  {}:", scenario.title);
            scenario.before.list("before", &mut out);
            scenario.after.iter().for_each(|after| after.list("after", &mut out));
        }
    }
    out
}

fn heading(image: &Image) -> String {
    let name = image.service.as_ref().map(|name| format!("{name}  ")).unwrap_or_default();
    let target = image.target.as_ref().map(|target| format!(", target {target}")).unwrap_or_default();
    format!("{name}{} (context {}{target})", image.dockerfile, image.context)
}

/// Rows of cells, each column as wide as its widest cell, the last one as wide as it is.
pub fn table(rows: &[Vec<String>], out: &mut String) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The JSON text.
///
/// # Errors
/// JSON that can't be made.
pub fn json(images: &[Image], refused: &[Refused], errors: &[ErrorReport]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Root<'a> {
        version: u32,
        images: &'a [Image],
        /// Images that are passed over.
        refused: &'a [Refused],
        errors: Vec<super::json::Error<'a>>,
    }
    let root = Root { version: 1, images, refused, errors: super::json::errors(errors) };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}
