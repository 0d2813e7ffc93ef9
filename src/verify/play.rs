//! The builds of one service: clean ones, and one per scenario on each side.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use super::agreement::{self, Mismatch, StepPlace};
use super::builder::{Builder, Choice, Described, NoBase, Order, Unusable, Way};
use super::copy::{Copy, CopyError, Place};
use super::log::{Log, Status};
use super::process::{Ended, Failure, Interrupt, Next};
use super::{Clean, Measured, Options, Outcome, Played, Progress, Service, Side, Verdict, Word};
use crate::context::BuildContext;
use crate::docker::Docker;
use crate::dockerfile::{self, Dockerfile};
use crate::facts::{Base, Facts, Scripts, Unreadable};
use crate::forecast::{self, Edit, FirstInstall, Scenario, Subject, Theme};
use crate::same_image::{self, Comparison, Difference, Expected, Image, PassedOver};

/// Installs that are faster can't be hit, in seconds.
const QUICK: f64 = 1.0;
/// A prime: as many edits of one file are all different.
const EDITS: usize = 2039;

/// The user wants it all to end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Builds services one after another; removes all that it made when it goes.
pub struct Session<'a> {
    builder: Builder<'a>,
    options: &'a Options,
    tell: &'a dyn Fn(Progress<'_>),
    /// How many edits and images there were.
    count: Cell<usize>,
    /// Where this run's edits start.
    seed: usize,
}

/// Why a service has no verdict.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("interrupted")]
    Interrupted,
    /// Only the engine has the base image, not the registry.
    #[error("{0} is an image of this machine's engine, which a builder of its own does not see")]
    Local(String),
    #[error("{0}")]
    Failed(String),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Interrupted => Broken::Interrupted,
            failure => Broken::Failed(failure.to_string()),
        }
    }
}

impl From<CopyError> for Broken {
    fn from(error: CopyError) -> Self {
        Broken::Failed(error.to_string())
    }
}

/// A side with all that is read of it.
struct Player<'p, 'f> {
    service: &'p Service,
    name: &'static str,
    facts: &'p Facts<'f>,
    subject: Subject<'p>,
    copy: &'p Copy,
}

/// What the builds of one side gave.
struct Sided {
    image: Image,
    noise: Vec<Difference>,
    clean: Measured,
    played: Vec<(Outcome, Option<Vec<Mismatch>>)>,
}

