//! What the builder's log tells: which steps were CACHED, how long the others took, what was downloaded.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::text::one_line;

/// Lines that are kept for a build that breaks.
const KEPT: usize = 60;

/// The log of one build, read as it comes: `docker build --progress=plain`, or what `podman build` prints.
#[derive(Debug, Default)]
pub struct Log {
    /// By the number that the builder gave them.
    steps: BTreeMap<usize, Step>,
    /// The step of podman's log that is under way.
    open: Option<usize>,
    last: Vec<String>,
    bytes: Downloads,
}

/// A step of a stage: FROM, RUN, COPY, ADD or WORKDIR.
#[derive(Debug, Clone)]
pub struct Step {
    /// Empty where the Dockerfile has one stage only.
    pub stage: String,
    /// Within the stage, from 1.
    pub index: usize,
    /// The instruction on one line.
    pub text: String,
    pub status: Status,
    /// When its first line came.
    pub started: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    Open,
    Cached,
    /// Seconds, as the builder says.
    Done(f64),
    Failed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Downloads {
    sum: f64,
    /// Whether a package manager said anything at all.
    is_told: bool,
}

impl Step {
    /// Whether it counts: FROM is always there.
    pub fn counts(&self) -> bool {
        ["RUN ", "COPY ", "ADD ", "WORKDIR "].iter().any(|keyword| self.text.starts_with(keyword))
    }

    pub fn is_cached(&self) -> bool {
        self.status == Status::Cached
    }

    pub fn name(&self) -> String {
        let stage = if self.stage.is_empty() { String::new() } else { format!("{} ", self.stage) };
        format!("[{stage}{}] {}", self.index, self.text)
    }
}

impl Log {
    /// Reads the next line.
    pub fn line(&mut self, line: &str) {
        if self.last.len() == KEPT {
            self.last.remove(0);
        }
        if !line.is_empty() {
            self.last.push(line.to_owned());
        }
        match line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                if let Ok(number) = number.parse() {
                    self.buildkit(number, rest);
                }
            }
            _ => self.podman(line),
        }
    }

    fn buildkit(&mut self, number: usize, rest: &str) {
        if let Some(named) = rest.strip_prefix('[').and_then(step) {
            self.steps.entry(number).or_insert(named);
            return;
        }
        let Some(step) = self.steps.get_mut(&number) else { return };
        let seconds = || rest.strip_prefix("DONE ")?.strip_suffix('s')?.parse().ok();
        if rest == "CACHED" {
            step.status = Status::Cached;
        } else if let Some(seconds) = seconds() {
            step.status = Status::Done(seconds);
        } else if rest.starts_with("ERROR") || rest == "CANCELED" {
            step.status = Status::Failed;
        } else if let Some((time, text)) = rest.split_once(' ')
            && time.parse::<f64>().is_ok()
        {
            self.bytes.read(text);
        }
    }

    /// `[1/2] STEP 3/5: RUN make`, then `--> Using cache 5f3...` or `--> 5f3...`.
    fn podman(&mut self, line: &str) {
        let (stage, rest) = match line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            Some((stage, rest)) => (stage.split('/').next().unwrap_or(""), rest),
            None => ("", line),
        };
        if let Some((place, text)) = rest.strip_prefix("STEP ").and_then(|rest| rest.split_once(": ")) {
            self.close(|_| Status::Done(0.0));
            let index = place.split('/').next().and_then(|index| index.parse().ok()).unwrap_or(0);
            // BuildKit counts stages from 0 and calls them so where they have no name.
            let stage = stage.parse::<usize>().map_or_else(|_| String::new(), |at| format!("stage-{}", at.max(1) - 1));
            let number = self.steps.len();
            let text = one_line(text);
            self.steps.insert(number, Step { stage, index, text, status: Status::Open, started: Instant::now() });
            self.open = Some(number);
        } else if line.starts_with("--> Using cache") {
            self.close(|_| Status::Cached);
        } else if line.starts_with("--> ") {
            self.close(|started| Status::Done(started.elapsed().as_secs_f64()));
        } else if self.open.is_some() {
            self.bytes.read(line);
        }
    }

    fn close(&mut self, status: impl Fn(Instant) -> Status) {
        if let Some(step) = self.open.take().and_then(|number| self.steps.get_mut(&number)) {
            step.status = status(step.started);
        }
    }

    /// The steps that count.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let counting = self.steps.iter().filter(|(_, step)| step.counts());
        counting.filter(|(number, step)| !self.is_download(**number, step)).map(|(_, step)| step)
    }

    /// Whether the step is the download of an ADD from the network: the log has it beside the copy under the same name, and it is never
    /// CACHED (measured).
    fn is_download(&self, number: usize, step: &Step) -> bool {
        let is_twin = |other: &Step| (&other.stage, other.index, &other.text) == (&step.stage, step.index, &step.text);
        step.text.starts_with("ADD ")
            && self.steps.iter().any(|(other_number, other)| {
                let is_copy = (other.is_cached(), number) > (step.is_cached(), *other_number);
                *other_number != number && is_twin(other) && is_copy
            })
    }

    /// Bytes that package managers say they downloaded; none where they say nothing.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes.is_told.then_some(self.bytes.sum.round() as u64)
    }

    /// The last lines, to see why a build broke.
    pub fn last(&self) -> &[String] {
        &self.last
    }
}

/// `builder 2/3] RUN make`.
fn step(named: &str) -> Option<Step> {
    let (place, text) = named.split_once("] ")?;
    let (stage, place) = place.rsplit_once(' ').unwrap_or(("", place));
    let (index, total) = place.split_once('/')?;
    total.parse::<usize>().ok()?;
    Some(Step {
        // A platform may stand in front, and spaces in front of an index of fewer digits than the total.
        stage: stage.trim().rsplit(' ').next().unwrap_or("").to_owned(),
        index: index.parse().ok()?,
        text: one_line(text),
        status: Status::Open,
        started: Instant::now(),
    })
}

