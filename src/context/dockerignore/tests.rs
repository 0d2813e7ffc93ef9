//! What a `.dockerignore` keeps out, and what is said of whole folders and names.

use super::*;

fn file(text: &str) -> Dockerignore {
    Dockerignore::read(text).unwrap()
}

/// Of some paths, those that are kept out.
fn excluded<'a>(text: &str, paths: &[&'a str]) -> Vec<&'a str> {
    let file = file(text);
    paths.iter().copied().filter(|path| file.excludes(path)).collect()
}

#[test]
fn an_empty_file_keeps_nothing_out() {
    assert_eq!(excluded("\n  \n# all of it\n", &["a", "a/b"]), Vec::<&str>::new());
    assert!(!Dockerignore::default().excludes("a"));
    assert!(!file("**").excludes(""), "the context itself is never kept out");
}

#[test]
fn a_comment_starts_in_the_first_column_only() {
    assert_eq!(excluded("#a\n #b\n\\#c", &["#a", "#b", "#c"]), ["#b", "#c"]);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_of_the_file_only() {
    assert_eq!(excluded("\u{FEFF}a\n\u{FEFF}b", &["a", "b", "\u{FEFF}b"]), ["a", "\u{FEFF}b"]);
}

#[test]
fn a_pattern_is_trimmed_and_cleaned() {
    for text in ["node_modules/", "/node_modules", " ./node_modules/. ", "a/..//node_modules\r\n"] {
        assert_eq!(excluded(text, &["node_modules", "node_modules/x", "a/node_modules"]).len(), 2, "{text:?}");
    }
}

#[test]
fn a_second_cleaning_takes_the_mark_for_a_part_of_the_name() {
    assert_eq!(excluded("*\n/!a", &["a", "b"]), ["b"]);
    assert_eq!(excluded("!../../a", &["a", "b"]), ["a"]);
}

#[test]
fn two_stars_cross_folders_and_one_does_not() {
    let paths = ["n", "a/n", "a/b/n", "an"];
    assert_eq!(excluded("n", &paths), ["n"]);
    assert_eq!(excluded("*/n", &paths), ["a/n"]);
    assert_eq!(excluded("**/n", &paths), ["n", "a/n", "a/b/n"]);
    assert_eq!(excluded("**n", &paths), paths);
    assert_eq!(excluded("a**", &paths), ["a/n", "a/b/n", "an"]);
}

#[test]
fn the_last_match_wins() {
    let paths = ["a.md", "README.md", "c"];
    assert_eq!(excluded("*.md\n!README.md", &paths), ["a.md"]);
    assert_eq!(excluded("*.md\n!README.md\nREAD*", &paths), ["a.md", "README.md"]);
    assert_eq!(excluded("!README.md\n*.md", &paths), ["a.md", "README.md"]);
}

#[test]
fn an_exception_reaches_into_an_excluded_folder() {
    assert_eq!(excluded("a\n!a/b", &["a", "a/b", "a/b/c", "a/c"]), ["a", "a/c"]);
}

#[test]
fn an_exception_that_was_not_tried_on_a_folder_does_not_count_beneath() {
    assert_eq!(excluded("a/b\n!a", &["a", "a/b"]), ["a/b"]);
    let twice = "**/n\n!**/n/keep\n**/n";
    assert_eq!(excluded(twice, &["n", "n/x", "n/keep"]), ["n", "n/x"]);
}

#[test]
fn a_folder_is_not_entered_for_an_exception_that_lost_two_wildcards() {
    assert_eq!(excluded("c\n!c/*/**", &["c/d", "c/d/e"]), ["c/d", "c/d/e"]);
    // A wildcard elsewhere has every folder entered.
    assert_eq!(excluded("c\n!c/*/**\n!*.x", &["c/d", "c/d/e"]), ["c/d"]);
}

#[test]
fn wildcards_and_classes_match_single_characters() {
    assert_eq!(excluded("[a-c]?", &["ax", "cé", "dx", "a/", "a"]), ["ax", "cé"]);
    assert_eq!(excluded("[^a]", &["a", "b"]), ["b"]);
    assert_eq!(excluded("[!a]", &["!", "a", "b"]), ["!", "a"]);
    assert_eq!(excluded("\\*\\[", &["*[", "x["]), ["*["]);
}

#[test]
fn a_star_in_a_class_is_translated_too() {
    assert_eq!(excluded("[*]", &["*", "]", "[/^]"]), ["]", "[/^]"]);
}

#[test]
fn characters_of_regular_expressions_act_only_beside_a_wildcard() {
    assert_eq!(excluded("b|x", &["b|x", "b"]), ["b|x"]);
    assert_eq!(excluded("b|x*", &["b|x", "bar", "ax", "c"]), ["b|x", "bar", "ax"]);
    assert_eq!(excluded("ab{2}*", &["abb", "ab{2}", "ab"]), ["abb"]);
    assert_eq!(excluded("x\\d", &["x1", "xd"]), ["x1"]);
    assert_eq!(excluded("[[:digit:]]*", &["1x", "d"]), ["1x"]);
    assert_eq!(excluded("a.b*\na+?", &["a.b", "aXb", "a+c", "aac"]), ["a.b", "a+c"]);
    assert_eq!(excluded("a\\Q*", &["a[^/]*$z", "ax"]), ["a[^/]*$z"]);
}

#[test]
fn what_buildkit_refuses_is_refused_with_its_line() {
    for text in ["[", "a[]", "[a-]", "[-a]", "a\\", "!", "//!", "*[b-a]", "\\e", "*{2}", "x{1001}*", "[[:no:]]"] {
        let refusal = Dockerignore::read(&format!("# first\n{text}")).unwrap_err();
        assert_eq!(refusal.line, 2, "{refusal}");
    }
    assert!(Dockerignore::read(&"a".repeat(LONGEST_LINE + 1)).is_err());
}

#[test]
fn a_broken_expression_that_is_never_tried_is_accepted() {
    assert!(file("!*[b-a]\na").excludes("a"));
}

#[test]
fn a_folder_is_whole_only_without_an_exception_that_could_reach_into_it() {
    assert!(file("a").excludes_whole("a"));
    assert!(file("a").excludes_whole("a/b/c"));
    assert!(file("a\n!b\n!*.md\n!ab\n!c/**").excludes_whole("a"));
    for exception in ["a", "a/b", "**/b", "*/b", "a/**", "**", "a?b|a/", "**b"] {
        assert!(!file(&format!("a\n!{exception}")).excludes_whole("a"), "{exception}");
    }
    assert!(file("a\n!a/b\na/*").excludes_whole("a/c"));
    assert!(!file("").excludes_whole("a"));
}

#[test]
fn a_folder_whose_contents_alone_are_excluded_is_not_whole() {
    let contents = file("node_modules/*");
    assert!(!contents.excludes("node_modules") && !contents.excludes_whole("node_modules"));
    assert!(contents.excludes_whole("node_modules/a"));
}

#[test]
fn a_name_is_excluded_everywhere_by_two_stars_before_it() {
    for text in
        ["**/n", "**/n/", "**", "*\n!src\n!a.md\n**/n", "**/n\n!README.md", "!x/n\n**/n", "*\n!src\n**/n\n!src/a"]
    {
        assert!(file(text).excludes_everywhere("n"), "{text:?}");
    }
    for text in ["n", "*/n", "**/n/*", "**/n\n!**/n/keep", "**/n\n!a/n", "**/n\n!**/*.md", "*\n**/n\n!src"] {
        assert!(!file(text).excludes_everywhere("n"), "{text:?}");
    }
}

#[test]
fn a_folder_above_can_be_brought_back_together_with_what_it_holds() {
    assert_eq!(excluded("*\n**/n\n!a", &["n", "a", "a/n"]), ["n"]);
    assert_eq!(excluded("*\n!a\n**/n", &["n", "a", "a/n"]), ["n", "a/n"]);
}

#[test]
fn exceptions_are_reported() {
    assert!(file("!a").has_exceptions());
    assert!(!file("\\!a").has_exceptions());
}

/// Patterns from a small alphabet, and every path of it up to four names deep.
#[test]
fn what_is_said_of_a_folder_holds_for_every_path_beneath_it() {
    const NAMES: [&str; 3] = ["a", "b", "n"];
    const PARTS: [&str; 9] = ["a", "b", "n", "*", "**", "?", "a*", "**b", "[ab]"];
    let mut paths: Vec<String> = NAMES.iter().map(|name| name.to_string()).collect();
    for from in [0, 3, 12] {
        let deeper: Vec<_> = paths[from..].iter().flat_map(|p| NAMES.map(|name| format!("{p}/{name}"))).collect();
        paths.extend(deeper);
    }
    let mut seed: u64 = 1;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let (mut whole, mut everywhere) = (0, 0);
    for _ in 0..1200 {
        let mut text = String::new();
        for line in 0..=random(5) {
            let names: Vec<_> = (0..=random(3)).map(|_| PARTS[random(PARTS.len())]).collect();
            let start = ["", "", "", "**/n\n", "**/"][random(5)];
            let mark = if line > 0 && random(2) == 0 { "!" } else { "" };
            text += &format!("{mark}{start}{}\n", names.join("/"));
        }
        let Ok(file) = Dockerignore::read(&text) else { continue };
        let kept: Vec<_> = paths.iter().filter(|path| !file.excludes(path)).collect();
        for folder in paths.iter().filter(|folder| file.excludes_whole(folder)) {
            whole += 1;
            assert!(!kept.iter().any(|path| is_at_or_beneath(path, folder)), "{folder} in {text:?}");
        }
        if file.excludes_everywhere("n") {
            everywhere += 1;
            assert!(!kept.iter().any(|path| path.split('/').any(|name| name == "n")), "{text:?}");
        }
    }
    assert!(whole > 1000 && everywhere > 50, "{whole} {everywhere}");
}
