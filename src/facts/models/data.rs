//! Values of configuration files that a program reads: YAML, JSON, TOML and .env.

use std::sync::Arc;

use crate::facts::dotenv;
use crate::text::LineIndex;
use crate::yaml::{Node, Stream};

/// In larger files of TOML, in bytes, lines are not looked for.
const LARGEST: usize = 32 << 10;

/// A value of a configuration file, and where it stands.
#[derive(Debug, Clone)]
pub struct Data {
    pub kind: DataKind,
    /// The file, relative to the root of the project.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
}

#[derive(Debug, Clone)]
pub enum DataKind {
    Text(String),
    Bool(bool),
    Null,
    Map(Vec<(String, Data)>),
    List(Vec<Data>),
    /// Numbers, dates and the like.
    Other,
}

impl Data {
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            DataKind::Map(pairs) => pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Reads a configuration file by the ending of its name; none for what can't be read, or is of another kind.
pub fn read(file: &str, text: &str) -> Option<Data> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let file: Arc<str> = file.into();
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("yaml" | "yml" | "json") => {
            let stream = Stream::read(text).ok()?;
            let lines = LineIndex::new(text);
            let root = stream.documents.first()?;
            Some(of_yaml(&stream, root, &lines, &file))
        }
        Some("toml") => {
            let table: toml::Table = text.parse().ok()?;
            Some(of_toml(&toml::Value::Table(table), text, &file))
        }
        _ if name == ".env" || name.starts_with(".env.") || name.ends_with(".env") => {
            let pairs = dotenv::read(text).ok()?.into_iter().filter_map(|entry| {
                let data = Data { kind: DataKind::Text(entry.value?), file: Arc::clone(&file), line: entry.line };
                Some((entry.name, data))
            });
            Some(Data { kind: DataKind::Map(pairs.collect()), file: Arc::clone(&file), line: 1 })
        }
        _ => None,
    }
}

fn of_yaml(stream: &Stream, node: &Node, lines: &LineIndex, file: &Arc<str>) -> Data {
    let node = stream.resolve(node);
    let kind = if node.is_mapping() {
        let pairs = stream.effective_pairs(node).into_iter();
        DataKind::Map(pairs.map(|(key, value)| (key.to_owned(), of_yaml(stream, value, lines, file))).collect())
    } else if node.is_sequence() {
        DataKind::List(node.items().iter().map(|item| of_yaml(stream, item, lines, file)).collect())
    } else if node.is_null() {
        DataKind::Null
    } else {
        match (node.string(), node.text()) {
            (Some(text), _) => DataKind::Text(text.to_owned()),
            (None, Some("true" | "True" | "yes" | "on")) => DataKind::Bool(true),
            (None, Some("false" | "False" | "no" | "off")) => DataKind::Bool(false),
            _ => DataKind::Other,
        }
    };
    Data { kind, file: Arc::clone(file), line: lines.line(node.start) }
}

fn of_toml(value: &toml::Value, text: &str, file: &Arc<str>) -> Data {
    let line = match value {
        // The library keeps no places: the first line that holds the text in quotes.
        toml::Value::String(value) if text.len() <= LARGEST => {
            let quoted = [format!("\"{value}\""), format!("'{value}'")];
            let found = text.lines().position(|line| quoted.iter().any(|quoted| line.contains(quoted)));
            found.map_or(1, |index| index + 1)
        }
        _ => 1,
    };
    let kind = match value {
        toml::Value::String(text) => DataKind::Text(text.clone()),
        toml::Value::Boolean(value) => DataKind::Bool(*value),
        toml::Value::Table(table) => {
            DataKind::Map(table.iter().map(|(key, value)| (key.clone(), of_toml(value, text, file))).collect())
        }
        toml::Value::Array(items) => DataKind::List(items.iter().map(|item| of_toml(item, text, file)).collect()),
        _ => DataKind::Other,
    };
    Data { kind, file: Arc::clone(file), line }
}
