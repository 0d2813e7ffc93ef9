//! What a service sets for its containers: environment, mounts, command and user.
//!
//! Source: compose-spec `05-services.md`, `13-merge.md`; compose-go `types/command.go`, `transform/envfile.go`, `loader/reset.go`.

use super::volumes::{self, Volume};
use crate::yaml::{Node, NodeKind, Stream};

/// The run-time keys of a service, as written: what merge keys and aliases bring is there, variables and `extends` are not followed.
#[derive(Debug, Clone, Default)]
pub struct RunKeys {
    pub environment: Vec<Setting>,
    pub env_files: Vec<EnvFile>,
    /// Of `volumes` and `tmpfs`.
    pub volumes: Vec<Volume>,
    /// `SERVICE[:ro]` or `container:NAME[:ro]`.
    pub volumes_from: Vec<String>,
    pub command: Command,
    pub entrypoint: Command,
    pub working_dir: Option<Text>,
    pub user: Option<Text>,
    /// Keys under the tag `!reset` or `!override`: what files and services below say under them does not count.
    pub replaced: Vec<&'static str>,
}

/// A variable of `environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    /// None where whoever starts the container gives it.
    pub value: Option<String>,
    pub offset: usize,
}

/// A file of `env_file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// As written.
    pub path: String,
    /// Whether Compose refuses to start without it.
    pub required: bool,
    /// Whether its values are taken as they are (`format: raw`).
    pub is_raw: bool,
    pub offset: usize,
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub offset: usize,
}

/// `command` or `entrypoint`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Command {
    /// The key is missing.
    #[default]
    Missing,
    /// Null: the image's own, whatever a file below says.
    Image,
    /// An empty text or list: none, not even the image's own.
    Empty,
    /// A text that Compose splits into words; no shell runs it.
    Line(String),
    Words(Vec<String>),
}

/// Keys that stand here, under which a tag may cut off what lies below.
const KEYS: [&str; 9] =
    ["environment", "env_file", "volumes", "tmpfs", "volumes_from", "command", "entrypoint", "working_dir", "user"];

/// The run-time keys of the service with the mapping `node`.
pub(super) fn read(stream: &Stream, node: &Node) -> RunKeys {
    let cuts = |node: &Node| matches!(node.tag.as_deref(), Some("!reset" | "!override"));
    let found = |key: &str| {
        let (value, _) = stream.effective(node, key)?;
        Some(stream.resolve(value)).filter(|value| value.tag.as_deref() != Some("!reset"))
    };
    let is_cut = |key: &&&str| cuts(node) || stream.effective(node, key).is_some_and(|(value, _)| cuts(value));
    let text = |key: &str| {
        let node = found(key)?;
        Some(Text { text: node.text()?.to_owned(), offset: node.start })
    };
    let mounts = found("volumes").map_or(&[][..], Node::items).iter().filter_map(|item| volumes::read(stream, item));
    let tmpfs = found("tmpfs").into_iter().flat_map(|node| scalars(stream, node)).map(|text| volumes::tmpfs(&text));
    RunKeys {
        environment: found("environment").map_or_else(Vec::new, |node| settings(stream, node)),
        env_files: found("env_file").map_or_else(Vec::new, |node| env_files(stream, node)),
        volumes: mounts.chain(tmpfs).collect(),
        volumes_from: found("volumes_from")
            .into_iter()
            .flat_map(|node| scalars(stream, node))
            .map(|text| text.text)
            .collect(),
        command: command(stream, found("command")),
        entrypoint: command(stream, found("entrypoint")),
        working_dir: text("working_dir"),
        user: text("user"),
        replaced: KEYS.iter().filter(is_cut).copied().collect(),
    }
}

/// The text of a scalar, or those of a list.
fn scalars(stream: &Stream, node: &Node) -> Vec<Text> {
    let single = std::slice::from_ref(node);
    let items = if node.is_sequence() { node.items() } else { single };
    let texts = items.iter().filter_map(|item| {
        let node = stream.resolve(item);
        Some(Text { text: node.text()?.to_owned(), offset: item.start })
    });
    texts.collect()
}

fn settings(stream: &Stream, node: &Node) -> Vec<Setting> {
    if node.is_sequence() {
        let items = scalars(stream, node).into_iter();
        return items
            .map(|Text { text, offset }| match text.split_once('=') {
                Some((name, value)) => Setting { name: name.to_owned(), value: Some(value.to_owned()), offset },
                None => Setting { name: text, value: None, offset },
            })
            .collect();
    }
    let pairs = stream.effective_pairs(node).into_iter();
    pairs
        .map(|(name, value)| Setting {
            name: name.to_owned(),
            value: stream.resolve(value).text().map(str::to_owned),
            offset: value.start,
        })
        .collect()
}

