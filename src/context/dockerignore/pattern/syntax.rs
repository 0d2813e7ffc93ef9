//! What Go's `filepath.Match` refuses, and BuildKit with it.

/// Refuses what Go's `filepath.Match` refuses: a class that is empty or not closed, a bare `-` or `]` where one of its
/// characters should be, a backslash at the end.
pub fn check_syntax(pattern: &str) -> Result<(), &'static str> {
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next().is_none() {
            return Err("a backslash with nothing after it");
        }
        if c == '[' {
            let inside = rest.as_str();
            let after =
                after_class(inside.strip_prefix('^').unwrap_or(inside)).ok_or("a `[` without a proper class")?;
            rest = after.chars();
        }
    }
    Ok(())
}

/// What follows the class whose first character `rest` begins with.
fn after_class(rest: &str) -> Option<&str> {
    let mut rest = after_class_char(rest)?;
    loop {
        if let Some(high) = rest.strip_prefix('-') {
            rest = after_class_char(high)?;
        }
        if let Some(after) = rest.strip_prefix(']') {
            return Some(after);
        }
        rest = after_class_char(rest)?;
    }
}

fn after_class_char(rest: &str) -> Option<&str> {
    let mut chars = rest.chars();
    match chars.next()? {
        '-' | ']' => return None,
        '\\' => _ = chars.next()?,
        _ => {}
    }
    Some(chars.as_str())
}
