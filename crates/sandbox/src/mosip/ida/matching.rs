//! Comparing, as the reference demographic SDK does it with the strategy EXACT: all attributes must be the same.

use super::{Fault, fault};
use crate::options::IdaOptions;
use serde_json::{Map, Value};

/// What came of it.
pub(super) enum Compared {
    Same,
    Differs(Vec<Fault>),
    Refused(Fault),
    /// A title in a mix of cases: the normaliser never ends.
    Loops,
}

/// Attribute of a request → field of the identity (`id-authentication-mapping.json`).
const MAPPING: [(&str, &str); 8] = [
    ("name", "fullName"),
    ("dob", "dateOfBirth"),
    ("gender", "gender"),
    ("phoneNumber", "phone"),
    ("emailId", "email"),
    ("postalCode", "postalCode"),
    ("location1", "city"),
    ("location2", "region"),
];

pub(super) fn compare(
    options: &IdaOptions,
    stored: &Map<String, Value>,
    asked: &Map<String, Value>,
) -> Compared {
    let mut faults = Vec::new();
    for (attribute, value) in asked.iter().filter(|(name, _)| name.as_str() != "metadata") {
        let field =
            MAPPING.iter().find(|(name, _)| name == attribute).map_or(attribute.as_str(), |(_, field)| field);
        let stored = stored.get(field).map(listed);
        match value {
            Value::Array(spoken) => {
                for one in spoken {
                    let text = one["value"].as_str().unwrap_or_default();
                    let Some(language) = one["language"].as_str() else {
                        return Compared::Refused(fault("IDA-MLC-006", "Missing Input Parameter - language"));
                    };
                    if !options.languages.iter().any(|known| known == language) {
                        let message = format!("Unsupported Language Code - {language}");
                        return Compared::Refused(fault("IDA-DEA-002", message));
                    }
                    if attribute == "name" && options.titles.iter().any(|title| mixes(text, title)) {
                        return Compared::Loops;
                    }
                    faults.extend(spoken_fault(options, attribute, text, language, stored.as_ref()));
                }
            }
            Value::String(text) => faults.extend(plain_fault(attribute, text, stored.as_ref())),
            _ => {
                let message = format!("Invalid Input Parameter - request/demographics/{attribute}");
                return Compared::Refused(fault("IDA-MLC-009", message));
            }
        }
    }
    // An unparsable date is no mismatch.
    if let Some(at) = faults.iter().position(|fault| fault.code == "IDA-MLC-009") {
        return Compared::Refused(faults.swap_remove(at));
    }
    if faults.is_empty() { Compared::Same } else { Compared::Differs(faults) }
}

/// Values by language travel in packets as a text that holds a list.
fn listed(value: &Value) -> Value {
    let list =
        value.as_str().filter(|text| text.starts_with('[')).and_then(|text| serde_json::from_str(text).ok());
    list.unwrap_or_else(|| value.clone())
}

fn spoken_fault(
    options: &IdaOptions,
    attribute: &str,
    text: &str,
    language: &str,
    stored: Option<&Value>,
) -> Option<Fault> {
    let known = stored.and_then(Value::as_array).and_then(|all| {
        let one = all.iter().find(|one| one["language"] == language)?;
        one["value"].as_str()
    });
    let Some(known) = known else {
        let message = format!("Demographic data {attribute} (in {language}) not available in database");
        return Some(fault("IDA-DEA-003", message));
    };
    let normal = |text: &str| {
        if attribute == "name" { normalised(text, &options.titles) } else { text.to_owned() }
    };
    let same = same_words(&normal(text), &normal(known));
    let message = || format!("Demographic data {attribute} in {language} did not match");
    (!same).then(|| fault("IDA-DEA-001", message()))
}

