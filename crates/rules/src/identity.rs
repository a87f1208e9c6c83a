//! `identity.yaml`, checked against the forms.

use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::files::identity::IdentityFile;
use crate::source::{Document, Path, at};
use crate::suggest::{listed, nearest};

/// Claims and QR attributes that name something else than a form field.
const NOT_FIELDS: [&str; 2] = ["psut", "verified"];

/// Checks persons and form fields.
pub(crate) fn check(
    file: &IdentityFile,
    document: &Document,
    catalogue: &Catalogue,
    out: &mut Vec<Diagnostic>,
) {
    let mut unknown_event = |event: &str, path: &Path| {
        out.push(
            document
                .at_key(Code::N006, path, format!("`{event}` is not an event of fields.yaml"))
                .suggest(nearest(event, catalogue.forms.keys().map(String::as_str))),
        );
    };
    let persons = at("persons");
    for event in file.persons.keys().filter(|event| catalogue.form(event).is_none()) {
        unknown_event(event, &persons.key(event));
    }
    let switches = at("verification");
    for event in file.verification.keys().filter(|event| catalogue.form(event).is_none()) {
        unknown_event(event, &switches.key(event));
    }
    for (event, names) in &file.persons {
        let Some(form) = catalogue.form(event) else { continue };
        let sections = form.sections();
        for (index, person) in names.iter().enumerate() {
            if !sections.contains(person.as_str()) {
                out.push(
                    document
                        .at_value(
                            Code::E001,
                            &persons.key(event).item(index),
                            format!("the form of {event} has no section `{person}`"),
                        )
                        .suggest(nearest(person, sections.iter().copied()))
                        .help(format!("its sections are {}", listed(&sections))),
                );
            }
        }
    }
    for (event, switched) in &file.verification {
        let Some(known) = file.persons.get(event) else { continue };
        for person in switched.keys().filter(|person| !known.contains(person)) {
            out.push(
                document
                    .at_key(
                        Code::E001,
                        &switches.key(event).key(person),
                        format!("`{person}` is not among the persons of {event}"),
                    )
                    .suggest(nearest(person, known.iter().map(String::as_str))),
            );
        }
    }
    let claims = file.esignet.fields.iter().map(|(claim, field)| (at("esignet"), word(claim), field));
    let scanned = file.qr.fields.iter().map(|(attribute, field)| (at("qr"), word(attribute), field));
    for (base, key, field) in claims.chain(scanned) {
        if NOT_FIELDS.contains(&field.as_str()) {
            continue;
        }
        let path = base.key("fields").key(&key);
        let anywhere = file.persons.iter().any(|(event, names)| {
            catalogue.form(event).is_some_and(|form| {
                names.iter().any(|person| form.fields.contains_key(&format!("{person}.{field}")))
            })
        });
        if !anywhere {
            out.push(
                document
                    .at_value(Code::E002, &path, format!("no person on any form has a field `{field}`"))
                    .help("write the field without its section: `dob` for `mother.dob`"),
            );
        }
    }
}

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
