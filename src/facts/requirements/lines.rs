//! The lines of a requirements file: continued ones joined, comments taken off.
//!
//! Source: pypa/pip `src/pip/_internal/req/req_file.py`.

use super::python::{is_space, physical_lines};

/// Lines with the ones they continue joined to them, and the number of the first. A comment is not continued, but it
/// does end what was being continued.
pub fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in physical_lines(text).into_iter().enumerate() {
        let comment = line.trim_start_matches(is_space).starts_with('#');
        let (first, mut joined) = open.take().unwrap_or_else(|| (index + 1, String::new()));
        if line.ends_with('\\') && !comment {
            // pip strips them off the start as well.
            joined.push_str(line.trim_matches('\\'));
            open = Some((first, joined));
            continue;
        }
        if comment {
            // Else the `#` could come to stand right behind a word.
            joined.push(' ');
        }
        joined.push_str(line);
        lines.push((first, joined));
    }
    lines.extend(open);
    lines
}

/// The line without its comment and the white space around.
pub fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    let mut end = line.len();
    for (at, ch) in line.char_indices() {
        if ch == '#' && is_space(before) {
            end = at;
            break;
        }
        before = ch;
    }
    line[..end].trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::tests::{named, one, option, remote};

    #[test]
    fn an_empty_file_says_nothing() {
        for text in ["", "\n\n", "# only\n  # comments\n", "\\\n"] {
            assert_eq!(read(text), [], "{text:?}");
        }
    }

    #[test]
    fn lines_end_where_python_ends_them_and_are_counted_from_one() {
        let lines = read("a\r\nb\rc\x0cd\n\ne");
        let numbers: Vec<(usize, &str)> = lines.iter().map(|line| (line.line, &*line.text)).collect();
        assert_eq!(numbers, [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (6, "e")]);
    }

    #[test]
    fn a_continued_line_has_the_number_of_its_first_and_all_its_hashes() {
        let lines = read("# top\nrich==13.7.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb  # both\nb");
        assert_eq!((lines.len(), lines[0].line, lines[1].line), (2, 2, 5));
        assert_eq!(lines[0].text, "rich==13.7.1     --hash=sha256:aa     --hash=sha256:bb");
        assert_eq!(named("rich==13.7.1 \\\n --hash=sha256:aa --hash sha512:bb").hashes, 2);
    }

    #[test]
    fn a_comment_ends_a_continued_line_and_is_not_continued_itself() {
        let text: Vec<String> = read("a \\\n# x\n# y \\\nb\nc # z \\\nd").into_iter().map(|line| line.text).collect();
        assert_eq!(text, ["a", "b", "c"]);
    }

    #[test]
    fn a_comment_needs_white_space_in_front() {
        assert_eq!(one("--extra-index-url https://x  # comment"), option("--extra-index-url", Some("https://x")));
        assert_eq!(one("https://x/a#egg=Some_Name"), remote(Some("some-name"), "https://x/a#egg=Some_Name"));
    }
}
