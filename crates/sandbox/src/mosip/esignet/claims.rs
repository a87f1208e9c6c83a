//! What is released about a person.

use super::super::registry::Identity;
use super::Code;
use serde_json::{Map, Value, json};

/// The claims of the standard mapping: one full name, and a date with slashes.
pub(super) fn released(identity: &Identity, code: &Code, subject: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(subject));
    let fields = &identity.fields;
    let spoken = |field: &str| {
        let value = fields.get(field)?;
        let list = value
            .as_str()
            .filter(|text| text.starts_with('['))
            .and_then(|text| serde_json::from_str(text).ok());
        let list: Value = list.unwrap_or_else(|| value.clone());
        list[0]["value"].as_str().map(str::to_owned)
    };
    let plain = |field: &str| fields.get(field)?.as_str().map(str::to_owned);
    let all = [
        ("name", spoken("fullName")),
        ("gender", spoken("gender")),
        ("birthdate", plain("dateOfBirth")),
        ("email", plain("email")),
        ("phone_number", plain("phone")),
        ("individual_id", Some(code.individual_id.clone())),
    ];
    for (name, value) in all {
        if let Some(value) = value.filter(|_| code.claims.iter().any(|wanted| wanted == name)) {
            claims.insert(name.to_owned(), json!(value));
        }
    }
    claims
}