impl<'a> Session<'a> {
    /// # Errors
    /// An engine that can't be used, with what to do about it.
    pub fn open(
        docker: &'a Docker,
        options: &'a Options,
        interrupt: &'a Interrupt,
        tell: &'a dyn Fn(Progress<'_>),
    ) -> Result<Self, Unusable> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Containers of CI jobs have the same process id every time.
        let id = format!("{}-{:x}", std::process::id(), now.as_millis() & 0xff_ffff);
        let seed = now.as_micros() as usize % EDITS;
        Ok(Self { builder: Builder::open(docker, options, interrupt, id)?, options, tell, count: Cell::new(0), seed })
    }

    pub fn builder(&self) -> Described {
        self.builder.describe()
    }

    /// Builds a service before and after, and compares.
    ///
    /// # Errors
    /// The user wants it all to end.
    pub fn verify(&mut self, service: &Service) -> Result<Verdict, Interrupted> {
        let broken = match self.sides(service) {
            Err(Broken::Local(image)) if self.options.builder == Choice::Auto => {
                self.builder.fall_back(Broken::Local(image).to_string());
                self.sides(service)
            }
            result => result,
        };
        broken.or_else(|broken| match broken {
            Broken::Interrupted => Err(Interrupted),
            _ if self.builder.interrupt.is_set() => Err(Interrupted),
            broken => Ok(Verdict {
                target: service.target.clone(),
                ..Verdict::without(
                    service.name.clone(),
                    service.dockerfile.clone(),
                    service.shown_context.clone(),
                    Word::Failed,
                    broken.to_string(),
                )
            }),
        })
    }

    fn sides(&self, service: &Service) -> Result<Verdict, Broken> {
        let read = |side: &Side| -> Result<Dockerfile, Broken> {
            dockerfile::read(&side.text).map_err(|error| Broken::Failed(format!("{}: {error}", service.dockerfile)))
        };
        let files = (read(&service.before)?, read(&service.after)?);
        let scripts = Scripts::new();
        let old = Facts::new(&service.before.text, &files.0, &service.knowledge, &scripts);
        let new = Facts::new(&service.after.text, &files.1, &service.knowledge, &scripts);
        let passed_over = PassedOver::of(&[&old, &new]);
        let prefix = |name: &str| format!("restow-verify-{}-{name}-", self.builder.made.id);
        let interrupt = self.builder.interrupt;
        let copies = (
            Copy::make(service, &service.before, &prefix("before"), interrupt)?,
            Copy::make(service, &service.after, &prefix("after"), interrupt)?,
        );
        let trees = (copies.0.tree(), copies.1.tree());
        let contexts = (
            copies.0.build_context(&trees.0).map_err(Broken::Failed)?,
            copies.1.build_context(&trees.1).map_err(Broken::Failed)?,
        );
        let old = Player::new(service, "before", &old, &contexts.0, &copies.0);
        let new = Player::new(service, "after", &new, &contexts.1, &copies.1);
        let scenarios = self.scenarios(&old, &new);
        let before = self.side(&old, &passed_over, &scenarios)?;
        let after = self.side(&new, &passed_over, &scenarios)?;
        let expected = expected(service);
        let Comparison { differences, noise, expected } =
            same_image::compare(&before.image, &after.image, &passed_over, &before.noise, &expected);
        let sided = before.played.into_iter().zip(after.played);
        let played = scenarios.iter().zip(sided).map(|(scenario, (before, after))| {
            let agrees = match (&before.1, &after.1) {
                (None, None) => None,
                (one, other) => Some(one.iter().chain(other).all(Vec::is_empty)),
            };
            Played {
                scenario: scenario.theme.name(),
                title: scenario.title.clone(),
                edit: self.in_words(&scenario.edit),
                before: before.0,
                after: after.0,
                agrees,
                mismatch: before.1.into_iter().chain(after.1).flatten().collect(),
            }
        });
        let played = played.collect();
        if self.options.keep {
            self.builder.made.note_folder(copies.0.keep());
            self.builder.made.note_folder(copies.1.keep());
        }
        Ok(Verdict {
            service: service.name.clone(),
            dockerfile: service.dockerfile.clone(),
            context: service.shown_context.clone(),
            target: service.target.clone(),
            verdict: if differences.is_empty() { Word::Same } else { Word::Differs },
            reason: None,
            paths: before.image.tree.len(),
            differences,
            noise: if noise.is_empty() { before.noise } else { noise },
            expected,
            scenarios: played,
            clean: Some(Clean { before: before.clean, after: after.clean }),
        })
    }

    /// All builds of one side: `before` twice from clean, to see what differs by itself.
    fn side(&self, player: &Player<'_, '_>, passed_over: &PassedOver, scenarios: &[Scenario]) -> Result<Sided, Broken> {
        let (service, name) = (player.service, player.name);
        let builds = if name == "before" { 2 } else { 1 };
        let (mut images, mut last) = (Vec::new(), None);
        for build in 1..=builds {
            let phase = match builds {
                1 => format!("{name}, clean build"),
                _ => format!("{name}, clean build {build} of {builds}"),
            };
            let namespace = self.namespace(name, build);
            let tag = self.tag(service);
            let order = Order { is_clean: true, tag: Some(&tag), ..player.order(&namespace) };
            let (log, ended) = self.build(player, &order, &phase)?;
            self.say(service, &format!("{name}, reading the image"), None);
            let image = self.builder.image(&tag);
            self.builder.made.remove_image(&tag);
            images.push(image.map_err(Broken::Failed)?);
            last = Some((log, ended, namespace));
        }
        let Some((log, ended, namespace)) = last else { return Err(Broken::Failed("no build".to_owned())) };
        let noise = match &images[..] {
            [first, second] => same_image::differences(first, second, passed_over),
            _ => Vec::new(),
        };
        let clean = measured(player.facts, &log, ended.seconds, None, None);
        let mut played = Vec::new();
        for scenario in scenarios {
            played.push(self.play(player, scenario, &namespace, &log)?);
        }
        Ok(Sided { image: images.swap_remove(0), noise, clean, played })
    }

    /// Those that were asked for; the one that empties the cache is the last.
    fn scenarios(&self, before: &Player<'_, '_>, after: &Player<'_, '_>) -> Vec<Scenario> {
        let mut scenarios = forecast::scenarios(&before.subject, Some(&after.subject));
        if let Some(wanted) = &self.options.scenarios {
            scenarios.retain(|scenario| wanted.iter().any(|name| name == scenario.theme.name()));
        }
        scenarios.sort_by_key(|scenario| scenario.theme == Theme::Failure);
        scenarios
    }

    /// Makes the scenario's edit, builds, takes the edit back, and compares with the forecast.
    fn play(
        &self,
        player: &Player<'_, '_>,
        scenario: &Scenario,
        namespace: &str,
        clean: &Log,
    ) -> Result<(Outcome, Option<Vec<Mismatch>>), Broken> {
        let phase = format!("{}, {}", player.name, scenario.title);
        let built = match self.edit_and_build(player, &scenario.edit, namespace, clean, &phase) {
            Ok(built) => built,
            Err(NotPlayed::Broken(broken)) => return Err(broken),
            Err(NotPlayed::Reason(not_measured)) => return Ok((Outcome::Not { not_measured }, None)),
        };
        let (log, ended) = built;
        let told = match self.builder.way {
            Way::Podman => None,
            _ => forecast::forecast(&player.subject, scenario, false).ok(),
        };
        let replaced = match &scenario.edit {
            Edit::Base { reference } => Some(reference.as_str()),
            _ => None,
        };
        let mismatches =
            told.as_ref().map(|told| agreement::mismatches(told, player.facts, &log, replaced, player.name));
        let measured = measured(player.facts, &log, ended.seconds, told.as_ref(), replaced);
        Ok((Outcome::Measured(measured), mismatches))
    }

    fn edit_and_build(
        &self,
        player: &Player<'_, '_>,
        edit: &Edit,
        namespace: &str,
        clean: &Log,
        phase: &str,
    ) -> Result<(Log, Ended), NotPlayed> {
        let order = player.order(namespace);
        // An edit must be new to the builder: one that it has seen, in another run or on the other side, it finds in its cache.
        let number = self.next();
        match edit {
            Edit::Nothing => Ok(self.build(player, &order, phase)?),
            Edit::Touch { path } if path.ends_with('/') => {
                Err(NotPlayed::Reason(format!("the build context has no {path}")))
            }
            Edit::Touch { path } => {
                let before = player.copy.touch(path, 1 + (self.seed + number) % EDITS);
                let before = before.map_err(|error| NotPlayed::Reason(error.to_string()))?;
                let built = self.build(player, &order, phase);
                player.copy.restore(path, &before)?;
                Ok(built?)
            }
            Edit::FirstInstall { install } => {
                let text = self.renewed_install(player, install, number)?;
                player.copy.set_dockerfile(&text)?;
                let built = self.build(player, &order, phase);
                player.copy.reset_dockerfile()?;
                Ok(built?)
            }
            Edit::Base { reference } => {
                let folder = player.copy.beside("base")?;
                let mark = format!("{}-{number}", self.seed);
                let base = self.builder.changed_base(reference, &folder, &mark).map_err(|failure| match failure {
                    NoBase::Not(reason) => NotPlayed::Reason(reason),
                    NoBase::Broke(failure) => NotPlayed::Broken(failure.into()),
                })?;
                Ok(self.build(player, &Order { base: Some((reference, &base)), ..order }, phase)?)
            }
            Edit::Argument { name, value } => {
                let value = format!("{value}{:x}", self.seed * 1000 + number);
                Ok(self.build(player, &Order { argument: Some((name, &value)), ..order }, phase)?)
            }
            Edit::Failure { install } => self.fail_and_retry(player, install, clean, phase),
        }
    }

    /// The Dockerfile with an edit in front of the first command of its first install.
    fn renewed_install(
        &self,
        player: &Player<'_, '_>,
        install: &FirstInstall,
        number: usize,
    ) -> Result<String, NotPlayed> {
        let Some((at, new)) = install.edit(&player.subject) else {
            return Err(NotPlayed::Reason("the first install is no script that can be edited".to_owned()));
        };
        // The command `:` takes any words and does nothing.
        let new = new.replacen(':', &format!(": {}-{number}", self.builder.made.id), 1);
        let text = player.facts.text;
        Ok(format!("{}{new}{}", &text[..at], &text[at..]))
    }

    /// Stops the build in the middle of the first install, and builds again.
    fn fail_and_retry(
        &self,
        player: &Player<'_, '_>,
        install: &FirstInstall,
        clean: &Log,
        phase: &str,
    ) -> Result<(Log, Ended), NotPlayed> {
        let reason = |text: &str| NotPlayed::Reason(text.to_owned());
        let facts = player.facts;
        let run = forecast::first_install(&player.subject, Some(install));
        let place = run.and_then(|run| agreement::place(facts, run.instruction));
        let place = place.ok_or_else(|| reason("the first install is no step"))?;
        let seconds = match agreement::find(clean, facts, place, None).map(|step| step.status) {
            Some(Status::Done(seconds)) => seconds,
            _ => return Err(reason("the clean build did not run the first install")),
        };
        if seconds < QUICK {
            return Err(NotPlayed::Reason(format!("the first install takes {seconds:.1} s, too quick to interrupt")));
        }
        // What the builder took for it the last time is no promise: an install that was over is tried again, and stopped earlier.
        let mut over = NotPlayed::Reason(String::new());
        for part in [2.0, 4.0, 8.0] {
            match self.stop_and_retry(player, install, place, seconds / part, phase) {
                Err(NotPlayed::Reason(reason)) => over = NotPlayed::Reason(reason),
                other => return other,
            }
        }
        Err(over)
    }

    /// The same, once: stops the build when the install has run for so many seconds.
    fn stop_and_retry(
        &self,
        player: &Player<'_, '_>,
        install: &FirstInstall,
        place: StepPlace,
        seconds: f64,
        phase: &str,
    ) -> Result<(Log, Ended), NotPlayed> {
        let number = self.next();
        let namespace = self.namespace(player.name, number);
        let is_own = self.builder.way != Way::ThrowAway;
        // The user's builder can't be emptied: there the install is made new.
        if is_own {
            let text = self.renewed_install(player, install, number)?;
            player.copy.set_dockerfile(&text)?;
        }
        let both = || {
            let order = Order { is_clean: !is_own, ..player.order(&namespace) };
            let find = |log: &Log| agreement::find(log, player.facts, place, None).cloned();
            let mut in_the_middle = |log: &Log| match find(log) {
                Some(step) if step.status == Status::Open && step.started.elapsed().as_secs_f64() >= seconds => {
                    Next::Stop
                }
                _ => Next::Go,
            };
            self.say(player.service, phase, None);
            let (log, ended) = self.builder.build(&order, &mut in_the_middle).map_err(Broken::from)?;
            if !ended.is_stopped && !ended.is_success {
                return Err(self.why(player, &log, phase).into());
            }
            if !ended.is_stopped || find(&log).is_some_and(|step| matches!(step.status, Status::Done(_))) {
                return Err(NotPlayed::Reason("the install was over before it could be stopped".to_owned()));
            }
            Ok(self.build(player, &player.order(&namespace), phase)?)
        };
        let built = both();
        if is_own {
            player.copy.reset_dockerfile()?;
        }
        built
    }

    fn build(&self, player: &Player<'_, '_>, order: &Order<'_>, phase: &str) -> Result<(Log, Ended), Broken> {
        self.say(player.service, phase, None);
        let mut shown = 0;
        // The image of a scenario is of no interest, but making it is part of a rebuild.
        let tag = (order.tag.is_none() && self.builder.way != Way::ThrowAway).then(|| self.tag(player.service));
        let order = Order { tag: order.tag.or(tag.as_deref()), ..order.clone() };
        let built = self.builder.build(&order, &mut |log| {
            let steps = log.steps().count();
            if steps != shown {
                shown = steps;
                let open = log.steps().filter(|step| step.status == Status::Open).last();
                self.say(player.service, phase, open.map(|step| step.name()).as_deref());
            }
            Next::Go
        });
        if let Some(tag) = &tag {
            self.builder.made.remove_image(tag);
        }
        let (log, ended) = built?;
        if ended.is_success {
            return Ok((log, ended));
        }
        Err(self.why(player, &log, phase))
    }

    /// Why a build failed.
    fn why(&self, player: &Player<'_, '_>, log: &Log, phase: &str) -> Broken {
        if self.builder.way == Way::ThrowAway {
            let local = player.facts.stages.iter().find_map(|stage| match &stage.base {
                Base::Image(image) if is_unresolved(log) && self.builder.has_image(&image.reference) => {
                    Some(image.reference.clone())
                }
                _ => None,
            });
            if let Some(image) = local {
                return Broken::Local(image);
            }
        }
        Broken::Failed(format!("{phase}: the build failed\n{}", log.last().join("\n")))
    }

    fn in_words(&self, edit: &Edit) -> String {
        match edit {
            Edit::Nothing => "nothing".to_owned(),
            Edit::Touch { path } => format!("line breaks at the end of {path}"),
            Edit::FirstInstall { .. } => {
                "`:` with a word of its own in front of the first command of the first install".to_owned()
            }
            Edit::Base { reference } => format!("{reference} with one file more"),
            Edit::Argument { name, value } => format!("--build-arg {name}={value}, followed by a number of its own"),
            Edit::Failure { .. } if self.builder.way == Way::ThrowAway => {
                "an empty cache; stopped half-way through the first install; built again".to_owned()
            }
            Edit::Failure { .. } => {
                "the first install made new, with cache mounts of its own; stopped half-way through it; built again"
                    .to_owned()
            }
        }
    }

    fn say(&self, service: &Service, phase: &str, step: Option<&str>) {
        (self.tell)(Progress { service: &service.name, phase, step });
    }

    fn next(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    fn namespace(&self, side: &str, build: usize) -> String {
        format!("restow-verify-{}-{side}-{build}-{}", self.builder.made.id, self.next())
    }

    fn tag(&self, service: &Service) -> String {
        let name: String =
            service.name.to_lowercase().chars().map(|ch| if ch.is_ascii_alphanumeric() { ch } else { '-' }).collect();
        let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let name = if name.is_empty() { "image" } else { &name };
        format!("restow-verify/{name}:{}-{}", self.builder.made.id, self.next())
    }
}

