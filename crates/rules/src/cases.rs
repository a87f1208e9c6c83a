//! The pack's own tests: given an event, this and nothing else must come out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::actions;
use crate::age::read_duration;
use crate::because;
use crate::catalogue::{Catalogue, Form};
use crate::codes::Code;
use crate::country::Country;
use crate::decision::Facts;
use crate::diagnostics::Diagnostic;
use crate::files::cases::{Because, CaseEntry, CasesFile, Expect};
use crate::given::{GivenDocument, ReadDocument};
use crate::limits::{CASE_VALUES, enough};
use crate::plan::places;
use crate::reference::Spot;
use crate::ruleset::Rules;
use crate::source::{Document, Path, Place, at};
use crate::suggest::nearest;

/// Ids for cases that do not care about them.
pub(crate) const SOME_ID: &str = "00000000-0000-4000-8000-000000000000";
pub(crate) const SOME_TRACKING_ID: &str = "AAAAAA";

/// A case, ready to be run.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) event: String,
    pub(crate) action: String,
    pub(crate) custom_action: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) before: Arc<Map<String, Value>>,
    pub(crate) after: Arc<Map<String, Value>>,
    pub(crate) event_id: String,
    pub(crate) tracking_id: String,
    pub(crate) registration_number: Option<String>,
    /// Name and values of the record of the same file that the case starts from.
    pub(crate) record: Option<(String, Arc<Map<String, Value>>)>,
    pub(crate) expect: Expect,
}

impl Case {
    /// The civil event of the case.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            event: &self.event,
            action: &self.action,
            custom_action: self.custom_action.as_deref(),
            before: &self.before,
            after: &self.after,
            at: self.at,
        }
    }
}

/// The cases of a pack.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    pub(crate) cases: Vec<Case>,
    /// Cases that start from a document while nobody reads documents.
    pub(crate) unread: usize,
}

/// What cases are checked against.
pub(crate) struct CaseWorld<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) country: &'a Country,
    /// The ids of all rules, broken ones too.
    pub(crate) ids: &'a [&'a str],
    pub(crate) rules: &'a Rules,
    /// Path of an event document → its text.
    pub(crate) documents: &'a BTreeMap<&'a str, &'a str>,
    pub(crate) reader: Option<&'a dyn ReadDocument>,
}

/// Whether a file of the pack is an event document.
pub(crate) fn is_document(name: &str) -> bool {
    let name = std::path::Path::new(name);
    name.starts_with("documents") && name.extension().is_some_and(|extension| extension == "json")
}

/// Checks the cases against the forms and the rules.
pub(crate) fn compile(
    files: &[(Document, CasesFile)],
    world: &CaseWorld<'_>,
    out: &mut Vec<Diagnostic>,
) -> Cases {
    let catalogue = world.catalogue;
    let mut cases = Cases::default();
    let mut names = BTreeSet::new();
    let mut used = BTreeSet::new();
    let mut held = 0;
    for (document, file) in files {
        for (name, record) in &file.records.entries {
            let path = at("records").key(name);
            match catalogue.form(&record.event) {
                Some(form) => values(document, &record.event, form, &record.values, &path.key("values"), out),
                None => out.push(no_event(document, &record.event, &path.key("event"), catalogue)),
            }
        }
        for (index, entry) in file.cases.iter() {
            if enough(out) {
                break;
            }
            let path = at("cases").item(index);
            if !names.insert(entry.name.clone()) {
                out.push(
                    document
                        .at_value(Code::C001, &path.key("name"), "another case has this name")
                        .help("a failed case is found by its name"),
                );
            }
            used.extend(entry.given.document.clone());
            let mut compiler = CaseCompiler { document, file, world, out };
            match compiler.case(entry, &path) {
                Some(Ready::Case(case)) => {
                    held += case.before.len() + case.after.len();
                    cases.cases.push(*case);
                }
                Some(Ready::Unread) => cases.unread += 1,
                None => {}
            }
            if held > CASE_VALUES {
                out.push(
                    document
                        .at_value(
                            Code::P032,
                            &path.key("name"),
                            format!("the cases hold more than {CASE_VALUES} values"),
                        )
                        .help("each case has the values of its record: use smaller records"),
                );
                return cases;
            }
        }
    }
    for (name, text) in world.documents {
        let Some(document) = Document::json(name, text, out) else { continue };
        if !has_actions(&document.value) {
            out.push(no_document(&document, "it has no list of `actions`"));
        } else if !used.contains(*name) {
            out.push(
                Diagnostic::of_file(Code::C009, name, "no case starts from this document")
                    .help(format!("write `given: {{ document: {name} }}` in a case, or take the file out")),
            );
        }
    }
    cases
}

