//! From answers to the files of a pack.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp, ToSpan as _};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use super::answers::{Answers, Known};
use super::texts;

/// Name in the pack and template.
const TEMPLATES: [(&str, &str); 10] = [
    ("README.md", include_str!("templates/README.md")),
    ("country.yaml", include_str!("templates/country.yaml")),
    ("fields.yaml", include_str!("templates/fields.yaml")),
    ("rules.yaml", include_str!("templates/rules.yaml")),
    ("packets.yaml", include_str!("templates/packets.yaml")),
    ("identity.yaml", include_str!("templates/identity.yaml")),
    ("id-schema.json", include_str!("templates/id-schema.json")),
    ("cases/birth.yaml", include_str!("templates/cases/birth.yaml")),
    ("cases/correction.yaml", include_str!("templates/cases/correction.yaml")),
    ("cases/death.yaml", include_str!("templates/cases/death.yaml")),
];

/// The date of birth in the cases: no end of a month, no leap day, no change of the clocks near it.
const BORN: Date = date(2026, 1, 15);

/// The files of the pack, by name in its folder.
pub(super) fn files(answers: &Answers) -> anyhow::Result<BTreeMap<String, String>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    // A line that holds nothing but a block leaves nothing behind.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .context("the syntax of templates")?;
    environment.set_syntax(syntax);
    let of_answers = answers.clone();
    environment.add_function("text", move |key: &str| {
        texts::by_language(key, &of_answers).ok_or_else(|| {
            minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("no text `{key}`"))
        })
    });
    let values = values(answers)?;
    let operations = answers.operations;
    let mut files = BTreeMap::new();
    for (name, template) in TEMPLATES {
        let wanted = match name {
            "cases/birth.yaml" => operations.birth,
            "cases/correction.yaml" => operations.correction,
            "cases/death.yaml" => operations.death,
            _ => true,
        };
        if wanted {
            let text = environment
                .render_str(template, Serde(&values))
                .with_context(|| format!("the template of {name} does not render"))?;
            files.insert(name.to_owned(), text);
        }
    }
    if let Some(words) = words(answers) {
        files.insert("words.yaml".to_owned(), words);
    }
    Ok(files)
}

fn values(answers: &Answers) -> anyhow::Result<Value> {
    let limit = &answers.age_limit;
    let reached = reached(answers)?;
    let plural = if limit.count == 1 { "" } else { "s" };
    let languages: Vec<Value> =
        answers.languages.iter().map(|(code, mosip)| json!({ "code": code, "mosip": mosip })).collect();
    let known = match answers.known {
        Known::AParent => "a-parent",
        Known::BothParents => "both-parents",
        Known::TheMother => "the-mother",
        Known::TheInformant => "the-informant",
        Known::Nobody => "nobody",
    };
    Ok(json!({
        "code": answers.code,
        "names": texts::names(answers),
        "languages": languages,
        "mosip": answers.languages.first().map_or("eng", |(_, mosip)| mosip.as_str()),
        "time_zone": answers.time_zone.iana_name().unwrap_or("UTC"),
        "opencrvs": answers.opencrvs,
        // Custom actions, and corrections that apply what is answered, came with 2.0.
        "modern": answers.opencrvs != "1.9",
        "birth": answers.operations.birth,
        "correction": answers.operations.correction,
        "death": answers.operations.death,
        "has_words": texts::unspoken(answers).next().is_some(),
        "age_limit": format!("{} {}{plural}", limit.count, limit.unit),
        // MOSIP as shipped enrols biometrics from six years on.
        "later_enrolment": BORN.checked_add(span(answers))? > BORN.checked_add(6.years())?,
        "known": known,
        "condition": match answers.known {
            Known::AParent => "a_parent_is_known",
            Known::BothParents => "both_parents_are_known",
            Known::TheMother => "the_mother_is_known",
            Known::TheInformant => "the_informant_is_known",
            Known::Nobody => "",
        },
        "born": BORN.to_string(),
        "noon": instant(answers, BORN)?.checked_add(12.hours())?.to_string(),
        "last_moment": reached.checked_sub(1.milliseconds())?.to_string(),
        "birthday": reached.to_string(),
        "day_after": reached.checked_add(24.hours())?.to_string(),
        // A day older than the limit on the day of birth in the cases.
        "older": BORN.checked_sub(span(answers))?.to_string(),
    }))
}