impl<'p, 'f> Player<'p, 'f> {
    fn new(
        service: &'p Service,
        name: &'static str,
        facts: &'p Facts<'f>,
        context: &'p BuildContext<'p>,
        copy: &'p Copy,
    ) -> Self {
        let subject = Subject {
            facts,
            context,
            dockerfile: match &service.place {
                Place::Inside(path) => Some(path),
                Place::Outside(_) => None,
            },
            target: service.target.as_deref(),
            arguments: &service.arguments,
            per_commit: &service.per_commit,
        };
        Self { service, name, facts, subject, copy }
    }

    fn order<'o>(&'o self, namespace: &'o str) -> Order<'o>
    where
        'p: 'o,
    {
        Order {
            service: self.service,
            context: self.copy.context(),
            dockerfile: self.copy.dockerfile(),
            tag: None,
            is_clean: false,
            namespace,
            argument: None,
            base: None,
        }
    }
}

enum NotPlayed {
    Reason(String),
    Broken(Broken),
}

impl From<Broken> for NotPlayed {
    /// A build that fails with an edit says nothing of the images.
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Failed(text) => {
                let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
                NotPlayed::Reason(format!("the build failed: {last}"))
            }
            broken => NotPlayed::Broken(broken),
        }
    }
}

impl From<CopyError> for NotPlayed {
    fn from(error: CopyError) -> Self {
        NotPlayed::Broken(error.into())
    }
}

