//! What a certificate says of itself, and how long it lasts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    error::ErrorStack,
    x509::{X509, X509NameRef, X509Ref},
};

use super::thumbprint;

/// A certificate's own words. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it names: `CN=crvs_partner, O=Civil Registry`.
    pub subject: String,
    /// SHA-256 of its DER, hexadecimal: how MOSIP names it.
    pub thumbprint: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// Why a certificate cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it is not a certificate in PEM")]
pub struct CertificateError(#[source] Option<ErrorStack>);

impl From<ErrorStack> for CertificateError {
    fn from(error: ErrorStack) -> Self {
        CertificateError(Some(error))
    }
}

/// How a certificate stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Valid, and will be for a while.
    Valid,
    /// Valid, but its end is near.
    EndsSoon,
    /// Over.
    Ended,
    /// Not valid yet.
    NotYet,
    /// Over, or soon, and a later generation is in its place: kept for what was made with it.
    Superseded,
}

impl Standing {
    /// Its name in answers and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Valid => "valid",
            Standing::EndsSoon => "ends_soon",
            Standing::Ended => "ended",
            Standing::NotYet => "not_yet",
            Standing::Superseded => "superseded",
        }
    }

    /// Whether somebody has to do something about it.
    pub fn is_worrying(self) -> bool {
        matches!(self, Standing::EndsSoon | Standing::Ended | Standing::NotYet)
    }
}

/// How the generations of one key stand, in their order: an old one whose successor is valid is no worry.
pub fn standings(generations: &[&Certificate], now: Timestamp, warn_before: Duration) -> Vec<Standing> {
    let alone = |certificate: &Certificate| certificate.standing(now, warn_before);
    let has_successor = |certificate: &Certificate| {
        generations
            .iter()
            .any(|other| other.not_after > certificate.not_after && alone(other) == Standing::Valid)
    };
    let stands = |certificate: &&Certificate| match alone(certificate) {
        Standing::EndsSoon | Standing::Ended if has_successor(certificate) => Standing::Superseded,
        standing => standing,
    };
    generations.iter().map(stands).collect()
}

impl Certificate {
    /// Reads the certificates of a PEM file: one or several.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
        let stack = X509::stack_from_pem(pem)?;
        if stack.is_empty() {
            return Err(CertificateError(None));
        }
        stack.iter().map(|certificate| Certificate::of(certificate)).collect()
    }

    pub(super) fn of(certificate: &X509Ref) -> Result<Certificate, CertificateError> {
        Ok(Certificate {
            subject: name(certificate.subject_name()),
            thumbprint: hex::encode(thumbprint(certificate)?),
            not_before: instant(certificate.not_before())?,
            not_after: instant(certificate.not_after())?,
        })
    }

    /// How it stands, where its end is worth a warning so long before.
    pub fn standing(&self, now: Timestamp, warn_before: Duration) -> Standing {
        let margin = SignedDuration::try_from(warn_before).unwrap_or(SignedDuration::MAX);
        if now >= self.not_after {
            Standing::Ended
        } else if now < self.not_before {
            Standing::NotYet
        } else if self.left(now) < margin {
            Standing::EndsSoon
        } else {
            Standing::Valid
        }
    }

    /// Time until its end; negative once it is over.
    pub fn left(&self, now: Timestamp) -> SignedDuration {
        self.not_after.duration_since(now)
    }

    /// Whole days until its end; negative once it is over.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.left(now).as_secs().div_euclid(86_400)
    }
}

/// `CN=…, O=…`, in the certificate's order.
fn name(name: &X509NameRef) -> String {
    let parts = name.entries().filter_map(|entry| {
        let field = entry.object().nid().short_name().unwrap_or("?");
        entry.data().to_string().ok().map(|value| format!("{field}={value}"))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn instant(time: &Asn1TimeRef) -> Result<Timestamp, CertificateError> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    // X.509 allows the year 9999, which is where ours end too.
    Ok(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = include_bytes!("../../tests/vectors/ida/client-cert.pem");

    #[test]
    fn a_certificate_says_whom_it_names_and_how_long_it_lasts() {
        let [certificate] = Certificate::all_from_pem(PEM).unwrap().try_into().unwrap();
        assert_eq!(certificate.subject, "CN=MTS-CLIENT");
        assert_eq!(certificate.not_after.to_string(), "2027-11-22T02:42:48Z");
        let days = |text: &str| Duration::from_hours(24 * text.parse::<u64>().unwrap());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let standing = |now: &str| certificate.standing(at(now), days("45"));
        assert_eq!(standing("2026-12-01T00:00:00Z"), Standing::Valid);
        assert_eq!(standing("2027-10-20T00:00:00Z"), Standing::EndsSoon);
        assert_eq!(standing("2027-11-23T00:00:00Z"), Standing::Ended);
        assert_eq!(standing("2020-01-01T00:00:00Z"), Standing::NotYet);
        assert_eq!(certificate.days_left(at("2027-11-12T00:00:00Z")), 10);
        assert_eq!(certificate.days_left(at("2027-11-23T10:00:00Z")), -2, "over, for less than two");
    }

    #[test]
    fn an_old_generation_is_no_worry_while_its_successor_is_valid() {
        let [first] = Certificate::all_from_pem(PEM).unwrap().try_into().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let second = Certificate {
            not_before: at("2027-10-01T00:00:00Z"),
            not_after: at("2029-10-01T00:00:00Z"),
            ..first.clone()
        };
        let stand = |now: &str| standings(&[&second, &first], at(now), Duration::from_hours(24 * 45));
        assert_eq!(stand("2027-01-01T00:00:00Z"), [Standing::NotYet, Standing::Valid]);
        assert_eq!(stand("2027-11-01T00:00:00Z"), [Standing::Valid, Standing::Superseded]);
        assert_eq!(stand("2028-11-01T00:00:00Z"), [Standing::Valid, Standing::Superseded]);
        assert_eq!(stand("2029-09-20T00:00:00Z"), [Standing::EndsSoon, Standing::Ended]);
        assert_eq!(stand("2030-01-01T00:00:00Z"), [Standing::Ended, Standing::Ended]);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Certificate::all_from_pem(b"").is_err());
        assert!(
            Certificate::all_from_pem(b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----").is_err()
        );
    }
}
