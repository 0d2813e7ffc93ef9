//! What `docker version`, `docker info`, `docker context inspect` and podman's `version` say of the engine.

use serde::{Deserialize, Serialize};

use super::Answer;
use super::version::Version;

/// Where an engine keeps images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Docker's own, such as overlay2.
    Graphdriver,
    Containerd,
}

impl Store {
    pub fn name(self) -> &'static str {
        match self {
            Store::Graphdriver => "Docker's own image store",
            Store::Containerd => "the containerd image store",
        }
    }
}

/// The part that builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    pub version: Version,
    /// Of its containers: `linux` or `windows`.
    pub os: String,
    pub is_podman: bool,
}

/// What more the engine tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// The storage driver, or the snapshotter.
    pub storage: String,
    pub store: Store,
    pub is_rootless: bool,
    pub is_desktop: bool,
}

/// Why the engine does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "lowercase", tag = "why", content = "said")]
pub enum Silence {
    #[error("the engine does not let this user in: {0}")]
    Denied(String),
    #[error("no engine answers: {0}")]
    Stopped(String),
    #[error("the engine gave no answer in time: {0}")]
    Late(String),
    #[error("the engine's answer can't be read: {0}")]
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    client: Option<Part>,
    server: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    version: String,
    #[serde(default)]
    os: String,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    #[serde(default)]
    name: String,
}

/// The versions of client and server. The server's is an error where it does not answer.
pub fn versions(answer: &Answer) -> (Option<Version>, Result<Server, Silence>) {
    let parsed: Option<Versions> = serde_json::from_str(answer.out.trim()).ok();
    let (client, server) = parsed.map_or((None, None), |versions| (versions.client, versions.server));
    let client = client.and_then(|part| Version::parse(&part.version));
    let server = server.and_then(|part| {
        Some(Server {
            version: Version::parse(&part.version)?,
            os: part.os,
            is_podman: part.components.iter().any(|component| component.name == "Podman Engine"),
        })
    });
    (client, server.ok_or_else(|| silence(&answer.err)))
}

