//! `civitas packet inspect`: a packet's insides for a person.

use std::process::ExitCode;

use civitas_mosip::packet::read;
use clap::Args;

use super::files::Opening;
use super::tree;
use crate::replay::DENIED;

/// Show what is in a packet: its parts, their files, sizes, hashes and fields.
///
/// Values of fields are personal data and are shown as what they are, not what they say, unless asked for. Without the
/// private key that it is encrypted to, only the envelope of a packet is shown.
///
/// Exit codes: 0 shown whole; 1 it could not be read; 2 the command line is wrong; 3 shown, and some of it did not open
/// or is not as it has to be.
#[derive(Debug, Args)]
pub struct Inspect {
    #[command(flatten)]
    opening: Opening,
    /// Show the values of fields and meta information
    #[arg(long)]
    show_personal_data: bool,
}

pub(super) fn run(inspect: &Inspect) -> anyhow::Result<ExitCode> {
    let file = inspect.opening.packet()?;
    let certificate = inspect.opening.certificate()?;
    let found = read(&file, &inspect.opening.keys()?, None, certificate.as_ref());
    print!("{}", tree::text(&found, inspect.show_personal_data));
    if found.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nNot as it has to be:");
    for finding in &found.findings {
        println!("  {finding}");
    }
    Ok(ExitCode::from(DENIED))
}