fn plain_fault(attribute: &str, text: &str, stored: Option<&Value>) -> Option<Fault> {
    let Some(known) = stored.and_then(Value::as_str) else {
        return Some(fault("IDA-DEA-003", format!("Demographic data {attribute} not available in database")));
    };
    let same = if attribute == "dob" {
        let date = |text: &str| {
            let dashed = text.replace('/', "-");
            (text.as_bytes().get(4) == Some(&b'/')).then_some(())?;
            dashed.parse::<jiff::civil::Date>().ok()
        };
        let Some(asked) = date(text) else {
            return Some(fault("IDA-MLC-009", "Invalid Input Parameter - request/demographics/dob"));
        };
        date(known) == Some(asked)
    } else {
        same_words(text, known)
    };
    (!same).then(|| fault("IDA-DEA-001", format!("Demographic data {attribute} did not match")))
}

/// As many words, and each stored one among those asked for: order does not matter.
fn same_words(asked: &str, stored: &str) -> bool {
    let words = |text: &str| text.to_lowercase().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (asked, stored) = (words(asked), words(stored));
    asked.len() == stored.len() && stored.iter().all(|word| asked.contains(word))
}

/// Titles are cut out wherever they stand, longest first; then punctuation and runs of space become one space.
fn normalised(name: &str, titles: &[String]) -> String {
    let mut titles: Vec<&String> = titles.iter().collect();
    titles.sort_by_key(|title| std::cmp::Reverse(title.len()));
    let mut name = name.to_owned();
    for title in titles {
        for spelling in [title.clone(), title.to_lowercase(), title.to_uppercase()] {
            name = name.replace(&spelling, "");
        }
    }
    let punctuation = ['.', ',', '|', '-', '*', '(', ')', '[', ']', '`', '\'', '/', '#', '"'];
    name.replace(punctuation, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a title stands in the name in another mix of cases than the three that are cut out.
fn mixes(name: &str, title: &str) -> bool {
    let mut rest = name.to_owned();
    for spelling in [title.to_owned(), title.to_lowercase(), title.to_uppercase()] {
        rest = rest.replace(&spelling, "");
    }
    rest.to_lowercase().contains(&title.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored() -> Map<String, Value> {
        let fields = json!({
            "fullName": "[{\"language\":\"eng\",\"value\":\"Asha Devi Rao\"}]", "dateOfBirth": "1990/01/02",
            "gender": [{"language": "eng", "value": "Female"}],
        });
        fields.as_object().unwrap().clone()
    }

    fn codes(asked: &Value) -> Vec<String> {
        match compare(&IdaOptions::default(), &stored(), asked.as_object().unwrap()) {
            Compared::Same => vec![],
            Compared::Differs(faults) => faults.into_iter().map(|fault| fault.code).collect(),
            Compared::Refused(fault) => vec![fault.code],
            Compared::Loops => vec!["loops".to_owned()],
        }
    }

    fn named(name: &str) -> Value {
        json!({"name": [{"language": "eng", "value": name}]})
    }

    #[test]
    fn names_are_compared_word_by_word_without_titles_and_punctuation() {
        for same in
            ["Asha Devi Rao", "rao, asha devi", "Mr. Asha Devi Rao", "ASHA-DEVI RAO", "Mrasha Devi Rao"]
        {
            assert!(codes(&named(same)).is_empty(), "{same}");
        }
        for other in ["Asha Rao", "Asha Devi Devi Rao", "Asha Devi", "Asha D Rao"] {
            assert_eq!(codes(&named(other)), ["IDA-DEA-001"], "{other}");
        }
        assert_eq!(codes(&named("mR Asha Devi Rao")), ["loops"]);
    }

    #[test]
    fn each_attribute_that_differs_is_an_error_of_its_own() {
        let asked = json!({"name": [{"language": "eng", "value": "x"}], "dob": "1990/01/03",
            "gender": [{"language": "eng", "value": "female"}]});
        assert_eq!(codes(&asked), ["IDA-DEA-001", "IDA-DEA-001"]);
        assert_eq!(codes(&json!({"dob": "1990-01-02"})), ["IDA-MLC-009"]);
        assert_eq!(codes(&json!({"phoneNumber": "1"})), ["IDA-DEA-003"]);
        assert_eq!(codes(&json!({"name": [{"language": "deu", "value": "x"}]})), ["IDA-DEA-002"]);
        assert_eq!(codes(&json!({"name": [{"language": "ara", "value": "x"}]})), ["IDA-DEA-003"]);
    }
}
