//! The typed catalogue: which fields a form has, and what their values are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::Localised;
use crate::files::fields::{FieldEntry, FieldType, FieldsFile};
use crate::limits::enough;
use crate::source::{Document, Path, at};
use crate::suggest::{listed, nearest};

/// What a value is, as far as conditions and mappings care.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Choice(Arc<[String]>),
    Date,
    Number,
    Bool,
    /// The id of a place: of an area, a facility or an office.
    Place,
    /// A value with named parts.
    Composite(&'static [(&'static str, Kind)]),
    /// A list of values.
    List,
    /// Anything: data of other systems, of which only the way to a part is written.
    Any,
}

impl Kind {
    /// The kind in a message.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Choice(_) => "a choice",
            Self::Date => "a date",
            Self::Number => "a number",
            Self::Bool => "a yes or no",
            Self::Place => "a place",
            Self::Composite(_) => "a value with parts",
            Self::List => "a list",
            Self::Any => "data",
        }
    }

    /// Whether any text is a value of the kind.
    pub(crate) fn holds_text(&self) -> bool {
        matches!(self, Self::Text | Self::Any)
    }

    /// The kind of a part.
    pub(crate) fn part(&self, name: &str) -> Option<Kind> {
        match self {
            Self::Composite(parts) => {
                parts.iter().find(|(part, _)| *part == name).map(|(_, kind)| kind.clone())
            }
            Self::Any => Some(Self::Any),
            _ => None,
        }
    }

    /// Whether a form could hold the value; null always fits, since it takes a value out.
    pub(crate) fn accepts(&self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (_, Value::Null)
            | (Self::Any, _)
            | (Self::Text | Self::Place, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::List, Value::Array(_)) => true,
            (Self::Choice(options), Value::String(word)) => word.is_empty() || options.contains(word),
            (Self::Date, Value::String(text)) => text.is_empty() || crate::age::read_date(text).is_some(),
            (Self::Composite(parts), Value::Object(map)) => {
                for (key, inner) in map {
                    let Some((_, kind)) = parts.iter().find(|(part, _)| part == key) else {
                        let known: Vec<&str> = parts.iter().map(|(part, _)| *part).collect();
                        return Err(format!("it has no part `{key}`, only {}", known.join(", ")));
                    };
                    kind.accepts(inner).map_err(|e| format!("`#{key}`: {e}"))?;
                }
                true
            }
            _ => false,
        };
        match self {
            _ if fits => Ok(()),
            Self::Choice(options) => Err(format!("not one of {}", listed(options.iter()))),
            other => Err(format!("not {}", other.noun())),
        }
    }
}

const NAME: &[(&str, Kind)] =
    &[("firstname", Kind::Text), ("middlename", Kind::Text), ("surname", Kind::Text)];
const AGE: &[(&str, Kind)] = &[("age", Kind::Number), ("asOfDateRef", Kind::Text)];
const ADDRESS: &[(&str, Kind)] = &[
    ("country", Kind::Text),
    ("addressType", Kind::Text),
    ("administrativeArea", Kind::Place),
    ("streetLevelDetails", Kind::Any),
];
const FILE: &[(&str, Kind)] =
    &[("path", Kind::Text), ("originalFilename", Kind::Text), ("type", Kind::Text), ("option", Kind::Text)];
const HTTP: &[(&str, Kind)] = &[("loading", Kind::Bool), ("error", Kind::Any), ("data", Kind::Any)];
const QUERY: &[(&str, Kind)] = &[("data", Kind::Any), ("updatedAt", Kind::Text)];
const DATA: &[(&str, Kind)] = &[("data", Kind::Any)];
const MEASURE: &[(&str, Kind)] = &[("numericValue", Kind::Number), ("unit", Kind::Text)];
const LABELLED: &[(&str, Kind)] = &[("label", Kind::Text), ("value", Kind::Text)];

/// The states of a `VERIFICATION_STATUS` field.
const VERIFICATION: [&str; 4] = ["authenticated", "verified", "failed", "pending"];

pub(crate) fn kind_of(entry: &FieldEntry) -> Kind {
    use FieldType as T;
    match entry.kind {
        T::Name => Kind::Composite(NAME),
        T::Date => Kind::Date,
        T::Age => Kind::Composite(AGE),
        T::Number => Kind::Number,
        T::Checkbox => Kind::Bool,
        T::Select | T::RadioGroup => Kind::Choice(entry.options.clone().into()),
        T::VerificationStatus => Kind::Choice(VERIFICATION.map(str::to_owned).into()),
        T::Address => Kind::Composite(ADDRESS),
        T::File | T::Signature => Kind::Composite(FILE),
        T::FileWithOptions => Kind::List,
        T::Http => Kind::Composite(HTTP),
        T::QueryParamReader => Kind::Composite(QUERY),
        T::QrReader | T::IdReader | T::Data => Kind::Composite(DATA),
        T::NumberWithUnit => Kind::Composite(MEASURE),
        T::Autocomplete => Kind::Composite(LABELLED),
        T::FieldGroup | T::LinkButton | T::Loader => Kind::Any,
        T::Location | T::Facility | T::Office | T::AdministrativeArea => Kind::Place,
        T::Time | T::Text | T::Textarea | T::Id | T::Phone | T::Email | T::Country => Kind::Text,
    }
}

