//! What IDA answered.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;

use super::codes::{AuthClass, class_of};

/// What was found about a person.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// All that was sent is as IDA has it.
    Matched {
        /// Partner-specific token of the person, if the policy gives one that IDA sent.
        token: Option<SecretString>,
    },
    /// It is not.
    NotMatched(NotMatched),
}

/// Why somebody was not matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotMatched {
    /// One that [is about the person](AuthClass::is_about_the_person).
    pub class: AuthClass,
    /// The attributes that differ or are not on record, by name; never their values.
    pub attributes: Vec<&'static str>,
    /// IDA's codes.
    pub codes: Vec<String>,
}

/// IDA said nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("id authentication answered {} ({})", if .codes.is_empty() { "without a code".to_owned() } else { .codes.join(", ") }, .class.as_str())]
pub struct Refused {
    /// One that is not about the person.
    pub class: AuthClass,
    /// IDA's codes, or ours: `answer-unreadable`, `transaction-differs`, `http-502`.
    pub codes: Vec<String>,
}

impl Refused {
    pub(super) fn ours(class: AuthClass, code: impl Into<String>) -> Self {
        Refused { class, codes: vec![code.into()] }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self.class {
            AuthClass::Config => {
                "compare partner id, API key, licence key, policy and signing certificate with what MOSIP has of us; \
                 `civitas doctor` looks at ours"
            }
            AuthClass::Refetch => {
                "get ID authentication's current partner certificate and list it in \
                 mosip.id_authentication.certificate_files"
            }
            AuthClass::Restamp => "keep the clocks by NTP: requests are taken for a minute only",
            AuthClass::BadData => {
                "compare language, attributes, domain and environment in mosip.id_authentication with what MOSIP has \
                 configured"
            }
            _ => "try again later; if it goes on, look in the log of ID authentication",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(rename = "transactionID")]
    transaction_id: Option<String>,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
    #[serde(default)]
    response: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fault {
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    auth_status: Option<bool>,
    #[serde(default)]
    auth_token: Option<String>,
}

/// The attributes that are ever sent, as IDA's texts name them.
const ATTRIBUTES: [&str; 3] = ["name", "dob", "gender"];

/// Longest code that is shown; a real one has eleven characters.
const LONGEST_CODE: usize = 24;

/// Reads an answer to the request of this transaction.
pub(super) fn judge(
    body: &[u8],
    transaction: &str,
    own: &BTreeMap<String, AuthClass>,
) -> Result<Verdict, Refused> {
    let unknown = |code: &str| Err(Refused::ours(AuthClass::Unknown, code));
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return unknown("answer-unreadable") };
    let status = answer.response.as_ref().and_then(|response| response.auth_status);
    let faults = answer.errors.unwrap_or_default();
    // An answer to somebody else's request, from a cache or a proxy. IDA leaves it out of some of its errors.
    if answer.transaction_id.as_deref().map_or(faults.is_empty(), |echoed| echoed != transaction) {
        return unknown("transaction-differs");
    }
    if faults.is_empty() {
        return match status {
            Some(true) => {
                let token = answer.response.and_then(|response| response.auth_token);
                Ok(Verdict::Matched {
                    token: token.filter(|token| !token.is_empty()).map(SecretString::from),
                })
            }
            _ => unknown("no-code"),
        };
    }
    if status == Some(true) {
        return unknown("errors-beside-success");
    }
    // IDA up to 1.2.1 sends a token beside a failure; it is never looked at.
    let codes: Vec<String> = faults.iter().map(|fault| code_of(fault).to_owned()).collect();
    let class = codes.iter().map(|code| class_of(code, own)).min().unwrap_or(AuthClass::Unknown);
    if !class.is_about_the_person() {
        return Err(Refused { class, codes });
    }
    Ok(Verdict::NotMatched(NotMatched { class, attributes: attributes(&faults), codes }))
}

/// The code, if it looks like one: what else stands there might be a value.
fn code_of(fault: &Fault) -> &str {
    let plain = |code: &&str| {
        !code.is_empty()
            && code.len() <= LONGEST_CODE
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    fault.error_code.as_deref().filter(plain).unwrap_or("no-code")
}

/// `Demographic data name in eng did not match`.
fn attributes(faults: &[Fault]) -> Vec<&'static str> {
    let named = |fault: &Fault| {
        let text = fault.error_message.as_deref()?.strip_prefix("Demographic data ")?;
        let word = text.split_whitespace().next()?;
        ATTRIBUTES.into_iter().find(|attribute| *attribute == word)
    };
    let mut found: Vec<&'static str> = faults.iter().filter_map(named).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::{Value, json};

    use super::*;

    fn recorded(name: &str) -> Result<Verdict, Refused> {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/ida/responses.json")).unwrap();
        judge(vectors[name].to_string().as_bytes(), "1234567890", &BTreeMap::new())
    }

    fn not_matched(verdict: Result<Verdict, Refused>) -> NotMatched {
        match verdict.unwrap() {
            Verdict::NotMatched(why) => why,
            Verdict::Matched { .. } => panic!("matched"),
        }
    }

    #[test]
    fn recorded_answers_are_read() {
        let Verdict::Matched { token } = recorded("matched").unwrap() else { panic!("not matched") };
        assert_eq!(token.unwrap().expose_secret(), "294445496376276287409900644369588106");
        for (name, attributes) in [
            ("mismatch_ida_1_3", vec!["name"]),
            ("mismatch_ida_1_2_token_present", vec!["dob"]),
            ("mismatch_two_attributes", vec!["name", "dob"]),
        ] {
            let why = not_matched(recorded(name));
            assert_eq!((why.class, why.attributes), (AuthClass::Mismatch, attributes), "{name}");
        }
        let class = |name| recorded(name).unwrap_err().class;
        assert_eq!(class("stale_request_no_response_object"), AuthClass::Restamp);
        assert_eq!(class("signature_refused"), AuthClass::Config);
    }

    fn said(answer: &Value) -> Result<Verdict, Refused> {
        judge(answer.to_string().as_bytes(), "1", &BTreeMap::new())
    }

    fn errors(codes: &[&str]) -> Value {
        let errors: Vec<Value> = codes.iter().map(|code| json!({ "errorCode": code })).collect();
        json!({ "transactionID": "1", "errors": errors, "response": { "authStatus": false } })
    }

    #[test]
    fn of_several_codes_that_of_the_way_to_ida_counts_before_that_of_the_person() {
        let refused = said(&errors(&["IDA-DEA-001", "IDA-MPA-009"])).unwrap_err();
        assert_eq!((refused.class, refused.codes.len()), (AuthClass::Config, 2));
        assert_eq!(said(&errors(&["IDA-DEA-001", "IDA-XXX-001"])).unwrap_err().class, AuthClass::Unknown);
        assert_eq!(not_matched(said(&errors(&["IDA-DEA-001", "IDA-MLC-003"]))).class, AuthClass::InactiveId);
    }

    #[test]
    fn what_is_no_plain_answer_is_no_verdict() {
        for (answer, code) in [
            (
                json!({ "transactionID": "2", "errors": null, "response": { "authStatus": true } }),
                "transaction-differs",
            ),
            (json!({ "errors": null, "response": { "authStatus": true } }), "transaction-differs"),
            (json!({ "transactionID": "1", "errors": [], "response": { "authStatus": false } }), "no-code"),
            (json!({ "transactionID": "1", "errors": null, "response": null }), "no-code"),
            (json!({ "transactionID": "1" }), "no-code"),
            (
                json!({ "transactionID": "1", "errors": [{ "errorCode": "IDA-DEA-001" }], "response": { "authStatus": true } }),
                "errors-beside-success",
            ),
            (json!([1]), "answer-unreadable"),
        ] {
            let refused = said(&answer).unwrap_err();
            assert_eq!((refused.class, refused.codes[0].as_str()), (AuthClass::Unknown, code), "{answer}");
        }
        let html = judge(b"<html>", "1", &BTreeMap::new()).unwrap_err();
        assert_eq!(html.codes, ["answer-unreadable"]);
    }

    #[test]
    fn a_code_that_may_be_a_value_is_not_repeated() {
        let refused = said(&errors(&["Asha Rao, 1990"])).unwrap_err();
        assert_eq!((refused.class, refused.codes), (AuthClass::Unknown, vec!["no-code".to_owned()]));
        let odd = json!({ "transactionID": "1", "errors": [
            { "errorCode": "IDA-DEA-001", "errorMessage": "Demographic data Asha did not match" }] });
        assert!(not_matched(said(&odd)).attributes.is_empty());
    }
}