fn span(answers: &Answers) -> Span {
    let limit = &answers.age_limit;
    match limit.unit {
        "day" => limit.count.days(),
        "week" => limit.count.weeks(),
        "month" => limit.count.months(),
        _ => limit.count.years(),
    }
}

/// The instant at which somebody born on [`BORN`] reaches the limit: local midnight of that day.
fn reached(answers: &Answers) -> anyhow::Result<Timestamp> {
    let day = BORN.checked_add(span(answers)).map_err(|_| anyhow!("no calendar has that age"))?;
    instant(answers, day)
}

/// The start of the day in the country.
fn instant(answers: &Answers, day: Date) -> anyhow::Result<Timestamp> {
    let start = day.to_zoned(answers.time_zone.clone()).and_then(|midnight| midnight.start_of_day());
    Ok(start.context("the day does not begin in this time zone")?.timestamp())
}

/// The English words of each language that Civitas does not speak, ready to be translated.
fn words(answers: &Answers) -> Option<String> {
    let english = civitas_rules::shipped_words("en")?;
    let mut text = "# yaml-language-server: $schema=.schemas/words.schema.json\n\
        # The words of sentences in languages that Civitas does not speak yet: translate what stands in English here.\n\
        # Names in braces are places: {field} and the like must stay. Counts may have several forms, for example\n\
        # years: { \"1\": one year, \"2-4\": some years, other: \"{count} years\" }\n\
        version: 1\nlanguages:\n"
        .to_owned();
    let mut any = false;
    for language in texts::unspoken(answers) {
        any = true;
        let _ = writeln!(text, "  {language}:");
        for line in english.lines().filter(|line| !line.starts_with('#')) {
            let _ = writeln!(text, "    {line}");
        }
    }
    any.then_some(text)
}

#[cfg(test)]
mod tests {
    use civitas_rules::{Pack, PackFiles};

    use super::super::answers::Flags;
    use super::*;

    const KNOWN: [Known; 5] =
        [Known::AParent, Known::BothParents, Known::TheMother, Known::TheInformant, Known::Nobody];
    const OPERATIONS: [&str; 7] = [
        "birth",
        "correction",
        "death",
        "birth,correction",
        "birth,death",
        "correction,death",
        "birth,correction,death",
    ];
    const LANGUAGES: [&str; 4] = ["en=eng", "fr=fra,en=eng", "ar=ara,fr=fra", "am=amh"];
    const AGES: [&str; 7] = ["10 years", "1 year", "18 years", "6 months", "1 month", "90 days", "6 weeks"];
    const ZONES: [&str; 6] = [
        "UTC",
        "Africa/Lusaka",
        "Pacific/Chatham",
        "America/St_Johns",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
    ];

    fn sound(flags: &Flags) {
        let files = files(&flags.answers().unwrap()).unwrap();
        let pack = Pack::load(&PackFiles(files)).unwrap_or_else(|problems| panic!("{flags:?}\n{problems}"));
        assert!(pack.warnings().is_empty(), "{flags:?}\n{}", pack.warnings());
        let report = pack.run_cases();
        assert!(report.is_ok(), "{flags:?}\n{report}");
        assert!(report.total >= 3, "{flags:?}: {}", report.total);
    }

