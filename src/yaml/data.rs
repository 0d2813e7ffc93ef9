//! YAML as data, read by a library that shares no code with the positions: what an edit did is judged here.

use serde_yaml::{Mapping, Value};

use super::{New, Path, Step, YamlError};

/// What an edit may do to the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The key at the end of the path gets a value, new or instead of the old one.
    Set { path: Path, value: New },
    /// The key or item at the end of the path goes.
    Remove { path: Path },
    /// The value at the path becomes a mapping that holds it under `key`.
    Wrap { path: Path, key: String },
    /// An item in front of the one at the end of the path.
    Insert { path: Path, value: New },
}

/// All documents of `text`, merge keys applied.
///
/// # Errors
/// What this library takes for no YAML.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    read(text).map_err(|error| error.message)
}

/// [`documents`], with the place of an error.
///
/// # Errors
/// What this library takes for no YAML.
pub fn read(text: &str) -> Result<Vec<Value>, YamlError> {
    use serde::Deserialize as _;
    let text = text.trim_start_matches('\u{feff}');
    serde_yaml::Deserializer::from_str(text)
        .map(|document| {
            let mut value = Value::deserialize(document).map_err(|error| {
                let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
                YamlError { line, column, message: error.to_string() }
            })?;
            let unmerged = value.clone();
            // Keys that only look like merge keys stay what they are.
            if value.apply_merge().is_err() {
                value = unmerged;
            }
            Ok(value)
        })
        .collect()
}

/// Whether `after` says what `before` says but for the declared differences, in their order.
///
/// # Errors
/// What differs and was not declared, and what was declared and does not differ so.
pub fn check(before: &str, after: &str, declared: &[Difference]) -> Result<(), String> {
    let mut expected = Value::Sequence(documents(before)?);
    for difference in declared {
        apply(&mut expected, difference)?;
    }
    let found = Value::Sequence(documents(after).map_err(|error| format!("the result can't be read: {error}"))?);
    if same(&expected, &found) { Ok(()) } else { Err(first_difference(&expected, &found, String::new())) }
}

fn apply(root: &mut Value, difference: &Difference) -> Result<(), String> {
    let (Difference::Set { path, .. }
    | Difference::Remove { path }
    | Difference::Wrap { path, .. }
    | Difference::Insert { path, .. }) = difference;
    let (last, parents) = path.split_last().ok_or("an empty path")?;
    let parent = parents.iter().try_fold(root, |value, step| child(value, step));
    let parent = untagged(parent.ok_or_else(|| format!("no such place: {path:?}"))?);
    match (difference, last) {
        (Difference::Set { value, .. }, Step::Key(key)) => {
            let mapping = parent.as_mapping_mut().ok_or("a key outside a mapping")?;
            let known = mapping.keys().find(|known| names(known, key)).cloned();
            mapping.insert(known.unwrap_or_else(|| Value::String(key.clone())), plain(value));
        }
        (Difference::Set { value, .. }, step) => {
            *child(parent, step).ok_or("no such item")? = plain(value);
        }
        (Difference::Remove { .. }, Step::Key(key)) => {
            let mapping = parent.as_mapping_mut().ok_or("a key outside a mapping")?;
            let known = mapping.keys().find(|known| names(known, key)).cloned().ok_or("no such key")?;
            mapping.shift_remove(&known);
        }
        (Difference::Remove { .. }, Step::Index(index)) => {
            let items = parent.as_sequence_mut().filter(|items| *index < items.len()).ok_or("no such item")?;
            items.remove(*index);
        }
        (Difference::Wrap { key, .. }, step) => {
            let value = child(parent, step).ok_or("no such value")?;
            let inner = std::mem::take(value);
            *value = Value::Mapping(Mapping::from_iter([(Value::String(key.clone()), inner)]));
        }
        (Difference::Insert { value, .. }, Step::Index(index)) => {
            let items = parent.as_sequence_mut().filter(|items| *index <= items.len()).ok_or("no such sequence")?;
            items.insert(*index, plain(value));
        }
        (Difference::Insert { .. }, Step::Key(_)) => return Err("an item needs a number".to_owned()),
    }
    Ok(())
}

fn untagged(value: &mut Value) -> &mut Value {
    match value {
        Value::Tagged(tagged) => untagged(&mut tagged.value),
        value => value,
    }
}

