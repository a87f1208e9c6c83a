//! Deaths: of people with an identity on record, and of people without.

use super::Population;
use super::life::{Expected, Life};
use super::mix::Mix;
use super::names::{Family, pick};
use super::people::{self, Standing};
use super::places;
use crate::entropy::{digits, uuid};
use crate::opencrvs::Declaration;
use jiff::Span;
use jiff::civil::Date;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

pub(crate) fn draw(rng: &mut StdRng, index: u64, mix: &Mix, people: Population, today: Date) -> Life {
    let family = Family::draw(rng);
    let spouse = Standing::draw(rng);
    let mut form = Declaration::new();
    form.insert("deceased.name".into(), family.member(rng));
    form.insert("deceased.gender".into(), json!(pick(rng, &["male", "female"])));
    let born = today.saturating_sub(Span::new().days(rng.random_range(18 * 365..98 * 365)));
    if rng.random_bool(0.8) {
        form.insert("deceased.dob".into(), json!(born.to_string()));
    } else {
        form.insert("deceased.dobUnknown".into(), json!(true));
        form.insert(
            "deceased.age".into(),
            json!({"age": today.year() - born.year(), "asOfDateRef": "eventDetails.date"}),
        );
    }
    form.insert("deceased.nationality".into(), json!("FAR"));
    form.insert("deceased.maritalStatus".into(), json!("MARRIED"));
    form.insert("deceased.address".into(), places::address(rng));
    let subject = (people.size() > 0 && rng.random_bool(mix.deaths_with_nid))
        .then(|| people.vid(u32::try_from(index % u64::from(people.size())).unwrap_or(0)));
    match &subject {
        Some(vid) => {
            form.insert("deceased.idType".into(), json!("NATIONAL_ID"));
            form.insert("deceased.nid".into(), json!(vid));
            form.insert("deceased.verified".into(), json!("verified"));
        }
        None => {
            form.insert("deceased.idType".into(), json!("NONE"));
        }
    }
    let died = today.saturating_sub(Span::new().days(rng.random_range(0..20)));
    form.insert("eventDetails.date".into(), json!(died.to_string()));
    form.insert("eventDetails.mannerOfDeath".into(), json!("NATURAL_CAUSES"));
    form.insert("eventDetails.causeOfDeathEstablished".into(), json!(rng.random_bool(0.4)));
    form.insert("eventDetails.description".into(), json!("after a long illness; see \"file\" no. 4\\7"));
    form.insert("eventDetails.placeOfDeath".into(), json!("HEALTH_FACILITY"));
    form.insert("eventDetails.deathLocation".into(), json!(uuid(rng)));
    form.insert(
        "informant.relation".into(),
        json!(if spouse == Standing::Absent { "SON" } else { "SPOUSE" }),
    );
    form.insert("informant.phoneNo".into(), json!(format!("09{}", digits(rng, 8))));
    form.insert("informant.email".into(), json!(format!("informant{index}@example.org")));
    people::person(rng, &mut form, "spouse", &family, spouse, today);
    form.insert("documents.proofOfDeath".into(), places::files(rng, &["CERTIFICATE"]));
    if rng.random_bool(0.5) {
        form.insert("documents.proofOfDeceased".into(), places::files(rng, &["NATIONAL_ID", "OTHER"]));
    }
    Life {
        index,
        event: "death",
        declaration: form,
        annotation: super::history::review(rng),
        on_register: Declaration::new(),
        expected: if subject.is_some() { Expected::FlagDeceased } else { Expected::Nothing },
        correction: None,
        standings: vec![spouse],
        subject,
    }
}
