//! Whom a request is about, and what IDA is to compare.

use std::fmt;

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// What is known of a person. Nothing of it is in `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// UIN or VID, as it was typed.
    pub id: Zeroizing<String>,
    /// Full name ([`full_name`]).
    pub name: Option<Zeroizing<String>>,
    /// Date of birth.
    pub dob: Option<Date>,
    /// Gender, as MOSIP's master data has it: a word, not a code.
    pub gender: Option<Zeroizing<String>>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

/// Names joined by one space, empty parts left out. IDA compares words: one that is missing is a mismatch.
pub fn full_name<'a>(parts: impl IntoIterator<Item = &'a str>) -> Zeroizing<String> {
    let words: Vec<&str> = parts.into_iter().flat_map(str::split_whitespace).collect();
    Zeroizing::new(words.join(" "))
}

impl Person {
    /// The attributes in IDA's form. What is not known is left out, since an empty text would be compared.
    pub(super) fn demographics(&self, language: &str, titles: &[String]) -> Map<String, Value> {
        let mut all = Map::new();
        if let Some(dob) = self.dob {
            all.insert("dob".to_owned(), json!(dob.strftime("%Y/%m/%d").to_string()));
        }
        let spoken = |text: &str| json!([{ "language": language, "value": text }]);
        let given = |text: &Option<Zeroizing<String>>| text.clone().filter(|text| !text.trim().is_empty());
        if let Some(name) = given(&self.name) {
            all.insert("name".to_owned(), spoken(&sendable(&name, titles)));
        }
        if let Some(gender) = given(&self.gender) {
            all.insert("gender".to_owned(), spoken(gender.trim()));
        }
        all
    }
}

/// A name as it can be sent. IDA takes titles out of names, in exactly three cases; one in another mix of cases
/// ("mR", also inside of a word) makes its normaliser loop for ever. In lower case it is found, and matching ignores
/// case.
fn sendable(name: &str, titles: &[String]) -> Zeroizing<String> {
    let lower = Zeroizing::new(name.to_lowercase());
    let letters: Vec<char> = name.chars().collect();
    let loops = |title: &String| {
        let spellings = [title.clone(), title.to_lowercase(), title.to_uppercase()];
        let length = title.chars().count();
        length > 0
            && letters.windows(length).any(|part| {
                let part: Zeroizing<String> = Zeroizing::new(part.iter().collect());
                part.to_lowercase() == title.to_lowercase() && !spellings.contains(&part)
            })
    };
    if titles.iter().any(loops) { lower } else { Zeroizing::new(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_middle_and_loses_its_gaps() {
        assert_eq!(*full_name(["Asha", " Devi  ", "Rao"]), "Asha Devi Rao");
        assert_eq!(*full_name(["Asha", "", "Rao"]), "Asha Rao");
        assert_eq!(*full_name(["", " "]), "");
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let person = Person { id: Zeroizing::new("1".to_owned()), ..Person::default() };
        assert!(person.demographics("eng", &[]).is_empty());
        let blank = Person { name: Some(Zeroizing::new(" ".to_owned())), ..person };
        assert!(blank.demographics("eng", &[]).is_empty());
        let known = Person {
            dob: Some(jiff::civil::date(1992, 1, 2)),
            gender: Some(Zeroizing::new("Female ".to_owned())),
            ..blank
        };
        let sent = Value::Object(known.demographics("fra", &[]));
        assert_eq!(sent, json!({"dob": "1992/01/02", "gender": [{"language": "fra", "value": "Female"}]}));
        assert_eq!(format!("{known:?}"), "Person");
    }

    #[test]
    fn a_title_in_a_mix_of_cases_makes_the_name_lower_case() {
        let titles = ["Mr".to_owned(), "Dr".to_owned()];
        for (name, sent) in [
            ("Mr Asha Rao", "Mr Asha Rao"),
            ("MR ASHA", "MR ASHA"),
            ("Adrian", "Adrian"),
            ("mR Asha", "mr asha"),
            ("AsdRa Rao", "asdra rao"),
            ("Émana dR Sar", "émana dr sar"),
        ] {
            assert_eq!(*sendable(name, &titles), sent);
        }
    }
}