/// Why there was no answer, by what stands on standard error.
fn silence(err: &str) -> Silence {
    let lines = || err.lines().map(str::trim).filter(|line| !line.is_empty());
    let with = |parts: &[&str]| {
        lines().find(|line| parts.iter().any(|part| line.to_ascii_lowercase().contains(part))).map(str::to_owned)
    };
    if let Some(line) = with(&["permission denied"]) {
        return Silence::Denied(line);
    }
    if let Some(line) =
        with(&["cannot connect", "is the docker daemon running", "error during connect", "failed to connect"])
    {
        return Silence::Stopped(line);
    }
    Silence::Other(lines().next_back().unwrap_or("it printed nothing").to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawInfo {
    #[serde(default)]
    driver: String,
    driver_status: Option<Vec<(String, String)>>,
    security_options: Option<Vec<String>>,
    #[serde(default)]
    operating_system: String,
}

/// What `docker info` tells; none where the engine did not answer it.
pub fn info(out: &str) -> Option<Info> {
    let raw: RawInfo = serde_json::from_str(out.trim()).ok()?;
    if raw.driver.is_empty() {
        return None;
    }
    let status = raw.driver_status.unwrap_or_default();
    let is_containerd = status.iter().any(|(name, value)| name == "driver-type" && value.starts_with("io.containerd."));
    Some(Info {
        storage: raw.driver,
        store: if is_containerd { Store::Containerd } else { Store::Graphdriver },
        is_rootless: raw.security_options.iter().flatten().any(|option| option.contains("rootless")),
        is_desktop: raw.operating_system == "Docker Desktop",
    })
}

/// The address of the engine, by `docker context inspect`.
pub fn endpoint(out: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Context {
        endpoints: std::collections::BTreeMap<String, Endpoint>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Endpoint {
        #[serde(default)]
        host: String,
    }
    let contexts: Vec<Context> = serde_json::from_str(out.trim()).ok()?;
    let endpoint = contexts.first()?.endpoints.get("docker")?;
    Some(endpoint.host.clone()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions_of(out: &str, err: &str) -> (Option<String>, Result<Server, Silence>) {
        let answer = Answer { is_success: err.is_empty(), out: out.to_owned(), err: err.to_owned() };
        let (client, server) = versions(&answer);
        (client.map(|version| version.text), server)
    }

    fn linux(version: &str) -> Server {
        Server { version: Version::parse(version).unwrap(), os: "linux".to_owned(), is_podman: false }
    }

    /// Recorded from Debian's 28.5.2, shortened.
    const VERSION_28: &str = r#"{"Client":{"Version":"28.5.2+dfsg4","ApiVersion":"1.51","Os":"linux","Arch":"amd64","Context":"default"},"Server":{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"28.5.2+dfsg4","Details":{"ApiVersion":"1.51"}},{"Name":"containerd","Version":"2.1.9+unknown","Details":{"GitCommit":""}}],"Version":"28.5.2+dfsg4","ApiVersion":"1.51","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}}"#;
    /// Recorded from Debian's 20.10.24, shortened.
    const VERSION_20: &str = r#"{"Client":{"Platform":{"Name":""},"Version":"20.10.24+dfsg1","ApiVersion":"1.41","DefaultAPIVersion":"1.41","Os":"linux","Arch":"amd64","Context":"default","Experimental":true},"Server":{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20.10.24+dfsg1","Details":{"ApiVersion":"1.41"}}],"Version":"20.10.24+dfsg1","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}}"#;
    /// Written after docker/cli v23.0.0, `cli/command/system/version.go`.
    const VERSION_23: &str = r#"{"Client":{"Platform":{"Name":"Docker Engine - Community"},"Version":"23.0.6","ApiVersion":"1.42","DefaultAPIVersion":"1.42","Os":"linux","Arch":"amd64","Context":"default"},"Server":{"Platform":{"Name":"Docker Engine - Community"},"Components":[{"Name":"Engine","Version":"23.0.6","Details":{}}],"Version":"23.0.6","ApiVersion":"1.42","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}}"#;
    /// Recorded: the client of 28.5.2 on the socket of podman 4.3.1, shortened.
    const VERSION_ON_PODMAN: &str = r#"{"Client":{"Version":"28.5.2+dfsg4","ApiVersion":"1.41","Os":"linux","Arch":"amd64","Context":"default"},"Server":{"Platform":{"Name":"linux/amd64/debian-12"},"Components":[{"Name":"Podman Engine","Version":"4.3.1","Details":{"APIVersion":"4.3.1"}},{"Name":"Conmon","Version":"conmon version 2.1.6, commit: unknown","Details":{"Package":"Unknown"}}],"Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}}"#;
    /// Recorded: 28.5.2 without an engine, and on a socket of another user; shortened.
    const CLIENT_ALONE: &str = r#"{"Client":{"Version":"28.5.2+dfsg4","ApiVersion":"1.51","Os":"linux","Arch":"amd64","Context":"default"},"Server":null}"#;

    #[test]
    fn client_and_server_have_versions() {
        for (out, version) in [(VERSION_28, "28.5.2+dfsg4"), (VERSION_23, "23.0.6"), (VERSION_20, "20.10.24+dfsg1")] {
            assert_eq!(versions_of(out, ""), (Some(version.to_owned()), Ok(linux(version))));
        }
    }

    #[test]
    fn podman_behind_the_client_of_docker_is_seen() {
        let (client, server) = versions_of(VERSION_ON_PODMAN, "");
        assert_eq!(client.unwrap(), "28.5.2+dfsg4");
        assert!(server.unwrap().is_podman);
    }

    #[test]
    fn podmans_own_version_is_read() {
        // Recorded from Debian's 4.3.1.
        let four = r#"{"Client":{"APIVersion":"4.3.1","Version":"4.3.1","GoVersion":"go1.19.8","GitCommit":"","BuiltTime":"Thu Jan  1 00:00:00 1970","Built":0,"OsArch":"linux/amd64","Os":"linux"}}"#;
        assert_eq!(versions_of(four, "").0.unwrap(), "4.3.1");
        // Written after podman's manual page podman-version(1) of 5.7.
        let five = "{\n  \"Client\": {\n    \"APIVersion\": \"5.7.0\",\n    \"Version\": \"5.7.0\",\n    \"GoVersion\": \"go1.25.1\",\n    \"Os\": \"linux\"\n  }\n}\n";
        assert_eq!(versions_of(five, "").0.unwrap(), "5.7.0");
    }

    #[test]
    fn silence_has_a_reason() {
        // Recorded from 28.5.2, with another path of the socket.
        let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \"http://%2Fvar%2Frun%2Fdocker.sock/v1.51/version\": dial unix /var/run/docker.sock: connect: permission denied\n";
        let stopped =
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
        let (client, server) = versions_of(CLIENT_ALONE, denied);
        assert_eq!(client.unwrap(), "28.5.2+dfsg4");
        assert!(matches!(server, Err(Silence::Denied(_))), "{server:?}");
        assert_eq!(versions_of(CLIENT_ALONE, stopped).1, Err(Silence::Stopped(stopped.trim().to_owned())));
        assert_eq!(versions_of("", "").1, Err(Silence::Other("it printed nothing".to_owned())));
        assert_eq!(versions_of("not JSON", "boom\n").1, Err(Silence::Other("boom".to_owned())));
    }

    #[test]
    fn the_image_store_is_told_by_the_status_of_the_driver() {
        // Recorded from 28.5.2 with either store, shortened.
        let graphdriver = r#"{"ID":"x","Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"],["Supports d_type","true"]],"OperatingSystem":"Debian GNU/Linux 12 (bookworm)","OSType":"linux","SecurityOptions":["name=seccomp,profile=builtin"],"ServerVersion":"28.5.2+dfsg4"}"#;
        let found = info(graphdriver).unwrap();
        assert_eq!((found.storage.as_str(), found.store), ("overlay2", Store::Graphdriver));
        assert!(!found.is_desktop && !found.is_rootless);
        let containerd = r#"{"ID":"x","Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"OperatingSystem":"Debian GNU/Linux 12 (bookworm)","OSType":"linux","SecurityOptions":["name=seccomp,profile=builtin"],"ServerVersion":"28.5.2+dfsg4"}"#;
        assert_eq!(info(containerd).unwrap().store, Store::Containerd);
        // Written after moby/moby#46757 and docker/for-win#14460: the snapshotter of Docker Desktop may have another name.
        let desktop = r#"{"Driver":"stargz","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"OperatingSystem":"Docker Desktop","OSType":"linux","SecurityOptions":["name=seccomp,profile=unconfined","name=cgroupns"],"ServerVersion":"27.3.1"}"#;
        let found = info(desktop).unwrap();
        assert!(found.is_desktop && found.store == Store::Containerd);
        // Written after docs.docker.com engine/security/rootless.
        let rootless = r#"{"Driver":"overlay2","DriverStatus":null,"SecurityOptions":["name=seccomp,profile=builtin","name=rootless"],"OperatingSystem":"Ubuntu 24.04"}"#;
        assert!(info(rootless).unwrap().is_rootless);
    }

    #[test]
    fn an_engine_that_is_away_tells_nothing() {
        // Recorded: 28.5.2 prints empty fields, 20.10.24 its errors alone.
        assert_eq!(info(r#"{"ID":"","Driver":"","DriverStatus":null,"OperatingSystem":"","OSType":""}"#), None);
        let twenty = r#"{"ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"],"ClientInfo":{"Debug":false,"Context":"default","Plugins":[],"Warnings":null}}"#;
        assert_eq!(info(twenty), None);
    }

    #[test]
    fn the_address_stands_in_the_context() {
        let one = r#"[{"Name":"default","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///var/run/docker.sock","SkipTLSVerify":false}},"TLSMaterial":{},"Storage":{"MetadataPath":"<IN MEMORY>","TLSPath":"<IN MEMORY>"}}]"#;
        assert_eq!(endpoint(one).unwrap(), "unix:///var/run/docker.sock");
        assert_eq!(endpoint("[]"), None);
    }
}
