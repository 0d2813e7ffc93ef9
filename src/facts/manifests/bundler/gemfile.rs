//! Reading a Gemfile far enough to tell which files it reads.
//!
//! A Gemfile is Ruby. Only what is known to read no file is let through: bundler's own words, literals, local variables, and a few
//! methods of strings and versions. Everything else is refused by name.
//!
//! Source: bundler `lib/bundler/dsl.rb` and `lib/bundler/ruby_dsl.rb`.

use super::ruby::{Token, tokenize};
use crate::facts::manifests::paths::is_local;

/// What a Gemfile reads beside itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gemfile {
    /// Files whose names count from the Gemfile's folder.
    pub beside: Vec<String>,
    /// Files whose names count from the working folder.
    pub working: Vec<String>,
    /// Other Gemfiles, which count from this one's folder.
    pub gemfiles: Vec<String>,
    /// Whether it looks at the environment.
    pub environment: bool,
    /// Whether it has plugins.
    pub plugins: bool,
}

/// Words of bundler and Ruby that read no file.
const WORDS: &[&str] = &[
    "source",
    "gem",
    "group",
    "platforms",
    "platform",
    "git",
    "git_source",
    "github",
    "install_if",
    "env",
    "ruby",
    "do",
    "end",
    "if",
    "unless",
    "else",
    "elsif",
    "then",
    "and",
    "or",
    "not",
    "true",
    "false",
    "nil",
    "case",
    "when",
    "puts",
    "warn",
    "raise",
    "abort",
    "lambda",
    "proc",
    "next",
    "defined",
    "RUBY_VERSION",
    "RUBY_ENGINE",
    "RUBY_PLATFORM",
    "Gem",
    "Version",
    "Requirement",
    "Platform",
    "RbConfig",
    "CONFIG",
    "ENV",
    "plugin",
];

/// Methods that read no file, whatever they are called on.
const METHODS: &[&str] = &[
    "new",
    "to_s",
    "to_i",
    "to_f",
    "to_sym",
    "strip",
    "chomp",
    "split",
    "first",
    "last",
    "include",
    "match",
    "start_with",
    "end_with",
    "fetch",
    "key",
    "has_key",
    "nil",
    "empty",
    "any",
    "win_platform",
    "ruby_version",
    "version",
    "freeze",
    "downcase",
    "upcase",
    "join",
    "each",
    "map",
    "select",
    "reject",
    "size",
    "length",
    "sub",
    "gsub",
    "tr",
    "local",
    "os",
    "dup",
    "sort",
    "uniq",
    "compact",
    "segments",
    "prerelease",
    "satisfied_by",
    "delete_prefix",
];

/// Reads a Gemfile.
///
/// # Errors
/// What in it may read files that can't be told from its text, or needs the sources.
pub(super) fn read(text: &str, name: &str) -> Result<Gemfile, String> {
    let mut tokens = Vec::new();
    tokenize(text, &mut tokens).map_err(|found| format!("its {name} has {found}, which is not read"))?;
    judge(&tokens, name)
}