fn env_files(stream: &Stream, node: &Node) -> Vec<EnvFile> {
    let single = std::slice::from_ref(node);
    let items = if node.is_sequence() { node.items() } else { single };
    let files = items.iter().filter_map(|item| {
        let node = stream.resolve(item);
        let offset = item.start;
        if let Some(path) = node.text() {
            return Some(EnvFile { path: path.to_owned(), required: true, is_raw: false, offset });
        }
        let text = |key: &str| stream.effective(node, key).and_then(|(value, _)| stream.resolve(value).text());
        Some(EnvFile {
            path: text("path")?.to_owned(),
            required: text("required") != Some("false"),
            is_raw: text("format") == Some("raw"),
            offset,
        })
    });
    files.collect()
}

fn command(stream: &Stream, node: Option<&Node>) -> Command {
    let Some(node) = node else { return Command::Missing };
    match &node.kind {
        NodeKind::Sequence { items, .. } if items.is_empty() => Command::Empty,
        NodeKind::Sequence { .. } => Command::Words(scalars(stream, node).into_iter().map(|text| text.text).collect()),
        _ if node.is_null() => Command::Image,
        _ => match node.text() {
            Some(text) if text.trim().is_empty() => Command::Empty,
            Some(text) => Command::Line(text.to_owned()),
            None => Command::Missing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::compose::Service;

    fn service(text: &str) -> Service {
        let stream = Stream::read(text).unwrap();
        super::super::read(text, &stream).unwrap().services.remove(0)
    }

    fn keys(body: &str) -> RunKeys {
        service(&format!("services:\n  a:\n{body}")).run
    }

    fn environment(body: &str) -> Vec<(String, Option<String>)> {
        keys(body).environment.into_iter().map(|setting| (setting.name, setting.value)).collect()
    }

    #[test]
    fn the_environment_is_read_in_both_forms() {
        let some = |text: &str| Some(text.to_owned());
        let expected = vec![
            ("A".to_owned(), some("1")),
            ("B".to_owned(), None),
            ("C".to_owned(), some("x=${Y:-z}")),
            ("D".to_owned(), some("")),
        ];
        assert_eq!(environment("    environment: [A=1, B, \"C=x=${Y:-z}\", D=]\n"), expected);
        assert_eq!(
            environment("    environment:\n      A: 1\n      B:\n      C: x=${Y:-z}\n      D: \"\"\n"),
            expected
        );
    }

    #[test]
    fn merge_keys_and_aliases_bring_variables() {
        let text = "x-a: &a {X: 1, Y: 2}\nx-b: &b\n  environment:\n    <<: *a\n    Y: 3\n  env_file: e.env\nservices:\n  a:\n    <<: *b\n    command: *a\n";
        let run = service(text).run;
        let found: Vec<_> = run.environment.iter().map(|setting| (&*setting.name, setting.value.as_deref())).collect();
        assert_eq!(found, [("Y", Some("3")), ("X", Some("1"))]);
        assert_eq!((&*run.env_files[0].path, &text[run.environment[1].offset..][..1]), ("e.env", "1"));
    }

    #[test]
    fn files_of_variables_are_read_in_all_forms() {
        let files = |body: &str| -> Vec<(String, bool, bool)> {
            keys(body).env_files.into_iter().map(|file| (file.path, file.required, file.is_raw)).collect()
        };
        assert_eq!(files("    env_file: a.env\n"), [("a.env".to_owned(), true, false)]);
        assert_eq!(
            files("    env_file:\n      - a.env\n      - path: b.env\n        required: false\n        format: raw\n"),
            [("a.env".to_owned(), true, false), ("b.env".to_owned(), false, true)]
        );
    }

    #[test]
    fn a_command_is_a_line_words_or_nothing() {
        for (value, expected) in [
            ("", Command::Image),
            ("null", Command::Image),
            ("''", Command::Empty),
            ("[]", Command::Empty),
            ("uvicorn app:app", Command::Line("uvicorn app:app".to_owned())),
            ("[uvicorn, \"app:app\", 1]", Command::Words(vec!["uvicorn".into(), "app:app".into(), "1".into()])),
        ] {
            assert_eq!(keys(&format!("    command: {value}\n")).command, expected, "{value}");
        }
        assert_eq!(keys("    image: x\n").entrypoint, Command::Missing);
    }

    #[test]
    fn tags_cut_off_what_lies_below() {
        let run = keys(
            "    environment: !override\n      A: 1\n    volumes: !reset []\n    user: 1000:1000\n    command: !reset x\n",
        );
        assert_eq!(run.replaced, ["environment", "volumes", "command"]);
        assert_eq!((run.environment.len(), run.command), (1, Command::Missing));
        assert_eq!(run.user.map(|user| user.text).as_deref(), Some("1000:1000"));
    }
}
