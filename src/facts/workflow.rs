//! What a GitHub Actions workflow means: jobs, their runners and matrices, and the steps that build images.
//!
//! Source: docs.github.com workflow syntax; docker/build-push-action and docker/bake-action `action.yml`.

use crate::yaml::{Node, NodeKind, Path, Step as YamlStep, Stream, YamlError, below};

/// A workflow file.
#[derive(Debug, Clone, Default)]
pub struct Workflow {
    pub jobs: Vec<Job>,
    pub env: Vec<(String, String)>,
    /// Names of the events that start it.
    pub events: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Job {
    pub id: String,
    pub path: Path,
    pub offset: usize,
    pub runner: Runner,
    /// What `runs-on` says.
    pub labels: Vec<String>,
    pub matrix: Option<Matrix>,
    /// Whether containers run beside it (`services:`).
    pub has_services: bool,
    /// Keys of the matrix that anything in the job names.
    pub named_keys: Vec<String>,
    pub env: Vec<(String, String)>,
    /// `defaults.run.working-directory`.
    pub folder: Option<String>,
    pub steps: Vec<Step>,
}

/// Whether the machine that a job runs on outlives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// A machine of GitHub's (or one sold in its place), new for every job.
    Hosted,
    /// One's own machine.
    Kept,
    Unknown,
}

/// The keys of one job of a matrix with the text of their values; a value that is no scalar is none.
pub type Combination = Vec<(String, Option<String>)>;

/// `strategy.matrix`.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    /// None where they are computed.
    pub combinations: Option<Vec<Combination>>,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub path: Path,
    /// Where the item starts.
    pub offset: usize,
    /// Where its last byte ends.
    pub end: usize,
    pub index: usize,
    pub id: Option<String>,
    pub name: Option<String>,
    pub condition: Option<String>,
    /// `owner/name` of `uses`, in lower case.
    pub action: Option<String>,
    /// What stands behind `@`.
    pub version: Option<String>,
    /// Inputs, as written; a key without a value is empty.
    pub with: Vec<(String, String)>,
    pub run: Option<String>,
    /// Where the text of `run` starts.
    pub run_offset: usize,
    pub env: Vec<(String, String)>,
    pub folder: Option<String>,
    /// Why its inputs can't be edited; none if they can.
    pub fixed: Option<String>,
}

/// docker/build-push-action.
pub const BUILD_PUSH: &str = "docker/build-push-action";
/// docker/bake-action.
pub const BAKE: &str = "docker/bake-action";
/// docker/setup-buildx-action.
pub const SETUP_BUILDX: &str = "docker/setup-buildx-action";

impl Step {
    pub fn input(&self, name: &str) -> Option<&str> {
        self.with.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The entries of an input that is a list, one a line.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.input(name).into_iter().flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty()).collect()
    }

    pub fn is_action(&self, name: &str) -> bool {
        self.action.as_deref() == Some(name)
    }

    /// The major version behind `@v`, if that is how it is written.
    pub fn major(&self) -> Option<u32> {
        let digits = self.version.as_deref()?.strip_prefix('v')?;
        digits.split('.').next()?.parse().ok()
    }

    /// The folder that docker/bake-action works in, as written.
    pub fn bake_folder(&self) -> &str {
        self.input("workdir").or(self.input("source")).unwrap_or(".")
    }

    /// What people call it.
    pub fn title(&self) -> String {
        self.name.clone().or_else(|| self.id.clone()).unwrap_or_else(|| format!("step {}", self.index + 1))
    }
}

impl Job {
    /// Whether a matrix may make several jobs of it.
    pub fn is_several(&self) -> bool {
        self.matrix.as_ref().is_some_and(|matrix| matrix.combinations.as_ref().is_none_or(|all| all.len() > 1))
    }
}

