//! What buildx says of a builder, and what its cache takes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::size;
use super::version::Version;

/// The type of the records that keep cache mounts.
const CACHE_MOUNT: &str = "exec.cachemount";

/// A builder of buildx, by its first node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Builder {
    pub name: String,
    /// `docker`, `docker-container`, `kubernetes`, `remote` or `cloud`.
    pub driver: String,
    /// `running`, `inactive`, or what went wrong.
    pub status: Option<String>,
    /// None where it is not told; `0.0.0` of a build without a version is no version.
    pub buildkit: Option<Version>,
    pub rules: Vec<Rule>,
}

/// A rule by which a builder drops cache on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The types of records that it is for; none for all of them.
    pub types: Vec<String>,
    /// Only what was not used for as long.
    #[serde(rename = "unused_seconds", serialize_with = "seconds")]
    pub unused: Option<Duration>,
    /// Bytes above which it drops.
    #[serde(rename = "limit_bytes")]
    pub limit: Option<u64>,
}

fn seconds<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs()).serialize(serializer)
}

impl Rule {
    /// Whether it speaks of cache mounts by name.
    pub fn names_mounts(&self) -> bool {
        self.types.iter().any(|name| name == CACHE_MOUNT)
    }
}

impl Builder {
    /// The rule that drops cache mounts first: one that names them, else the first for all records.
    pub fn mount_rule(&self) -> Option<&Rule> {
        let named = self.rules.iter().find(|rule| rule.names_mounts());
        named.or_else(|| self.rules.iter().find(|rule| rule.types.is_empty()))
    }
}

/// The builder that `docker buildx inspect` describes; none where it says why it can't.
pub fn inspect(out: &str) -> Option<Builder> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut nodes = 0;
    for line in out.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if name == "Name" {
            nodes += 1;
            // The first is the builder, the second its first node.
            if nodes > 2 {
                break;
            }
        }
        if name.starts_with("GC Policy rule#") {
            rules.push(Rule::default());
        }
        match (name, rules.last_mut()) {
            ("Filters", Some(rule)) => rule.types = types(value),
            ("Keep Duration", Some(rule)) => rule.unused = size::duration(value).filter(|time| !time.is_zero()),
            // Before BuildKit 0.17 there is one limit; since then what is kept in any case may stand beside it.
            ("Max Used Space" | "Keep Bytes", Some(rule)) => rule.limit = size::bytes(value).or(rule.limit),
            ("Reserved Space", Some(rule)) => rule.limit = rule.limit.or(size::bytes(value)),
            _ => fields.push((name, value)),
        }
    }
    let field = |names: &[&str]| {
        let found = fields.iter().find(|(name, value)| names.contains(name) && !value.is_empty());
        found.map(|(_, value)| (*value).to_owned())
    };
    let buildkit = field(&["BuildKit version", "BuildKit", "Buildkit"]).and_then(|text| Version::parse(&text));
    Some(Builder {
        name: field(&["Name"])?,
        driver: field(&["Driver"])?,
        status: field(&["Error"]).or_else(|| field(&["Status"])),
        buildkit: buildkit.filter(|version| version.is_at_least(0, 0, 1)),
        rules,
    })
}

/// The types that a filter lets through: `type==source.local,type==exec.cachemount`.
fn types(filters: &str) -> Vec<String> {
    let parts = filters.split([',', ' ']);
    parts.filter_map(|part| part.strip_prefix("type=").map(|name| name.trim_start_matches('=').to_owned())).collect()
}

/// What a builder's cache takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    pub total: u64,
    pub mounts: u64,
    /// What the first rule of the collector counts together: cache mounts, local sources, git checkouts.
    pub group: u64,
}

impl Usage {
    fn add(&mut self, kind: &str, size: u64) {
        self.total = self.total.saturating_add(size);
        if kind == CACHE_MOUNT {
            self.mounts = self.mounts.saturating_add(size);
        }
        if matches!(kind, CACHE_MOUNT | "source.local" | "source.git.checkout") {
            self.group = self.group.saturating_add(size);
        }
    }
}

