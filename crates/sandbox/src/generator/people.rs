//! Parents, informants and spouses: who they are and how sure one is of it.

use super::names::Family;
use super::places;
use crate::entropy::digits;
use crate::opencrvs::Declaration;
use jiff::civil::Date;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// What is known about a person's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// e-Signet said so: `authenticated`, fields locked, a PSUT and no nid.
    Authenticated,
    /// A demographic match: `verified`.
    Verified,
    /// No match: `failed`.
    Failed,
    /// A scanned QR that nobody checked: `pending`.
    Pending,
    /// Nothing was tried.
    Unknown,
    /// Details not available.
    Absent,
}

impl Standing {
    /// Whether the shipped rules count the person as known.
    pub fn counts(self) -> bool {
        matches!(self, Self::Authenticated | Self::Verified)
    }

    fn word(self) -> Option<&'static str> {
        match self {
            Self::Authenticated => Some("authenticated"),
            Self::Verified => Some("verified"),
            Self::Failed => Some("failed"),
            Self::Pending => Some("pending"),
            Self::Unknown | Self::Absent => None,
        }
    }

    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..45 => Self::Authenticated,
            45..65 => Self::Verified,
            65..75 => Self::Failed,
            75..80 => Self::Pending,
            80..92 => Self::Unknown,
            _ => Self::Absent,
        }
    }
}

/// Writes one person section.
pub(crate) fn person(
    rng: &mut StdRng,
    out: &mut Declaration,
    section: &str,
    family: &Family,
    standing: Standing,
    today: Date,
) {
    let mut put = |field: &str, value: Value| {
        out.insert(format!("{section}.{field}"), value);
    };
    if standing == Standing::Absent {
        put("detailsNotAvailable", json!(true));
        put("reason", json!("Not \"known\" to the informant"));
        return;
    }
    let name = family.member(rng);
    let dob = today.saturating_sub(jiff::Span::new().days(rng.random_range(17 * 365..50 * 365)));
    put("name", name.clone());
    if rng.random_bool(0.93) || standing == Standing::Authenticated {
        put("dob", json!(dob.to_string()));
    } else {
        put("dobUnknown", json!(true));
        put("age", json!({"age": today.year() - dob.year(), "asOfDateRef": "child.dob"}));
    }
    put("nationality", json!("FAR"));
    put("address", places::address(rng));
    if section == "mother" || section == "father" {
        put("maritalStatus", json!("MARRIED"));
        put("educationalAttainment", json!("POST_SECONDARY_ISCED_4"));
        put("occupation", json!("farmer / fisher"));
    }
    if let Some(word) = standing.word() {
        put("verified", json!(word));
    }
    match standing {
        Standing::Authenticated => {
            // An authenticated person usually has no nid: the PSUT stands for it.
            put(
                "query-params",
                json!({"data": {"code": digits(rng, 12), "state": "noop"}, "updatedAt": format!("{today}T08:05:00.000Z")}),
            );
            put(
                "verify-nid-http-fetch",
                json!({"loading": false, "data": {"sub": digits(rng, 36), "name": name, "gender": "female",
                    "birthDate": dob.to_string(), "verificationStatus": "authenticated"}}),
            );
        }
        Standing::Verified | Standing::Failed => {
            put("idType", json!("NATIONAL_ID"));
            put("nid", json!(digits(rng, 10)));
        }
        Standing::Pending => {
            let nid = digits(rng, 10);
            put("idType", json!("NATIONAL_ID"));
            put("nid", json!(nid));
            put("id-reader", json!({"data": {"name": name, "nid": nid, "verificationStatus": "pending"}}));
        }
        _ => put("idType", json!("NONE")),
    }
}
