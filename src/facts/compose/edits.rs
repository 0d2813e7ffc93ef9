//! Putting a volume into a compose file: the mount at its service, and the declaration at the top.

use crate::edit::Edit;
use crate::yaml::edits::{Layout, add_apart, add_pairs, append_item, document, fill, scalar_text, together};
use crate::yaml::{Difference, New, Node, Path, Step, Stream, Style, below, data};

/// A mount to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMount {
    pub service: String,
    /// Name of the volume.
    pub volume: String,
    /// Absolute path in the container.
    pub target: String,
    /// Whether the volume is declared at the top as well.
    pub is_declared: bool,
}

/// What a change of a compose file is made of.
#[derive(Debug, Clone)]
pub struct Addition {
    pub edits: Vec<Edit>,
    pub differences: Vec<Difference>,
    /// The key that it stands under.
    pub offset: usize,
}

impl NewMount {
    fn entry(&self) -> String {
        format!("{}:{}", self.volume, self.target)
    }

    /// A file that holds the mount and nothing else.
    pub fn file(&self) -> String {
        let volumes = New::List(vec![New::plain(self.entry())]);
        let service = New::Map(vec![("volumes".to_owned(), volumes)]);
        let mut pairs = vec![("services", New::Map(vec![(self.service.clone(), service)]))];
        if self.is_declared {
            pairs.push(("volumes", New::Map(vec![(self.volume.clone(), New::Null)])));
        }
        document(&pairs)
    }

    /// Adds the mount to a file.
    ///
    /// # Errors
    /// Why it can't be done here, as a reason.
    pub fn add(&self, text: &str, stream: &Stream) -> Result<Addition, String> {
        let [root] = stream.documents.as_slice() else {
            return Err("it does not hold exactly one document".to_owned());
        };
        if !root.is_mapping() {
            return Err("it holds no keys".to_owned());
        }
        let mut addition = match root.pair("services") {
            None => self.add_services(text, stream, root)?,
            Some(services) => self.add_service(text, stream, services)?,
        };
        if self.is_declared && root.get("services").is_some() {
            let declared = self.declare(text, stream, root)?;
            addition.edits = together(addition.edits, declared.edits);
            addition.differences.extend(declared.differences);
        }
        // The second reader shows what the edits mean, before anybody sees them.
        let set = crate::edit::EditSet::new(text, addition.edits.iter().cloned()).map_err(|error| error.to_string())?;
        data::check(text, &set.apply(text), &addition.differences)
            .map_err(|message| format!("the mount can't be written there: {message}"))?;
        Ok(addition)
    }

    /// Where the file has no services at all.
    fn add_services(&self, text: &str, stream: &Stream, root: &Node) -> Result<Addition, String> {
        let volumes = New::List(vec![New::plain(self.entry())]);
        let service = New::Map(vec![("volumes".to_owned(), volumes)]);
        let services = New::Map(vec![(self.service.clone(), service)]);
        let mut pairs = vec![("services", services)];
        let mut declared = None;
        if self.is_declared {
            match root.get("volumes") {
                None => pairs.push(("volumes", New::Map(vec![(self.volume.clone(), New::Null)]))),
                Some(_) => declared = Some(self.declare(text, stream, root)?),
            }
        }
        let layout = Layout::of(text, stream, &[root]);
        let mut edits = add_apart(text, root, &pairs, true, layout)?;
        let mut differences: Vec<Difference> = pairs
            .into_iter()
            .map(|(key, value)| Difference::Set { path: vec![Step::Index(0), Step::key(key)], value })
            .collect();
        if let Some(declared) = declared {
            edits = together(declared.edits, edits);
            differences.extend(declared.differences);
        }
        Ok(Addition { edits, differences, offset: root.pairs().first().map_or(root.start, |(key, _)| key.start) })
    }

