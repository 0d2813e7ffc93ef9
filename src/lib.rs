//! restow rewrites Dockerfiles, compose and bake files, and workflows so that image builds stop downloading and rebuilding what has not
//! changed.
//!
//! The layers, in reading order; each uses only those below it:
//!
//! - [`cli`]: the commands.
//! - [`examples`]: running a transform's examples.
//! - [`transforms`]: what is rewritten, one file each, at the top of the repository.
//! - [`report`]: text, patch, JSON.
//! - [`write`]: a file whole or not at all.
//! - [`discover`]: paths to files.
//! - [`engine`]: passes to a fixpoint, and the check after each change.
//! - [`transform`]: what a transform is; transforms and engine meet here and nowhere else.
//! - [`verify`]: building before and after on this machine's engine, and measuring.
//! - [`forecast`]: which steps of a build are CACHED after a change.
//! - [`project`] and [`config`]: which file builds which image, what else is known of the repository, and restow.toml.
//! - [`same_image`]: what "the same image" means, computed.
//! - [`facts`]: what a file means: Dockerfile, compose file, bake file, workflow.
//! - [`context`]: files beside a Dockerfile.
//! - [`dockerfile`], [`shell`], [`yaml`], [`hcl`] and [`python`]: reading, the first four without loss.
//! - [`docker`]: the container engine of this machine.
//! - [`edit`] and [`text`]: edits and places.

pub mod cli;
pub mod config;
pub mod context;
pub mod discover;
pub mod docker;
pub mod dockerfile;
pub mod edit;
pub mod engine;
pub mod examples;
pub mod facts;
pub mod forecast;
pub mod hcl;
pub mod project;
pub mod python;
pub mod report;
pub mod same_image;
pub mod shell;
pub mod text;
pub mod transform;
#[path = "../transforms/mod.rs"]
pub mod transforms;
pub mod verify;
pub mod write;
pub mod yaml;
