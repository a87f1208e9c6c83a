//! `civitas keys new`: writes the keys that an instance needs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use zeroize::Zeroizing;

use crate::entropy;

/// Keys of this instance.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Write new keys into a folder; existing files are never touched
    New(New),
    /// Show the certificates in use: whom they name, their thumbprints, and how long they last
    Show(super::keys_show::Show),
}

/// Write new keys into a folder; existing files are never touched.
#[derive(Debug, Args)]
pub struct New {
    /// Folder to write into
    #[arg(default_value = "keys")]
    folder: PathBuf,
    /// Also write a token for this operator, `<name>.token`; may be repeated
    #[arg(long, value_name = "NAME")]
    operator: Vec<String>,
}

/// Runs the command.
pub fn run(keys: &Keys, file: Option<PathBuf>) -> anyhow::Result<()> {
    let new = match keys {
        Keys::New(new) => new,
        Keys::Show(show) => return super::keys_show::run(show, file),
    };
    for (path, purpose) in write(&new.folder, &new.operator)? {
        println!("{:<34} {purpose}", path.display());
    }
    println!("\nKeep a copy of sealing.key in a safe place: without it the journal cannot be read.");
    Ok(())
}

/// Writes new keys, and tokens for these operators; what was written, and what each is for.
pub fn write(folder: &Path, operators: &[String]) -> anyhow::Result<Vec<(PathBuf, String)>> {
    for name in operators {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            bail!("`{name}` cannot name a file: use letters, digits, `-`, `_` and `.`");
        }
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (private, public, kid) = payload_pair()?;
    let mut files: Vec<(String, Zeroizing<String>, String)> = vec![
        (
            "sealing.key".into(),
            Zeroizing::new(entropy::hexadecimal(32)),
            "seals personal data in the journal (database.sealing_key_files)".into(),
        ),
        (
            "subject.key".into(),
            Zeroizing::new(entropy::hexadecimal(32)),
            "hashes VIDs into subjects (database.subject_key_file)".into(),
        ),
        (
            "hub.secret".into(),
            Zeroizing::new(entropy::hexadecimal(32)),
            "signs the hub's deliveries (mosip.websub.secret_file)".into(),
        ),
        (
            "payload.key".into(),
            private,
            format!("opens Kafka payloads (kafka.encryption.keys, kid: \"{kid}\")"),
        ),
        (
            "payload.pub.pem".into(),
            Zeroizing::new(public),
            format!("public half of payload.key, kid \"{kid}\": give it to the emitter of events"),
        ),
    ];
    files.extend(operators.iter().map(|name| {
        let token = Zeroizing::new(entropy::hexadecimal(32));
        (format!("{name}.token"), token, format!("bearer token of operator {name} (server.operators)"))
    }));
    // All or nothing: a half-written folder would leave a pair that does not match.
    let taken: Vec<&str> = files
        .iter()
        .filter(|(name, ..)| folder.join(name).exists())
        .map(|(name, ..)| name.as_str())
        .collect();
    if !taken.is_empty() {
        bail!(
            "{} already holds {}: what is sealed with a lost key is lost, so nothing was written; \
             to rotate, name a new folder and put its key in front in civitas.yaml",
            folder.display(),
            taken.join(", ")
        );
    }
    let mut written = Vec::new();
    for (name, content, purpose) in files {
        let path = folder.join(name);
        write_private(&path, &content)?;
        written.push((path, purpose));
    }
    Ok(written)
}

pub(super) fn write_private(path: &Path, content: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let line_end = if content.ends_with('\n') { "" } else { "\n" };
    write!(file, "{content}{line_end}")
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The id by which a payload key is named: of its public half, so that both sides find it themselves.
pub(super) fn payload_key_id(public_pem: &Path) -> anyhow::Result<String> {
    let pem = fs::read(public_pem).with_context(|| format!("cannot read {}", public_pem.display()))?;
    let key =
        PKey::public_key_from_pem(&pem).with_context(|| format!("{} is not a key", public_pem.display()))?;
    Ok(key_id(&key.public_key_to_der()?))
}

fn key_id(public_der: &[u8]) -> String {
    hex::encode(&openssl::sha::sha256(public_der)[..6])
}

/// An RSA pair for payloads: private key, public key, and the id that names it.
fn payload_pair() -> anyhow::Result<(Zeroizing<String>, String, String)> {
    let make = || -> Result<_, openssl::error::ErrorStack> {
        let key = PKey::from_rsa(Rsa::generate(3072)?)?;
        Ok((key.private_key_to_pem_pkcs8()?, key.public_key_to_pem()?, key.public_key_to_der()?))
    };
    let (private, public, der) = make().context("the RSA key pair cannot be made")?;
    let kid = key_id(&der);
    Ok((Zeroizing::new(String::from_utf8(private)?), String::from_utf8(public)?, kid))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_written_once_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let new = || Keys::New(New { folder: folder.path().join("keys"), operator: vec!["amina".into()] });
        run(&new(), None).unwrap();
        let sealing = fs::read_to_string(folder.path().join("keys/sealing.key")).unwrap();
        assert_eq!(sealing.trim().len(), 64);
        for name in
            ["sealing.key", "subject.key", "hub.secret", "payload.key", "payload.pub.pem", "amina.token"]
        {
            let metadata = fs::metadata(folder.path().join("keys").join(name)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
        }
        let error = run(&new(), None).unwrap_err().to_string();
        assert!(error.contains("already holds sealing.key, subject.key"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("keys/sealing.key")).unwrap(), sealing);
    }

    #[test]
    fn an_operator_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let new = Keys::New(New { folder: folder.path().to_owned(), operator: vec!["../x".into()] });
        assert!(run(&new, None).unwrap_err().to_string().contains("cannot name a file"));
    }
}
