//! What is asked of requirements as a whole; and ways to ask that the tests of the parts share.

use super::*;

pub fn one(text: &str) -> Entry {
    let mut lines = read(text);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0).entry
}

pub fn named(text: &str) -> Requirement {
    match one(text) {
        Entry::Requirement(requirement) => requirement,
        other => panic!("{text}: {other:?}"),
    }
}

pub fn option(name: &str, value: Option<&str>) -> Entry {
    Entry::Option { name: name.to_owned(), value: value.map(str::to_owned) }
}

pub fn remote(name: Option<&str>, url: &str) -> Entry {
    Entry::Remote { name: name.map(str::to_owned), url: url.to_owned() }
}

pub fn refused(text: &str) -> bool {
    matches!(one(text), Entry::Unreadable(_))
}

fn pin(text: &str) -> Option<String> {
    named(text).pin().map(str::to_owned)
}

#[test]
fn a_version_is_pinned_by_one_equality_without_a_wildcard() {
    for text in ["torch==2.1.0", "torch == 2.1.0", "torch===2.1.0", "torch (==2.1.0)", "torch==2.1.0,"] {
        assert_eq!(pin(text).as_deref(), Some("2.1.0"), "{text}");
    }
    assert_eq!(pin("torch==2.1.0+cpu ; python_version < '3.9'").as_deref(), Some("2.1.0+cpu"));
    for text in ["torch", "torch==2.*", "torch>=2", "torch~=2.1", "torch==2.1,!=2.1.1", "torch===2.*", "torch==="] {
        assert_eq!(pin(text), None, "{text}");
    }
}

#[test]
fn local_things_are_told_from_remote_ones() {
    for text in ["./x", "-e .", "-e src/x", "-f ./wheels", "-i file:///x", "git+file:///x", "-e file:x"] {
        assert!(one(text).is_local(), "{text}");
    }
    for text in ["a==1", "-e git+https://x#egg=a", "-f https://x", "https://x/a.zip", "-r x", "--trusted-host h"] {
        assert!(!one(text).is_local(), "{text}");
    }
}

#[test]
fn only_upper_case_variables_are_expanded() {
    for (text, uses) in [("a==${V_1}", true), ("-r ${v}/${D}", true), ("a==${v}", false), ("$V ${} ${V", false)] {
        assert_eq!(read(text)[0].uses_variable(), uses, "{text}");
    }
}

#[test]
fn a_nested_file_lies_beside_the_one_that_names_it() {
    assert_eq!(nested("req/dev.txt", "../base.txt").as_deref(), Some("req/../base.txt"));
    assert_eq!(nested("dev.txt", "base.txt").as_deref(), Some("base.txt"));
    assert_eq!(nested("req/dev.txt", "/base.txt").as_deref(), Some("/base.txt"));
    assert_eq!(nested("req/dev.txt", "https://x/base.txt"), None);
}

#[test]
fn an_argument_is_one_requirement_as_it_stands() {
    let Entry::Requirement(found) = read_argument("torch==2.1; python_version<'3.9'") else { panic!() };
    assert_eq!((found.pin(), found.marker.as_deref()), (Some("2.1"), Some("python_version<'3.9'")));
    assert_eq!(read_argument("./x"), Entry::Local("./x".to_owned()));
    assert!(matches!(read_argument("-e"), Entry::Unreadable(_)));
    assert!(matches!(read_argument("a # no comment"), Entry::Unreadable(_)));
}
