//! The options of `pip install` and its like on the command line.
//!
//! Source: pypa/pip `src/pip/_internal/cli/cmdoptions.py` and `commands/{install,wheel,download}.py`.

/// Options that take the next word, but for those that name requirements or constraints.
const WITH_VALUE: &[&str] = &[
    "--abi",
    "--cache-dir",
    "--cert",
    "--client-cert",
    "--config-setting",
    "--config-settings",
    "--dest",
    "--exists-action",
    "--extra-index-url",
    "--find-links",
    "--global-option",
    "--hash",
    "--implementation",
    "--index-url",
    "--keyring-provider",
    "--log",
    "--no-binary",
    "--only-binary",
    "--platform",
    "--prefix",
    "--progress-bar",
    "--proxy",
    "--pypi-url",
    "--python",
    "--python-version",
    "--report",
    "--retries",
    "--root",
    "--root-user-action",
    "--source",
    "--src",
    "--target",
    "--timeout",
    "--trusted-host",
    "--upgrade-strategy",
    "--use-deprecated",
    "--use-feature",
    "--wheel-dir",
    "-C",
    "-d",
    "-f",
    "-i",
    "-t",
    "-w",
];

/// Whether the word behind an option is its value. Not asked of `-r`, `-c` and `-e`, which every reader looks at.
pub fn takes_value(option: &str) -> bool {
    WITH_VALUE.contains(&option)
}

/// The option of a word, and the value that stands in the same word: `--index-url=https://…`, `-rdev.txt`.
pub fn split_value(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
    }
    match word.split_at_checked(2) {
        Some((option, value)) if !value.is_empty() && (takes_value(option) || matches!(option, "-r" | "-c" | "-e")) => {
            (option, Some(value))
        }
        _ => (word, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_stand_in_the_word_of_its_option() {
        assert_eq!(split_value("--prefix=/a=b"), ("--prefix", Some("/a=b")));
        assert_eq!(split_value("-rdev.txt"), ("-r", Some("dev.txt")));
        for word in ["--user", "-r", "-qq", "-", "-é"] {
            assert_eq!(split_value(word), (word, None));
        }
    }
}