    /// Every way to put rules together, with each language; the values that only change a number or a zone take turns.
    #[test]
    fn every_combination_of_the_flags_checks_and_tests_green() {
        let mut turn = 0;
        for operation in OPERATIONS {
            for opencrvs in ["1.9", "2.0", "2.1"] {
                for known in KNOWN {
                    for language in LANGUAGES {
                        turn += 1;
                        sound(&Flags {
                            code: Some("TST".into()),
                            name: vec!["Testland".into()],
                            language: vec![language.into()],
                            time_zone: Some(ZONES[turn % ZONES.len()].into()),
                            opencrvs: Some(opencrvs.into()),
                            operation: vec![operation.into()],
                            age_limit: Some(AGES[turn % AGES.len()].into()),
                            known: Some(known),
                        });
                    }
                }
            }
        }
        assert_eq!(turn, 420);
    }

    #[test]
    fn every_age_has_its_boundaries_in_every_zone() {
        for age in AGES.into_iter().chain(["1 day", "150 years"]) {
            for zone in ZONES {
                sound(&Flags {
                    code: Some("TST".into()),
                    name: vec!["Côte d’Or: “x” # \"y\"".into()],
                    time_zone: Some(zone.into()),
                    age_limit: Some(age.into()),
                    ..Flags::default()
                });
            }
        }
    }

    /// A scaffold whose cases cannot fail would teach nothing: a rule moved by the least is found out.
    #[test]
    fn the_cases_notice_a_moved_bound_and_a_dropped_condition() {
        let flags = Flags { code: Some("TST".into()), name: vec!["Testland".into()], ..Flags::default() };
        let sound = files(&flags.answers().unwrap()).unwrap();
        for (from, to) in [
            ("age_below: 10 years", "age_below: 9 years"),
            ("age_below: 10 years", "age_below: 11 years"),
            ("        - child.nid: absent\n", ""),
            ("        - a_parent_is_known\n", ""),
            ("[verified, authenticated]", "[authenticated]"),
            ("[verified, authenticated]", "[verified, authenticated, pending]"),
            ("[child.name, child.dob, child.gender]", "[child.name, child.dob]"),
            ("deceased.nid: present", "deceased.nid: absent"),
        ] {
            let rules = &sound["rules.yaml"];
            for (place, _) in rules.match_indices(from) {
                let mut files = sound.clone();
                let moved = format!("{}{to}{}", &rules[..place], &rules[place + from.len()..]);
                files.insert("rules.yaml".to_owned(), moved);
                let pack = match Pack::load(&PackFiles(files)) {
                    Ok(pack) => pack,
                    // A bound above the age of biometric enrolment does not even reach the cases.
                    Err(problems) => {
                        assert!(problems.to_string().starts_with("error[R066]"), "{problems}");
                        assert_eq!(to, "age_below: 11 years");
                        continue;
                    }
                };
                assert!(!pack.run_cases().is_ok(), "no case notices {to:?} in place of {from:?} at {place}");
            }
        }
    }

    #[test]
    fn a_wrong_flag_is_named_with_what_is_right() {
        let flags = |change: &dyn Fn(&mut Flags)| {
            let mut flags =
                Flags { code: Some("TST".into()), name: vec!["Testland".into()], ..Flags::default() };
            change(&mut flags);
            format!("{:#}", flags.answers().unwrap_err())
        };
        assert!(flags(&|f| f.code = None).contains("--code missing"));
        assert!(flags(&|f| f.code = Some("Testland".into())).starts_with("--code: `Testland`"));
        assert!(flags(&|f| f.language = vec!["en".into()]).contains("en=eng"));
        assert!(flags(&|f| f.language = vec!["en=eng".into(), "en=eng".into()]).contains("twice"));
        assert!(flags(&|f| f.name = vec!["es=Prueba".into()]).contains("not a language of the country"));
        assert!(flags(&|f| f.age_limit = Some("ten".into())).contains("10 years"));
        assert!(flags(&|f| f.age_limit = Some("0 years".into())).contains("no age of a child"));
        assert!(flags(&|f| f.operation = vec!["marriage".into()]).contains("birth, correction, death"));
        assert!(flags(&|f| f.time_zone = Some("Mars/Base".into())).contains("Africa/Lusaka"));
        assert!(flags(&|f| f.opencrvs = Some("3".into())).contains("1.9, 2.0 or 2.1"));
    }
}
