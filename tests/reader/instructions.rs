//! Prints what the reader finds in each file named on standard input, one JSON line a file, for
//! `tests/reader/buildkit_parser.py` to compare with BuildKit's own parser.

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        let text = match std::fs::read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            _ => {
                writeln!(out, "{}", serde_json::json!({"path": path, "error": "not UTF-8"}))?;
                continue;
            }
        };
        let line = match restow::dockerfile::read(&text) {
            Err(error) => serde_json::json!({"path": path, "error": error.to_string()}),
            Ok(file) => {
                let instructions: Vec<_> = file
                    .instructions
                    .iter()
                    .map(|ins| {
                        let flags: Vec<_> = ins.flags.iter().map(|flag| &flag.text).collect();
                        let keyword = ins.keyword_span.of(&text).to_ascii_uppercase();
                        serde_json::json!([keyword, ins.start_line, ins.end_line, flags, ins.json.is_some()])
                    })
                    .collect();
                serde_json::json!({"path": path, "instructions": instructions})
            }
        };
        writeln!(out, "{line}")?;
    }
    out.flush()
}
