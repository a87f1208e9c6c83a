//! The forms of the sandbox's country: field ids and their types per event.

use super::action::Declaration;
use serde_json::Value;

/// Fields that every person section shares.
const PERSON: [(&str, &str); 17] = [
    ("name", "NAME"),
    ("dob", "DATE"),
    ("dobUnknown", "CHECKBOX"),
    ("age", "AGE"),
    ("nationality", "COUNTRY"),
    ("idType", "SELECT"),
    ("nid", "ID"),
    ("passport", "TEXT"),
    ("brn", "TEXT"),
    ("address", "ADDRESS"),
    ("verified", "VERIFICATION_STATUS"),
    ("query-params", "QUERY_PARAM_READER"),
    ("verify-nid-http-fetch", "HTTP"),
    ("fetch-loader", "LOADER"),
    ("id-reader", "ID_READER"),
    ("verify", "LINK_BUTTON"),
    ("addressSameAs", "RADIO_GROUP"),
];

const BIRTH: [(&str, &str); 41] = [
    ("child.name", "NAME"),
    ("child.gender", "SELECT"),
    ("child.dob", "DATE"),
    ("child.reason", "TEXT"),
    ("child.placeOfBirth", "SELECT"),
    ("child.birthLocation", "FACILITY"),
    ("child.birthLocation.privateHome", "ADDRESS"),
    ("child.birthLocation.other", "ADDRESS"),
    ("child.birthLocationId", "LOCATION"),
    ("child.attendantAtBirth", "SELECT"),
    ("child.birthType", "SELECT"),
    ("child.weightAtBirth", "NUMBER"),
    ("child.nid", "TEXT"),
    ("informant.relation", "SELECT"),
    ("informant.other.relation", "TEXT"),
    ("informant.phoneNo", "PHONE"),
    ("informant.email", "EMAIL"),
    ("mother.detailsNotAvailable", "CHECKBOX"),
    ("mother.reason", "TEXT"),
    ("mother.maritalStatus", "SELECT"),
    ("mother.educationalAttainment", "SELECT"),
    ("mother.occupation", "TEXT"),
    ("mother.previousBirths", "NUMBER"),
    ("father.detailsNotAvailable", "CHECKBOX"),
    ("father.reason", "TEXT"),
    ("father.maritalStatus", "SELECT"),
    ("father.educationalAttainment", "SELECT"),
    ("father.occupation", "TEXT"),
    ("documents.proofOfBirth", "FILE"),
    ("documents.proofOfMother", "FILE_WITH_OPTIONS"),
    ("documents.proofOfFather", "FILE_WITH_OPTIONS"),
    ("documents.proofOfInformant", "FILE_WITH_OPTIONS"),
    ("documents.proofOfOther", "FILE_WITH_OPTIONS"),
    ("child.age", "AGE"),
    ("child.nationality", "COUNTRY"),
    ("child.legacyBirthRegistrationNumber", "TEXT"),
    ("child.legacyBirthRegistrationDate", "DATE"),
    ("child.birthTime", "TIME"),
    ("child.gestationalAge", "NUMBER"),
    ("mother.phoneNo", "PHONE"),
    ("father.phoneNo", "PHONE"),
];

