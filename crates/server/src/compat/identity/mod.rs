//! What the two routes that identify people work with, and what they remember for a while: answers, so that nobody is
//! asked about twice; and how often who asked.

mod budget;
mod once;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use civitas_mosip::esignet::ESignet;
use civitas_mosip::ida::{Fill, Ida};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use openssl::sha::Sha256;
use serde_json::Value;

pub(super) use budget::Budget;
pub(super) use once::{Kept, OnceEach, Outcome};

use crate::reply::Refusal;

/// How people on a form are identified, where that is served.
#[derive(Debug, Clone, Default)]
pub struct Identification {
    /// By a comparison of their data.
    pub verification: Option<Verification>,
    /// By their own login.
    pub authentication: Option<Authentication>,
}

/// Comparisons by ID authentication.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The client.
    pub ida: Ida,
    /// What is compared of what a form gives.
    pub compares: Compares,
    /// Most comparisons that one user may ask for in a minute.
    pub per_user: u32,
    /// Most comparisons with one number in an hour.
    pub per_id: u32,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compares {
    /// The full name.
    pub name: bool,
    /// The date of birth.
    pub dob: bool,
    /// The gender.
    pub gender: bool,
}

/// Logins by e-Signet.
#[derive(Clone)]
pub struct Authentication {
    /// The client.
    pub esignet: ESignet,
    /// Pages that it may send people back to; `**` stands for any text, `*` for any without a slash.
    pub redirect_uris: Vec<String>,
    /// How long a form is kept waiting. The form gives up after five seconds.
    pub patience: Duration,
    /// Randomness of receipts.
    pub fill: Arc<Fill>,
}

impl fmt::Debug for Authentication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authentication").field("esignet", &self.esignet).finish_non_exhaustive()
    }
}

/// How long an answer about a person stands, in which the same question is not asked again.
const ANSWER_STANDS: SignedDuration = SignedDuration::from_hours(1);
/// How long the outcome of a login is there for whoever brings its code: as long as a code lives.
const LOGIN_STANDS: SignedDuration = SignedDuration::from_mins(5);
/// Most of either that are remembered.
const MOST: usize = 20_000;

/// What is remembered in this process.
pub(crate) struct Remembered {
    pub(super) answers: OnceEach<Outcome<Found>>,
    pub(super) logins: OnceEach<Outcome<Value>>,
    pub(super) users: Budget,
    pub(super) ids: Budget,
}

impl Remembered {
    pub(crate) fn new() -> Self {
        Self {
            answers: OnceEach::new(ANSWER_STANDS, MOST),
            logins: OnceEach::new(LOGIN_STANDS, MOST),
            users: Budget::new(SignedDuration::from_mins(1)),
            ids: Budget::new(SignedDuration::from_hours(1)),
        }
    }
}

/// What was found about a person, without the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) matched: bool,
    /// Class, attributes by name, codes.
    pub(super) detail: String,
    pub(super) at: Timestamp,
}

/// Why nothing was found out.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) advice: &'static str,
    pub(super) retry_after: Option<Duration>,
}

impl Trouble {
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new(self.status, self.code, self.message.clone(), self.advice)
    }
}

/// A digest under which something is remembered: of these parts, in this order.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        // The length first, so that no two lists run into the same text.
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}
