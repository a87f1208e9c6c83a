//! Application ids: 29 digits, derived from the civil event, so that a retry *is* the same packet.
//!
//! `centre(5) machine(5) sequence(5) yyyyMMddHHmmss(14, UTC)`: the form of a MOSIP registration id. Its first ten
//! characters select the key that MOSIP encrypts with, which is why they are centre and machine and nothing else; its
//! last fourteen are a valid time, since one of MOSIP's validators parses them.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const TIME_FORMAT: &str = "%Y%m%d%H%M%S";

/// The id of the packet that carries an operation; MOSIP also says RID, registration id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Aid(String);

/// Why a text is not an AID, or a station not a station.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AidError {
    /// Not 29 digits.
    #[error("an aid has 29 digits, this has {characters} characters, {digits} of them digits")]
    Shape {
        /// Its length.
        characters: usize,
        /// How many are digits.
        digits: usize,
    },
    /// The last fourteen digits are not a time.
    #[error("the last 14 digits of an aid are a UTC time yyyyMMddHHmmss, these are not")]
    Time,
    /// Centre or machine not five digits.
    #[error("the {part} is {value:?}; MOSIP's are 5 digits")]
    Station {
        /// `centre` or `machine`.
        part: &'static str,
        /// What was configured.
        value: String,
    },
}

/// Checks configured centre and machine codes: five digits each. Do so at the start; [`Aid::derive`] cannot fail.
pub fn check_station(center: &str, machine: &str) -> Result<(), AidError> {
    for (part, value) in [("centre", center), ("machine", machine)] {
        if value.len() != 5 || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AidError::Station { part, value: value.to_owned() });
        }
    }
    Ok(())
}

impl Aid {
    /// The AID of a civil event. `at` is an instant of the event itself (never the time of sending), in which the
    /// same event always yields the same AID. Two events of one second share a sequence once in 100,000: the caller
    /// keeps AIDs unique and takes the next `candidate` then, which is of as many seconds earlier: records that were
    /// brought into OpenCRVS at one instant may be more than a second has AIDs.
    ///
    /// Codes that [`check_station`] refuses are forced into five digits here.
    pub fn derive(
        center: &str,
        machine: &str,
        event_id: Uuid,
        action_id: Uuid,
        at: Timestamp,
        candidate: u32,
    ) -> Aid {
        let mut hash = Sha256::new();
        hash.update(b"civitas/aid/1");
        hash.update(event_id.as_bytes());
        hash.update(action_id.as_bytes());
        hash.update(&candidate.to_be_bytes());
        let digest = hash.finish();
        let number = digest[..8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let at = at.checked_sub(SignedDuration::from_secs(candidate.into())).unwrap_or(at);
        let time = at.max(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).strftime(TIME_FORMAT).to_string();
        Aid(format!("{}{}{:05}{time}", five_digits(center), five_digits(machine), number % 100_000))
    }

    /// An id that another mediator gave a packet: mosip-api's are a prefix and ten random digits. None of ours is made
    /// so; it can be asked about and answered, and that is all.
    pub fn foreign(text: &str) -> Option<Aid> {
        let plausible = (10..=39).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plausible.then(|| Aid(text.to_owned()))
    }

    /// The 29 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Registration centre.
    pub fn center(&self) -> &str {
        &self.0[..5]
    }

    /// Machine.
    pub fn machine(&self) -> &str {
        &self.0[5..10]
    }

    /// `<centre>_<machine>`, by which MOSIP names the encryption key.
    pub fn ref_id(&self) -> String {
        format!("{}_{}", self.center(), self.machine())
    }
}

fn five_digits(code: &str) -> String {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let tail = digits.len().saturating_sub(5);
    format!("{:0>5}", &digits[tail..])
}

impl FromStr for Aid {
    type Err = AidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let characters = text.chars().count();
        if characters != 29 || digits != 29 {
            return Err(AidError::Shape { characters, digits });
        }
        DateTime::strptime(TIME_FORMAT, &text[15..]).map_err(|_| AidError::Time)?;
        Ok(Aid(text.to_owned()))
    }
}

impl TryFrom<String> for Aid {
    type Error = AidError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Aid> for String {
    fn from(aid: Aid) -> Self {
        aid.0
    }
}

impl AsRef<str> for Aid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn derive(event: u128, at: &str, candidate: u32) -> Aid {
        Aid::derive(
            "10001",
            "20042",
            Uuid::from_u128(event),
            Uuid::from_u128(9),
            at.parse().unwrap(),
            candidate,
        )
    }

    #[test]
    fn an_aid_is_centre_machine_sequence_and_time() {
        let aid = derive(7, "2026-01-02T03:04:05.999Z", 0);
        assert_eq!((aid.center(), aid.machine(), aid.ref_id().as_str()), ("10001", "20042", "10001_20042"));
        assert!(aid.as_str().ends_with("20260102030405"), "{aid}");
    }

    #[test]
    fn the_derivation_does_not_change_between_versions() {
        // A changed derivation would send events that are under way a second time under a new id.
        assert_eq!(derive(7, "2026-01-02T03:04:05Z", 0).as_str(), "10001200429615820260102030405");
    }

    #[test]
    fn the_same_event_yields_the_same_aid_and_another_candidate_another() {
        let first = derive(7, "2026-01-02T03:04:05Z", 0);
        assert_eq!(first, derive(7, "2026-01-02T03:04:05Z", 0));
        assert_ne!(first, derive(7, "2026-01-02T03:04:05Z", 1));
        assert_ne!(first, derive(8, "2026-01-02T03:04:05Z", 0));
    }

    #[test]
    fn events_of_one_second_have_room_beyond_its_sequences() {
        let mut taken = std::collections::HashSet::new();
        for event in 0..150_000 {
            let free =
                (0..=16).any(|candidate| taken.insert(derive(event, "2026-01-02T03:04:05Z", candidate)));
            assert!(free, "event {event} has no AID");
        }
    }

    #[test]
    fn only_29_digits_with_a_time_at_the_end_are_an_aid() {
        assert!("10001100771006920220128223618".parse::<Aid>().is_ok());
        assert_eq!("10001100771006920221328223618".parse::<Aid>(), Err(AidError::Time));
        assert_eq!("1000110077".parse::<Aid>(), Err(AidError::Shape { characters: 10, digits: 10 }));
        assert_eq!(
            "1000110077100692022012822361é".parse::<Aid>(),
            Err(AidError::Shape { characters: 29, digits: 28 })
        );
        assert!(serde_json::from_str::<Aid>("\"nonsense\"").is_err());
    }

    #[test]
    fn a_station_of_other_than_five_digits_is_refused() {
        assert!(check_station("10001", "20042").is_ok());
        assert!(matches!(check_station("1001", "20042"), Err(AidError::Station { part: "centre", .. })));
        assert!(matches!(check_station("10001", "2004x"), Err(AidError::Station { part: "machine", .. })));
    }

    proptest! {
        #[test]
        fn whatever_is_derived_is_valid(
            center in ".{0,9}", machine in ".{0,9}", event: u128, action: u128,
            second in -4_000_000_000_i64..4_000_000_000, candidate: u32,
        ) {
            let at = Timestamp::from_second(second).unwrap();
            let aid = Aid::derive(&center, &machine, Uuid::from_u128(event), Uuid::from_u128(action), at, candidate);
            prop_assert_eq!(aid.as_str().parse::<Aid>().unwrap(), aid);
        }
    }
}