const DEATH: [(&str, &str); 24] = [
    ("deceased.gender", "SELECT"),
    ("deceased.maritalStatus", "SELECT"),
    ("deceased.numberOfDependants", "NUMBER"),
    ("eventDetails.date", "DATE"),
    ("eventDetails.reasonForLateRegistration", "TEXT"),
    ("eventDetails.mannerOfDeath", "SELECT"),
    ("eventDetails.causeOfDeathEstablished", "CHECKBOX"),
    ("eventDetails.sourceCauseDeath", "SELECT"),
    ("eventDetails.description", "TEXTAREA"),
    ("eventDetails.placeOfDeath", "SELECT"),
    ("eventDetails.deathLocation", "FACILITY"),
    ("eventDetails.deathLocationOther", "ADDRESS"),
    ("eventDetails.deathLocationId", "LOCATION"),
    ("informant.relation", "SELECT"),
    ("informant.other.relation", "TEXT"),
    ("informant.phoneNo", "PHONE"),
    ("informant.email", "EMAIL"),
    ("spouse.detailsNotAvailable", "CHECKBOX"),
    ("spouse.reason", "TEXT"),
    ("documents.proofOfDeceased", "FILE_WITH_OPTIONS"),
    ("documents.proofOfDeath", "FILE_WITH_OPTIONS"),
    ("documents.proofOfCauseOfDeath", "FILE_WITH_OPTIONS"),
    ("documents.proofOfInformant", "FILE_WITH_OPTIONS"),
    ("documents.proofOfOther", "FILE_WITH_OPTIONS"),
];

/// Person sections, and fields of its own with their types.
type Form = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// The person sections and the own fields of an event type; `None` if it has no form here.
fn form(event: &str) -> Option<Form> {
    match event {
        "birth" => Some((&["informant", "mother", "father"], &BIRTH)),
        "death" => Some((&["deceased", "informant", "spouse"], &DEATH)),
        _ => None,
    }
}

/// Every field of a form with its type, own fields first.
pub(crate) fn all(event: &str) -> Vec<(String, &'static str)> {
    let Some((people, own)) = form(event) else { return Vec::new() };
    let own = own.iter().map(|(id, kind)| ((*id).to_owned(), *kind));
    let shared = people
        .iter()
        .flat_map(|person| PERSON.iter().map(move |(id, kind)| (format!("{person}.{id}"), *kind)));
    own.chain(shared).collect()
}

fn kind(event: &str, id: &str) -> Option<&'static str> {
    let (people, own) = form(event)?;
    if let Some((_, kind)) = own.iter().find(|(own, _)| *own == id) {
        return Some(kind);
    }
    let (person, rest) = id.split_once('.')?;
    people.contains(&person).then(|| PERSON.iter().find(|(own, _)| *own == rest))?.map(|(_, kind)| *kind)
}

/// The first field that search encoding would choke on: an id that the form
/// lacks, or a value of the wrong type. Event types without a form pass.
pub(crate) fn unknown<'a>(event: &str, declaration: &'a Declaration) -> Option<&'a str> {
    form(event)?;
    declaration
        .iter()
        .find(|(id, value)| kind(event, id).is_none_or(|kind| !fits(kind, value)))
        .map(|(id, _)| id.as_str())
}

fn fits(kind: &str, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    match kind {
        "NUMBER" => value.is_number(),
        "CHECKBOX" => value.is_boolean(),
        "NAME" | "ADDRESS" | "AGE" | "HTTP" | "QUERY_PARAM_READER" | "ID_READER" | "FILE" => {
            value.is_object()
        }
        "FILE_WITH_OPTIONS" => value.is_array(),
        "LOADER" | "LINK_BUTTON" => true,
        _ => value.is_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(event: &str, value: &Value) -> Option<String> {
        unknown(event, value.as_object().unwrap()).map(str::to_owned)
    }

    #[test]
    fn known_fields_pass_and_the_rest_is_named() {
        assert_eq!(check("birth", &json!({"child.nid": "1", "mother.verified": "failed"})), None);
        assert_eq!(check("birth", &json!({"child.nid": null})), None);
        assert_eq!(check("birth", &json!({"child.nid": 8031})).as_deref(), Some("child.nid"));
        assert_eq!(check("death", &json!({"child.nid": "1"})).as_deref(), Some("child.nid"));
        assert_eq!(check("birth", &json!({"child.vid": "1"})).as_deref(), Some("child.vid"));
    }

    #[test]
    fn no_field_is_listed_twice() {
        for event in ["birth", "death"] {
            let mut ids: Vec<_> = all(event).into_iter().map(|(id, _)| id).collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count);
        }
    }
}
