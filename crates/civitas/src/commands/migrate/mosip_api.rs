//! `civitas migrate mosip-api`: the configuration out of its environment, and its open transactions.
//!
//! Without `--apply` nothing is written and nobody is asked. Repeated, it changes nothing more.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::takeover::Outcome;
use civitas_journal::predecessor::{self, Transaction};
use clap::Args;

use crate::adoption::environment;
use crate::adoption::translation::{Rest, Translation, is_secret, translate, unmapped};
use crate::adoption::variables::{Becomes, find};
use crate::commands::keys;
use crate::config::{self, Layers};
use crate::{assembly, pack};

/// Write a configuration out of mosip-api's environment, and take its open transactions over.
#[derive(Debug, Args)]
pub(super) struct MosipApi {
    /// File of mosip-api's environment variables, one NAME=value a line
    #[arg(long, value_name = "FILE")]
    env: PathBuf,
    /// Its SQLite file; without it no transaction is taken over
    #[arg(long, value_name = "FILE")]
    sqlite: Option<PathBuf>,
    /// Folder of the country pack
    #[arg(long, value_name = "PACK")]
    pack: PathBuf,
    /// Folder that civitas.yaml and keys/ are written into
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// User id of the MOSIP officer in whose name packets are made
    #[arg(long, value_name = "ID")]
    officer: Option<String>,
    /// File with a signing certificate of MOSIP; may be repeated
    #[arg(long, value_name = "FILE")]
    signing_certificate: Vec<PathBuf>,
    /// Public host of MOSIP, by which its credentials are believed
    #[arg(long, value_name = "HOST")]
    mosip_host: Option<String>,
    /// Client id at e-Signet (OPENID_PROVIDER_CLIENT_ID of the country configuration)
    #[arg(long, value_name = "ID")]
    esignet_client: Option<String>,
    /// Do it; without this what would be done is shown
    #[arg(long)]
    apply: bool,
}

/// Variables that name files.
const FILES: [&str; 4] =
    ["DECRYPT_P12_FILE_PATH", "SIGN_P12_FILE_PATH", "ENCRYPT_CERT_PATH", "OIDP_CLIENT_PRIVATE_KEY_PATH"];

/// Runs the command.
pub(super) async fn run(arguments: &MosipApi) -> anyhow::Result<()> {
    let mut environment = environment::read(&arguments.env)?;
    // Relative to where mosip-api runs: beside its environment, as a rule.
    let beside = arguments.env.parent().unwrap_or(Path::new("."));
    for variable in FILES {
        let Some(file) = environment.get_mut(variable) else { continue };
        if let Ok(found) = fs::canonicalize(beside.join(file.as_str())) {
            *file = zeroize::Zeroizing::new(found.display().to_string());
        }
    }
    let compiled = pack::load(&arguments.pack)?;
    let absolute =
        |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let rest = Rest {
        pack: absolute(&arguments.pack),
        // A journal belongs beside its keys, wherever the process is started.
        database: format!("sqlite:{}", std::path::absolute(&arguments.into)?.join("civitas.db").display()),
        release: compiled.country().opencrvs,
        credential_key: compiled.country().credential_key,
        officer: arguments.officer.clone(),
        signing_certificates: arguments.signing_certificate.iter().map(|file| absolute(file)).collect(),
        host: arguments.mosip_host.clone(),
        esignet_client: arguments.esignet_client.clone(),
    };
    let translation = translate(&environment, &rest)?;
    println!("Variables:");
    for (name, value) in &environment {
        if let Some(becomes) = find(name).map(|variable| variable.becomes) {
            let shown = if is_secret(name) { "(secret)" } else { value.as_str() };
            match becomes {
                Becomes::Key(key) | Becomes::File(key) => println!("  {name:<42} {key} = {shown}"),
                Becomes::Secret(key, file) => println!("  {name:<42} {key}: keys/{file}"),
                Becomes::Nothing(_) => {}
            }
        }
    }
    let without = unmapped(&environment);
    if !without.is_empty() {
        println!("\nWithout a counterpart:");
        for variable in without {
            println!("  {:<42} {}", variable.name, variable.why);
        }
    }
    if !translation.remarks.is_empty() {
        println!("\nTo be seen to:");
        for remark in &translation.remarks {
            println!("  - {remark}");
        }
    }
    let open = match &arguments.sqlite {
        Some(file) => predecessor::transactions(file).await?,
        None => Vec::new(),
    };
    println!("\nOpen transactions: {}", open.len());
    if !arguments.apply {
        for transaction in &open {
            println!("  {}", shown(transaction));
        }
        println!("\ncivitas.yaml would be:\n\n{}", translation.yaml);
        println!("Nothing was written. Repeat with --apply to do it.");
        return Ok(());
    }
    let file = write(&arguments.into, &translation, &arguments.signing_certificate)?;
    if open.is_empty() { Ok(()) } else { take_over(&file, open).await }
}