/// What there is in every event document, whatever its version.
fn has_actions(value: &Value) -> bool {
    let value = value.get("event").filter(|inner| inner.is_object()).unwrap_or(value);
    value.get("type").is_some_and(Value::is_string) && value.get("actions").is_some_and(Value::is_array)
}

fn no_document(document: &Document, reason: &str) -> Diagnostic {
    document
        .at_value(
            Code::C008,
            &Path::default(),
            format!("this is not an event document that a case can start from: {reason}"),
        )
        .help(
            "an event document is the JSON that OpenCRVS posts to the trigger: id, type, trackingId, actions",
        )
}

/// What a case has come to.
enum Ready {
    Case(Box<Case>),
    Unread,
}

/// What a case starts from.
#[derive(Default)]
struct Start {
    event: Option<String>,
    before: Arc<Map<String, Value>>,
    after: Arc<Map<String, Value>>,
    document: Option<GivenDocument>,
    record: Option<(String, Arc<Map<String, Value>>)>,
}

struct CaseCompiler<'a> {
    document: &'a Document,
    file: &'a CasesFile,
    world: &'a CaseWorld<'a>,
    out: &'a mut Vec<Diagnostic>,
}

impl CaseCompiler<'_> {
    fn case(&mut self, entry: &CaseEntry, path: &Path) -> Option<Ready> {
        let given = &entry.given;
        let here = path.key("given");
        self.expectation(&entry.expect, &path.key("expect"));
        let instant = given.at.as_deref().map(|text| (text, text.parse::<Timestamp>()));
        if let Some((text, Err(_))) = &instant {
            self.out.push(
                self.document
                    .at_value(Code::C006, &here.key("at"), format!("`{text}` is not an instant"))
                    .help("RFC 3339 with its zone: 2026-06-01T09:01:00Z"),
            );
        }
        if let Some(action) = &given.action {
            self.action(action, &here.key("action"));
        }
        let unread = given.document.is_some() && self.world.reader.is_none();
        let mut start = match (&given.document, &given.record) {
            (Some(name), None) => self.read(name, given.action.as_deref(), &here)?,
            (None, Some(name)) => self.record(name, &here)?,
            (None, None) => Start::default(),
            (Some(_), Some(_)) => {
                self.out.push(
                    self.document
                        .at_key(
                            Code::C010,
                            &here.key("record"),
                            "a case starts from a record or from a document",
                        )
                        .help("take one of the two out; `with`, `without` and `change` go with either"),
                );
                return None;
            }
        };
        if given.document.is_some() && given.event.is_some() {
            self.out.push(
                self.document
                    .at_key(Code::C010, &here.key("event"), "the document says which event it is")
                    .help("take `event` out"),
            );
        }
        let Some(event) = given.event.clone().or_else(|| start.event.clone()) else {
            if !unread {
                self.missing("event", "name the event, or a `record` or `document` to start from", &here);
            }
            return unread.then_some(Ready::Unread);
        };
        self.values(entry, &event, start.event.is_some(), &here);
        let from_document = start.document.take();
        let action = given.action.clone().or_else(|| from_document.as_ref().map(|d| d.action.clone()));
        let at = instant.map(|(_, at)| at.ok()).or_else(|| from_document.as_ref().map(|d| Some(d.at)));
        for (key, given) in [("action", action.is_some()), ("at", at.is_some())] {
            if !given {
                self.missing(key, "only a `document` says by itself what waits, and since when", &here);
            }
        }
        let same = Arc::ptr_eq(&start.before, &start.after);
        let before = laid_over(start.before, &given.with, &given.without);
        let after =
            if same { Arc::clone(&before) } else { laid_over(start.after, &given.with, &given.without) };
        let after = laid_over(after, &given.change, &[]);
        let id = |own: &Option<String>, from: Option<String>, some: &str| {
            own.clone().or(from).unwrap_or_else(|| some.to_owned())
        };
        Some(Ready::Case(Box::new(Case {
            file: self.document.name.clone(),
            place: self.document.place(path.key("name")),
            name: entry.name.clone(),
            event,
            action: action?,
            custom_action: given
                .custom_action
                .clone()
                .or_else(|| from_document.as_ref().and_then(|d| d.custom_action.clone())),
            at: at??,
            before,
            after,
            event_id: id(&given.event_id, from_document.as_ref().map(|d| d.event_id.clone()), SOME_ID),
            tracking_id: id(
                &given.tracking_id,
                from_document.as_ref().map(|d| d.tracking_id.clone()),
                SOME_TRACKING_ID,
            ),
            registration_number: given.registration_number.clone(),
            record: start.record,
            expect: entry.expect.clone(),
        })))
    }

    fn missing(&mut self, key: &str, help: &str, here: &Path) {
        self.out.push(self.document.at_key(Code::S001, here, format!("`{key}` is missing here")).help(help));
    }

    fn action(&mut self, action: &str, path: &Path) {
        if actions::known(action).is_none() {
            let (near, help) = actions::unknown(action);
            self.out.push(
                self.document
                    .at_value(Code::R004, path, format!("OpenCRVS never asks about `{action}`"))
                    .suggest(near)
                    .help(help),
            );
        }
    }

    fn record(&mut self, name: &str, here: &Path) -> Option<Start> {
        if let Some(record) = self.file.records.entries.get(name) {
            return Some(Start {
                event: Some(record.event.clone()),
                before: Arc::clone(&record.values),
                after: Arc::clone(&record.values),
                document: None,
                record: Some((name.to_owned(), Arc::clone(&record.values))),
            });
        }
        if !self.file.records.broken.contains(name) {
            self.out.push(
                self.document
                    .at_value(
                        Code::C002,
                        &here.key("record"),
                        format!("`{name}` is not a record of this file"),
                    )
                    .suggest(nearest(name, self.file.records.entries.keys().map(String::as_str))),
            );
        }
        None
    }

    /// An event document; what is wrong with one is reported where it is.
    fn read(&mut self, name: &str, action: Option<&str>, here: &Path) -> Option<Start> {
        let Some(text) = self.world.documents.get(name) else {
            self.out.push(
                self.document
                    .at_value(Code::C007, &here.key("document"), format!("the pack has no file `{name}`"))
                    .suggest(nearest(name, self.world.documents.keys().copied()))
                    .help("event documents stand in the folder `documents` of the pack, as .json"),
            );
            return None;
        };
        // What is no event document at all is reported once, where it is read.
        serde_json::from_str(text).ok().filter(has_actions)?;
        let Some(reader) = self.world.reader else {
            return Some(Start::default());
        };
        match reader.read(text, action, self.world.country.opencrvs) {
            Ok(document) => Some(Start {
                event: Some(document.event.clone()),
                before: Arc::new(document.before.clone()),
                after: Arc::new(document.after.clone()),
                document: Some(document),
                record: None,
            }),
            Err(reason) => {
                self.out.push(
                    self.document
                        .at_value(
                            Code::C008,
                            &here.key("document"),
                            format!("no case can start from this document: {reason}"),
                        )
                        .help("`civitas country explain` reads documents in the same way"),
                );
                None
            }
        }
    }

    /// Checks the values that a case lays over what it starts from.
    fn values(&mut self, entry: &CaseEntry, event: &str, known_event: bool, here: &Path) {
        let given = &entry.given;
        let catalogue = self.world.catalogue;
        if let Some(form) = catalogue.form(event) {
            for (key, map) in [("with", &given.with), ("change", &given.change)] {
                values(self.document, event, form, map, &here.key(key), self.out);
            }
            for (index, field) in given.without.iter().enumerate() {
                known(self.document, event, form, field, &here.key("without").item(index), false, self.out);
            }
        } else if !known_event {
            // An event without a form is a case worth having: nothing happens. A misspelt one is not.
            let meant = nearest(event, catalogue.forms.keys().map(String::as_str));
            if meant.is_some() || !given.with.is_empty() || !given.change.is_empty() {
                self.out.push(no_event(self.document, event, &here.key("event"), catalogue));
            }
        }
    }

    fn expectation(&mut self, expect: &Expect, path: &Path) {
        let act = expect.act.as_str();
        let named = expect.rule.iter().map(|rule| (rule, path.key("rule")));
        let evaluated = expect
            .would_have
            .iter()
            .flatten()
            .enumerate()
            .map(|(index, rule)| (rule, path.key("would_have").item(index)));
        let reasoned = expect.because.keys().map(|rule| (rule, path.key("because").key(rule)));
        for (is_key, rule, path) in named
            .chain(evaluated)
            .map(|(rule, path)| (false, rule, path))
            .chain(reasoned.map(|(rule, path)| (true, rule, path)))
        {
            if !self.world.ids.contains(&rule.as_str()) {
                let spot = Spot { document: self.document, path: &path, is_key };
                self.out.push(
                    spot.problem(Code::C004, format!("`{rule}` is not a rule of rules.yaml"))
                        .suggest(nearest(rule, self.world.ids.iter().copied())),
                );
            }
        }
        let mut contradiction = |path: &Path, message: String, help: &str| {
            self.out.push(self.document.at_key(Code::C005, path, message).help(help));
        };
        match (act == "none", expect.rule.is_some()) {
            (true, true) => contradiction(
                &path.key("rule"),
                "`do: none` means that no rule decides".to_owned(),
                "take `rule` out",
            ),
            (false, false) => contradiction(
                &path.key("do"),
                format!("`do: {act}` comes from a rule"),
                "name the rule that decides under `rule`",
            ),
            _ => {}
        }
        for (key, given, belongs) in [
            ("packet", expect.packet.is_some(), expect.act.sends()),
            ("respond", expect.respond.is_some(), expect.act.sends()),
            ("deadline", expect.deadline.is_some(), expect.act.sends()),
            ("unfit", expect.unfit.is_some(), expect.act.sends() && expect.packet.is_none()),
            ("missing", expect.missing.is_some(), act == "hold"),
            ("write", expect.write.is_some(), expect.act.sends() || act == "ignore"),
        ] {
            if given && !belongs {
                contradiction(
                    &path.key(key),
                    format!("`{key}` does not go with `do: {act}`"),
                    "`packet` or `unfit`, `respond` and `deadline` go with operations, `missing` with `hold`",
                );
            }
        }
        for (rule, because) in &expect.because {
            self.because(expect, rule, because, &path.key("because").key(rule));
        }
        if expect.deadline.as_deref().is_some_and(|text| read_duration(text).is_none()) {
            self.out.push(self.document.at_value(
                Code::R015,
                &path.key("deadline"),
                "this is not a length of time",
            ));
        }
    }

    fn because(&mut self, expect: &Expect, rule: &str, because: &Because, path: &Path) {
        let one = because.failed.is_some() != because.unknown.is_some();
        if expect.rule.as_deref() == Some(rule) || !one {
            let message = if one {
                format!("`{rule}` decides: it does match")
            } else {
                "a rule does not match because terms failed, or because they are unknown".to_owned()
            };
            self.out.push(
                self.document
                    .at_key(Code::C005, path, message)
                    .help("`because` names rules that do not match, each with either `failed` or `unknown`"),
            );
        }
        let Some(rule) = self.world.rules.rules.iter().find(|known| known.id == rule) else { return };
        let mut known = BTreeSet::new();
        if let Some(term) = &rule.term {
            because::names(term, &mut known);
        }
        for (key, list) in [("failed", &because.failed), ("unknown", &because.unknown)] {
            for (name, place) in list.iter().flat_map(|list| places(list, &path.key(key))) {
                if !known.contains(name) {
                    self.out.push(
                        self.document
                            .at_value(Code::C011, &place, format!("`{}` has no term `{name}`", rule.id))
                            .suggest(nearest(name, known.iter().map(String::as_str)))
                            .help("a term is named by its field, its group, or the name of its condition"),
                    );
                }
            }
        }
    }
}

