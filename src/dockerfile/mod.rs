//! Dockerfiles as BuildKit reads them, without loss: every instruction, flag and word with its place in the file.
//!
//! The reader follows `frontend/dockerfile/parser` of moby/buildkit line by line (continuations, comments inside
//! them, heredocs, flags, JSON form). It keeps no copy of the text it does not need: a change is made by splicing the
//! file's own bytes ([`edits`]), never by printing a tree.

pub mod edits;
mod heredoc;
mod reader;
mod words;

pub use heredoc::Heredoc;
pub use reader::read;
pub use words::{Pair, Word, split_words};

use crate::text::{Fragment, LineIndex, Span};

/// A Dockerfile: its instructions in order, with what stands around them.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// `\` or `` ` ``.
    pub escape: char,
    /// The parser directives at the top, in order, keys in lower case.
    pub directives: Vec<Directive>,
    pub instructions: Vec<Instruction>,
    /// Every comment line, also those inside continued instructions; parser directives are among them.
    pub comments: Vec<Span>,
    pub lines: LineIndex,
}

/// `# key=value` at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    pub key: String,
    pub value: String,
    pub line: usize,
}

/// What an instruction is; names are read without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// A word that BuildKit's parser passes on and its builder refuses.
    Unknown,
}

impl Keyword {
    pub fn parse(word: &str) -> Self {
        const NAMES: [(&str, Keyword); 18] = [
            ("add", Keyword::Add),
            ("arg", Keyword::Arg),
            ("cmd", Keyword::Cmd),
            ("copy", Keyword::Copy),
            ("entrypoint", Keyword::Entrypoint),
            ("env", Keyword::Env),
            ("expose", Keyword::Expose),
            ("from", Keyword::From),
            ("healthcheck", Keyword::Healthcheck),
            ("label", Keyword::Label),
            ("maintainer", Keyword::Maintainer),
            ("onbuild", Keyword::Onbuild),
            ("run", Keyword::Run),
            ("shell", Keyword::Shell),
            ("stopsignal", Keyword::Stopsignal),
            ("user", Keyword::User),
            ("volume", Keyword::Volume),
            ("workdir", Keyword::Workdir),
        ];
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        known.map_or(Keyword::Unknown, |&(_, keyword)| keyword)
    }
}

/// One instruction with its flags, arguments and heredocs.
#[derive(Debug, Clone)]
pub struct Instruction {
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_span: Span,
    /// From the keyword to the end of the last line, heredoc bodies included, without the final line break.
    pub span: Span,
    /// The end of the last line before heredoc bodies, without its line break.
    pub head_end: usize,
    /// First and last line, counted from 1, as BuildKit reports them.
    pub start_line: usize,
    pub end_line: usize,
    /// The joined line: continuations, comments and empty lines inside it removed, as BuildKit joins it.
    pub line: Fragment,
    pub flags: Vec<Flag>,
    /// The arguments behind the flags: a range of `line.text`, trimmed.
    pub args: std::ops::Range<usize>,
    /// The strings of the JSON form, with the range of `line.text` of the whole array.
    pub json: Option<Vec<String>>,
    pub heredocs: Vec<Heredoc>,
    /// Whether the file ends behind a continuation character: a line that is added behind the instruction would belong to it.
    pub is_open: bool,
}

impl Instruction {
    pub fn args(&self) -> &str {
        &self.line.text[self.args.clone()]
    }

    /// The words of the arguments, split at white space outside quotes as `parseWords` of BuildKit does;
    /// ranges are those of `line.text`.
    pub fn words(&self, escape: char) -> Vec<Word> {
        split_words(self.args(), escape).into_iter().map(|word| word.shifted(self.args.start)).collect()
    }

    /// The value of `--name=value`, if the flag is there.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|flag| flag.name() == name).and_then(|flag| flag.value())
    }

    /// The pairs of ENV, ARG and LABEL; ranges are those of `line.text`.
    pub fn pairs(&self, escape: char) -> Vec<Pair> {
        let pairs = match self.keyword {
            Keyword::Arg => words::arguments(self.args(), escape),
            Keyword::Env | Keyword::Label => words::name_values(self.args(), escape, "").unwrap_or_default(),
            _ => Vec::new(),
        };
        let shift = self.args.start;
        let shifted = |pair: Pair| Pair { range: pair.range.start + shift..pair.range.end + shift, ..pair };
        pairs.into_iter().map(shifted).collect()
    }

    /// The heredoc that is the script of a RUN: its only word (`RUN <<EOF`), or what a shell reads (`RUN <<EOF bash -e`). With the
    /// shell's options, if one is named.
    pub fn script_heredoc(&self) -> Option<(&Heredoc, Option<&str>)> {
        let [heredoc] = self.heredocs.as_slice() else { return None };
        let others = self.args().split_whitespace().filter(|word| !word.contains("<<"));
        let mut others = others.peekable();
        let Some(shell) = others.next() else { return Some((heredoc, None)) };
        let name = shell.rsplit('/').next().unwrap_or(shell);
        let option = others.next().unwrap_or("");
        let plain =
            option.is_empty() || option.starts_with('-') && !option.starts_with("--") && !option.contains(['c', 'o']);
        let shells = ["sh", "bash", "dash", "ash"];
        (shells.contains(&name) && plain && others.next().is_none()).then_some((heredoc, Some(option)))
    }

    /// Whether the instruction reaches over more than one line of the file before its heredocs.
    pub fn is_continued(&self, text: &str) -> bool {
        text[self.span.start..self.head_end].contains('\n')
    }
}

/// `--name` or `--name=value` behind a keyword.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As BuildKit sees it: quotes and escapes resolved, with the dashes.
    pub text: String,
    pub span: Span,
}

impl Flag {
    pub fn name(&self) -> &str {
        let bare = self.text.trim_start_matches("--");
        bare.split_once('=').map_or(bare, |(name, _)| name)
    }

    pub fn value(&self) -> Option<&str> {
        self.text.split_once('=').map(|(_, value)| value)
    }
}

/// Why BuildKit's parser refuses a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// Byte offset in the file.
    pub offset: usize,
    pub message: String,
}
