//! The country: the choices of `country.yaml`, checked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::age::{Age, Unit};
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::files::Localised;
use crate::files::country::CountryFile;
pub use crate::files::country::{CredentialKey, Language, LeapBirthday, OpencrvsVersion};
use crate::locations::BUILDINGS;
use crate::number::Template;
use crate::source::{Document, at};
use crate::suggest::nearest;

/// Who the country is, and the choices that hold for every event.
#[derive(Clone, Debug)]
pub struct Country {
    /// The country's code as the forms use it, for example `FAR`.
    pub code: String,
    /// Name of the country by language.
    pub name: Localised,
    /// The languages of texts; the first one is the country's own choice.
    pub languages: Vec<Language>,
    /// The zone in which ages and dates are reckoned.
    pub time_zone: TimeZone,
    /// The OpenCRVS version that is deployed.
    pub opencrvs: OpencrvsVersion,
    /// The birthday of somebody born on 29 February in other years.
    pub leap_birthday: LeapBirthday,
    /// Which identifier of the credential OpenCRVS stores.
    pub credential_key: CredentialKey,
    /// From which age on an identity may have biometrics.
    pub(crate) biometric_enrolment_age: Age,
    pub(crate) nid_fields: BTreeMap<String, String>,
    /// Key in the annotation of an accepted action that tells the record's history the pack's message.
    pub history_annotation: Option<String>,
    /// Custom action by which the engine notes what became of an operation that the record did not wait for.
    pub history_custom_action: Option<String>,
    pub(crate) number: Option<Template>,
    pub(crate) numbers: BTreeMap<String, Template>,
    /// Levels of administrative areas from the top.
    pub(crate) levels: Vec<String>,
}

/// Whether a text has the form of a language's code, with so many letters.
pub(crate) fn is_code(text: &str, letters: usize) -> bool {
    text.len() == letters && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

impl Country {
    /// The form field of `event` that receives the national id; none for events that store none.
    pub fn nid_field(&self, event: &str) -> Option<&str> {
        self.nid_fields.get(event).map(String::as_str)
    }

    /// Event → the form field that receives the national id.
    pub fn nid_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nid_fields.iter().map(|(event, field)| (event.as_str(), field.as_str()))
    }

    /// Name of the time zone, for example `Africa/Lusaka`.
    pub fn time_zone_name(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("UTC")
    }

    /// The text in the country's first language that it has.
    pub(crate) fn first_of<'t>(&self, text: &'t Localised) -> Option<&'t str> {
        self.languages
            .iter()
            .find_map(|language| text.get(&language.code))
            .or_else(|| text.values().next())
            .map(String::as_str)
    }

    /// The text in `language`, or in the country's first one.
    pub(crate) fn text_in<'t>(&self, text: &'t Localised, language: &str) -> Option<&'t str> {
        text.get(language).map(String::as_str).or_else(|| self.first_of(text))
    }

    /// Languages that `text` does not have.
    pub(crate) fn missing_in(&self, text: &Localised) -> Vec<&str> {
        self.languages
            .iter()
            .map(|language| language.code.as_str())
            // Nobody can write a text in a language that is itself a mistake.
            .filter(|code| is_code(code, 2))
            .filter(|code| text.get(*code).is_none_or(|text| text.trim().is_empty()))
            .collect()
    }

    pub(crate) fn compile(file: &CountryFile, document: &Document, out: &mut Vec<Diagnostic>) -> Self {
        check_languages(file, document, out);
        let time_zone = TimeZone::get(&file.time_zone).unwrap_or_else(|_| {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            out.push(
                document
                    .at_value(
                        Code::N002,
                        &at("time_zone"),
                        format!("`{}` is not a time zone", file.time_zone),
                    )
                    .suggest(nearest(&file.time_zone, known.iter().map(String::as_str)))
                    .help("a name of the IANA time zone database, for example Africa/Lusaka"),
            );
            TimeZone::UTC
        });
        let shipped = Age { count: 6, unit: Unit::Years };
        let biometric_enrolment_age = match &file.biometric_enrolment_age {
            None => shipped,
            Some(text) => Age::parse(text).unwrap_or_else(|| {
                out.push(
                    document
                        .at_value(
                            Code::N008,
                            &at("biometric_enrolment_age"),
                            format!("`{text}` is not an age"),
                        )
                        .help("a whole number and days, weeks, months or years: `6 years`"),
                );
                // Beyond all bounds: what would follow from the shipped one is not said.
                Age { count: u16::MAX, unit: Unit::Years }
            }),
        };
        let mut template = |text: &str, path| match Template::parse(text) {
            Ok(template) => Some(template),
            Err(reason) => {
                out.push(document.at_value(Code::N003, &path, reason).help(
                    "fixed characters, {year}, {yy}, {code:N} with N from 10 to 30 or {digits:N} with N from \
                             12 to 30, and {check}, {check:luhn} or {check:iso7064}",
                ));
                None
            }
        };
        let base = at("registration_number");
        let number = template(&file.registration_number.template, base.key("template"));
        let numbers = file
            .registration_number
            .events
            .iter()
            .filter_map(|(event, text)| Some((event.clone(), template(text, base.key("events").key(event))?)))
            .collect();
        check_history(file, document, out);
        let levels = file.locations.as_ref().map(|places| places.levels.clone()).unwrap_or_default();
        let path = at("locations").key("levels");
        for (index, level) in levels.iter().enumerate() {
            let reason = if levels[..index].contains(level) {
                "is given twice"
            } else if BUILDINGS.contains(&level.as_str()) {
                "is a level that every country has"
            } else if level.is_empty() || level.contains(|c: char| c == ',' || c == '"' || c.is_whitespace())
            {
                "cannot be the name of a level"
            } else {
                continue;
            };
            out.push(document.at_value(Code::L009, &path.item(index), format!("`{level}` {reason}")).help(
                "one word per level of administrative areas, from the top; facilities and offices need none",
            ));
        }
        Self {
            levels,
            code: file.code.clone(),
            name: file.name.clone(),
            languages: file.languages.clone(),
            time_zone,
            opencrvs: file.opencrvs,
            leap_birthday: file.leap_birthday,
            credential_key: file.national_id.credential_key,
            biometric_enrolment_age,
            nid_fields: file.national_id.fields.clone(),
            history_annotation: file.history.as_ref().map(|history| history.annotation.clone()),
            history_custom_action: file.history.as_ref().and_then(|history| history.custom_action.clone()),
            number,
            numbers,
        }
    }

    /// Checks what refers to the forms.
    pub(crate) fn check(
        &self,
        file: &CountryFile,
        catalogue: &Catalogue,
        document: &Document,
        out: &mut Vec<Diagnostic>,
    ) {
        let ids = at("national_id").key("fields");
        for (event, field) in &self.nid_fields {
            let path = ids.key(event);
            match catalogue.form(event) {
                None => out.push(unknown_event(document, event, &path, catalogue)),
                Some(form) if !form.fields.contains_key(field) => out.push(
                    document
                        .at_value(Code::N005, &path, format!("`{field}` is not a field of {event}"))
                        .suggest(nearest(field, form.fields.keys().map(String::as_str)))
                        .help("OpenCRVS accepts an unknown field and can then no longer read the record: the form must have it"),
                ),
                Some(form) => {
                    if let Some(kind) = form.fields.get(field).filter(|kind| !kind.holds_text()) {
                        out.push(
                            document
                                .at_value(Code::N007, &path, format!("`{field}` is {}", kind.noun()))
                                .help("the identifier comes as a text of digits: the form wants a field of type ID or TEXT for it"),
                        );
                    }
                }
            }
        }
        for event in file.registration_number.events.keys() {
            if catalogue.form(event).is_none() {
                let path = at("registration_number").key("events").key(event);
                out.push(unknown_event(document, event, &path, catalogue));
            }
        }
    }
}