    fn add_service(&self, text: &str, stream: &Stream, services: &(Node, Node)) -> Result<Addition, String> {
        let path = vec![Step::Index(0), Step::key("services")];
        let volumes = |item: New| New::Map(vec![("volumes".to_owned(), New::List(vec![item]))]);
        let item = New::plain(self.entry());
        let (key, mapping) = services;
        let layout = Layout::of(text, stream, &[mapping]);
        if mapping.is_null() {
            let value = New::Map(vec![(self.service.clone(), volumes(item))]);
            let edits = fill(text, services, &value, layout)?;
            return Ok(Addition { edits, differences: vec![Difference::Set { path, value }], offset: key.start });
        }
        own(stream, mapping, "`services`")?;
        let path = below(&path, &self.service);
        let Some(service) = mapping.pair(&self.service) else {
            if stream.effective(mapping, &self.service).is_some() {
                return Err(format!("a merge key brings `{}`", self.service));
            }
            let value = volumes(item);
            let edits = add_apart(text, mapping, &[(&self.service, value.clone())], false, layout)?;
            return Ok(Addition { edits, differences: vec![Difference::Set { path, value }], offset: key.start });
        };
        let (key, node) = service;
        if node.is_null() {
            let value = volumes(item);
            let edits = fill(text, service, &value, layout)?;
            return Ok(Addition { edits, differences: vec![Difference::Set { path, value }], offset: key.start });
        }
        own(stream, node, &format!("`{}`", self.service))?;
        let path = below(&path, "volumes");
        let layout = Layout::of(text, stream, &[node, mapping]);
        self.add_volume(text, stream, node, path, layout).map(|(edits, difference)| Addition {
            edits,
            differences: vec![difference],
            offset: key.start,
        })
    }

    /// In the service with the mapping `node`.
    fn add_volume(
        &self,
        text: &str,
        stream: &Stream,
        node: &Node,
        path: Path,
        layout: Layout,
    ) -> Result<(Vec<Edit>, Difference), String> {
        let list = |item: New| New::List(vec![item]);
        let Some(pair) = node.pair("volumes") else {
            if stream.effective(node, "volumes").is_some() {
                return Err(format!(
                    "a merge key gives `{}` its `volumes`, which a list of its own would replace",
                    self.service
                ));
            }
            let value = list(New::plain(self.entry()));
            let edits = add_pairs(text, node, &[("volumes", value.clone())], layout)?;
            return Ok((edits, Difference::Set { path, value }));
        };
        if pair.1.is_null() {
            let value = list(New::plain(self.entry()));
            return Ok((fill(text, pair, &value, layout)?, Difference::Set { path, value }));
        }
        if !pair.1.is_sequence() || pair.1.tag.is_some() || stream.is_shared(&pair.1) {
            return Err(format!("the `volumes` of `{}` are no plain list of its own", self.service));
        }
        let items = pair.1.items();
        let is_quoted = items
            .last()
            .is_some_and(|item| matches!(&item.kind, crate::yaml::NodeKind::Scalar { style: Style::Double, .. }));
        let item = if is_quoted { New::Quoted(self.entry()) } else { New::plain(self.entry()) };
        let edits = append_item(text, pair, &item, layout)?;
        let path = path.into_iter().chain([Step::Index(items.len())]).collect();
        Ok((edits, Difference::Insert { path, value: item }))
    }

    /// The declaration at the top.
    fn declare(&self, text: &str, stream: &Stream, root: &Node) -> Result<Addition, String> {
        let path = vec![Step::Index(0), Step::key("volumes")];
        let declaration = New::Map(vec![(self.volume.clone(), New::Null)]);
        let nothing = Addition { edits: Vec::new(), differences: Vec::new(), offset: root.start };
        let Some(volumes) = root.pair("volumes") else {
            let layout = Layout::of(text, stream, &[root]);
            let edits = add_apart(text, root, &[("volumes", declaration.clone())], true, layout)?;
            return Ok(Addition { edits, differences: vec![Difference::Set { path, value: declaration }], ..nothing });
        };
        let layout = Layout::of(text, stream, &[&volumes.1, root]);
        if volumes.1.is_null() {
            let edits = fill(text, volumes, &declaration, layout)?;
            return Ok(Addition { edits, differences: vec![Difference::Set { path, value: declaration }], ..nothing });
        }
        own(stream, &volumes.1, "`volumes`")?;
        if stream.effective(&volumes.1, &self.volume).is_some() {
            return Ok(nothing);
        }
        // As the others are written: with nothing behind the name, or with an empty mapping.
        let is_empty = |node: &Node| node.is_mapping() && node.pairs().is_empty();
        let braces = !volumes.1.pairs().is_empty() && volumes.1.pairs().iter().all(|(_, value)| is_empty(value));
        let value = if braces { New::Map(Vec::new()) } else { New::Null };
        let edits = add_apart(text, &volumes.1, &[(&self.volume, value.clone())], false, layout)?;
        let path = below(&path, &self.volume);
        Ok(Addition { edits, differences: vec![Difference::Set { path, value }], ..nothing })
    }
}

/// Whether a key can be added to a mapping without adding it elsewhere too.
fn own(stream: &Stream, node: &Node, name: &str) -> Result<(), String> {
    if matches!(node.kind, crate::yaml::NodeKind::Alias(_)) {
        return Err(format!("{name} is an alias there, and what the anchor gets holds for all that name it"));
    }
    if let Some(tag) = &node.tag {
        return Err(format!("{name} carries the tag {tag} there"));
    }
    if stream.is_aliased(node) {
        return Err(format!("{name} is an anchor there, and what it gets holds for all that name it"));
    }
    if !node.is_mapping() {
        return Err(format!("{name} is no mapping there"));
    }
    Ok(())
}

