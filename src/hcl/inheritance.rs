//! What a target has after inheritance, joined as bake joins it.

use std::collections::HashMap;

use super::{Attribute, Bake, Kind, Target};

/// How many parents above each other are followed; real files have three or four.
const MAX_PARENTS: usize = 100;

/// How bake joins the values of one attribute from a target and its parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The last value stands.
    Override,
    /// All lists, one behind the other. Of `attest`, `secret` and `resources` later items replace earlier ones of the
    /// same identity.
    Append,
    /// Objects, later keys over earlier ones.
    Keys,
    /// Not inherited.
    Own,
}

/// What a target has of one attribute, its parents' included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective<'a> {
    pub merge: Merge,
    /// Where it comes from, in the order in which bake joins them; one at most with `Merge::Override` and `Merge::Own`.
    /// Empty: not set.
    pub parts: Vec<Part<'a>>,
    /// False when the file alone does not say: a parent that is unknown, computed, given twice or too far up, or a
    /// value that may turn out null.
    pub sure: bool,
}

impl<'a> Effective<'a> {
    /// The part that wins, or the last of those that are joined.
    pub fn last(&self) -> Option<Part<'a>> {
        self.parts.last().copied()
    }
}

/// An attribute, and the target that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub target: &'a Target,
    pub attribute: &'a Attribute,
}

impl Bake {
    /// What the target `name` has of `attribute` after inheritance; `None` if there is no such target.
    ///
    /// Parents count in the order of `inherits`, each with its own parents, and the target itself last. A parent that
    /// is reached again while it is being looked at counts as empty, as in bake.
    pub fn effective(&self, name: &str, attribute: &str) -> Option<Effective<'_>> {
        let target = self.target(name)?;
        let mut walk = Walk { bake: self, attribute, merge: merge_of(attribute), seen: HashMap::new(), sure: true };
        let parts = walk.target(target, 0);
        Some(Effective { merge: walk.merge, parts, sure: walk.sure })
    }
}

/// How bake joins an attribute over `inherits`: `Target.Merge` in bake/bake.go of docker/buildx.
pub fn merge_of(attribute: &str) -> Merge {
    match attribute {
        "args" | "contexts" | "labels" | "extra-hosts" => Merge::Keys,
        "annotations" | "attest" | "cache-from" | "entitlements" | "no-cache-filter" | "policy" | "resources"
        | "secret" | "ssh" | "ulimits" => Merge::Append,
        "inherits" | "matrix" | "name" => Merge::Own,
        _ => Merge::Override,
    }
}

/// One walk over the parents of a target.
struct Walk<'a, 'n> {
    bake: &'a Bake,
    attribute: &'n str,
    merge: Merge,
    /// What each target gave; nothing while it is still being looked at, which ends cycles.
    seen: HashMap<&'a str, Vec<Part<'a>>>,
    sure: bool,
}

impl<'a> Walk<'a, '_> {
    fn target(&mut self, target: &'a Target, depth: usize) -> Vec<Part<'a>> {
        if let Some(parts) = self.seen.get(target.name.as_str()) {
            return parts.clone();
        }
        self.seen.insert(&target.name, Vec::new());
        if self.bake.is_duplicate(&target.name) {
            self.sure = false;
        }
        let mut parts = Vec::new();
        if self.merge != Merge::Own {
            for parent in self.parents(target, depth) {
                for part in self.target(parent, depth + 1) {
                    self.add(&mut parts, part);
                }
            }
        }
        if let Some(attribute) = target.attribute(self.attribute)
            && attribute.value.kind != Kind::Null
        {
            self.sure &= !attribute.value.may_be_null();
            self.add(&mut parts, Part { target, attribute });
        }
        self.seen.insert(&target.name, parts.clone());
        parts
    }

    fn parents(&mut self, target: &'a Target, depth: usize) -> Vec<&'a Target> {
        let Some(inherits) = target.attribute("inherits").filter(|attribute| attribute.value.kind != Kind::Null) else {
            return Vec::new();
        };
        let Some(items) = inherits.value.items().filter(|_| depth < MAX_PARENTS) else {
            self.sure = false;
            return Vec::new();
        };
        let mut parents = Vec::new();
        for item in items {
            // A variable's default names the parent, but the environment may name another.
            self.sure &= item.text.is_some();
            match item.resolved.as_deref().and_then(|name| self.bake.target(name)) {
                Some(parent) => parents.push(parent),
                None => self.sure = false,
            }
        }
        parents
    }

    /// Appends a part. One that is reached on two ways counts once: keeping it twice would change nothing that bake
    /// keeps, and would double the list with every such pair of ways.
    fn add(&self, parts: &mut Vec<Part<'a>>, part: Part<'a>) {
        match self.merge {
            Merge::Override | Merge::Own => parts.clear(),
            Merge::Keys => parts.retain(|other| other.target.span != part.target.span),
            Merge::Append if parts.iter().any(|other| other.target.span == part.target.span) => return,
            Merge::Append => {}
        }
        parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use crate::hcl::read;

    #[test]
    fn parents_are_followed_as_bake_does() {
        let text = r#"
target "a" { 
  tags = ["a"]
  args = { A = 1 }
  cache-from = ["a"]
}
target "b" {
  inherits = ["a"]
  tags = ["b"]
  cache-from = ["b"]
}
target "c" {
  inherits = ["a"]
  args = { A = 2 }
}
target "d" {
  inherits = ["b", "c"]
  cache-from = ["d"]
  tags = null
}
target "loop" {
  inherits = ["pool"]
  tags = ["l"]
}
target "pool" { inherits = ["loop", "pool"] }
target "lost" { inherits = ["nobody"] }
target "free" { 
  inherits = f()
  tags = f()
}
"#;
        let bake = read(text).unwrap();
        let of = |target: &str, attribute: &str| -> (Vec<&str>, bool) {
            let effective = bake.effective(target, attribute).unwrap();
            (effective.parts.iter().map(|part| part.target.name.as_str()).collect(), effective.sure)
        };
        // The later parent has it from the common parent, and that stands.
        assert_eq!(of("d", "tags"), (vec!["a"], true));
        assert_eq!(of("d", "cache-from"), (vec!["a", "b", "d"], true));
        assert_eq!(of("d", "args"), (vec!["a", "c"], true));
        assert_eq!(of("d", "context"), (vec![], true));
        assert_eq!(of("d", "inherits"), (vec!["d"], true));
        assert_eq!(of("pool", "tags"), (vec!["loop"], true));
        assert_eq!(of("lost", "tags"), (vec![], false));
        assert_eq!(of("free", "tags"), (vec!["free"], false));
        assert_eq!(bake.effective("nobody", "tags"), None);
        assert_eq!(bake.effective("d", "tags").unwrap().last().unwrap().attribute.value.source(text), "[\"a\"]");
    }

    #[test]
    fn many_parents_end() {
        let mut wide = "target \"t0\" { cache-from = [\"a\"] }\n".to_owned();
        let mut long = wide.clone();
        for n in 1..3000 {
            wide += &format!("target \"t{n}\" {{ inherits = [\"t{0}\", \"t{0}\"] }}\n", n - 1);
            long += &format!("target \"t{n}\" {{ inherits = [\"t{}\"] }}\n", n - 1);
        }
        let wide = read(&wide).unwrap();
        assert_eq!(wide.effective("t90", "cache-from").unwrap().parts.len(), 1);
        assert!(!read(&long).unwrap().effective("t2999", "cache-from").unwrap().sure);
    }
}
