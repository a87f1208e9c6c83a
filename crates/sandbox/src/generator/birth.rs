//! Births: eligible and not, new-born and late, corrected and not.

use super::life::{Correction, Expected, Life};
use super::mix::Mix;
use super::names::{Family, pick};
use super::people::{self, Standing};
use super::places;
use crate::entropy::uuid;
use crate::opencrvs::Declaration;
use jiff::Span;
use jiff::civil::Date;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

/// How old the child is against the ten-year limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Below,
    Edge,
    Above,
    Unstated,
}

pub(crate) fn draw(rng: &mut StdRng, index: u64, mix: &Mix, today: Date) -> Life {
    let family = Family::draw(rng);
    let (dob, age) = born(rng, mix, today);
    let (mother, father) = (Standing::draw(rng), Standing::draw(rng));
    let mut form = Declaration::new();
    form.insert("child.name".into(), family.member(rng));
    let gender = if rng.random_bool(mix.awkward) { "unknown" } else { pick(rng, &["male", "female"]) };
    form.insert("child.gender".into(), json!(gender));
    if age != Age::Unstated {
        form.insert("child.dob".into(), json!(dob.to_string()));
    }
    if dob < today.saturating_sub(Span::new().days(365)) {
        form.insert("child.reason".into(), json!("Lived far from the office; travelled \"when we could\""));
    }
    let facility = uuid(rng);
    form.insert("child.placeOfBirth".into(), json!("HEALTH_FACILITY"));
    form.insert("child.birthLocation".into(), json!(facility));
    form.insert("child.birthLocationId".into(), json!(facility));
    form.insert("child.attendantAtBirth".into(), json!(pick(rng, &["PHYSICIAN", "NURSE", "MIDWIFE"])));
    form.insert("child.birthType".into(), json!(if rng.random_bool(0.03) { "TWIN" } else { "SINGLE" }));
    form.insert("child.weightAtBirth".into(), json!(f64::from(rng.random_range(18..45)) / 10.0));
    form.insert(
        "informant.relation".into(),
        json!(if mother == Standing::Absent { "FATHER" } else { "MOTHER" }),
    );
    form.insert("informant.phoneNo".into(), json!(format!("07{}", crate::entropy::digits(rng, 8))));
    form.insert("informant.email".into(), json!(format!("informant{index}@example.org")));
    people::person(rng, &mut form, "mother", &family, mother, today);
    if mother != Standing::Absent {
        form.insert("mother.previousBirths".into(), json!(rng.random_range(0..7)));
    }
    people::person(rng, &mut form, "father", &family, father, today);
    documents(rng, &mut form);
    let parent = mother.counts() || father.counts();
    let stated = gender != "unknown";
    let expected = match age {
        Age::Edge | Age::Unstated => Expected::Unclear,
        Age::Below if parent && stated => Expected::CreateUin,
        Age::Below if parent => Expected::Unclear,
        _ => Expected::Nothing,
    };
    let correction = rng
        .random_bool(mix.corrected)
        .then(|| correct(rng, &family, &form, expected, age == Age::Below && stated, mother))
        .flatten();
    let on_register = if rng.random_bool(0.05) {
        Declaration::from_iter([("child.weightAtBirth".to_owned(), json!(3.3))])
    } else {
        Declaration::new()
    };
    Life {
        index,
        event: "birth",
        declaration: form,
        annotation: super::history::review(rng),
        on_register,
        expected,
        correction,
        standings: vec![mother, father],
        subject: None,
    }
}

fn born(rng: &mut StdRng, mix: &Mix, today: Date) -> (Date, Age) {
    let ago = |days: i32| today.saturating_sub(Span::new().days(days));
    if rng.random_bool(mix.awkward) {
        return (ago(3), Age::Unstated);
    }
    let tenth = today.saturating_sub(Span::new().years(10));
    match rng.random_range(0..100) {
        0..82 => (ago(rng.random_range(1..60)), Age::Below),
        82..92 => (ago(rng.random_range(60..9 * 365)), Age::Below),
        // Days around the tenth birthday, far enough for any time zone…
        92..94 => (tenth.saturating_add(Span::new().days(rng.random_range(2..6))), Age::Below),
        94..96 => (tenth.saturating_sub(Span::new().days(rng.random_range(2..6))), Age::Above),
        // …and on it.
        96 if mix.edges => (tenth.saturating_add(Span::new().days(rng.random_range(-1..2))), Age::Edge),
        _ => (ago(rng.random_range(11 * 365..60 * 365)), Age::Above),
    }
}

fn documents(rng: &mut StdRng, form: &mut Declaration) {
    form.insert("documents.proofOfBirth".into(), places::file(rng, "notification"));
    if rng.random_bool(0.6) {
        form.insert("documents.proofOfMother".into(), places::files(rng, &["NATIONAL_ID", "PASSPORT"]));
    }
    if rng.random_bool(0.3) {
        form.insert("documents.proofOfFather".into(), places::files(rng, &["NATIONAL_ID"]));
        form.insert("documents.proofOfInformant".into(), places::files(rng, &["NATIONAL_ID", "OTHER"]));
    }
}

fn correct(
    rng: &mut StdRng,
    family: &Family,
    form: &Declaration,
    registered: Expected,
    below: bool,
    mother: Standing,
) -> Option<Correction> {
    let mut changed = Declaration::new();
    let expected =
        if registered == Expected::Nothing && below && mother != Standing::Absent && rng.random_bool(0.7) {
            // The mother comes back and authenticates: the UIN that was not possible before.
            changed.insert("mother.verified".into(), json!("authenticated"));
            Expected::CreateUin
        } else if rng.random_bool(0.75) {
            let mut name = family.member(rng);
            if name["firstname"] == form["child.name"]["firstname"] {
                name["firstname"] = json!(format!("{}a", name["firstname"].as_str()?));
            }
            changed.insert("child.name".into(), name);
            match registered {
                Expected::CreateUin => Expected::UpdateBiographics,
                Expected::Unclear => Expected::Unclear,
                _ => Expected::Nothing,
            }
        } else {
            changed.insert("child.weightAtBirth".into(), json!(2.9));
            changed.insert("informant.email".into(), json!(null));
            if registered == Expected::Unclear { Expected::Unclear } else { Expected::Nothing }
        };
    let annotation = Declaration::from_iter([
        ("correction.requester.relationship".to_owned(), json!("MOTHER")),
        ("reason.option".to_owned(), json!("MISTAKE")),
    ]);
    Some(Correction { declaration: changed, annotation, expected })
}
