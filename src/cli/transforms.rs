//! `restow transforms`: the transforms in application order.

use clap::Args;

use crate::transforms;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Print docs/transforms.md instead
    #[arg(long, hide = true)]
    pub markdown: bool,
}

/// # Errors
/// Standard output can't be written.
pub fn execute(arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.markdown {
        super::print(&super::explain::page())?;
        return Ok(super::DONE);
    }
    let width = transforms::ALL.iter().map(|transform| transform.meta().id.len()).max().unwrap_or(0);
    let lines = transforms::ALL.iter().map(|transform| {
        let meta = transform.meta();
        let kinds: Vec<String> = meta.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
        format!("{:width$}  {:6}  {}  {}\n", meta.id, meta.level.name(), kinds.join(","), meta.summary())
    });
    super::print(&lines.collect::<String>())?;
    Ok(super::DONE)
}
