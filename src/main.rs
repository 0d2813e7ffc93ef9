//! Arguments to exit code.

use std::process::ExitCode;

use clap::Parser;
use restow::cli::{
    Cli, Command, FAILED, apply, check, diff, doctor, explain, forecast, models, services, transforms, verify,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let status = match &cli.command {
        Command::Diff(arguments) => diff::execute(arguments),
        Command::Check(arguments) => check::execute(arguments),
        Command::Apply(arguments) => apply::execute(arguments),
        Command::Transforms(arguments) => transforms::execute(arguments),
        Command::Explain(arguments) => explain::execute(arguments),
        Command::Services(arguments) => services::execute(arguments),
        Command::Models(arguments) => models::execute(arguments),
        Command::Doctor(arguments) => doctor::execute(arguments),
        Command::Forecast(arguments) => forecast::execute(arguments),
        Command::Verify(arguments) => verify::execute(arguments),
    };
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