/// The sum over `docker buildx du --verbose`; none where it is something else.
pub fn usage(out: &str) -> Option<Usage> {
    let mut usage = Usage::default();
    let mut size = 0;
    let mut is_answer = out.trim().is_empty();
    for line in out.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "Size" => size = size::bytes(value)?,
            "Type" => usage.add(value, std::mem::take(&mut size)),
            "Total" => is_answer = size::bytes(value).is_some(),
            "ID" => is_answer = true,
            _ => {}
        }
    }
    is_answer.then_some(usage)
}

/// The sum over the build cache of `docker system df -v`, for engines without buildx.
pub fn usage_of_engine(out: &str) -> Option<Usage> {
    #[derive(Deserialize)]
    struct Df {
        #[serde(rename = "BuildCache")]
        cache: Option<Vec<Record>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Record {
        #[serde(default)]
        cache_type: String,
        #[serde(default)]
        size: String,
    }
    let df: Df = serde_json::from_str(out.trim()).ok()?;
    let mut usage = Usage::default();
    for record in df.cache.unwrap_or_default() {
        usage.add(&record.cache_type, size::bytes(&record.size)?);
    }
    Some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded: buildx 0.29.1 on the engine of 28.5.2, with a label left out.
    const INSPECT_28: &str = "\
Name:          default
Driver:        docker
Last Activity: 2026-11-21 20:17:54 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2
Labels:
 org.mobyproject.buildkit.worker.executor:             containerd
 org.mobyproject.buildkit.worker.snapshotter:          overlayfs
GC Policy rule#0:
 All:            false
 Filters:        type==source.local,type==exec.cachemount,type==source.git.checkout
 Keep Duration:  48h0m0s
 Max Used Space: 3.346GiB
GC Policy rule#1:
 All:            false
 Keep Duration:  1440h0m0s
 Reserved Space: 24.21GiB
 Max Used Space: 188.1GiB
 Min Free Space: 47.5GiB
";
    /// Written after `commands/inspect.go` of buildx 0.12.0 and docs.docker.com build/cache/garbage-collection.
    const INSPECT_CONTAINER: &str = "\
Name:          ci
Driver:        docker-container
Last Activity: 2023-11-22 20:11:24 +0000 UTC

Nodes:
Name:      ci0
Endpoint:  unix:///var/run/docker.sock
Status:    running
Buildkit:  v0.12.3
Platforms: linux/amd64, linux/arm64
GC Policy rule#0:
 All:           false
 Filters:       type==source.local,type==exec.cachemount,type==source.git.checkout
 Keep Duration: 48h0m0s
 Keep Bytes:    488.3MiB
GC Policy rule#1:
 All:           false
 Keep Duration: 1440h0m0s
 Keep Bytes:    22.35GiB

Name:      ci1
Endpoint:  ssh://build@example
Status:    stopped
";

    #[test]
    fn the_rule_for_cache_mounts_is_read() {
        let builder = inspect(INSPECT_28).unwrap();
        assert_eq!((builder.name.as_str(), builder.driver.as_str()), ("default", "docker"));
        assert_eq!((builder.status.as_deref(), builder.buildkit.clone()), (Some("running"), None));
        let rule = builder.mount_rule().unwrap();
        assert!(rule.names_mounts());
        assert_eq!((rule.unused, rule.limit), (Some(Duration::from_secs(48 * 3600)), Some(3_592_740_143)));
        assert_eq!(builder.rules[1].limit, size::bytes("188.1GiB"));
    }

    #[test]
    fn older_programs_call_things_otherwise_and_further_nodes_do_not_count() {
        let builder = inspect(INSPECT_CONTAINER).unwrap();
        assert_eq!((builder.name.as_str(), builder.driver.as_str()), ("ci", "docker-container"));
        assert_eq!(builder.status.as_deref(), Some("running"));
        assert_eq!(builder.buildkit.clone().unwrap().text, "0.12.3");
        assert_eq!(builder.mount_rule().unwrap().limit, Some(512_019_661));
        assert_eq!(builder.rules.len(), 2);
    }

    #[test]
    fn a_rule_for_all_records_stands_in_where_none_names_cache_mounts() {
        let out = "Name: a\nDriver: docker\n\nNodes:\nName: a\nStatus: running\nGC Policy rule#0:\n All: false\n Filters: type==source.local\n Keep Bytes: 1GiB\nGC Policy rule#1:\n All: true\n Keep Bytes: 20GiB\n";
        let builder = inspect(out).unwrap();
        let rule = builder.mount_rule().unwrap();
        assert!(!rule.names_mounts());
        assert_eq!((rule.unused, rule.limit), (None, size::bytes("20GiB")));
    }

    #[test]
    fn a_builder_that_is_not_started_has_no_rules() {
        // Recorded: buildx 0.29.1 after `docker buildx create --driver docker-container`.
        let out = "Name:          con\nDriver:        docker-container\nLast Activity: 2026-11-21 20:21:38 +0000 UTC\n\nNodes:\nName:                  con0\nEndpoint:              unix:///var/run/docker.sock\nStatus:                inactive\nBuildKit daemon flags: --allow-insecure-entitlement=network.host\n";
        let builder = inspect(out).unwrap();
        assert_eq!(builder.status.as_deref(), Some("inactive"));
        assert_eq!(builder.mount_rule(), None);
    }

    #[test]
    fn a_builder_whose_engine_is_away_has_no_driver() {
        // Recorded: buildx 0.29.1 without an engine.
        let out = "Name:          default\nDriver:        \nLast Activity: 2026-11-21 20:20:53 +0000 UTC\nError:         Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
        assert_eq!(inspect(out), None);
    }

    #[test]
    fn the_old_engine_has_no_rules_to_tell() {
        // Recorded: buildx 0.29.1 on the engine of 20.10.24.
        let out = "Name:          default\nDriver:        docker\nLast Activity: 2026-11-21 20:20:53 +0000 UTC\n\nNodes:\nName:             default\nEndpoint:         default\nStatus:           running\nBuildKit version: v0.8+unknown\nPlatforms:        linux/amd64, linux/386\n";
        let builder = inspect(out).unwrap();
        assert_eq!(builder.buildkit.unwrap().text, "0.8+unknown");
        assert!(builder.rules.is_empty());
    }

    #[test]
    fn the_cache_is_summed_by_type() {
        // Recorded: buildx 0.29.1, three of eleven records.
        let out = "ID:           puxwe065dd40gbxiyez613ptf\nCreated at:   2026-11-21 20:20:22.174819187 +0000 UTC\nMutable:      true\nReclaimable:  true\nShared:       false\nSize:         4.096kB\nDescription:  local source for context\nUsage count:  3\nLast used:    43 seconds ago\nType:         source.local\n\nID:           zrksg4vjtcdoqkqffuq62z6xf\nParent:       rczdhnsum1usoc5no0scqvrzc\nShared:       true\nSize:         83.83MB\nDescription:  [3/5] COPY l /usr/local\nType:         regular\n\nID:           f46gwt5jh2w5om6xfn3dnhc7r\nMutable:      true\nSize:         20.98MB\nDescription:  cached mount /c from exec /bin/sh -c dd if=/dev/zero of=/c/x bs=1M count=20 with id \"//c\"\nType:         exec.cachemount\n\nShared:\t\t186.2MB\nPrivate:\t81.69MB\nReclaimable:\t267.9MB\nTotal:\t\t267.9MB\n";
        assert_eq!(usage(out), Some(Usage { total: 104_814_096, mounts: 20_980_000, group: 20_984_096 }));
        assert_eq!(usage("Reclaimable:\t0B\nTotal:\t\t0B\n"), Some(Usage::default()));
        assert_eq!(usage("ERROR: something\n"), None);
    }

    #[test]
    fn the_engine_tells_its_cache_without_buildx() {
        // Recorded: the client of 20.10.24, two records.
        let out = r#"{"Images":[],"Containers":[],"Volumes":[],"BuildCache":[{"CacheType":"regular","CreatedAt":"2026-11-21 20:16:21.160141983 +0000 UTC","CreatedSince":"3 minutes ago","Description":"[internal] preparing inline document","ID":"8klh5t1hiebgjf7mwv81ytx0n","InUse":"false","Parent":"","Shared":"false","Size":"6B","UsageCount":"2"},{"CacheType":"exec.cachemount","Description":"cached mount /c","ID":"f46","InUse":"false","Size":"21MB","UsageCount":"1"}]}"#;
        assert_eq!(usage_of_engine(out), Some(Usage { total: 21_000_006, mounts: 21_000_000, group: 21_000_000 }));
        assert_eq!(usage_of_engine("docker: unknown flag"), None);
    }
}
