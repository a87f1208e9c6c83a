//! From a packet as written to a plan: sources resolved, types and the ID schema checked.

use std::collections::BTreeMap;

use minijinja::Environment;

use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::packets::{Given, Mapping, OneOrMany, PacketEntry, Shown};
use crate::idschema::{IdSchema, Shape};
use crate::limits::enough;
use crate::locations::{List, Wanted};
use crate::mapping::{DateFormat, Plan, Source, Value};
use crate::reference::{FieldRef, Spot};
use crate::source::{Document, Path};
use crate::suggest::{listed, nearest};
use crate::template;

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

    fn value(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Value> {
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

    fn source(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Source> {
        if let Some(fields) = &mapping.from {
            self.bare_places(fields, &path.key("from"));
            return self.typed(fields, &path.key("from"), is_plain).map(Source::From);
        }
        if let Some(fields) = &mapping.date {
            let fields =
                self.typed(fields, &path.key("date"), |kind| matches!(kind, Kind::Date | Kind::Any))?;
            return self.format(mapping, path).map(|format| Source::Date { fields, format });
        }
        if let Some(fields) = &mapping.location {
            return self.location(fields, mapping, path);
        }
        if let Some(items) = &mapping.list {
            let path = path.key("list");
            let mut values = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let path = path.item(index);
                if item.list.is_some() || item.languages.is_some() || item.language.is_some() {
                    self.out.push(self.document.at_key(
                        Code::M002,
                        &path,
                        "an item of a list is one plain value",
                    ));
                    continue;
                }
                values.extend(self.value(&format!("{name}/{index}"), item, &path));
            }
            return Some(Source::List(values));
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
                let around = self.wrapped.replace(language.clone());
                let value = self.value(&format!("{name}/{language}"), mapping, &path);
                self.wrapped = around;
                if let Some(value) = value {
                    values.insert(language.clone(), value);
                }
            }
            return Some(Source::Languages(values));
        }
        if mapping.given == Some(Given::ActionDate) {
            return self.format(mapping, path).map(Source::ActionDate);
        }
        mapping.given.map(Source::Given).or_else(|| mapping.constant.clone().map(Source::Constant))
    }

    fn format(&mut self, mapping: &Mapping, path: &Path) -> Option<DateFormat> {
        let text = mapping.format.as_deref()?;
        let format = DateFormat::parse(text);
        if format.is_none() {
            self.out.push(
                self.document
                    .at_value(Code::M006, &path.key("format"), format!("`{text}` is not a date format"))
                    .help("yyyy, MM and dd once each, with separators: yyyy/MM/dd"),
            );
        }
        format
    }

    /// The id of a place means nothing outside of OpenCRVS.
    fn bare_places(&mut self, fields: &OneOrMany, path: &Path) {
        for (field, place) in places(fields, path) {
            let spot = Spot { document: self.document, path: &place, is_key: false };
            let resolved = FieldRef::resolve(field, self.event, self.form, spot, &mut Vec::new());
            if resolved.is_some_and(|(_, kind)| kind == Kind::Place) {
                self.out.push(
                    self.document
                        .at_value(Code::M015, &place, format!("`{field}` is the id of a place"))
                        .help("MOSIP does not know OpenCRVS's ids: write `location: …` with a `level`, and put the places into locations.csv"),
                );
            }
        }
    }

    fn location(&mut self, fields: &OneOrMany, mapping: &Mapping, path: &Path) -> Option<Source> {
        let here = path.key("location");
        let fields = self.typed(fields, &here, |kind| matches!(kind, Kind::Place | Kind::Any))?;
        let name = mapping.level.as_deref()?;
        let locations = match self.locations {
            List::Of(locations) => locations,
            List::Broken => return None,
            List::Missing => {
                self.out.push(
                self.document
                    .at_key(Code::M013, &here, "the pack has no list of places")
                    .help("add locations.csv, and its levels to country.yaml; `civitas country import-locations` makes it from OpenCRVS's own list"),
            );
                return None;
            }
        };
        let Some(level) = locations.level(name) else {
            let known: Vec<&str> = locations.levels().collect();
            self.out.push(
                self.document
                    .at_value(
                        Code::M014,
                        &path.key("level"),
                        format!("`{name}` is not a level of the country"),
                    )
                    .suggest(nearest(name, known.iter().copied()))
                    .help(format!("from the top they are {}", known.join(", "))),
            );
            return None;
        };
        let wanted = match mapping.shown.unwrap_or_default() {
            Shown::Code => {
                let missing = locations.without_code(level);
                if missing > 0 {
                    self.out.push(
                        self.document
                            .at_value(
                                Code::M016,
                                &path.key("as"),
                                format!("{missing} of the places of level {name} have no code"),
                            )
                            .help("fill the column `code` of locations.csv: a record from there could not be sent"),
                    );
                }
                Wanted::Code
            }
            Shown::Name => {
                let language = self.wrapped.as_deref();
                let languages = &self.country.languages;
                Wanted::Name(
                    languages.iter().position(|known| Some(known.mosip.as_str()) == language).unwrap_or(0),
                )
            }
        };
        Some(Source::Location { fields, level, wanted, default: mapping.default.clone() })
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
                    self.uncoded(options, &map, mapping, path);
                }
                Kind::Bool => {
                    let both = ["true".to_owned(), "false".to_owned()];
                    for word in map.keys() {
                        self.option(word, &both, &path.key("map").key(word));
                    }
                    self.uncoded(&both, &map, mapping, path);
                }
                Kind::Text | Kind::Number | Kind::Place | Kind::Any => {}
                other => {
                    self.wrong_type(other, &place);
                    continue;
                }
            }
            resolved.push(field);
        }
        Some(Source::Code { fields: resolved, map, default: mapping.default.clone() })
    }

    fn uncoded(
        &mut self,
        options: &[String],
        map: &BTreeMap<String, String>,
        mapping: &Mapping,
        path: &Path,
    ) {
        let uncoded: Vec<&str> = options
            .iter()
            .map(String::as_str)
            .filter(|option| mapping.default.is_none() && !map.contains_key(*option))
            .collect();
        if !uncoded.is_empty() {
            self.out.push(
                self.document
                    .at_key(Code::M009, &path.key("map"), format!("no code for {}", listed(&uncoded)))
                    .help("a record with such a value could not be sent: add the codes, or a `default`"),
            );
        }
    }

    fn option(&mut self, word: &str, options: &[String], path: &Path) {
        if !options.iter().any(|option| option == word) && !enough(self.out) {
            self.out.push(
                self.document
                    .at_key(Code::M008, path, format!("the field never has the value `{word}`"))
                    .suggest(nearest(word, options.iter().map(String::as_str)))
                    .help(format!("its values are {}", listed(options))),
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
