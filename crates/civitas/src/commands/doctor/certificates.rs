//! Partner keys and certificates: whole, matching, able to decrypt, and not about to end.

use civitas_mosip::keys::{Certificate, Standing, UnwrapError, standings};
use jiff::Timestamp;

use super::finding::Finding;
use super::keys::open_to_others;
use crate::config::{Config, PartnerKey};
use crate::partner_keys::{self, Named, Purpose};
use crate::words::count;

/// What to do about the end of a certificate of ours, and of MOSIP's.
const OURS: &str =
    "renew it and list the new one in front, keeping this one until nothing made with it can arrive";
const THEIRS: &str = "get MOSIP's current certificate and list it beside this one: credentials signed with a key that \
    is not listed are refused";

/// Our keys, and MOSIP's certificates. Blocks: tokens are asked.
pub(super) fn check(config: &Config, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
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
    let mut named = Vec::new();
    for key in &config.mosip.partner.keys {
        match partner_keys::load(key) {
            Err(error) => findings.push(Finding::fail("partner key", error.to_string(), error.advice())),
            Ok(loaded) => {
                findings.push(tried(key, &loaded));
                named.push(Named {
                    purpose: Purpose::Partner,
                    place: certificate_place(key),
                    certificate: loaded.pair.certificate().clone(),
                });
            }
        }
        findings.extend(private(key));
    }
    findings.extend(ends(config, &named, now));
}

fn certificate_place(key: &PartnerKey) -> String {
    let file = key.certificate_file.as_ref().or(key.pkcs12_file.as_ref());
    file.map(|file| file.as_path().display().to_string()).unwrap_or_default()
}

/// Something is sealed to the certificate, and the key opens it.
fn tried(key: &PartnerKey, loaded: &partner_keys::Loaded) -> Finding {
    let place = partner_keys::place(key);
    match loaded.pair.round_trip() {
        Ok(()) => Finding::ok("partner key", format!("{place}: it opens what is sealed to its certificate")),
        Err(UnwrapError::Token(away)) => {
            Finding::fail("partner key", format!("{place}: {away}"), away.advice())
        }
        Err(UnwrapError::Refused) => Finding::fail(
            "partner key",
            format!("{place}: it does not open what is sealed to its certificate"),
            "name the key and the certificate of one pair",
        ),
    }
}

/// The secrets of an entry are for this user only.
fn private(key: &PartnerKey) -> Option<Finding> {
    let pin = key.pkcs11.as_ref().map(|token| &token.pin_file);
    let files = [key.key_file.as_ref(), key.pkcs12_file.as_ref(), key.password_file.as_ref(), pin];
    let open = files.into_iter().flatten().find(|file| open_to_others(file.as_path()))?;
    let shown = open.as_path().display().to_string();
    let found = format!("{shown} can be read by other users of this machine");
    Some(Finding::warn("partner key", found, format!("chmod 600 {shown}")))
}

fn signing(config: &Config, now: Timestamp, findings: &mut Vec<Finding>) {
    if config.mosip.signing_certificate_files.is_empty() {
        findings.push(Finding::fail(
            "mosip signing certificate",
            "there is none: the proof of a credential event cannot be verified",
            "get the certificate of key KERNEL/SIGN from keymanager and list it in mosip.signing_certificate_files",
        ));
    }
    if config.mosip.credential_proof.host.is_none() {
        findings.push(Finding::fail(
            "mosip credential proof",
            "no host is configured: no verifiable credential can be believed",
            "set mosip.credential_proof.host to MOSIP's public host, as its credentials name it",
        ));
    }
    match partner_keys::signing_certificates(config) {
        Ok(named) => findings.extend(ends(config, &named, now)),
        Err(error) => {
            findings.push(Finding::fail("mosip signing certificate", error.to_string(), error.advice()));
        }
    }
}

fn ends(config: &Config, named: &[Named], now: Timestamp) -> Vec<Finding> {
    let certificates: Vec<&Certificate> = named.iter().map(|named| &named.certificate).collect();
    let standings = standings(&certificates, now, config.mosip.certificate_warning.0);
    named.iter().zip(standings).map(|(named, standing)| end(named, standing, now)).collect()
}

fn end(named: &Named, standing: Standing, now: Timestamp) -> Finding {
    let Named { purpose, place, certificate } = named;
    let renew = if *purpose == Purpose::Partner { OURS } else { THEIRS };
    let (check, ends) = (purpose.to_string(), certificate.not_after);
    let days = certificate.days_left(now);
    match standing {
        Standing::Valid => {
            Finding::ok(check, format!("{place}, valid for {}", count(days.unsigned_abs(), "day")))
        }
        Standing::Superseded => {
            Finding::ok(check, format!("{place}, until {ends}: kept for what was made with it"))
        }
        Standing::EndsSoon if days == 0 => {
            Finding::warn(check, format!("{place} ends within a day, on {ends}"), renew)
        }
        Standing::EndsSoon => Finding::warn(
            check,
            format!("{place} ends in {}, on {ends}", count(days.unsigned_abs(), "day")),
            renew,
        ),
        Standing::Ended => Finding::fail(check, format!("{place} ended on {ends}"), renew),
        Standing::NotYet => Finding::warn(
            check,
            format!("{place} is not valid before {}", certificate.not_before),
            "wait, or check this machine's clock",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn a_certificate_is_judged_by_its_days() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let certificate = Certificate {
            subject: "CN=crvs_partner".to_owned(),
            thumbprint: "00".repeat(32),
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2027-01-01T00:00:00Z"),
        };
        let named = Named { purpose: Purpose::Partner, place: "partner.crt".to_owned(), certificate };
        let of = |now: &str| {
            let stands = named.certificate.standing(at(now), std::time::Duration::from_hours(45 * 24));
            end(&named, stands, at(now))
        };
        let table = [
            ("2026-06-01T00:00:00Z", Verdict::Ok, "partner.crt, valid for 214 days"),
            ("2026-12-01T00:00:00Z", Verdict::Warn, "ends in 31 days, on 2027-01-01T00:00:00Z"),
            ("2026-12-31T12:00:00Z", Verdict::Warn, "ends within a day"),
            ("2027-01-01T00:00:00Z", Verdict::Fail, "ended on 2027-01-01"),
            ("2025-12-31T00:00:00Z", Verdict::Warn, "is not valid before 2026-01-01"),
        ];
        for (now, verdict, said) in table {
            let found = of(now);
            assert_eq!(found.verdict, verdict, "{now}");
            assert!(found.found.contains(said), "{}", found.found);
        }
    }
}
