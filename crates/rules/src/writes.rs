//! What a rule writes into the record when the action is accepted: values of the form, from the sources that packets
//! have.
//!
//! OpenCRVS checks nothing of it. A field that its form does not have breaks the record for good, and so does a value
//! of another type than the field's; so both are looked at here, when the pack is checked and again for each record.

use serde_json::{Map, Value as Json};

use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::country::OpencrvsVersion;
use crate::files::rules::{Act, RuleEntry};
use crate::idschema::IdSchema;
use crate::mapping::{DateFormat, Source, Value};
use crate::packet::{Builder, FieldProblem};
use crate::plan::PlanCompiler;
use crate::reference::{FieldRef, Spot};
use crate::ruleset::RuleCompiler;
use crate::source::Path;
use crate::suggest::{listed, nearest};

/// How OpenCRVS writes a date.
const DATE: &str = "yyyy-MM-dd";

/// One field that a rule writes.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) field: String,
    kind: Kind,
    value: Value,
}

/// What is written into a record, and what would have been.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Writing {
    /// Field of the form → its value.
    pub declaration: Map<String, Json>,
    /// What is left out, since the record does not give it or the field could not hold it. Names fields and reasons,
    /// never values.
    pub left_out: Vec<FieldProblem>,
}

impl std::fmt::Debug for Writing {
    /// Names only: the values are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing")
            .field("declaration", &self.declaration.keys())
            .field("left_out", &self.left_out)
            .finish()
    }
}

/// Every value that there is.
pub(crate) fn write(writes: &[Write], builder: &Builder<'_>) -> Writing {
    let mut writing = Writing::default();
    for one in writes {
        let found = builder.value(&one.value).and_then(|text| {
            let value = text.map(|text| typed(&one.kind, text)).transpose()?;
            value.map(|value| one.kind.accepts(&value).map(|()| value)).transpose()
        });
        match found {
            Ok(Some(value)) => {
                writing.declaration.insert(one.field.clone(), value);
            }
            Ok(None) => {}
            Err(reason) => writing.left_out.push(FieldProblem { field: one.field.clone(), reason }),
        }
    }
    writing
}

/// A text as the form holds it.
fn typed(kind: &Kind, text: String) -> Result<Json, String> {
    match kind {
        Kind::Number => {
            serde_json::from_str(&text).ok().filter(Json::is_number).ok_or_else(|| "not a number".to_owned())
        }
        Kind::Bool => text.parse().map(Json::Bool).map_err(|_| "not a yes or no".to_owned()),
        _ => Ok(Json::String(text)),
    }
}

impl RuleCompiler<'_> {
    /// The fields that a rule writes, each with a source that its type can hold.
    pub(crate) fn write(&mut self, entry: &RuleEntry, form: &Form, path: &Path) -> Vec<Write> {
        let path = path.key("write");
        if entry.write.entries.is_empty() {
            return Vec::new();
        }
        if entry.act == Act::Reject {
            self.out.push(
                self.document
                    .at_key(Code::R022, &path, "`write` does not go with what this rule does")
                    .help("a rejected action writes nothing into the record"),
            );
        }
        if entry.on.action == "APPROVE_CORRECTION" && self.country.opencrvs == OpencrvsVersion::V1_9 {
            self.out.push(
                self.document
                    .at_key(Code::R030, &path, "OpenCRVS 1.9 does not apply what is written when a correction is accepted")
                    .help("the values would be stored in the action and never reach the record; 2.0 applies them"),
            );
        }
        let schema = IdSchema::default();
        let mut writes = Vec::new();
        for (field, mapping) in &entry.write.entries {
            let path = path.key(field);
            let Some(kind) = form.fields.get(field) else {
                let spot = Spot { document: self.document, path: &path, is_key: true };
                self.out.push(
                    spot.problem(Code::R006, format!("`{field}` is not a field of {}", entry.on.event))
                        .suggest(nearest(field, form.fields.keys().map(String::as_str)))
                        .help("OpenCRVS accepts an unknown field and can then no longer read the record: the form must have it"),
                );
                continue;
            };
            if self.country.nid_field(&entry.on.event) == Some(field) {
                self.out.push(
                    self.document
                        .at_key(Code::R041, &path, format!("`{field}` receives the national id"))
                        .help("MOSIP gives it; country.yaml says where it goes, and no rule writes there"),
                );
                continue;
            }
            let wraps = [
                ("language", mapping.language.is_some()),
                ("languages", mapping.languages.is_some()),
                ("list", mapping.list.is_some()),
            ];
            if let Some((key, _)) = wraps.iter().find(|(_, given)| *given) {
                self.out.push(
                    self.document
                        .at_key(Code::M002, &path.key(key), format!("`{key}` does not go with `write`"))
                        .help("it is how MOSIP wants values; a form has a plain one"),
                );
                continue;
            }
            let mut plans = PlanCompiler {
                document: self.document,
                event: &entry.on.event,
                form,
                country: self.country,
                schema: &schema,
                locations: self.locations,
                wrapped: None,
                templates: &mut self.templates,
                out: self.out,
            };
            let Some(value) = plans.value(&format!("{}/{field}", entry.id), mapping, &path) else { continue };
            if let Err(reason) = fits(kind, &value.source, form) {
                self.out.push(
                    self.document
                        .at_key(Code::R041, &path, format!("`{field}` could not hold this: {reason}"))
                        .help("OpenCRVS does not check what is written; a value of another type breaks the record"),
                );
                continue;
            }
            writes.push(Write { field: field.clone(), kind: kind.clone(), value });
        }
        writes
    }
}

