//! What MOSIP's codes mean and what to do about them: one static table.
//!
//! It holds the error codes of MOSIP's services, the statuses in which a workflow, a credential request or a VID may
//! stand, and the codes by which this crate names failures that MOSIP leaves unnamed. A [`crate::CallError`] takes
//! its class and advice from here, and whoever shows a stalled record looks its cause up here.

mod calls;
mod id_repository;
mod packet;
mod services;
mod upload;
mod workflow;

use crate::Class;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// As it appears in `errors[].errorCode`, in a status, or in [`crate::CallError::code`].
    pub code: &'static str,
    /// What it means for the next step of a call that failed with it.
    pub class: Class,
    /// For how many attempts a transient failure is worth repeating; `None`: for as long as it takes.
    pub attempts: Option<u32>,
    /// What happened, in a few words.
    pub cause: &'static str,
    /// What to do, in one sentence.
    pub advice: &'static str,
}

/// Attempts at a call that fails with a code that nobody documented.
pub(crate) const UNKNOWN_CODE_ATTEMPTS: u32 = 5;

/// Advice for it.
pub(crate) const UNKNOWN_CODE_ADVICE: &str =
    "look the code up in the log of that service, mend its cause, then retry";

/// The entry of a code, if it is a known one. Codes `http-<status>` fall back on their hundred.
pub fn lookup(code: &str) -> Option<&'static Known> {
    find(code).or_else(|| match code.as_bytes() {
        [b'h', b't', b't', b'p', b'-', hundred, _, _] => find(match hundred {
            b'3' => "http-3xx",
            b'4' => "http-4xx",
            _ => "http-5xx",
        }),
        _ => None,
    })
}

/// What to do about a code, if it is a known one.
pub fn advice(code: &str) -> Option<&'static str> {
    lookup(code).map(|known| known.advice)
}

/// All entries.
pub fn all() -> impl Iterator<Item = &'static Known> {
    [calls::CODES, packet::CODES, upload::CODES, workflow::CODES, services::CODES, id_repository::CODES]
        .into_iter()
        .flatten()
}

fn find(code: &str) -> Option<&'static Known> {
    all().find(|known| known.code == code)
}

/// Worth repeating for as long as it takes.
const fn transient(code: &'static str, cause: &'static str, advice: &'static str) -> Known {
    Known { code, class: Class::Transient, attempts: None, cause, advice }
}

/// Worth repeating a few times: the code hides both passing and lasting causes.
const fn limited(code: &'static str, attempts: u32, cause: &'static str, advice: &'static str) -> Known {
    Known { code, class: Class::Transient, attempts: Some(attempts), cause, advice }
}

/// A person's turn.
const fn permanent(code: &'static str, cause: &'static str, advice: &'static str) -> Known {
    Known { code, class: Class::Permanent, attempts: None, cause, advice }
}

/// The outcome has to be asked for.
const fn unknown(code: &'static str, cause: &'static str, advice: &'static str) -> Known {
    Known { code, class: Class::Unknown, attempts: None, cause, advice }
}

/// Credentials or roles.
const fn refused(code: &'static str, cause: &'static str, advice: &'static str) -> Known {
    Known { code, class: Class::Unauthorised, attempts: None, cause, advice }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The codes that MOSIP's services document, as a list of its own: the table is held against it.
    fn documented() -> impl Iterator<Item = &'static str> {
        let lines = include_str!("documented.txt").lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split_once(' ').expect("a code, and where it is named").0)
    }

    #[test]
    fn each_documented_code_has_a_cause_and_an_advice() {
        for code in documented() {
            let known = lookup(code).unwrap_or_else(|| panic!("{code} is not in the table"));
            assert!(known.cause.len() > 5 && known.advice.len() > 20, "{code} says too little");
        }
        assert!(documented().count() > 170, "the list was cut");
        let statuses = crate::Status::KNOWN.map(crate::Status::as_str);
        assert!(statuses.iter().all(|status| documented().any(|code| code == *status)));
    }

    #[test]
    fn no_code_is_there_twice() {
        let mut seen = HashSet::new();
        for known in all() {
            assert!(seen.insert(known.code), "{} is there twice", known.code);
        }
    }

    #[test]
    fn advice_is_one_sentence_without_a_full_stop() {
        for known in all() {
            assert!(!known.advice.ends_with('.') && !known.cause.ends_with('.'), "{}", known.code);
            assert!(!known.advice.contains(". "), "{}", known.code);
        }
    }

    #[test]
    fn the_codes_that_steer_the_engine_have_the_class_they_need() {
        let class = |code| lookup(code).unwrap().class;
        assert_eq!(class("null-response"), Class::Transient);
        assert_eq!(class("KER-PUT-006"), Class::Permanent);
        assert_eq!(class("RPR-WIN-001"), Class::Permanent);
        assert_eq!(
            (class("RPR-WIS-000"), lookup("RPR-WIS-000").unwrap().attempts.is_some()),
            (Class::Transient, true)
        );
        assert_eq!(class("time-out"), Class::Unknown);
    }

    #[test]
    fn an_http_status_without_an_entry_takes_that_of_its_hundred() {
        assert_eq!(lookup("http-418").unwrap().code, "http-4xx");
        assert_eq!(lookup("http-503").unwrap().code, "http-503");
        assert_eq!(lookup("http-599").unwrap().code, "http-5xx");
        assert!(lookup("KER-XXX-999").is_none());
    }
}
