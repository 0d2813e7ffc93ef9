//! The command line: one file per command; what they share stands here.

pub mod apply;

mod beside;
pub mod check;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod forecast;
pub mod images;
pub mod models;
pub mod run;
pub mod services;
pub mod survey;
pub mod transforms;
pub mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::CacheMode;

/// Exit status: nothing to do, or done.
pub const DONE: u8 = 0;
/// Changes are pending (`check`, `diff --exit-code`), or something keeps one from working (`doctor`).
pub const PENDING: u8 = 1;
/// Misuse, an I/O error, or a named file that can't be read or parsed.
pub const FAILED: u8 = 2;

/// Rewrite Dockerfiles, compose files and workflows so that image builds stop downloading and rebuilding what has not changed.
#[derive(Debug, Parser)]
#[command(name = "restow", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the changes; writes nothing
    Diff(diff::Arguments),
    /// One line per pending change; for CI
    Check(check::Arguments),
    /// Write the changes
    Apply(apply::Arguments),
    /// List the transforms: id, level, file kinds, one line
    Transforms(transforms::Arguments),
    /// A transform's documentation, or what restow sees at PATH:LINE
    Explain(explain::Arguments),
    /// Which file builds which image, from which context, who builds it in CI
    Services(services::Arguments),
    /// Which models the services load, and which are in their images
    Models(services::Arguments),
    /// Steps that are CACHED in each scenario, before and after the pending changes
    Forecast(forecast::Arguments),
    /// Build before and after with this machine's engine, compare the images, and measure rebuilds
    #[command(mut_arg("paths", |paths| paths.value_name("PATH | SERVICE").help(verify::PATHS)))]
    Verify(verify::Arguments),
    /// What this machine's builder can do with the changes, and what mends it
    Doctor(doctor::Arguments),
}

/// Which files, which transforms, and how to print.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Repositories, folders or files; `-` reads a Dockerfile from standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Run only these transforms
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Option<Vec<String>>,
    /// Leave these transforms out
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub except: Vec<String>,
    /// Include changes of level review, not only safe ones
    #[arg(long)]
    pub review: bool,
    /// Use this restow.toml instead of the nearest one upwards from each file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read files that match as Dockerfiles too (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub dockerfile: Vec<String>,
    /// What add-cache-from writes: inline, registry, local, classic or off [default: of restow.toml, else inline]
    #[arg(long, value_name = "MODE", value_parser = cache_mode)]
    pub cache_mode: Option<CacheMode>,
    /// Name of the Dockerfile on standard input
    #[arg(long, value_name = "NAME", default_value = "Dockerfile")]
    pub stdin_name: String,
    /// Threads; 0 for one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// A file found in a folder that can't be parsed is an error too
    #[arg(long)]
    pub strict: bool,
    /// Errors only on standard error
    #[arg(short, long)]
    pub quiet: bool,
    /// More on standard error: files without changes
    #[arg(short, long)]
    pub verbose: bool,
}

impl Common {
    /// What holds without flags.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            only: None,
            except: Vec::new(),
            review: false,
            config: None,
            dockerfile: Vec::new(),
            cache_mode: None,
            stdin_name: "Dockerfile".to_owned(),
            jobs: 0,
            format: Format::Text,
            color: Color::Auto,
            strict: false,
            quiet: false,
            verbose: false,
        }
    }
}

fn cache_mode(name: &str) -> Result<CacheMode, String> {
    let names: Vec<&str> = CacheMode::ALL.iter().map(|(name, _)| *name).collect();
    CacheMode::named(name).ok_or_else(|| format!("there are {}", names.join(", ")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Patch,
    Json,
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Whether to colour standard output.
    pub fn is_on(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
        }
    }
}

/// Prints the result. A reader that has gone away is no failure.
///
/// # Errors
/// Standard output can't be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
