//! IDA's codes, and what each means for the person, for us and for the operator. The texts beside them are not stable:
//! only codes decide.

use std::{collections::BTreeMap, str::FromStr};

/// What an answer of IDA means. In the order in which they count where an answer has several codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthClass {
    /// Partner, policy, licence, key or certificate: nothing can be verified until somebody mends it.
    Config,
    /// Our request is wrong.
    BadData,
    /// IDA has another certificate than we encrypt to.
    Refetch,
    /// The request was too old or too new: clocks.
    Restamp,
    /// Try later.
    Transient,
    /// Nobody can tell: a code that is not known, no code, no JSON.
    Unknown,
    /// This kind of authentication is locked for the person.
    Locked,
    /// The number was deactivated, blocked, or has expired.
    InactiveId,
    /// No such number can exist.
    InvalidId,
    /// No such number is known.
    NotFound,
    /// IDA has no such attribute of the person to compare with.
    NotOnRecord,
    /// The person is known, and the data differ.
    Mismatch,
}

const NAMES: [(AuthClass, &str); 12] = [
    (AuthClass::Config, "config"),
    (AuthClass::BadData, "bad_data"),
    (AuthClass::Refetch, "refetch"),
    (AuthClass::Restamp, "restamp"),
    (AuthClass::Transient, "transient"),
    (AuthClass::Unknown, "unknown"),
    (AuthClass::Locked, "locked"),
    (AuthClass::InactiveId, "inactive_id"),
    (AuthClass::InvalidId, "invalid_id"),
    (AuthClass::NotFound, "not_found"),
    (AuthClass::NotOnRecord, "not_on_record"),
    (AuthClass::Mismatch, "mismatch"),
];

impl AuthClass {
    /// Its name in answers, metrics and the audit log.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(class, _)| *class == self).map_or("unknown", |(_, name)| name)
    }

    /// Whether it says something about the person. All others say something about the way to IDA.
    pub fn is_about_the_person(self) -> bool {
        self >= AuthClass::Locked
    }
}

impl FromStr for AuthClass {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(_, known)| *known == name).map(|(class, _)| *class);
        found.ok_or_else(|| {
            let known: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
            format!("`{name}` is none of {}", known.join(", "))
        })
    }
}

use AuthClass::{
    BadData, Config, InactiveId, InvalidId, Locked, Mismatch, NotFound, NotOnRecord, Refetch, Restamp,
    Transient,
};

/// The codes of IDA 1.3.0 that a demographic authentication can meet.
const CODES: [(&str, AuthClass); 56] = [
    ("IDA-MLC-001", Restamp),
    ("IDA-MLC-002", InvalidId),
    ("IDA-MLC-003", InactiveId),
    ("IDA-MLC-004", InvalidId),
    ("IDA-MLC-005", InactiveId),
    ("IDA-MLC-006", BadData),
    ("IDA-MLC-007", Transient),
    ("IDA-MLC-008", Config),
    ("IDA-MLC-009", BadData),
    ("IDA-MLC-010", InactiveId),
    ("IDA-MLC-011", Config),
    ("IDA-MLC-012", Config),
    ("IDA-MLC-013", BadData),
    ("IDA-MLC-014", NotOnRecord),
    ("IDA-MLC-015", Config),
    ("IDA-MLC-016", BadData),
    ("IDA-MLC-017", Config),
    ("IDA-MLC-018", NotFound),
    ("IDA-MLC-019", Locked),
    ("IDA-MLC-020", Transient),
    ("IDA-MLC-021", Transient),
    ("IDA-MLC-022", InactiveId),
    ("IDA-MLC-023", InactiveId),
    ("IDA-MLC-025", Config),
    ("IDA-MLC-026", InvalidId),
    ("IDA-MLC-027", InvalidId),
    ("IDA-MLC-028", InvalidId),
    ("IDA-MLC-029", InvalidId),
    ("IDA-DEA-001", Mismatch),
    ("IDA-DEA-002", BadData),
    ("IDA-DEA-003", NotOnRecord),
    ("IDA-MPA-003", Refetch),
    ("IDA-MPA-004", Refetch),
    ("IDA-MPA-016", BadData),
    ("IDA-OTA-002", Transient),
    ("IDA-OTA-004", Mismatch),
    ("IDA-OTA-006", Locked),
    ("IDA-OTA-007", Locked),
    ("IDA-OTA-013", Locked),
    ("IDA-EKA-001", Config),
    ("IDA-EKA-002", BadData),
    ("IDA-IDV-001", BadData),
    ("IDA-IDV-002", Transient),
    ("IDA-IDV-003", Transient),
    ("PMS_PMP_016", Config),
    ("PMS_PMP_017", Config),
    ("PMS_PMP_020", Config),
    ("PMS_PMP_021", Config),
    ("PMS_PMP_024", Config),
    ("PMS_PMP_025", Config),
    ("PMS_PMP_026", Config),
    ("PMS_PMP_027", Config),
    ("PMS_PMP_028", Config),
    ("PMS_PMP_029", Config),
    ("PMS_PMP_030", Config),
    ("IDA-OTA-001", BadData),
];

/// What a code means; a country's own table comes first, since countries add codes.
pub(super) fn class_of(code: &str, own: &BTreeMap<String, AuthClass>) -> AuthClass {
    if let Some(class) = own.get(code) {
        return *class;
    }
    if let Some((_, class)) = CODES.iter().find(|(known, _)| *known == code) {
        return *class;
    }
    let number = |prefix: &str| code.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok());
    match (number("IDA-MPA-"), number("IDA-RST-"), number("IDA-OTA-")) {
        // Policy, licence, partner, API key, certificate. There is no 011.
        (Some(1 | 2 | 5..=10 | 12..=15 | 17..=39), _, _) => Config,
        (_, Some(1..=9), _) => Transient,
        (_, _, Some(1..=13)) => BadData,
        _ => AuthClass::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_class_that_the_reference_gives_them() {
        let none = BTreeMap::new();
        let of = |code| class_of(code, &none);
        for (code, class) in [
            ("IDA-DEA-001", Mismatch),
            ("IDA-MLC-018", NotFound),
            ("IDA-MPA-001", Config),
            ("IDA-MPA-003", Refetch),
            ("IDA-MPA-016", BadData),
            ("IDA-MPA-021", Config),
            ("IDA-MPA-039", Config),
            ("IDA-RST-008", Transient),
            ("IDA-OTA-010", BadData),
            ("IDA-OTA-013", Locked),
        ] {
            assert_eq!(of(code), class, "{code}");
        }
        for code in ["IDA-MLC-032", "IDA-MPA-011", "IDA-MPA-040", "IDA-BIA-001", "", "nonsense"] {
            assert_eq!(of(code), AuthClass::Unknown, "{code} is in no table");
        }
        let own = [("IDA-MLC-032".to_owned(), InactiveId)].into();
        assert_eq!(class_of("IDA-MLC-032", &own), InactiveId, "a country's own code");
    }

    #[test]
    fn each_class_has_a_name_of_its_own_and_is_read_by_it() {
        for (class, name) in NAMES {
            assert_eq!((class.as_str(), name.parse()), (name, Ok(class)));
        }
        assert!("mismatched".parse::<AuthClass>().unwrap_err().contains("mismatch"));
        assert!(!AuthClass::Unknown.is_about_the_person() && AuthClass::Locked.is_about_the_person());
    }

    #[test]
    fn no_code_is_there_twice() {
        let mut codes: Vec<_> = CODES.iter().map(|(code, _)| code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
    }
}