impl Workflow {
    /// The steps of all jobs.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.jobs.iter().flat_map(|job| &job.steps)
    }

    /// The text with `${{ env.NAME }}` replaced where workflow, job or step give a literal value.
    pub fn expand(&self, job: &Job, step: &Step, text: &str) -> String {
        let mut out = text.to_owned();
        for _ in 0..4 {
            let before = out.clone();
            for (name, value) in step.env.iter().chain(&job.env).chain(&self.env) {
                for form in [format!("${{{{ env.{name} }}}}"), format!("${{{{env.{name}}}}}")] {
                    out = out.replace(&form, value);
                }
            }
            if out == before {
                break;
            }
        }
        out
    }
}

/// Reads a workflow.
///
/// # Errors
/// A template.
pub fn read(text: &str, stream: &Stream) -> Result<Workflow, YamlError> {
    if let Some(node) = stream.template_key() {
        return Err(YamlError::at(text, node.start, "a template; it is read only once it is rendered"));
    }
    if let Some(at) = text.find("{{ cookiecutter").or_else(|| text.find("{{cookiecutter")) {
        return Err(YamlError::at(text, at, "a template; it is read only once it is rendered"));
    }
    let Some(root) = stream.documents.first() else { return Ok(Workflow::default()) };
    let env = pairs(stream, root.get("env"));
    let events = root.get("on").map(|on| match &on.kind {
        NodeKind::Sequence { items, .. } => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        NodeKind::Mapping { pairs, .. } => pairs.iter().filter_map(|(key, _)| key.text()).map(str::to_owned).collect(),
        _ => on.text().map(str::to_owned).into_iter().collect(),
    });
    let path = vec![YamlStep::Index(0), YamlStep::key("jobs")];
    let jobs = root.get("jobs").map_or(&[][..], Node::pairs);
    let jobs = jobs.iter().filter_map(|(key, value)| {
        let id = key.text()?;
        let node = stream.resolve(value);
        let path = below(&path, id);
        let steps_path = below(&path, "steps");
        let shared = stream.is_aliased(value) || matches!(value.kind, NodeKind::Alias(_));
        let list = node.get("steps").map(|steps| stream.resolve(steps)).map_or(&[][..], Node::items);
        let list_shared =
            node.get("steps").is_some_and(|steps| stream.is_aliased(steps) || matches!(steps.kind, NodeKind::Alias(_)));
        let steps = list.iter().enumerate().map(|(index, step)| {
            let path = steps_path.iter().cloned().chain([YamlStep::Index(index)]).collect();
            let mut step = self::step(stream, step, index, path);
            if shared || list_shared {
                step.fixed = Some("its job or its list of steps is shared by an anchor".to_owned());
            }
            step
        });
        let labels = labels(stream, node);
        let matrix = node.get("strategy").and_then(|strategy| strategy.get("matrix")).map(|node| matrix(stream, node));
        let folder = node.get("defaults").and_then(|defaults| defaults.get("run")?.get("working-directory")?.text());
        Some(Job {
            id: id.to_owned(),
            offset: key.start,
            runner: runner(&labels, matrix.as_ref()),
            labels,
            matrix,
            has_services: node.get("services").is_some(),
            named_keys: matrix_keys(text.get(value.start..value.end()).unwrap_or("")),
            env: pairs(stream, node.get("env")),
            folder: folder.map(str::to_owned),
            steps: steps.collect(),
            path,
        })
    });
    Ok(Workflow { jobs: jobs.collect(), env, events: events.unwrap_or_default() })
}

