//! What e-Signet proved, in the words of a form.

use civitas_mosip::esignet::{Login, UserInfo};
use civitas_rules::{Esignet, NameOrder};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::Contract;

/// How a country reads claims.
#[derive(Debug, Clone, Default)]
pub struct ClaimPolicy {
    /// Of the pack's identity.yaml.
    pub esignet: Esignet,
    /// The pack's languages, of two letters, the first one first.
    pub languages: Vec<String>,
}

/// The answer: the fields of each release, and `sub`, `middlename` and `receipt` in both.
pub(super) fn form(contract: Contract, login: &Login, policy: &ClaimPolicy, receipt: &str) -> Value {
    let info = &login.info;
    let languages: Vec<&str> = policy.languages.iter().map(String::as_str).collect();
    let text = |claim: &str| info.text(claim, &languages);
    let (first, middle, last) = name(info, policy, &languages);
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("name", json!({ "firstname": first, "middlename": middle, "surname": last }));
    if let Some(gender) = text("gender") {
        put("gender", json!(in_words_of_the_form(gender, policy)));
    }
    if let Some(date) = info.birthdate() {
        put("dobUnknown", Value::Null);
        // mosip-api's word for a date that is none.
        put("birthDate", json!(date.map(|date| date.to_string()).unwrap_or_default()));
    }
    put("verificationStatus", json!("authenticated"));
    match (contract, text("individual_id")) {
        (Contract::V2, Some(id)) => {
            put("idType", json!("NATIONAL_ID"));
            put("nid", json!(id));
        }
        (Contract::V2, None) => {}
        (Contract::V1_9, _) => {
            put("idType", Value::Null);
            put("nid", Value::Null);
        }
    }
    put("sub", json!(login.subject.expose_secret()));
    put("receipt", json!(receipt));
    Value::Object(answer)
}

fn in_words_of_the_form(gender: &str, policy: &ClaimPolicy) -> String {
    let mapped =
        policy.esignet.gender.iter().find(|(claim, _)| claim.to_lowercase() == gender.to_lowercase());
    mapped.map_or_else(|| gender.to_lowercase(), |(_, word)| word.clone())
}

/// The parts as MOSIP has them, where it has; else the full name, split as the country says.
fn name(info: &UserInfo, policy: &ClaimPolicy, languages: &[&str]) -> (String, String, String) {
    let text = |claim: &str| info.text(claim, languages).unwrap_or_default().to_owned();
    let (given, family) = (text("given_name"), text("family_name"));
    if !given.is_empty() && !family.is_empty() {
        return (given, text("middle_name"), family);
    }
    split(&text("name"), policy.esignet.name_order, &policy.esignet.particles)
}

/// First, middle and last name. No word is lost, none comes twice, and particles stay with the surname.
fn split(full: &str, order: NameOrder, particles: &[String]) -> (String, String, String) {
    let words: Vec<&str> = full.split_whitespace().collect();
    let is_particle = |word: &&str| particles.iter().any(|particle| particle.eq_ignore_ascii_case(word));
    let surname = match order {
        NameOrder::GivenFirst => {
            // From the end, as far as there are particles before it; at least one given name stays.
            let before = words.len().saturating_sub(1);
            let particles = words[..before].iter().skip(1).rev().take_while(|word| is_particle(word)).count();
            (before - particles).max(1)..words.len()
        }
        NameOrder::SurnameFirst => {
            let leading = words.iter().take_while(|word| is_particle(word)).count();
            0..if words.len() > 1 { (leading + 1).min(words.len() - 1) } else { 0 }
        }
    };
    let surname = surname.start.min(words.len())..surname.end;
    let given: Vec<&str> =
        words.iter().enumerate().filter(|(at, _)| !surname.contains(at)).map(|(_, word)| *word).collect();
    let first = given.first().copied().unwrap_or_default().to_owned();
    let middle = given.get(1..).unwrap_or_default().join(" ");
    (first, middle, words[surname].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(full: &str, order: NameOrder) -> (String, String, String) {
        let particles = ["van", "der", "de"].map(str::to_owned);
        split(full, order, &particles)
    }

    fn three(first: &str, middle: &str, last: &str) -> (String, String, String) {
        (first.to_owned(), middle.to_owned(), last.to_owned())
    }

    #[test]
    fn a_full_name_is_split_without_losing_or_doubling_a_word() {
        use NameOrder::{GivenFirst, SurnameFirst};
        assert_eq!(of("Asha Devi Rao", GivenFirst), three("Asha", "Devi", "Rao"));
        assert_eq!(of("Asha Rao", GivenFirst), three("Asha", "", "Rao"));
        assert_eq!(of("Asha", GivenFirst), three("Asha", "", ""));
        assert_eq!(of("", GivenFirst), three("", "", ""));
        assert_eq!(of("Jan Piet van der Berg", GivenFirst), three("Jan", "Piet", "van der Berg"));
        assert_eq!(of("Van Berg", GivenFirst), three("Van", "", "Berg"));
        assert_eq!(of("van der Berg", GivenFirst), three("van", "", "der Berg"));
        assert_eq!(of("Rao Asha Devi", SurnameFirst), three("Asha", "Devi", "Rao"));
        assert_eq!(of("van der Berg Jan", SurnameFirst), three("Jan", "", "van der Berg"));
        assert_eq!(of("Asha", SurnameFirst), three("Asha", "", ""));
        assert_eq!(of("van der", SurnameFirst), three("der", "", "van"));
    }
}