/// The values with others laid over them and fields taken out. Most cases say little of their own: what they share with
/// their record is there once.
fn laid_over(
    mut values: Arc<Map<String, Value>>,
    with: &Map<String, Value>,
    without: &[String],
) -> Arc<Map<String, Value>> {
    if !with.is_empty() || !without.is_empty() {
        let own = Arc::make_mut(&mut values);
        own.extend(with.clone());
        for field in without {
            own.remove(field);
        }
    }
    values
}

fn no_event(document: &Document, event: &str, path: &Path, catalogue: &Catalogue) -> Diagnostic {
    document
        .at_value(Code::R003, path, format!("`{event}` is not an event of fields.yaml"))
        .suggest(nearest(event, catalogue.forms.keys().map(String::as_str)))
}

fn values(
    document: &Document,
    event: &str,
    form: &Form,
    values: &Map<String, Value>,
    path: &Path,
    out: &mut Vec<Diagnostic>,
) {
    for (field, value) in values {
        if enough(out) {
            break;
        }
        let path = path.key(field);
        if !known(document, event, form, field, &path, true, out) {
            continue;
        }
        if let Some(Err(reason)) = form.fields.get(field).map(|kind| kind.accepts(value)) {
            out.push(
                document
                    .at_value(Code::C003, &path, format!("`{field}` would not hold this: {reason}"))
                    .help("a case is worth as much as its record is real"),
            );
        }
    }
}

fn known(
    document: &Document,
    event: &str,
    form: &Form,
    field: &str,
    path: &Path,
    is_key: bool,
    out: &mut Vec<Diagnostic>,
) -> bool {
    if form.fields.contains_key(field) {
        return true;
    }
    let message = format!("`{field}` is not a field of {event}");
    let problem = if is_key {
        document.at_key(Code::R006, path, message)
    } else {
        document.at_value(Code::R006, path, message)
    };
    out.push(problem.suggest(nearest(field, form.fields.keys().map(String::as_str))));
    false
}
