//! `--prefix`: what one step installed there is hidden from the next.

use super::chain::Chain;
use crate::facts::bases;
use crate::facts::runs::Run;
use crate::facts::stages::ArgumentIn;
use crate::transform::DockerfileContext;

/// The assignment with which pip sees what is below `--prefix` already.
///
/// # Errors
/// A folder that can't be told.
pub fn python_path(
    cx: &DockerfileContext<'_>,
    run: &Run,
    chain: &Chain<'_>,
    at: usize,
    prefix: &str,
) -> Result<String, String> {
    let command = chain.items[at].command;
    let hidden = "--prefix hides the first step from the second";
    let image =
        cx.facts.image(run.stage).ok_or_else(|| format!("{hidden}, and the Python of the base image is not known"))?;
    let split = bases::split_reference(&image.reference);
    // Other distributions have other folders there: dist-packages, lib64.
    if split.repository != "python" || image.argument == ArgumentIn::Name {
        return Err(format!("{hidden}, and where this Python keeps packages below it is not known"));
    }
    let program = command.name().unwrap_or("");
    let in_program = program.strip_prefix("python").or_else(|| program.strip_prefix("pip")).and_then(minor);
    let in_tag = split.tag.filter(|_| image.argument == ArgumentIn::Nothing).and_then(minor);
    let version = in_program.or(in_tag);
    let version = version.ok_or_else(|| format!("{hidden}, and the version in its folder's name is not known"))?;
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "/._-".contains(ch);
    if !prefix.starts_with('/') || !prefix.chars().all(plain) {
        return Err(format!("{hidden}, and {prefix} is no plain path"));
    }
    let sets = |text: &str| text.contains("PYTHONPATH") || text.contains("activate");
    let set = run.state.env.get("PYTHONPATH").is_some() || sets(&run.text.text);
    if set || command.program != 0 || command.timed {
        return Err(format!("{hidden}, and PYTHONPATH can't be set for it"));
    }
    Ok(format!("PYTHONPATH={}/lib/python{version}/site-packages", prefix.trim_end_matches('/')))
}

/// `3.11` of `3.11.4-slim`.
fn minor(text: &str) -> Option<String> {
    let mut parts = text.split(['.', '-']);
    let (major, minor) = (parts.next()?, parts.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = digits(major) && digits(minor) && text[major.len()..].starts_with('.');
    is_version.then(|| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn a_version_has_two_parts() {
        assert_eq!(minor("3.11.4-slim").as_deref(), Some("3.11"));
        assert_eq!(minor("3.12").as_deref(), Some("3.12"));
        for text in ["3-slim", "3", "slim", "3.x", ""] {
            assert_eq!(minor(text), None, "{text}");
        }
    }
}
