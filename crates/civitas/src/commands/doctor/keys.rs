//! Keys and certificates: there, whole, private, matching, and not about to end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use civitas_journal::SealingKeys;
use jiff::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::pkey::PKey;
use openssl::x509::X509;
use secrecy::{ExposeSecret as _, SecretString};

use super::finding::{Finding, Verdict, chain};
use crate::config::{Config, FilePath};
use crate::secrets;
use crate::words::count;

/// Days before its end at which a certificate is worth a warning.
const SOON: i32 = 30;

/// What to do about the end of a certificate of ours, and of MOSIP's.
const OURS: &str =
    "renew it and list the new one in front, keeping this one until nothing made with it can arrive";
const THEIRS: &str = "get MOSIP's current certificate and list it beside this one: credentials signed with a key that \
    is not listed are refused";

/// Everything that the configuration names by file and that is a key.
pub(super) fn check(config: &Config, now: Timestamp) -> Vec<Finding> {
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
    partner(config, now, &mut findings);
    signing(config, now, &mut findings);
    findings
}

fn partner(config: &Config, now: Timestamp, findings: &mut Vec<Finding>) {
    if config.mosip.partner.keys.is_empty() {
        findings.push(Finding::fail(
            "partner key",
            "there is none: no credential can be opened",
            "make a key pair, have its certificate uploaded to MOSIP's partner management, and list both in \
             mosip.partner.keys",
        ));
    }
    for pair in &config.mosip.partner.keys {
        let found = key("partner key", "mosip.partner.keys", &pair.key_file, &private_key);
        let whole = found.verdict != Verdict::Fail;
        findings.push(found);
        let certificate = certificate("partner certificate", OURS, &pair.certificate_file, now, findings);
        let private = secrets::text("mosip.partner.keys", &pair.key_file).ok();
        let private = private.and_then(|pem| PKey::private_key_from_pem(pem.expose_secret().as_bytes()).ok());
        if let (true, Some(certificate), Some(private)) = (whole, certificate, private)
            && !certificate.public_key().is_ok_and(|public| public.public_eq(&private))
        {
            findings.push(Finding::fail(
                "partner certificate",
                format!(
                    "{} belongs to another key than {}",
                    shown(&pair.certificate_file),
                    shown(&pair.key_file)
                ),
                "name the certificate and key of one pair in each entry of mosip.partner.keys",
            ));
        }
    }
}

fn signing(config: &Config, now: Timestamp, findings: &mut Vec<Finding>) {
    if config.mosip.signing_certificate_files.is_empty() {
        findings.push(Finding::fail(
            "mosip signing certificate",
            "there is none: the proof of a credential event cannot be verified",
            "get the certificate of key KERNEL/SIGN from keymanager and list it in mosip.signing_certificate_files",
        ));
    }
    for file in &config.mosip.signing_certificate_files {
        certificate("mosip signing certificate", THEIRS, file, now, findings);
    }
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

fn open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

fn certificate(
    name: &str,
    renew: &str,
    file: &FilePath,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<X509> {
    let read =
        std::fs::read(file.as_path()).map_err(|error| format!("{} cannot be read: {error}", shown(file)));
    let parsed = read.and_then(|pem| {
        X509::from_pem(&pem).map_err(|_| format!("{} is not a certificate in PEM", shown(file)))
    });
    match parsed {
        Err(why) => {
            findings.push(Finding::fail(name, why, "write the certificate there, or correct the path"));
            None
        }
        Ok(certificate) => {
            findings.push(validity(name, renew, file, &certificate, now));
            Some(certificate)
        }
    }
}

fn validity(name: &str, renew: &str, file: &FilePath, certificate: &X509, now: Timestamp) -> Finding {
    let ends = certificate.not_after().to_string();
    let days = Asn1Time::from_unix(now.as_second())
        .and_then(|now| Ok((now.diff(certificate.not_after())?, certificate.not_before().diff(&now)?)))
        .map(|(left, age)| (left.days, left.secs, age.days, age.secs));
    match days {
        Err(_) => Finding::warn(name, format!("{}: its end {ends} cannot be read", shown(file)), renew),
        Ok((left, seconds, ..)) if left < 0 || seconds < 0 => {
            Finding::fail(name, format!("{} ended on {ends}", shown(file)), renew)
        }
        Ok((_, _, age, seconds)) if age < 0 || seconds < 0 => Finding::fail(
            name,
            format!("{} is not valid before {}", shown(file), certificate.not_before()),
            "wait, or check this machine's clock",
        ),
        Ok((left, ..)) if left < SOON => Finding::warn(
            name,
            match left.unsigned_abs().into() {
                0 => format!("{} ends within a day, on {ends}", shown(file)),
                days => format!("{} ends in {}, on {ends}", shown(file), count(days, "day")),
            },
            renew,
        ),
        Ok((left, ..)) => Finding::ok(
            name,
            format!("{}, valid for {}", shown(file), count(left.unsigned_abs().into(), "day")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Integer;
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::rsa::Rsa;

    use super::*;

    fn certificate_from_to(from: i64, to: i64) -> X509 {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(1).unwrap()).unwrap()).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    #[test]
    fn a_certificate_is_judged_by_its_days() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let second = now.as_second();
        let day = 86_400;
        let file: FilePath = serde_json::from_str("\"partner.crt\"").unwrap();
        let of = |from: i64, to: i64| {
            validity(
                "partner certificate",
                OURS,
                &file,
                &certificate_from_to(second + from, second + to),
                now,
            )
            .verdict
        };
        assert_eq!(of(-day, 365 * day), Verdict::Ok);
        assert_eq!(of(-day, 29 * day), Verdict::Warn);
        assert_eq!(of(-day, -1), Verdict::Fail);
        assert_eq!(of(3600, 365 * day), Verdict::Fail);
    }
}
