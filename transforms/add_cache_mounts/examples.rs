//! Examples: changed, and one unchanged for each reason to leave a RUN alone.

use crate::transform::Example;

const fn example(name: &'static str, before: &'static str) -> Example {
    Example { name, before, files: &[], config: "" }
}

const fn with_files(name: &'static str, before: &'static str, files: &'static [(&'static str, &'static str)]) -> Example {
    Example { name, before, files, config: "" }
}

const fn configured(name: &'static str, before: &'static str, config: &'static str) -> Example {
    Example { name, before, files: &[], config }
}

pub const EXAMPLES: &[Example] = &[
    // Changed.
    example("pip", "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"),
];
