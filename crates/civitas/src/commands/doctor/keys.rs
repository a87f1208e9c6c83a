//! Keys and secrets of ours: there, whole and private.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use civitas_journal::SealingKeys;
use openssl::pkey::PKey;
use secrecy::{ExposeSecret as _, SecretString};

use super::finding::{Finding, chain};
use crate::config::{Config, FilePath};
use crate::secrets;

/// Everything that the configuration names by file and that is a key.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let database = &config.database;
    let parsed = |text: &SecretString| SealingKeys::parse(text).map(drop).map_err(|error| chain(&error));
    for file in &database.sealing_key_files {
        findings.push(key("sealing key", "database.sealing_key_files", file, &parsed));
    }
    findings.push(key("subject key", "database.subject_key_file", &database.subject_key_file, &long_enough));
    findings.push(key(
        "hub secret",
        "mosip.websub.secret_file",
        &config.mosip.websub.secret_file,
        &long_enough,
    ));
    if let Some(file) = &config.mosip.websub.previous_secret_file {
        findings.push(key("previous hub secret", "mosip.websub.previous_secret_file", file, &long_enough));
    }
    for operator in &config.server.operators {
        let name = format!("token of {}", operator.name);
        findings.push(key(&name, "server.operators", &operator.token_file, &long_enough));
    }
    if config.server.operators.is_empty() {
        findings.push(Finding::warn(
            "operators",
            "nobody may use the operator API or the pages",
            "write a token with `civitas keys new --operator NAME` and list it in server.operators",
        ));
    }
    if config.kafka.enabled {
        for payload in &config.kafka.encryption.keys {
            let name = format!("payload key {}", payload.kid);
            findings.push(key(&name, "kafka.encryption.keys", &payload.private_key_file, &private_key));
        }
    }
    findings
}

fn shown(file: &FilePath) -> String {
    file.as_path().display().to_string()
}

fn long_enough(secret: &SecretString) -> Result<(), String> {
    if secret.expose_secret().chars().count() >= 32 {
        Ok(())
    } else {
        Err("it has fewer than 32 characters".to_owned())
    }
}

fn private_key(pem: &SecretString) -> Result<(), String> {
    let key = PKey::private_key_from_pem(pem.expose_secret().as_bytes())
        .map_err(|_| "it is not a private key in PEM without a passphrase".to_owned())?;
    match key.rsa() {
        Ok(_) if key.bits() >= 2048 => Ok(()),
        Ok(_) => Err(format!("it has {} bits; MOSIP and Civitas want 2048 or more", key.bits())),
        Err(_) => Err("it is not an RSA key".to_owned()),
    }
}

fn key(
    name: &str,
    configured: &'static str,
    file: &FilePath,
    whole: &dyn Fn(&SecretString) -> Result<(), String>,
) -> Finding {
    let secret = match secrets::text(configured, file) {
        Ok(secret) => secret,
        Err(error) => {
            return Finding::fail(
                name,
                error.to_string(),
                "write it, or correct the path; `civitas keys new` makes keys",
            );
        }
    };
    if let Err(why) = whole(&secret) {
        return Finding::fail(name, format!("{}: {why}", shown(file)), "replace the file with a whole key");
    }
    if open_to_others(file.as_path()) {
        return Finding::warn(
            name,
            format!("{} can be read by other users of this machine", shown(file)),
            format!("chmod 600 {}", shown(file)),
        );
    }
    Finding::ok(name, shown(file))
}

pub(super) fn open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}
