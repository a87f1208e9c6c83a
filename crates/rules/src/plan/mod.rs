//! From a packet as written to a plan: sources resolved, types and the ID schema checked.

mod source;

use std::collections::BTreeMap;

use minijinja::Environment;

use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::packets::{Given, Mapping, OneOrMany, PacketEntry};
use crate::idschema::{IdSchema, Shape};
use crate::limits::enough;
use crate::locations::List;
use crate::mapping::{Plan, Value};
use crate::reference::{FieldRef, Spot};
use crate::source::{Document, Path};
use crate::suggest::nearest;

/// Compiles the packets of one file.
pub(crate) struct PlanCompiler<'a, 'o> {
    pub(crate) document: &'a Document,
    pub(crate) event: &'a str,
    pub(crate) form: &'a Form,
    pub(crate) country: &'a Country,
    pub(crate) schema: &'a IdSchema,
    pub(crate) locations: List<'a>,
    /// The MOSIP language that the value being compiled is wrapped in.
    pub(crate) wrapped: Option<String>,
    pub(crate) templates: &'o mut Environment<'static>,
    pub(crate) out: &'o mut Vec<Diagnostic>,
}

impl PlanCompiler<'_, '_> {
    pub(crate) fn plan(&mut self, name: &str, entry: &PacketEntry, path: &Path) -> Plan {
        let subject = entry.subject.as_ref().and_then(|field| self.field(field, &path.key("subject")));
        let fields = self.fields(name, entry, &path.key("fields"));
        self.mandatory(entry, path);
        let meta = path.key("meta_info");
        let meta_info = entry
            .meta_info
            .entries
            .iter()
            .filter_map(|(label, mapping)| {
                Some((label.clone(), self.value(&format!("{name}/meta/{label}"), mapping, &meta.key(label))?))
            })
            .collect();
        let notify = path.key("notification");
        let mut notification = |part: &str, mapping: &Option<Mapping>| {
            let mapping = mapping.as_ref()?;
            self.value(&format!("{name}/notification/{part}"), mapping, &notify.key(part))
        };
        Plan {
            event: entry.event.clone(),
            process: entry.process.clone(),
            source: entry.source.clone(),
            mandatory: entry.mandatory.clone(),
            subject: subject.map(|(field, _)| field),
            name: notification("name", &entry.notification.name),
            phone: notification("phone", &entry.notification.phone),
            email: notification("email", &entry.notification.email),
            fields,
            meta_info,
        }
    }