/// Whether a build broke because it did not find an image.
fn is_unresolved(log: &Log) -> bool {
    const SAID: [&str; 4] =
        ["failed to resolve source metadata", "pull access denied", "failed to do request", "not found"];
    log.last().iter().any(|line| SAID.iter().any(|said| line.contains(said)))
}

fn measured(
    facts: &Facts<'_>,
    log: &Log,
    seconds: f64,
    told: Option<&forecast::Outcome>,
    replaced: Option<&str>,
) -> Measured {
    // Nothing is downloaded where no install ran. One that ran and said nothing may have done so all the same.
    let installs = facts.runs.iter().filter(|run| !matches!(run.script(), Err(Unreadable::Irrelevant)));
    let installs = installs.filter(|run| run.script().is_err() || !run.calls().is_empty());
    let mut ran = installs
        .filter_map(|run| agreement::find(log, facts, agreement::place(facts, run.instruction)?, replaced))
        .filter(|step| !step.is_cached());
    Measured {
        cached: log.steps().filter(|step| step.is_cached()).count(),
        steps: log.steps().count(),
        forecast: told.map(forecast::Outcome::cached),
        seconds,
        bytes: log.bytes().or_else(|| ran.next().is_none().then_some(0)),
    }
}

/// The texts of the files in the context that the changes are about.
fn expected(service: &Service) -> Expected {
    let of = |text: &String| same_image::digest(text);
    let mut found = Expected::new();
    if let Place::Inside(_) = &service.place {
        found.insert((Some(of(&service.before.text)), Some(of(&service.after.text))));
    }
    for (path, text) in &service.after.files {
        let before = std::fs::read_to_string(service.context.join(path)).ok();
        found.insert((before.as_ref().map(of), Some(of(text))));
    }
    found
}