/// The form of one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) label: Localised,
    pub(crate) fields: BTreeMap<String, Kind>,
    /// Field → what sentences call it, where it has a label.
    pub(crate) labels: BTreeMap<String, Localised>,
}

impl Form {
    /// The sections of the form: the parts of field ids before the first dot.
    pub(crate) fn sections(&self) -> BTreeSet<&str> {
        self.fields.keys().map(|field| field.split('.').next().unwrap_or(field)).collect()
    }
}

/// Every form of the country.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) forms: BTreeMap<String, Form>,
    pub(crate) sections: BTreeMap<String, Localised>,
    /// Field → what sentences call it. A field that several forms have is called as the first one does.
    option_labels: BTreeMap<String, BTreeMap<String, Localised>>,
}
impl Catalogue {
    pub(crate) fn compile(file: &FieldsFile, document: &Document, out: &mut Vec<Diagnostic>) -> Self {
        let mut catalogue = Self { sections: file.sections.clone(), ..Self::default() };
        for event in &file.events.broken {
            catalogue.forms.entry(event.clone()).or_default();
        }
        for (event, entry) in &file.events.entries {
            let mut form = Form { label: entry.label.clone(), ..Form::default() };
            // A broken field was reported; calling it unknown as well would only add noise.
            form.fields.extend(entry.fields.broken.iter().map(|id| (id.clone(), Kind::Any)));
            for (id, field) in &entry.fields.entries {
                if enough(out) {
                    break;
                }
                let path = at("events").key(event).key("fields").key(id);
                if id.contains('#') || id.contains(char::is_whitespace) || id.is_empty() {
                    out.push(
                        document
                            .at_key(Code::F003, &path, format!("`{id}` cannot be a field id"))
                            .help("a field id has no spaces and no `#`, which addresses a part of a value"),
                    );
                }
                if id.contains('_') {
                    out.push(
                        document
                            .at_key(Code::F001, &path, format!("`{id}` has an underscore"))
                            .help("OpenCRVS 2.0 camel-cases keys with underscores when it reads a record: the field would come back under another id"),
                    );
                }
                let choice = matches!(field.kind, FieldType::Select | FieldType::RadioGroup);
                if choice == field.options.is_empty() {
                    let message = if choice {
                        format!("`{id}` is a choice without options")
                    } else {
                        format!("`{id}` is no choice and has options")
                    };
                    out.push(document.at_key(Code::F002, &path, message).help(
                        "SELECT and RADIO_GROUP list their values under `options`, other types have none",
                    ));
                }
                let kind = if choice && field.options.is_empty() { Kind::Any } else { kind_of(field) };
                let options = match &kind {
                    Kind::Choice(options) => &options[..],
                    _ => &[],
                };
                for option in field.option_labels.keys().filter(|option| !options.contains(option)) {
                    out.push(
                        document
                            .at_key(
                                Code::F020,
                                &path.key("option_labels").key(option),
                                format!("`{option}` is not an option of `{id}`"),
                            )
                            .suggest(nearest(option, options.iter().map(String::as_str)))
                            .help("labels are for the values that the field can have"),
                    );
                }
                catalogue.option_labels.entry(id.clone()).or_insert_with(|| field.option_labels.clone());
                form.fields.insert(id.clone(), kind);
                if !field.label.is_empty() {
                    form.labels.insert(id.clone(), field.label.clone());
                }
            }
            catalogue.forms.insert(event.clone(), form);
        }
        catalogue
    }

    /// What sentences call a value of the field.
    pub(crate) fn option_label(&self, field: &str, option: &str) -> Option<&Localised> {
        self.option_labels.get(field)?.get(option)
    }

    /// Checks that every label comes in every language of the country.
    pub(crate) fn check_labels(
        &self,
        file: &FieldsFile,
        country: &Country,
        document: &Document,
        out: &mut Vec<Diagnostic>,
    ) {
        let mut check = |label: &Localised, path: Path| {
            let missing = country.missing_in(label);
            if !label.is_empty() && !missing.is_empty() {
                out.push(
                    document
                        .at_key(Code::F004, &path, format!("the label is missing in {}", missing.join(", ")))
                        .help("sentences in that language would say it in another one"),
                );
            }
        };
        for (section, label) in &file.sections {
            check(label, at("sections").key(section));
        }
        for (event, form) in &self.forms {
            let path = at("events").key(event);
            check(&form.label, path.key("label"));
            for (field, label) in &form.labels {
                check(label, path.key("fields").key(field).key("label"));
            }
        }
    }

    pub(crate) fn form(&self, event: &str) -> Option<&Form> {
        self.forms.get(event)
    }
}
