//! From a packet as written to a plan: sources resolved, types and the ID schema checked.

use std::collections::BTreeMap;

use minijinja::Environment;

use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::packets::{Mapping, OneOrMany, PacketEntry};
use crate::idschema::{IdSchema, Shape};
use crate::mapping::{DateFormat, Plan, Source, Value};
use crate::reference::{FieldRef, Spot};
use crate::source::{Document, Path};
use crate::suggest::nearest;
use crate::template;

/// Compiles the packets of one file.
pub(crate) struct PlanCompiler<'a, 'o> {
    pub(crate) document: &'a Document,
    pub(crate) event: &'a str,
    pub(crate) form: &'a Form,
    pub(crate) country: &'a Country,
    pub(crate) schema: &'a IdSchema,
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
                _ => {}
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
        for (index, field) in entry.mandatory.iter().enumerate() {
            if self.schema.shape(field).is_none() {
                self.out.push(
                    self.document
                        .at_value(
                            Code::M003,
                            &path.key("mandatory").item(index),
                            format!("the ID schema has no field `{field}`"),
                        )
                        .suggest(nearest(field, self.schema.names()))
                        .help("what must be sent is what this list and the schema's `required` both name"),
                );
            }
        }
        for field in self.schema.required_of(&entry.mandatory) {
            let may_lack = entry.fields.entries.get(field).is_some_and(|m| m.optional || m.only_if_changed);
            if may_lack {
                self.out.push(
                    self.document
                        .at_key(
                            Code::M004,
                            &path.key("fields").key(field),
                            format!("`{field}` is mandatory, and this mapping may leave it out"),
                        )
                        .help("take `optional` and `only_if_changed` out: a record without the value is found here, not by MOSIP"),
                );
            }
            if !entry.fields.entries.contains_key(field) && !entry.fields.broken.contains(field) {
                self.out.push(
                    self.document
                        .at_key(
                            Code::M004,
                            &path.key("fields"),
                            format!("`{field}` is mandatory and not mapped"),
                        )
                        .help(format!(
                            "the ID schema requires it and {} lists it: MOSIP would refuse every packet",
                            entry.process
                        )),
                );
            }
        }
    }

    fn first_language(&self) -> &str {
        self.country.languages.first().map_or("eng", |language| language.mosip.as_str())
    }

    fn value(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Value> {
        let sources = [
            ("from", mapping.from.is_some()),
            ("date", mapping.date.is_some()),
            ("code", mapping.code.is_some()),
            ("choose", mapping.choose.is_some()),
            ("text", mapping.text.is_some()),
            ("given", mapping.given.is_some()),
            ("constant", mapping.constant.is_some()),
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
        let compiled = self.source(name, mapping, path)?;
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
            ("format", mapping.format.is_some(), "date"),
            ("map", mapping.map.is_some(), "code"),
            ("default", mapping.default.is_some(), "code"),
            ("with", mapping.with.is_some(), "text"),
        ] {
            if given && belongs != source {
                self.out.push(
                    self.document
                        .at_key(Code::M002, &path.key(key), format!("`{key}` does not go with `{source}`"))
                        .help(format!("it belongs to `{belongs}`")),
                );
            }
        }
        let wanted = match source {
            "date" if mapping.format.is_none() => Some("format"),
            "code" if mapping.map.is_none() => Some("map"),
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

    fn source(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Source> {
        if let Some(fields) = &mapping.from {
            return self.typed(fields, &path.key("from"), is_plain).map(Source::From);
        }
        if let Some(fields) = &mapping.date {
            let fields = self.typed(fields, &path.key("date"), |kind| *kind == Kind::Date)?;
            let text = mapping.format.as_deref()?;
            let Some(format) = DateFormat::parse(text) else {
                self.out.push(
                    self.document
                        .at_value(Code::M006, &path.key("format"), format!("`{text}` is not a date format"))
                        .help("yyyy, MM and dd once each, with separators: yyyy/MM/dd"),
                );
                return None;
            };
            return Some(Source::Date { fields, format });
        }
        if let Some(fields) = &mapping.code {
            return self.code(fields, mapping, path);
        }
        if let Some(choose) = &mapping.choose {
            let path = path.key("choose");
            let by = self.field(&choose.by, &path.key("by"));
            let mut cases = BTreeMap::new();
            for (word, fields) in &choose.cases {
                let path = path.key("cases").key(word);
                if let Some((_, Kind::Choice(options))) = &by {
                    self.option(word, options, &path);
                }
                if let Some(fields) = self.typed(fields, &path, is_plain) {
                    cases.insert(word.clone(), fields);
                }
            }
            let otherwise = match &choose.otherwise {
                Some(fields) => self.typed(fields, &path.key("otherwise"), is_plain)?,
                None => Vec::new(),
            };
            return Some(Source::Choose { by: by?.0, cases, otherwise });
        }
        if let Some(text) = &mapping.text {
            return self.template(name, text, mapping, path);
        }
        if let Some(languages) = &mapping.languages {
            let path = path.key("languages");
            let mut values = BTreeMap::new();
            for (language, mapping) in languages {
                let path = path.key(language);
                self.language(language, &path, true);
                if mapping.languages.is_some() || mapping.language.is_some() {
                    self.out.push(self.document.at_key(
                        Code::M002,
                        &path,
                        "a source inside `languages` has no language of its own",
                    ));
                    continue;
                }
                if let Some(value) = self.value(&format!("{name}/{language}"), mapping, &path) {
                    values.insert(language.clone(), value);
                }
            }
            return Some(Source::Languages(values));
        }
        mapping.given.map(Source::Given).or_else(|| mapping.constant.clone().map(Source::Constant))
    }

    fn code(&mut self, fields: &OneOrMany, mapping: &Mapping, path: &Path) -> Option<Source> {
        let here = path.key("code");
        let map = mapping.map.clone()?;
        let mut resolved = Vec::new();
        for (field, place) in places(fields, &here) {
            let Some((field, kind)) = self.field(field, &place) else { continue };
            match &kind {
                Kind::Choice(options) => {
                    for word in map.keys() {
                        self.option(word, options, &path.key("map").key(word));
                    }
                    let uncoded: Vec<&str> = options
                        .iter()
                        .map(String::as_str)
                        .filter(|option| mapping.default.is_none() && !map.contains_key(*option))
                        .collect();
                    if !uncoded.is_empty() {
                        self.out.push(
                            self.document
                                .at_key(Code::M009, &path.key("map"), format!("no code for {}", uncoded.join(", ")))
                                .help("a record with such a value could not be sent: add the codes, or a `default`"),
                        );
                    }
                }
                Kind::Text | Kind::Any => {}
                other => {
                    self.wrong_type(other, &place);
                    continue;
                }
            }
            resolved.push(field);
        }
        Some(Source::Code { fields: resolved, map, default: mapping.default.clone() })
    }

    fn option(&mut self, word: &str, options: &[String], path: &Path) {
        if !options.iter().any(|option| option == word) {
            self.out.push(
                self.document
                    .at_key(Code::M008, path, format!("the field never has the value `{word}`"))
                    .suggest(nearest(word, options.iter().map(String::as_str)))
                    .help(format!("its values are {}", options.join(", "))),
            );
        }
    }

    fn template(&mut self, name: &str, text: &str, mapping: &Mapping, path: &Path) -> Option<Source> {
        let mut with = Vec::new();
        for (alias, field) in mapping.with.iter().flatten() {
            if let Some((field, kind)) = self.field(field, &path.key("with").key(alias)) {
                with.push((alias.clone(), field, kind));
            }
        }
        if with.len() < mapping.with.as_ref().map_or(0, BTreeMap::len) {
            return None;
        }
        match template::add(self.templates, name, text, &with) {
            Ok(()) => Some(Source::Text { template: name.to_owned(), with }),
            Err(reason) => {
                self.out.push(
                    self.document
                        .at_value(Code::M005, &path.key("text"), reason)
                        .help("a template sees the names under `with`, and the parts of their values"),
                );
                None
            }
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
                "`from` takes texts, numbers and choices, `date` takes dates, `code` takes choices and texts"
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
fn places<'f>(fields: &'f OneOrMany, path: &Path) -> Vec<(&'f str, Path)> {
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
