//! `civitas packet verify`: a packet against the form that MOSIP reads.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use civitas_mosip::packet::{VerifyingKey, read};
use clap::Args;
use serde_json::json;

use super::files::{self, Opening};
use crate::replay::DENIED;
use crate::words::many;

/// Check a packet's hashes, signatures and encryption against the form that MOSIP reads.
///
/// Stricter than MOSIP's own validator, which takes an absent hash file for a good one and reports no missing file.
///
/// Exit codes: 0 nothing deviates; 1 it could not be read; 2 the command line is wrong; 3 something deviates, and each
/// deviation is said with where it is.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    opening: Opening,
    /// The machine's public key or certificate (PEM), as MOSIP's master data has it; without it no signature is judged
    #[arg(long, value_name = "FILE")]
    machine_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(verify: &Verify) -> anyhow::Result<ExitCode> {
    let file = verify.opening.packet()?;
    let machine = match &verify.machine_key {
        Some(file) => {
            let key = VerifyingKey::from_pem(&files::read(file)?);
            Some(key.with_context(|| format!("{} cannot be used", file.display()))?)
        }
        None => None,
    };
    let certificate = verify.opening.certificate()?;
    let found = read(&file, &verify.opening.keys()?, machine.as_ref(), certificate.as_ref());
    let files: usize = found.sub_packets.iter().map(|sub_packet| sub_packet.files.len()).sum();
    let signatures = machine.is_some();
    if verify.json {
        let findings: Vec<_> = found
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "place": finding.place,
                    "code": finding.deviation.code(),
                    "text": finding.deviation.to_string(),
                })
            })
            .collect();
        println!(
            "{:#}",
            json!({
                "registration": found.registration_id(), "bytes": found.size, "hash": found.hash,
                "sub_packets": found.sub_packets.len(), "files": files, "encrypted": found.envelope.is_some(),
                "signatures_judged": signatures, "findings": findings,
            })
        );
    } else if found.findings.is_empty() {
        let (parts, files) = (many(found.sub_packets.len() as u64, "sub-packet"), many(files as u64, "file"));
        let encryption = if found.envelope.is_some() { "encryption, " } else { "" };
        let judged = if signatures { "signatures and hashes" } else { "hashes" };
        println!("Whole: {parts}, {files}; {encryption}{judged} are as they have to be.");
        if found.envelope.is_none() {
            println!("It is not encrypted: MOSIP does not take it.");
        }
        if !signatures {
            println!("No signature was judged: name the machine's public key with --machine-key.");
        }
    } else {
        println!("Not as it has to be:");
        for finding in &found.findings {
            println!("  {finding}");
        }
    }
    Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DENIED) })
}