/// Whether every value that the source can give is one that the field can hold.
fn fits(kind: &Kind, source: &Source, form: &Form) -> Result<(), String> {
    let each = |mut texts: &mut dyn Iterator<Item = &String>| {
        (&mut texts).try_for_each(|text| {
            let value = typed(kind, text.clone())?;
            kind.accepts(&value).map_err(|reason| format!("`{text}` is {reason}"))
        })
    };
    let alike = |mut fields: &mut dyn Iterator<Item = &FieldRef>| {
        (&mut fields).try_for_each(|field| {
            let other = kind_of(form, field);
            let holds = match (kind, &other) {
                (_, Kind::Any) => true,
                (Kind::Choice(options), Kind::Choice(others)) => {
                    others.iter().all(|option| options.contains(option))
                }
                _ => *kind == other,
            };
            if holds { Ok(()) } else { Err(format!("`{field}` is {}", other.noun())) }
        })
    };
    match (kind, source) {
        (Kind::Composite(_) | Kind::List | Kind::Any, _) => {
            Err(format!("it holds {}, and a rule writes plain values", kind.noun()))
        }
        (_, Source::Constant(text)) => each(&mut std::iter::once(text)),
        (_, Source::Code { map, default, .. }) => each(&mut map.values().chain(default)),
        (Kind::Date, Source::Date { format, .. } | Source::ActionDate(format)) => {
            let own = DateFormat::parse(DATE).as_ref() == Some(format);
            if own { Ok(()) } else { Err(format!("a date of OpenCRVS is written {DATE}")) }
        }
        (Kind::Text, _) => Ok(()),
        (_, Source::From(fields)) => alike(&mut fields.iter()),
        (_, Source::Choose { cases, otherwise, .. }) => alike(&mut cases.values().flatten().chain(otherwise)),
        (Kind::Choice(options), _) => Err(format!("its values are {}", listed(options.iter()))),
        _ => Err(format!("it holds {}", kind.noun())),
    }
}

fn kind_of(form: &Form, field: &FieldRef) -> Kind {
    let kind = form.fields.get(&field.field).cloned();
    field.parts.iter().fold(kind, |kind, part| kind?.part(part)).unwrap_or(Kind::Any)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, typed};

    #[test]
    fn texts_become_what_the_form_holds() {
        assert_eq!(typed(&Kind::Number, "3.5".to_owned()), Ok(json!(3.5)));
        assert_eq!(typed(&Kind::Bool, "true".to_owned()), Ok(json!(true)));
        assert_eq!(typed(&Kind::Text, "007".to_owned()), Ok(json!("007")));
        assert_eq!(typed(&Kind::Number, "many".to_owned()), Err("not a number".to_owned()));
        assert_eq!(typed(&Kind::Bool, "yes".to_owned()), Err("not a yes or no".to_owned()));
    }
}