fn child<'a>(value: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match (untagged(value), step) {
        (Value::Mapping(mapping), Step::Key(key)) => {
            mapping.iter_mut().find(|(name, _)| names(name, key)).map(|(_, value)| value)
        }
        (Value::Sequence(items), Step::Index(index)) => items.get_mut(*index),
        _ => None,
    }
}

/// Whether a key of the data is the key that stands as `text` in the file.
fn names(key: &Value, text: &str) -> bool {
    match key {
        Value::String(key) => key == text,
        Value::Number(key) => text.parse::<f64>().ok() == key.as_f64() || key.to_string() == text,
        Value::Bool(key) => text.eq_ignore_ascii_case(&key.to_string()),
        Value::Tagged(tagged) => names(&tagged.value, text),
        _ => false,
    }
}

fn plain(new: &New) -> Value {
    match new {
        New::Plain(text) | New::Quoted(text) | New::Lines(text) => Value::String(text.clone()),
        New::Flag(flag) => Value::Bool(*flag),
        New::Null => Value::Null,
        New::List(items) => Value::Sequence(items.iter().map(plain).collect()),
        New::Map(pairs) => {
            Value::Mapping(pairs.iter().map(|(key, value)| (Value::String(key.clone()), plain(value))).collect())
        }
    }
}

/// Equality in which the order of keys is free, as in YAML.
fn same(left: &Value, right: &Value) -> bool {
    left == right
}

fn first_difference(expected: &Value, found: &Value, place: String) -> String {
    match (expected, found) {
        (Value::Mapping(left), Value::Mapping(right)) if left.len() == right.len() => {
            for (key, left) in left {
                let name = key.as_str().unwrap_or("?");
                match right.get(key) {
                    None => return format!("{place}: the key {name} is missing"),
                    Some(right) if !same(left, right) => {
                        return first_difference(left, right, format!("{place}.{name}"));
                    }
                    Some(_) => {}
                }
            }
            place
        }
        (Value::Sequence(left), Value::Sequence(right)) if left.len() == right.len() => {
            let at = left.iter().zip(right).position(|(left, right)| !same(left, right)).unwrap_or(0);
            first_difference(&left[at], &right[at], format!("{place}[{at}]"))
        }
        _ => format!("{place}: {found:?} instead of {expected:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &[&str]) -> Path {
        std::iter::once(Step::Index(0)).chain(keys.iter().map(|key| Step::key(key))).collect()
    }

    #[test]
    fn only_what_was_declared_may_differ() {
        let before = "a: {b: 1}\n1: x\n";
        let set = Difference::Set { path: path(&["a", "c"]), value: New::List(vec![New::Plain("x".to_owned())]) };
        assert!(check(before, "a: {b: 1, c: [x]}\n1: x\n", std::slice::from_ref(&set)).is_ok());
        for after in ["a: {b: 1}\n1: x\n", "a: {b: 2, c: [x]}\n1: x\n", "a: {b: 1, c: [x]}\n"] {
            assert!(check(before, after, std::slice::from_ref(&set)).is_err(), "{after:?}");
        }
        assert!(check(before, before, &[]).is_ok());
    }

    #[test]
    fn an_edit_of_an_anchored_value_shows_in_its_aliases() {
        let before = "a: &x {b: 1}\nc: *x\n";
        let set = Difference::Set { path: path(&["a", "d"]), value: New::Flag(true) };
        assert!(check(before, "a: &x {b: 1, d: true}\nc: *x\n", &[set]).is_err());
    }

    #[test]
    fn wrapping_removing_and_inserting_are_followed() {
        let wrap = Difference::Wrap { path: path(&["a"]), key: "k".to_owned() };
        assert!(check("a: x\n", "a:\n  k: x\n", &[wrap]).is_ok());
        assert!(check("a: {b: 1}\n", "a: {}\n", &[Difference::Remove { path: path(&["a", "b"]) }]).is_ok());
        let mut at = path(&["a"]);
        at.push(Step::Index(1));
        let insert =
            Difference::Insert { path: at, value: New::Map(vec![("u".to_owned(), New::Plain("v".to_owned()))]) };
        assert!(check("a: [1, 2]\n", "a: [1, {u: v}, 2]\n", &[insert]).is_ok());
    }
}