fn step(stream: &Stream, value: &Node, index: usize, path: Path) -> Step {
    let node = stream.resolve(value);
    let scalar = |key: &str| node.get(key).and_then(|value| stream.resolve(value).text()).map(str::to_owned);
    let uses = scalar("uses");
    let (action, version) = match uses.as_deref().map(|uses| uses.split_once('@').unwrap_or((uses, ""))) {
        Some((action, version)) => (Some(action.trim().to_ascii_lowercase()), Some(version.trim().to_owned())),
        None => (None, None),
    };
    let with = node.get("with");
    let fixed = if matches!(value.kind, NodeKind::Alias(_)) || stream.is_aliased(value) {
        Some("the step is shared by an anchor".to_owned())
    } else if with.is_some_and(|with| matches!(with.kind, NodeKind::Alias(_)) || stream.is_aliased(with)) {
        Some("its inputs are shared by an anchor".to_owned())
    } else {
        None
    };
    Step {
        path,
        offset: value.start,
        end: node.end(),
        index,
        id: scalar("id"),
        name: scalar("name"),
        condition: scalar("if"),
        action,
        version,
        with: pairs(stream, with),
        run: scalar("run"),
        run_offset: node.get("run").map_or(value.start, |run| run.span.start),
        env: pairs(stream, node.get("env")),
        folder: scalar("working-directory"),
        fixed,
    }
}

fn pairs(stream: &Stream, node: Option<&Node>) -> Vec<(String, String)> {
    let Some(node) = node else { return Vec::new() };
    stream
        .effective_pairs(stream.resolve(node))
        .into_iter()
        .map(|(name, value)| (name.to_owned(), stream.resolve(value).text().unwrap_or_default().to_owned()))
        .collect()
}

/// What `runs-on` says.
fn labels(stream: &Stream, job: &Node) -> Vec<String> {
    let Some(labels) = job.get("runs-on").map(|labels| stream.resolve(labels)) else { return Vec::new() };
    let labels: Vec<&str> = match labels.text() {
        Some(label) => vec![label],
        None if labels.is_sequence() => labels.items().iter().filter_map(Node::text).collect(),
        None => labels.get("labels").map_or(Vec::new(), |labels| {
            labels.text().into_iter().chain(labels.items().iter().filter_map(Node::text)).collect()
        }),
    };
    labels.into_iter().map(str::to_owned).collect()
}

/// What the labels say of the machine. One that the matrix gives is read there.
fn runner(labels: &[String], matrix: Option<&Matrix>) -> Runner {
    if labels.iter().any(|label| label == "self-hosted") {
        return Runner::Kept;
    }
    let is_hosted = |label: &str| ["ubuntu-", "windows-", "macos-"].iter().any(|prefix| label.starts_with(prefix));
    let Some(label) = labels.first() else { return Runner::Unknown };
    if is_hosted(label) {
        return Runner::Hosted;
    }
    let key = matrix_keys(label).pop();
    let combinations = matrix.and_then(|matrix| matrix.combinations.as_ref());
    let (Some(key), Some(combinations)) = (key, combinations) else { return Runner::Unknown };
    let value = |combination: &Combination| {
        combination.iter().rev().find(|(name, _)| *name == key).and_then(|(_, value)| value.clone())
    };
    let all = combinations.iter().map(value).collect::<Option<Vec<String>>>().unwrap_or_default();
    if !all.is_empty() && all.iter().all(|label| is_hosted(label)) { Runner::Hosted } else { Runner::Unknown }
}

/// The keys of the matrix that expressions in a text name: `platform`, `image.name`.
pub fn matrix_keys(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for expression in text.split("${{").skip(1).filter_map(|rest| rest.split("}}").next()) {
        for (at, _) in expression.match_indices("matrix.") {
            let before = expression[..at].chars().next_back();
            if before.is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.')) {
                continue;
            }
            let rest = &expression[at + "matrix.".len()..];
            let key: String =
                rest.chars().take_while(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.')).collect();
            let key = key.trim_end_matches('.').to_owned();
            if !key.is_empty() && !found.contains(&key) {
                found.push(key);
            }
        }
    }
    found
}

/// The most combinations that GitHub runs.
const MOST: usize = 256;

