//! `civitas country help`: what the codes of diagnostics mean.

use std::process::ExitCode;

use anyhow::anyhow;
use civitas_rules::Code;
use clap::Args;

/// Say what a diagnostic's code means.
#[derive(Debug, Args)]
pub struct Help {
    /// Code such as R006; without it, all are listed
    code: Option<String>,
}

pub(super) fn run(help: &Help) -> anyhow::Result<ExitCode> {
    let line = |code: &Code| {
        let severity = if code.is_warning() { "warning" } else { "error" };
        println!("{}  {severity:<7}  {}", code.as_str(), code.title());
    };
    match &help.code {
        None => Code::ALL.iter().for_each(line),
        Some(wanted) => {
            let found = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(wanted));
            line(
                found.ok_or_else(|| {
                    anyhow!("there is no code `{wanted}`; `civitas country help` lists all")
                })?,
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
