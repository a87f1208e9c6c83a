//! What e-Signet says of a person.

use std::fmt;

use jiff::civil::Date;
use serde_json::{Map, Value};

/// The claims that the person released. Nothing of them is in `Debug`.
#[derive(Clone, PartialEq)]
pub struct UserInfo(Map<String, Value>);

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserInfo({} claims)", self.0.len())
    }
}

impl UserInfo {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        UserInfo(claims)
    }

    /// The partner-specific token of the person.
    pub(super) fn subject(&self) -> Option<&str> {
        self.0.get("sub").and_then(Value::as_str)
    }

    /// A claim's text, trimmed. Claims in several languages are `name#en`, `name#fr`: then that of the first of these
    /// languages which there is, else the first one.
    pub fn text(&self, claim: &str, languages: &[&str]) -> Option<&str> {
        let plain = |name: &str| {
            let text = self.0.get(name)?.as_str()?.trim();
            (!text.is_empty()).then_some(text)
        };
        let spoken = |language: &&str| plain(&format!("{claim}#{language}"));
        let prefix = format!("{claim}#");
        let any = || self.0.keys().filter(|name| name.starts_with(&prefix)).find_map(|name| plain(name));
        plain(claim).or_else(|| languages.iter().find_map(spoken)).or_else(any)
    }

    /// The date of birth: `None` if there is none, `Some(None)` if it is not a date. MOSIP writes `yyyy/MM/dd`.
    pub fn birthdate(&self) -> Option<Option<Date>> {
        let text = self.text("birthdate", &[])?;
        Some(text.replace('/', "-").parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn info(claims: Value) -> UserInfo {
        let Value::Object(claims) = claims else { panic!("no object") };
        UserInfo::new(claims)
    }

    #[test]
    fn a_claim_is_found_in_whatever_language() {
        let one = info(json!({ "name": " Asha Rao ", "name#fr": "x" }));
        assert_eq!(one.text("name", &["fr"]), Some("Asha Rao"));
        let several = info(json!({ "name#ar": "آشا", "name#fr": "Acha Rao" }));
        assert_eq!(several.text("name", &["en", "fr"]), Some("Acha Rao"));
        assert_eq!(several.text("name", &["en"]), Some("آشا"));
        assert_eq!(info(json!({ "name": "" })).text("name", &[]), None);
        assert_eq!(format!("{several:?}"), "UserInfo(2 claims)");
    }

    #[test]
    fn a_birthdate_may_be_absent_a_date_or_nonsense() {
        assert_eq!(info(json!({})).birthdate(), None);
        let date = jiff::civil::date(1990, 1, 2);
        for text in ["1990/01/02", "1990-01-02"] {
            assert_eq!(info(json!({ "birthdate": text })).birthdate(), Some(Some(date)));
        }
        assert_eq!(info(json!({ "birthdate": "2 Jan 1990" })).birthdate(), Some(None));
    }
}
