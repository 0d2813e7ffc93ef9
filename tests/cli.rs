//! The command line as a contract: exit codes, streams, formats, discovery, settings, and what lands on disk.

mod cli {
    pub mod support;

    mod apply;
    mod beside;
    mod broken;
    mod builders;
    mod compose;
    mod config;
    mod discovery;
    #[cfg(unix)]
    mod doctor;
    mod exit_codes;
    mod explain;
    mod forecast;
    mod formats;
    mod model_volume;
    mod models;
    mod patches;
    mod selection;
    mod services;
    mod streams;
    #[cfg(unix)]
    mod verify;
}