fn matrix(stream: &Stream, node: &Node) -> Matrix {
    let node = stream.resolve(node);
    if !node.is_mapping() {
        return Matrix::default();
    }
    let mut combinations: Vec<Combination> = vec![Vec::new()];
    let mut keys = 0;
    for (key, value) in node.pairs() {
        let Some(name) = key.text() else { continue };
        let value = stream.resolve(value);
        if matches!(name, "include" | "exclude") {
            if !value.is_sequence() {
                return Matrix::default();
            }
            continue;
        }
        if !value.is_sequence() || combinations.len() * value.items().len().max(1) > MOST {
            return Matrix::default();
        }
        keys += 1;
        let items: Vec<Combination> = value.items().iter().map(|item| leaves(stream, name, item)).collect();
        combinations = combinations
            .iter()
            .flat_map(|before| items.iter().map(move |item| before.iter().chain(item).cloned().collect()))
            .collect();
    }
    if keys == 0 {
        combinations.clear();
    }
    for item in node.get("exclude").map_or(&[][..], Node::items) {
        let entries: Combination = stream
            .resolve(item)
            .pairs()
            .iter()
            .filter_map(|(key, value)| Some(leaves(stream, key.text()?, value)))
            .flatten()
            .collect();
        combinations.retain(|combination| !entries.iter().all(|entry| combination.contains(entry)));
    }
    let originals = combinations.clone();
    for item in node.get("include").map_or(&[][..], Node::items) {
        let item = stream.resolve(item);
        let entries: Combination =
            item.pairs().iter().filter_map(|(key, value)| Some(leaves(stream, key.text()?, value))).flatten().collect();
        // An entry that fits combinations adds to them; one that fits none is a combination of its own.
        let mut fits = false;
        for (combination, original) in combinations.iter_mut().zip(&originals) {
            let clashes =
                entries.iter().any(|(name, value)| original.iter().any(|(known, old)| known == name && old != value));
            if !clashes {
                fits = true;
                for entry in &entries {
                    if !combination.contains(entry) {
                        combination.push(entry.clone());
                    }
                }
            }
        }
        if !fits {
            combinations.push(entries);
        }
    }
    Matrix { combinations: Some(combinations) }
}

/// The scalars of a value, by the names that expressions use for them: `platform`, `image.name`.
fn leaves(stream: &Stream, name: &str, value: &Node) -> Combination {
    let value = stream.resolve(value);
    if !value.is_mapping() {
        return vec![(name.to_owned(), value.text().map(str::to_owned))];
    }
    let inner =
        value.pairs().iter().filter_map(|(key, inner)| Some(leaves(stream, &format!("{name}.{}", key.text()?), inner)));
    inner.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(text: &str) -> Workflow {
        read(text, &Stream::read(text).unwrap()).unwrap()
    }

    #[test]
    fn steps_runners_and_inputs_are_read() {
        let text = "env: {R: ghcr.io/o}\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: Docker/build-push-action@v6\n        with:\n          push: true\n          tags: |\n            ${{ env.R }}/a:1\n            x\n";
        let workflow = workflow(text);
        let job = &workflow.jobs[0];
        let step = &job.steps[0];
        assert_eq!(job.runner, Runner::Hosted);
        assert!(step.is_action(BUILD_PUSH));
        assert_eq!((step.major(), step.input("push")), (Some(6), Some("true")));
        let tags: Vec<String> = step.list("tags").into_iter().map(|tag| workflow.expand(job, step, tag)).collect();
        assert_eq!(tags, ["ghcr.io/o/a:1", "x"]);
    }

    #[test]
    fn matrices_are_multiplied_and_included() {
        let combinations = |text: &str| {
            let text = format!("jobs:\n  b:\n    strategy:\n      matrix: {text}\n    steps: []\n");
            workflow(&text).jobs[0].matrix.clone().unwrap().combinations
        };
        assert_eq!(combinations("{a: [1, 2], b: [x, y]}").unwrap().len(), 4);
        assert_eq!(combinations("{include: [{a: 1}, {a: 2}]}").unwrap().len(), 2);
        assert_eq!(combinations("{a: [1, 2], include: [{a: 1, z: q}, {a: 3}]}").unwrap().len(), 3);
        assert_eq!(combinations("{a: [{n: 1, p: x}]}").unwrap()[0][0].0, "a.n");
        assert!(combinations("${{ fromJSON(needs.x.outputs.y) }}").is_none());
    }
}