impl Downloads {
    fn read(&mut self, line: &str) {
        let line = line.trim();
        let told = if let Some(rest) = line.strip_prefix("Downloading ").or_else(|| line.strip_prefix("Downloaded ")) {
            // pip: "Downloading numpy-1.26.4.whl (18.2 MB)"; uv "(17.5MiB)"; cargo: "Downloaded 34 crates (2.3 MB) in 1.2s".
            rest.rsplit_once('(').and_then(|(_, size)| bytes(size.split(')').next()?))
        } else if let Some(rest) = line.strip_prefix("Fetched ") {
            // apt: "Fetched 9,381 kB in 2s (4,690 kB/s)".
            rest.split_once(" in ").and_then(|(size, _)| bytes(size))
        } else if let Some(rest) = line.strip_prefix("Total download size: ") {
            bytes(rest)
        } else if line.starts_with("Using cached ") || line.contains("Need to get 0 B") {
            Some(0.0)
        } else {
            None
        };
        if let Some(told) = told {
            self.sum += told;
            self.is_told = true;
        }
    }
}

/// `9,381 kB`, `12.3MiB`, `12 M`.
fn bytes(size: &str) -> Option<f64> {
    let size = size.trim().replace(',', "");
    let end = size.find(|ch: char| !ch.is_ascii_digit() && ch != '.').unwrap_or(size.len());
    let (number, unit) = size.split_at(end);
    let factor = match unit.trim() {
        "B" | "bytes" | "byte" => 1.0,
        "kB" | "KB" | "k" => 1e3,
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_download_of_an_add_is_no_step_of_its_own() {
        let add = "[3/4] ADD http://h/x /u";
        for (first, second, cached) in
            [("CACHED", "DONE 0.1s", true), ("DONE 0.1s", "CACHED", true), ("DONE 0.0s", "DONE 0.1s", false)]
        {
            let mut log = Log::default();
            let lines = [format!("#6 {add}"), format!("#6 {first}"), format!("#7 {add}"), format!("#7 {second}")];
            lines.iter().for_each(|line| log.line(line));
            let steps: Vec<bool> = log.steps().map(Step::is_cached).collect();
            assert_eq!(steps, [cached]);
        }
    }

    fn read(text: &str) -> Log {
        let mut log = Log::default();
        text.lines().for_each(|line| log.line(line));
        log
    }

    fn statuses(log: &Log) -> Vec<(String, Status)> {
        log.steps().map(|step| (step.name(), step.status)).collect()
    }

    const BUILDKIT: &str = r#"#0 building with "default" instance using docker driver
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#4 [a  1/10] FROM docker.io/library/python:3.11-slim
#4 CACHED
#5 [a  2/10] WORKDIR /app
#5 CACHED

#8 [a 10/10] RUN --mount=type=cache,target=/root/.cache/pip     pip install -r r.txt
#8 0.736 Collecting numpy
#8 0.761   Downloading numpy-1.26.4-cp311.whl (18.2 MB)
#8 0.800      ━━━━━━━━ 18.2/18.2 MB 5.0 MB/s eta 0:00:00
#8 ...

#9 [stage-1 2/3] COPY --from=a /app /app2
#9 DONE 0.1s

#8 [a 10/10] RUN --mount=type=cache,target=/root/.cache/pip     pip install -r r.txt
#8 1.2 Fetched 9,381 kB in 2s (4,690 kB/s)
#8 1.3 #9 CACHED
#8 DONE 3.0s
#10 [stage-1 3/3] RUN false
#10 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
#11 exporting to image
#11 DONE 0.0s
"#;

    #[test]
    fn steps_of_buildkit_are_cached_done_or_failed() {
        assert_eq!(
            statuses(&read(BUILDKIT)),
            [
                ("[a 2] WORKDIR /app".to_owned(), Status::Cached),
                (
                    "[a 10] RUN --mount=type=cache,target=/root/.cache/pip pip install -r r.txt".to_owned(),
                    Status::Done(3.0)
                ),
                ("[stage-1 2] COPY --from=a /app /app2".to_owned(), Status::Done(0.1)),
                ("[stage-1 3] RUN false".to_owned(), Status::Failed),
            ]
        );
    }

    #[test]
    fn bytes_are_what_package_managers_say() {
        assert_eq!(read(BUILDKIT).bytes(), Some(27_581_000));
        assert_eq!(read("#1 [2/2] RUN npm ci\n#1 0.5 added 7 packages\n#1 DONE 1.0s\n").bytes(), None);
        assert_eq!(
            read("#1 [2/2] RUN pip install x\n#1 0.5   Using cached x.whl (1 MB)\n#1 DONE 1.0s\n").bytes(),
            Some(0)
        );
        assert_eq!(bytes("17.5MiB"), Some(18_350_080.0));
    }

    #[test]
    fn steps_of_podman_are_read_in_their_order() {
        let log = read(
            "[1/2] STEP 1/2: FROM debian AS a\n[1/2] STEP 2/2: RUN make\n--> Using cache 0c1d\n--> 0c1d\n[2/2] STEP 1/3: FROM debian\n[2/2] STEP 2/3: COPY --from=a /x /x\n--> 9f\n[2/2] STEP 3/3: CMD [\"x\"]\nCOMMIT y\n",
        );
        let found = statuses(&log);
        assert_eq!(found[0], ("[stage-0 2] RUN make".to_owned(), Status::Cached));
        assert!(matches!(&found[1], (name, Status::Done(_)) if name == "[stage-1 2] COPY --from=a /x /x"));
        assert_eq!(found.len(), 2);
    }
}
