//! A file as its kind is read.

use crate::dockerfile::{self, Dockerfile};
use crate::facts::bake::{self, Bake};
use crate::facts::compose::{self, Compose};
use crate::facts::ignores::Ignores;
use crate::facts::workflow::{self, Workflow};
use crate::text::{LineIndex, Span};
use crate::transform::Kind;
use crate::yaml::{self, Stream, YamlError};

/// Why a file can't be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Counted from 1.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl From<YamlError> for Refusal {
    fn from(error: YamlError) -> Self {
        Self { line: error.line, column: error.column, message: error.message }
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub enum Parsed {
    Dockerfile(Dockerfile),
    Compose(Stream, Compose),
    Workflow(Stream, Workflow),
    Bake(Bake),
}

impl Parsed {
    pub fn kind(&self) -> Kind {
        match self {
            Parsed::Dockerfile(_) => Kind::Dockerfile,
            Parsed::Compose(..) => Kind::Compose,
            Parsed::Workflow(..) => Kind::Workflow,
            Parsed::Bake(_) => Kind::Bake,
        }
    }

    pub fn dockerfile(&self) -> Option<&Dockerfile> {
        match self {
            Parsed::Dockerfile(file) => Some(file),
            _ => None,
        }
    }

    /// The `# restow: ignore` comments of the file, with its text.
    pub(super) fn ignores(&self, text: &str) -> Ignores {
        match self {
            Parsed::Dockerfile(file) => Ignores::of_dockerfile(text, file),
            Parsed::Compose(_, compose) => compose.ignores.clone(),
            other => Ignores::of_blocks(text, other.comments()),
        }
    }

    /// The comments, in order.
    pub(super) fn comments(&self) -> &[Span] {
        match self {
            Parsed::Dockerfile(file) => &file.comments,
            Parsed::Compose(stream, _) | Parsed::Workflow(stream, _) => &stream.comments,
            Parsed::Bake(bake) => &bake.comments,
        }
    }
}

/// Reads a file of a kind.
///
/// # Errors
/// What can't be read, with its place.
pub fn read(kind: Kind, text: &str) -> Result<Parsed, Refusal> {
    Ok(match kind {
        Kind::Dockerfile => Parsed::Dockerfile(read_dockerfile(text)?),
        Kind::Compose => {
            let stream = Stream::read(text)?;
            let compose = compose::read(text, &stream)?;
            if compose.services.iter().any(|service| service.any_build().is_some()) {
                second_reader(text)?;
            }
            Parsed::Compose(stream, compose)
        }
        Kind::Workflow => {
            let stream = Stream::read(text)?;
            let workflow = workflow::read(text, &stream)?;
            if text.contains(workflow::BUILD_PUSH) || text.contains(workflow::BAKE) {
                second_reader(text)?;
            }
            Parsed::Workflow(stream, workflow)
        }
        Kind::Bake => Parsed::Bake(bake::read(text)?),
        Kind::Dockerignore => {
            return Err(Refusal {
                line: 0,
                column: 0,
                message: "a .dockerignore is rewritten with its Dockerfile".to_owned(),
            });
        }
    })
}

/// What the positions' reader takes and the data's does not is not edited: programs that read the file may refuse it too.
fn second_reader(text: &str) -> Result<(), Refusal> {
    yaml::data::read(text).map(drop).map_err(|error| error.into())
}

/// Reads a Dockerfile, and refuses one that BuildKit would refuse to build.
///
/// # Errors
/// What BuildKit's parser refuses, unknown instructions, and instructions before the first FROM.
pub fn read_dockerfile(text: &str) -> Result<Dockerfile, Refusal> {
    let refusal = |offset: usize, message: String| {
        let (line, column) = LineIndex::new(text).line_column(offset.min(text.len()));
        Refusal { line, column, message }
    };
    let file = dockerfile::read(text).map_err(|error| refusal(error.offset, error.message))?;
    let mut started = false;
    for instruction in &file.instructions {
        let word = instruction.keyword_span.of(text);
        match instruction.keyword {
            dockerfile::Keyword::Unknown => {
                let hint = if text.contains("{{") || text.contains("{%") {
                    "; a template is read only once it is rendered"
                } else {
                    ""
                };
                return Err(refusal(instruction.span.start, format!("unknown instruction {word:?}{hint}")));
            }
            dockerfile::Keyword::From => {
                started = true;
                let words = instruction.words(file.escape).len();
                if words != 1 && words != 3 {
                    let message = "FROM requires either one or three arguments".to_owned();
                    return Err(refusal(instruction.span.start, message));
                }
            }
            dockerfile::Keyword::Arg => {}
            _ if !started => {
                let message = format!("no build stage in current context: {word} stands before the first FROM");
                return Err(refusal(instruction.span.start, message));
            }
            _ => {}
        }
    }
    if !started {
        return Err(refusal(0, "no FROM in the file".to_owned()));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_buildkit_would_not_build_is_refused() {
        for text in ["RUN a\n", "ARG A\n", "FROM x\nFOO b\n", "FROM a b\n", "{% if x %}\nFROM y\n"] {
            assert!(read_dockerfile(text).is_err(), "{text:?}");
        }
        assert!(read_dockerfile("ARG A\nFROM x\n").is_ok());
    }

    #[test]
    fn yaml_that_is_none_is_refused_with_its_place() {
        let refusal = read(Kind::Compose, "services:\n  a:\n    image: x\n    image: y\n").unwrap_err();
        assert_eq!((refusal.line, refusal.column), (4, 5));
    }
}