fn shown(transaction: &Transaction) -> String {
    let at = transaction.created_at.map_or_else(|| "at an unknown time".to_owned(), |at| at.to_string());
    format!("{:<20} number {:<16} sent {at}", transaction.id, transaction.registration_number)
}

/// Writes what is not there yet.
fn write(folder: &Path, translation: &Translation, certificates: &[PathBuf]) -> anyhow::Result<PathBuf> {
    for certificate in certificates {
        if !certificate.is_file() {
            bail!("{} is no file", certificate.display());
        }
    }
    let keys = folder.join("keys");
    if !keys.join("sealing.key").exists() {
        keys::write(&keys, &["operator".to_owned()])?;
        if !translation.new_hub_secret {
            // Ours is the one that the hub knows.
            fs::remove_file(keys.join("hub.secret")).context("keys/hub.secret cannot be replaced")?;
        }
    }
    for (name, content) in &translation.secrets {
        let path = keys.join(name);
        match fs::read_to_string(&path) {
            Ok(there) if there.trim() == content.trim() => println!("{:<34} is there", path.display()),
            Ok(_) => {
                bail!("{} holds another secret: move it away, or keep the environment's", path.display())
            }
            Err(_) => {
                keys::write_private(&path, content)?;
                println!("{:<34} written", path.display());
            }
        }
    }
    let file = folder.join("civitas.yaml");
    match fs::read_to_string(&file) {
        Ok(there) if there == translation.yaml => println!("{:<34} is there", file.display()),
        Ok(_) => println!("{:<34} is there and was changed since: it is kept", file.display()),
        Err(_) => {
            fs::write(&file, &translation.yaml)
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("{:<34} written", file.display());
        }
    }
    Ok(file)
}

async fn take_over(file: &Path, open: Vec<Transaction>) -> anyhow::Result<()> {
    let config =
        config::load(&Layers::of_process(Some(file.to_owned()))).map_err(|problems| anyhow!("{problems}"))?;
    let pack = pack::load(config.pack.as_path())?;
    let journal = assembly::migrated_journal(&config).await?;
    let engine = assembly::engine(&config, journal.clone(), pack).await?;
    let (mut taken, mut known, mut unusable) = (0, 0, 0);
    for transaction in open {
        let line = shown(&transaction);
        let done = engine.take_over(transaction).await?;
        let note = done.note.map(|note| format!("; {note}")).unwrap_or_default();
        let said = match done.outcome {
            Outcome::Taken => {
                taken += 1;
                format!("taken over as {}", done.operation)
            }
            Outcome::Known => {
                known += 1;
                "is in the journal".to_owned()
            }
            Outcome::Unusable => {
                unusable += 1;
                "NOT taken over".to_owned()
            }
        };
        println!("  {line}: {said}{note}");
    }
    journal.close().await;
    println!("Taken over: {taken}. Known before: {known}. Not usable: {unusable}.");
    println!("Stop mosip-api for good before `civitas serve` starts: both would answer the same records.");
    Ok(())
}
