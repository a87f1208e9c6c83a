//! Compiled packets: every value's source resolved against the form and the ID schema.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Environment;

use crate::catalogue::{Catalogue, Kind};
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::packets::{Given, PacketsFile};
use crate::idschema::IdSchema;
use crate::locations::{List, Wanted};
use crate::plan::PlanCompiler;
use crate::reference::FieldRef;
use crate::source::{Document, at};
use crate::suggest::nearest;
use crate::template;

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    From(Vec<FieldRef>),
    Choose { by: FieldRef, cases: BTreeMap<String, Vec<FieldRef>>, otherwise: Vec<FieldRef> },
    Date { fields: Vec<FieldRef>, format: DateFormat },
    Code { fields: Vec<FieldRef>, map: BTreeMap<String, String>, default: Option<String> },
    Location { fields: Vec<FieldRef>, level: u8, wanted: Wanted, default: Option<String> },
    Text { template: String, with: Vec<(String, FieldRef, Kind)> },
    Given(Given),
    ActionDate(DateFormat),
    Constant(String),
    List(Vec<Value>),
    Languages(BTreeMap<String, Value>),
}

impl Source {
    /// Tells every field that it reads.
    pub(crate) fn fields(&self, tell: &mut dyn FnMut(&FieldRef)) {
        match self {
            Self::From(fields)
            | Self::Date { fields, .. }
            | Self::Code { fields, .. }
            | Self::Location { fields, .. } => fields.iter().for_each(tell),
            Self::Choose { by, cases, otherwise } => {
                tell(by);
                cases.values().flatten().chain(otherwise).for_each(tell);
            }
            Self::Text { with, .. } => with.iter().for_each(|(_, field, _)| tell(field)),
            Self::Languages(values) => values.values().for_each(|value| value.source.fields(tell)),
            Self::List(values) => values.iter().for_each(|value| value.source.fields(tell)),
            Self::Given(_) | Self::ActionDate(_) | Self::Constant(_) => {}
        }
    }
}

/// A source and what is done with its text.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) source: Source,
    pub(crate) language: Option<String>,
    pub(crate) optional: bool,
    pub(crate) only_if_changed: bool,
}

/// How a date is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateFormat(pub(crate) Vec<DatePiece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatePiece {
    Year,
    Month,
    Day,
    Fixed(char),
}

impl DateFormat {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (piece, length) = if rest.starts_with("yyyy") {
                (DatePiece::Year, 4)
            } else if rest.starts_with("MM") {
                (DatePiece::Month, 2)
            } else if rest.starts_with("dd") {
                (DatePiece::Day, 2)
            } else if first.is_ascii_punctuation() || first == ' ' {
                (DatePiece::Fixed(first), 1)
            } else {
                return None;
            };
            pieces.push(piece);
            rest = &rest[length..];
        }
        let whole = [DatePiece::Year, DatePiece::Month, DatePiece::Day]
            .iter()
            .all(|piece| pieces.iter().filter(|other| *other == piece).count() == 1);
        whole.then_some(Self(pieces))
    }
}

/// One packet, ready to be built.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) event: String,
    pub(crate) process: String,
    /// MOSIP's name for where it comes from, where it is not the file's.
    pub(crate) source: Option<String>,
    pub(crate) mandatory: Vec<String>,
    pub(crate) subject: Option<FieldRef>,
    pub(crate) fields: BTreeMap<String, Value>,
    pub(crate) meta_info: BTreeMap<String, Value>,
    pub(crate) name: Option<Value>,
    pub(crate) phone: Option<Value>,
    pub(crate) email: Option<Value>,
}

/// Every packet of the country.
#[derive(Debug)]
pub(crate) struct Packets {
    pub(crate) source: String,
    pub(crate) schema_version: String,
    pub(crate) plans: BTreeMap<String, Plan>,
    pub(crate) templates: Environment<'static>,
    broken: BTreeSet<String>,
    document: Document,
}

impl Packets {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.plans.keys().map(String::as_str)
    }

    pub(crate) fn event_of(&self, name: &str) -> Option<&str> {
        self.plans.get(name).map(|plan| plan.event.as_str())
    }

    /// Whether the packet exists in the file and was reported as broken.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    pub(crate) fn unused(&self, name: &str) -> Diagnostic {
        self.document
            .at_key(Code::M012, &at("packets").key(name), format!("no rule sends `{name}`"))
            .help("take it out, or name it under `send`")
    }

    pub(crate) fn compile(
        file: &PacketsFile,
        document: &Document,
        catalogue: &Catalogue,
        country: &Country,
        schema: &IdSchema,
        locations: List<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut packets = Self {
            source: file.source.clone(),
            schema_version: file.schema_version.clone(),
            plans: BTreeMap::new(),
            templates: template::environment(),
            broken: file.packets.broken.clone(),
            document: document.clone(),
        };
        if file.schema_version.parse::<f64>().is_err() {
            out.push(
                document
                    .at_value(Code::S005, &at("schema_version"), "not a decimal number")
                    .help("MOSIP reads the schema version as a number: \"0.5\""),
            );
        }
        for (name, entry) in &file.packets.entries {
            let path = at("packets").key(name);
            let Some(form) = catalogue.form(&entry.event) else {
                out.push(
                    document
                        .at_value(
                            Code::R003,
                            &path.key("event"),
                            format!("`{}` is not an event of fields.yaml", entry.event),
                        )
                        .suggest(nearest(&entry.event, catalogue.forms.keys().map(String::as_str))),
                );
                packets.broken.insert(name.clone());
                continue;
            };
            let mut compiler = PlanCompiler {
                document,
                event: &entry.event,
                form,
                country,
                schema,
                locations,
                wrapped: None,
                templates: &mut packets.templates,
                out,
            };
            let plan = compiler.plan(name, entry, &path);
            packets.plans.insert(name.clone(), plan);
        }
        packets
    }
}
