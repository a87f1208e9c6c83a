//! What a swap may not change, since something outside of the rule set was built on it at the start, or since it
//! cannot be taken back: what is written on certificates and into records.

use civitas_rules::Pack;
use jiff::Timestamp;

use super::PackProblem;

/// Instants at which the two packs are compared: templates may hold the year.
const SAMPLES: [i64; 2] = [1_767_225_600, 2_051_222_400];

/// Ids of a record and an action that no country has.
const NOBODY: [&str; 2] = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];

/// Everything for which the new pack has to wait for a restart.
pub(super) fn needed(old: &Pack, new: &Pack) -> Vec<PackProblem> {
    let (was, is) = (old.country(), new.country());
    let mut found = Vec::new();
    let mut add = |message: String| {
        found.push(PackProblem { file: "country.yaml".to_owned(), line: 0, column: 0, code: None, message });
    };
    if was.code != is.code {
        add(format!(
            "the country is {} in place of {}: this journal holds {}'s records; is this the right folder?",
            is.code, was.code, was.code
        ));
    }
    if was.opencrvs != is.opencrvs {
        add(format!(
            "OpenCRVS is {} in place of {}: how records are read and confirmed was set up at the start",
            is.opencrvs.as_str(),
            was.opencrvs.as_str()
        ));
    }
    if was.credential_key != is.credential_key {
        add(format!(
            "OpenCRVS would store {} in place of {}: answers of MOSIP that are under way would get the other one",
            is.credential_key.as_str(),
            was.credential_key.as_str()
        ));
    }
    for event in old.events() {
        let (field, other) = (was.nid_field(event), is.nid_field(event));
        if field != other {
            add(format!(
                "the national id of a {event} goes into {} in place of {}: OpenCRVS can no longer read a record with \
                 a field that its form lacks; `civitas doctor` compares both",
                other.unwrap_or("no field"),
                field.unwrap_or("no field")
            ));
        }
        if new.events().any(|known| known == event) && numbers(old, event) != numbers(new, event) {
            add(format!(
                "a {event} would get another registration number: numbers on certificates are not taken back"
            ));
        }
    }
    found
}

/// What the template makes of one civil event.
fn numbers(pack: &Pack, event: &str) -> Vec<String> {
    let [record, action] = NOBODY;
    let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    SAMPLES.map(|second| pack.registration_number(event, record, action, at(second), 0)).into()
}

#[cfg(test)]
mod tests {
    use super::{super::examine::tests::shipped, *};

    fn edited(from: &str, to: &str) -> Vec<String> {
        let mut files = shipped();
        let old = Pack::load(&files).unwrap();
        let text = files.0.get_mut("country.yaml").unwrap();
        assert!(text.contains(from), "country.yaml has no `{from}`");
        *text = text.replacen(from, to, 1);
        let new = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
        needed(&old, &new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_cannot_be_taken_back_waits_for_a_restart_and_says_why() {
        for (from, to, said) in [
            ("code: FAR", "code: FRA", "the country is FRA in place of FAR"),
            ("opencrvs: \"2.0\"", "opencrvs: \"2.1\"", "OpenCRVS is 2.1 in place of 2.0"),
            ("credential_key: VID", "credential_key: UIN", "would store UIN in place of VID"),
            ("birth: \"B{yy}", "birth: \"C{yy}", "a birth would get another registration number"),
            ("birth: \"B{yy}", "birth: \"B{year}", "a birth would get another registration number"),
        ] {
            let found = edited(from, to);
            assert!(found.iter().any(|problem| problem.contains(said)), "{from}: {found:?}");
        }
        assert_eq!(edited("code: FAR", "code: FAR"), Vec::<String>::new());
    }
}