fn unknown_event(
    document: &Document,
    event: &str,
    path: &crate::source::Path,
    catalogue: &Catalogue,
) -> Diagnostic {
    document
        .at_key(Code::N006, path, format!("`{event}` is not an event of fields.yaml"))
        .suggest(nearest(event, catalogue.forms.keys().map(String::as_str)))
}

fn check_languages(file: &CountryFile, document: &Document, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for (index, language) in file.languages.iter().enumerate() {
        let path = at("languages").item(index);
        for (key, code, length) in [("code", &language.code, 2), ("mosip", &language.mosip, 3)] {
            if !is_code(code, length) {
                out.push(
                    document
                        .at_value(
                            Code::N001,
                            &path.key(key),
                            format!("`{code}` is not a code of {length} letters"),
                        )
                        .help("`code` is ISO 639-1 (`en`), `mosip` is ISO 639-3 (`eng`), both in lower case"),
                );
            }
        }
        if !seen.insert(&language.code) {
            out.push(document.at_value(
                Code::N004,
                &path.key("code"),
                format!("`{}` is given twice", language.code),
            ));
        }
    }
}

fn check_history(file: &CountryFile, document: &Document, out: &mut Vec<Diagnostic>) {
    if let Some(history) = &file.history {
        let key = &history.annotation;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if key.is_empty() || key.len() > 100 || !key.bytes().all(plain) {
            let path = at("history").key("annotation");
            out.push(
                document
                    .at_value(Code::N009, &path, format!("`{key}` cannot be a key of an annotation"))
                    .help("letters, digits, `.` and `-`: OpenCRVS rewrites keys with an underscore"),
            );
        }
        let path = at("history").key("custom_action");
        match &history.custom_action {
            Some(action) if file.opencrvs == OpencrvsVersion::V1_9 => out.push(
                document
                    .at_value(Code::N010, &path, format!("OpenCRVS 1.9 has no custom action `{action}`"))
                    .help("custom actions came with 2.0; before, a note goes with an accepted action only"),
            ),
            Some(action) if action.trim().is_empty() => out.push(
                document
                    .at_value(Code::N010, &path, "the custom action has no name")
                    .help("the `customActionType` of the event configuration, for example NATIONAL_ID_NOTE"),
            ),
            _ => {}
        }
    }
}
