//! Running a program: its lines as they come, a limit, and the user's Ctrl-C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a program may take to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often somebody looks whether it is to be stopped.
const TICK: Duration = Duration::from_millis(20);

/// Whether the user wants it all to end: set by whoever handles signals.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(pub Arc<AtomicBool>);

impl Interrupt {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a program goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Go,
    Stop,
}

/// How a program ended by itself, or because its watcher stopped it.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub is_success: bool,
    pub is_stopped: bool,
    pub seconds: f64,
}

/// Why a program did not end by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0} can't be run: {1}")]
    Unable(String, std::io::Error),
    #[error("it took longer than {} s (raise --timeout)", .0.as_secs())]
    Late(Duration),
    #[error("interrupted")]
    Interrupted,
}

/// Runs a program. `watch` sees each line that it prints, and nothing now and then in between.
///
/// # Errors
/// [`Failure`]; the program has ended then too.
pub fn run(
    command: &mut Command,
    limit: Duration,
    interrupt: &Interrupt,
    watch: &mut dyn FnMut(Option<&str>) -> Next,
) -> Result<Ended, Failure> {
    let start = Instant::now();
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (sender, lines) = mpsc::channel();
    for pipe in [reader(child.stdout.take()), reader(child.stderr.take())].into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
                if sender.send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
    }
    drop(sender);
    // When it was asked to end, and why.
    let mut stopping: Option<(Instant, Option<Failure>)> = None;
    let mut is_open = true;
    loop {
        let mut next = Next::Go;
        if is_open {
            match lines.recv_timeout(TICK) {
                Ok(line) => next = watch(Some(&line)),
                Err(RecvTimeoutError::Timeout) => next = watch(None),
                Err(RecvTimeoutError::Disconnected) => is_open = false,
            }
        } else {
            std::thread::sleep(TICK);
        }
        match &stopping {
            None => {
                let why = if interrupt.is_set() {
                    Some(Some(Failure::Interrupted))
                } else if start.elapsed() > limit {
                    Some(Some(Failure::Late(limit)))
                } else {
                    (next == Next::Stop).then_some(None)
                };
                if let Some(why) = why {
                    ask_to_end(&mut child);
                    stopping = Some((Instant::now(), why));
                }
            }
            Some((since, _)) if since.elapsed() > PATIENCE => {
                let _ = child.kill();
                is_open = false;
            }
            Some(_) => {}
        }
        // A program that leaves another one behind may keep the pipes open.
        let is_over = |child: &mut Child| child.try_wait().ok().flatten();
        if !is_open && let Some(status) = is_over(&mut child) {
            let seconds = start.elapsed().as_secs_f64();
            let ended = |is_stopped| Ended { is_success: status.success(), is_stopped, seconds };
            return match stopping {
                Some((_, Some(failure))) => Err(failure),
                Some((_, None)) => Ok(ended(true)),
                None => Ok(ended(false)),
            };
        }
    }
}

/// Starts a program in a process group of its own, so that Ctrl-C on the terminal reaches us alone: we end it, and what it made is
/// removed afterwards.
///
/// # Errors
/// It can't be run.
pub fn spawn(command: &mut Command) -> Result<Child, Failure> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let spawned = command.stdin(Stdio::null()).spawn();
    spawned.map_err(|error| Failure::Unable(command.get_program().to_string_lossy().into_owned(), error))
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Option<Box<dyn Read + Send>> {
    pipe.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>)
}

/// As Ctrl-C would: the client then tells the builder to cancel.
#[cfg(unix)]
fn ask_to_end(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if group.is_none_or(|group| kill_process_group(group, Signal::INT).is_err()) {
        let _ = child.kill();
    }
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}

/// A stream that ends with an error once the user wants it all to end.
pub struct Watched<'a, R> {
    pub stream: R,
    pub interrupt: &'a Interrupt,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // `Interrupted` would be tried again.
        if self.interrupt.is_set() { Err(std::io::Error::other("interrupted")) } else { self.stream.read(buffer) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn lines_of_both_streams_are_seen() {
        let mut seen = Vec::new();
        let mut watch = |line: Option<&str>| {
            seen.extend(line.map(str::to_owned));
            Next::Go
        };
        let ended = run(&mut shell("echo a; echo b >&2; exit 3"), LONG, &Interrupt::default(), &mut watch).unwrap();
        seen.sort();
        assert_eq!((seen, ended.is_success, ended.is_stopped), (vec!["a".to_owned(), "b".to_owned()], false, false));
    }

    #[test]
    fn a_program_that_is_stopped_or_late_ends_with_all_that_it_started() {
        let stop = &mut |line: Option<&str>| if line.is_some() { Next::Stop } else { Next::Go };
        let ended = run(&mut shell("echo go; sleep 50; echo x"), LONG, &Interrupt::default(), stop).unwrap();
        assert!(ended.is_stopped && ended.seconds < 40.0);
        let limit = Duration::from_millis(100);
        let late = run(&mut shell("sleep 50"), limit, &Interrupt::default(), &mut |_| Next::Go);
        assert!(matches!(late, Err(Failure::Late(_))));
        let interrupt = Interrupt(Arc::new(AtomicBool::new(true)));
        let ended = run(&mut shell("sleep 50"), LONG, &interrupt, &mut |_| Next::Go);
        assert!(matches!(ended, Err(Failure::Interrupted)));
    }
}