    fn fields(&mut self, name: &str, entry: &PacketEntry, path: &Path) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::new();
        for (field, mapping) in &entry.fields.entries {
            let path = path.key(field);
            let shape = self.schema.shape(field);
            if self.schema.is_usable() && shape.is_none() {
                self.out.push(
                    self.document
                        .at_key(Code::M003, &path, format!("the ID schema has no field `{field}`"))
                        .suggest(nearest(field, self.schema.names()))
                        .help("MOSIP drops a field that its schema lacks without a word"),
                );
            }
            let wraps = mapping.language.is_some() || mapping.languages.is_some();
            match shape {
                Some(Shape::Languages) if !wraps => self.out.push(
                    self.document
                        .at_key(
                            Code::M010,
                            &path,
                            format!("`{field}` is a text by language in the ID schema"),
                        )
                        .help(format!("add `language: {}`", self.first_language())),
                ),
                Some(Shape::Text | Shape::Json) if wraps => self.out.push(
                    self.document
                        .at_key(Code::M010, &path, format!("`{field}` is a plain value in the ID schema"))
                        .help("take `language` out"),
                ),
                _ => self.json(field, shape, mapping, &path),
            }
            if let Some(value) = self.value(&format!("{name}/{field}"), mapping, &path) {
                fields.insert(field.clone(), value);
            }
        }
        fields
    }

    fn mandatory(&mut self, entry: &PacketEntry, path: &Path) {
        if !self.schema.is_usable() {
            return;
        }
        for fields in self.schema.required_of(&entry.mandatory) {
            if !fields.iter().any(|field| {
                entry.fields.entries.contains_key(*field) || entry.fields.broken.contains(*field)
            }) {
                self.out.push(
                    self.document
                        .at_key(
                            Code::M004,
                            &path.key("fields"),
                            format!("`{}` is mandatory and not mapped", fields.join("` or `")),
                        )
                        .help(format!(
                            "the ID schema requires it and {} lists it: MOSIP would refuse every packet",
                            entry.process
                        )),
                );
            }
            if let [field] = fields.as_slice()
                && entry.fields.entries.get(*field).is_some_and(|mapping| mapping.optional)
            {
                self.out.push(
                    self.document
                        .at_key(
                            Code::M019,
                            &path.key("fields").key(field).key("optional"),
                            format!("`{field}` is mandatory, and may be left out here"),
                        )
                        .help("a record without it cannot be sent; without `optional` its problem names what is missing"),
                );
            }
        }
        for (index, attribute) in entry.mandatory.iter().enumerate() {
            for name in attribute.split('|').filter(|name| self.schema.shape(name).is_none()) {
                self.out.push(
                    self.document
                        .at_value(
                            Code::M018,
                            &path.key("mandatory").item(index),
                            format!("the ID schema has no field `{name}`"),
                        )
                        .suggest(nearest(name, self.schema.names()))
                        .help(
                            "what it lacks cannot be asked for; MOSIP's list names attributes of the schema",
                        ),
                );
            }
        }
    }

    /// Whether a field that is a list or map in the ID schema gets one, and no other does.
    fn json(&mut self, field: &str, shape: Option<Shape>, mapping: &Mapping, path: &Path) {
        let is_json =
            |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| !json.is_string());
        let (message, help) = match shape {
            Some(Shape::Text) if mapping.list.is_some() => {
                ("is a plain value in the ID schema", "take one value, or join them with `text`")
            }
            Some(Shape::Json) => {
                let given = mapping.list.is_some() || mapping.constant.as_deref().is_some_and(is_json);
                if given {
                    return;
                }
                (
                    "is a list or a map in the ID schema",
                    "write `list: [{ … }, …]`; a template would break at a quote in a value",
                )
            }
            _ => return,
        };
        self.out.push(self.document.at_key(Code::M017, path, format!("`{field}` {message}")).help(help));
    }

    fn first_language(&self) -> &str {
        self.country.languages.first().map_or("eng", |language| language.mosip.as_str())
    }

    pub(crate) fn value(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Value> {
        if enough(self.out) {
            return None;
        }
        let sources = [
            ("from", mapping.from.is_some()),
            ("date", mapping.date.is_some()),
            ("code", mapping.code.is_some()),
            ("location", mapping.location.is_some()),
            ("choose", mapping.choose.is_some()),
            ("text", mapping.text.is_some()),
            ("given", mapping.given.is_some()),
            ("constant", mapping.constant.is_some()),
            ("list", mapping.list.is_some()),
            ("languages", mapping.languages.is_some()),
        ];
        let given: Vec<&str> = sources.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
        let &[source] = given.as_slice() else {
            let names: Vec<&str> = sources.iter().map(|(key, _)| *key).collect();
            let message = if given.is_empty() {
                "the value has no source".to_owned()
            } else {
                format!("the value has {} sources: {}", given.len(), given.join(", "))
            };
            self.out.push(
                self.document
                    .at_key(Code::M001, path, message)
                    .help(format!("exactly one of {}", names.join(", "))),
            );
            return None;
        };
        self.companions(mapping, source, path);
        if let Some(language) = &mapping.language {
            self.language(language, &path.key("language"), false);
        }
        let around = self.wrapped.clone();
        if mapping.language.is_some() {
            self.wrapped.clone_from(&mapping.language);
        }
        let compiled = self.source(name, mapping, path);
        self.wrapped = around;
        let compiled = compiled?;
        Some(Value {
            source: compiled,
            language: mapping.language.clone(),
            optional: mapping.optional,
            only_if_changed: mapping.only_if_changed,
        })
    }

    /// Keys that say something about one source only.
    fn companions(&mut self, mapping: &Mapping, source: &str, path: &Path) {
        for (key, given, belongs) in [
            ("format", mapping.format.is_some(), &["date"][..]),
            ("map", mapping.map.is_some(), &["code"]),
            ("default", mapping.default.is_some(), &["code", "location"]),
            ("level", mapping.level.is_some(), &["location"]),
            ("as", mapping.shown.is_some(), &["location"]),
            ("with", mapping.with.is_some(), &["text"]),
        ] {
            let dated = key == "format" && mapping.given == Some(Given::ActionDate);
            if given && !belongs.contains(&source) && !dated {
                self.out.push(
                    self.document
                        .at_key(Code::M002, &path.key(key), format!("`{key}` does not go with `{source}`"))
                        .help(format!("it belongs to `{}`", belongs.join("` and `"))),
                );
            }
        }
        let wanted = match source {
            "date" if mapping.format.is_none() => Some("format"),
            "code" if mapping.map.is_none() => Some("map"),
            "location" if mapping.level.is_none() => Some("level"),
            "given" if mapping.given == Some(Given::ActionDate) && mapping.format.is_none() => Some("format"),
            _ => None,
        };
        if let Some(wanted) = wanted {
            self.out.push(self.document.at_key(
                Code::M002,
                &path.key(source),
                format!("`{source}` wants `{wanted}` beside it"),
            ));
        }
        let fixed = matches!(source, "given" | "constant" | "choose");
        if mapping.only_if_changed && fixed {
            self.out.push(
                self.document
                    .at_key(
                        Code::M002,
                        &path.key("only_if_changed"),
                        format!("`only_if_changed` does not go with `{source}`"),
                    )
                    .help("it asks whether the action changes the fields that the value is made of"),
            );
        }
        if mapping.languages.is_some() && mapping.language.is_some() {
            self.out.push(self.document.at_key(
                Code::M002,
                &path.key("language"),
                "`language` does not go with `languages`",
            ));
        }
    }

    fn language(&mut self, language: &str, path: &Path, is_key: bool) {
        let known: Vec<&str> = self.country.languages.iter().map(|known| known.mosip.as_str()).collect();
        if !known.contains(&language) {
            let spot = Spot { document: self.document, path, is_key };
            self.out.push(
                spot.problem(Code::M011, format!("`{language}` is not a MOSIP language of the country"))
                    .suggest(nearest(language, known.iter().copied()))
                    .help(format!("country.yaml has {}", known.join(", "))),
            );
        }
    }

    fn typed(
        &mut self,
        fields: &OneOrMany,
        path: &Path,
        fits: impl Fn(&Kind) -> bool,
    ) -> Option<Vec<FieldRef>> {
        let mut resolved = Vec::new();
        let mut whole = true;
        for (field, place) in places(fields, path) {
            match self.field(field, &place) {
                Some((field, kind)) if fits(&kind) => resolved.push(field),
                Some((_, kind)) => {
                    self.wrong_type(&kind, &place);
                    whole = false;
                }
                None => whole = false,
            }
        }
        whole.then_some(resolved)
    }

    fn wrong_type(&mut self, kind: &Kind, path: &Path) {
        let help = match kind {
            Kind::Composite(parts) => {
                let parts: Vec<String> = parts.iter().map(|(part, _)| format!("#{part}")).collect();
                format!("address a part ({}), or use `text`", parts.join(", "))
            }
            _ => {
                "`from` takes texts, numbers and choices, `date` takes dates, `code` takes choices, yes or no, and texts, `location` takes places"
                    .to_owned()
            }
        };
        self.out.push(
            self.document
                .at_value(Code::M007, path, format!("{} cannot be used here", kind.noun()))
                .help(help),
        );
    }

    fn field(&mut self, text: &str, path: &Path) -> Option<(FieldRef, Kind)> {
        let spot = Spot { document: self.document, path, is_key: false };
        FieldRef::resolve(text, self.event, self.form, spot, self.out)
    }
}

/// Each field with the place where it stands.
pub(crate) fn places<'f>(fields: &'f OneOrMany, path: &Path) -> Vec<(&'f str, Path)> {
    match fields {
        OneOrMany::One(field) => vec![(field.as_str(), path.clone())],
        OneOrMany::Many(fields) => {
            fields.iter().enumerate().map(|(index, field)| (field.as_str(), path.item(index))).collect()
        }
    }
}

/// Whether a value of the kind is one text.
fn is_plain(kind: &Kind) -> bool {
    !matches!(kind, Kind::Composite(_) | Kind::List)
}
