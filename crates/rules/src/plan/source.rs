//! Where a value of a packet comes from: each kind of source, with what it needs beside it.

use std::collections::BTreeMap;

use super::{PlanCompiler, is_plain, places};
use crate::catalogue::Kind;
use crate::codes::Code;
use crate::files::packets::{Given, Mapping, OneOrMany, Shown};
use crate::limits::enough;
use crate::locations::{List, Wanted};
use crate::mapping::{DateFormat, Source};
use crate::reference::{FieldRef, Spot};
use crate::source::Path;
use crate::suggest::{listed, nearest};
use crate::template;

impl PlanCompiler<'_, '_> {
    pub(super) fn source(&mut self, name: &str, mapping: &Mapping, path: &Path) -> Option<Source> {
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
}