fn judge(tokens: &[Token], name: &str) -> Result<Gemfile, String> {
    let mut found = Gemfile::default();
    let locals = locals(tokens);
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1);
        let called = at > 0 && matches!(&tokens[at - 1], Token::Operator(op) if op == "." || op == "&.");
        match &tokens[at] {
            Token::Text(text, _) if text.starts_with("file:") => return Err(format!("its {name} names {text}")),
            Token::Label(key) if matches!(key.as_str(), "path" | "git") => local_source(key, next, name)?,
            Token::Symbol(key) | Token::Text(key, _)
                if is_operator(next, "=>") && matches!(key.as_str(), "path" | "git") =>
            {
                local_source(key, tokens.get(at + 2), name)?;
            }
            Token::Label(key) if key == "file" => match next {
                Some(Token::Text(file, false)) => found.beside.push(file.clone()),
                _ => return Err(format!("its {name} names a file that can't be told")),
            },
            Token::Word(word) if called && METHODS.contains(&word.trim_end_matches(['?', '!'])) => {}
            Token::Word(word) if called => return Err(unread(word, name)),
            Token::Word(word) => match word.as_str() {
                "gemspec" => return Err(format!("its {name} takes the gems of a gemspec, which reads the sources")),
                "path" if !locals.contains(&word.as_str()) => {
                    return Err(format!("its {name} names gems in a folder of the sources"));
                }
                "git" | "source" => local_source(word, argument(tokens, at), name)?,
                "eval_gemfile" => match argument(tokens, at) {
                    Some(Token::Text(file, false)) => found.gemfiles.push(file.clone()),
                    _ => return Err(unread(word, name)),
                },
                "File" | "IO" => {
                    let (file, beside, length) = read_file(&tokens[at..]).ok_or_else(|| unread(word, name))?;
                    if beside { &mut found.beside } else { &mut found.working }.push(file);
                    at += length;
                    continue;
                }
                "ENV" => found.environment = true,
                "plugin" => found.plugins = true,
                word if WORDS.contains(&word.trim_end_matches('?')) || locals.contains(&word) => {}
                word => return Err(unread(word, name)),
            },
            _ => {}
        }
        at += 1;
    }
    Ok(found)
}

fn unread(word: &str, name: &str) -> String {
    format!("its {name} uses `{word}`, which may read other files")
}

/// Refuses `path:`, and addresses in the file system.
fn local_source(key: &str, value: Option<&Token>, name: &str) -> Result<(), String> {
    match value {
        _ if key == "path" => Err(format!("its {name} names gems in a folder of the sources")),
        Some(Token::Text(address, _)) if is_local(address) => Err(format!("its {name} names {address}")),
        Some(Token::Text(address, interpolated)) if !interpolated || address.contains("://") => Ok(()),
        Some(Token::Symbol(_)) => Ok(()),
        _ => Err(format!("its {name} takes gems from a place that can't be told")),
    }
}

/// The first argument of a call, with or without a parenthesis.
fn argument(tokens: &[Token], at: usize) -> Option<&Token> {
    let skip = usize::from(is_operator(tokens.get(at + 1), "("));
    tokens.get(at + 1 + skip)
}

fn is_operator(token: Option<&Token>, text: &str) -> bool {
    matches!(token, Some(Token::Operator(op)) if op == text)
}

/// `File.read("x")`, also with `File.join(__dir__, "x")` and `File.expand_path("x", __dir__)`: the file, whether it counts from the
/// Gemfile's folder, and the number of tokens.
fn read_file(tokens: &[Token]) -> Option<(String, bool, usize)> {
    let spelled = |at: usize, words: &[&str]| {
        words.iter().enumerate().all(|(step, wanted)| match tokens.get(at + step) {
            Some(Token::Word(text) | Token::Operator(text)) => text == wanted,
            _ => false,
        })
    };
    let text = |at: usize| match tokens.get(at) {
        Some(Token::Text(text, false)) => Some(text.clone()),
        _ => None,
    };
    if !(spelled(1, &[".", "read", "("])) {
        return None;
    }
    if let Some(file) = text(4) {
        return spelled(5, &[")"]).then_some((file, false, 6));
    }
    if spelled(4, &["File", ".", "join", "(", "__dir__", ","]) && spelled(11, &[")", ")"]) {
        return Some((text(10)?, true, 13));
    }
    if spelled(4, &["File", ".", "expand_path", "("]) && spelled(9, &[",", "__dir__", ")", ")"]) {
        return Some((text(8)?, true, 13));
    }
    None
}

/// Names that the file itself gives: `name = …` and `|name|`.
fn locals(tokens: &[Token]) -> Vec<&str> {
    let mut names = Vec::new();
    let mut in_bars = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Operator(op) if op == "|" => in_bars = !in_bars,
            Token::Line => in_bars = false,
            Token::Word(word) if in_bars || is_operator(tokens.get(at + 1), "=") => names.push(word.as_str()),
            _ => {}
        }
    }
    names
}