/// Whether a mount of the path can be written in the short syntax.
pub fn is_plain_path(path: &str) -> bool {
    let entry = format!("volume:{path}");
    path.starts_with('/') && !path.contains([':', '$', '\\']) && scalar_text(&New::plain(&entry), false) == entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::EditSet;

    fn mount() -> NewMount {
        NewMount { service: "api".to_owned(), volume: "hf".to_owned(), target: "/m".to_owned(), is_declared: true }
    }

    fn add(text: &str) -> Result<String, String> {
        let addition = mount().add(text, &Stream::read(text).unwrap())?;
        Ok(EditSet::new(text, addition.edits).unwrap().apply(text))
    }

    #[test]
    fn a_new_file_holds_the_mount_alone() {
        assert_eq!(mount().file(), "services:\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:\n");
    }

    #[test]
    fn the_mount_takes_the_layout_of_the_file() {
        for (before, after) in [
            (
                "services:\n  api:\n    ports: [1]\n",
                "services:\n  api:\n    ports: [1]\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:\n",
            ),
            (
                "services:\n  api:\n    volumes:\n    - ./a:/a\n    # - ./b:/b\n  db:\n    image: x\n",
                "services:\n  api:\n    volumes:\n    - ./a:/a\n    - hf:/m\n    # - ./b:/b\n  db:\n    image: x\n\nvolumes:\n  hf:\n",
            ),
            (
                "services:\n    api:\n        volumes:\n            - \"./a:/a\" # c\n            # - ./b:/b\n",
                "services:\n    api:\n        volumes:\n            - \"./a:/a\" # c\n            # - ./b:/b\n            - \"hf:/m\"\n\nvolumes:\n    hf:\n",
            ),
            (
                "services:\n  db:\n    image: x\n",
                "services:\n  db:\n    image: x\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:\n",
            ),
            (
                "services:\n  db:\n    image: x\n\n  web:\n    image: y\n\nvolumes:\n  data: {}\n",
                "services:\n  db:\n    image: x\n\n  web:\n    image: y\n\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  data: {}\n  hf: {}\n",
            ),
            ("services:\n  api:\n", "services:\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:\n"),
            ("services:\n  api:\n    volumes:", "services:\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:"),
            ("services: # none\n", "services: # none\n  api:\n    volumes:\n      - hf:/m\n\nvolumes:\n  hf:\n"),
            (
                "name: x\r\n",
                "name: x\r\n\r\nservices:\r\n  api:\r\n    volumes:\r\n      - hf:/m\r\n\r\nvolumes:\r\n  hf:\r\n",
            ),
            (
                "volumes:\n  hf:\n    external: true\nservices:\n  api: {image: x, volumes: [\"a:/a\"]}\n",
                "volumes:\n  hf:\n    external: true\nservices:\n  api: {image: x, volumes: [\"a:/a\", \"hf:/m\"]}\n",
            ),
            (
                "services:\n  api:\n    volumes: [\n      \"aa:/a\",\n      \"bb:/b\"\n    ]\nvolumes:\n",
                "services:\n  api:\n    volumes: [\n      \"aa:/a\",\n      \"bb:/b\",\n      \"hf:/m\"\n    ]\nvolumes:\n  hf:\n",
            ),
            (
                "volumes:\n  a:\n\nx-b: 1\n",
                "volumes:\n  a:\n  hf:\n\nx-b: 1\n\nservices:\n  api:\n    volumes:\n      - hf:/m\n",
            ),
        ] {
            assert_eq!(add(before).as_deref(), Ok(after), "{before}");
        }
    }

    #[test]
    fn what_others_share_is_left_alone() {
        for text in [
            "x-a: &a {volumes: [b:/b]}\nservices:\n  api:\n    <<: *a\n",
            "x-a: &a {image: x}\nservices:\n  api: *a\n",
            "services:\n  api: &a\n    image: x\n  web:\n    <<: *a\n",
            "services:\n  api:\n    volumes: &v\n      - bb:/b\n  web:\n    volumes: *v\n",
            "services:\n  api:\n    volumes: !override\n      - bb:/b\n",
            "services: !reset\n",
            "services:\n  api: {}\n---\nservices:\n  api: {}\n",
            "- a\n",
        ] {
            assert!(add(text).is_err(), "{text}");
        }
    }
}
