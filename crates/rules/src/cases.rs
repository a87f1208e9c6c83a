//! The pack's own tests: given an event, this and nothing else must come out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::age::read_duration;
use crate::catalogue::{Catalogue, Form};
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::files::cases::{CaseEntry, CasesFile, Expect};
use crate::limits::{CASE_VALUES, enough};
use crate::ruleset::ACTIONS;
use crate::source::{Document, Path, at};
use crate::suggest::nearest;

/// Ids for cases that do not care about them.
const SOME_ID: &str = "00000000-0000-4000-8000-000000000000";
const SOME_TRACKING_ID: &str = "AAAAAA";

/// A case, ready to be run.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) event: String,
    pub(crate) action: String,
    pub(crate) custom_action: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) before: Map<String, Value>,
    pub(crate) after: Map<String, Value>,
    pub(crate) event_id: String,
    pub(crate) tracking_id: String,
    pub(crate) registration_number: Option<String>,
    pub(crate) expect: Expect,
}

/// Checks the cases against the forms and the rules.
pub(crate) fn compile(
    files: &[(&Document, CasesFile)],
    catalogue: &Catalogue,
    rules: &[&str],
    out: &mut Vec<Diagnostic>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut names = BTreeSet::new();
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
            let mut compiler = CaseCompiler { document, file, catalogue, rules, out };
            let case = compiler.case(entry, &path);
            held += case.as_ref().map_or(0, |case| case.before.len() + case.after.len());
            cases.extend(case);
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
    cases
}

struct CaseCompiler<'a> {
    document: &'a Document,
    file: &'a CasesFile,
    catalogue: &'a Catalogue,
    rules: &'a [&'a str],
    out: &'a mut Vec<Diagnostic>,
}

impl CaseCompiler<'_> {
    fn case(&mut self, entry: &CaseEntry, path: &Path) -> Option<Case> {
        let given = &entry.given;
        let here = path.key("given");
        self.expectation(&entry.expect, &path.key("expect"));
        let at = given.at.parse::<Timestamp>();
        if at.is_err() {
            self.out.push(
                self.document
                    .at_value(Code::C006, &here.key("at"), format!("`{}` is not an instant", given.at))
                    .help("RFC 3339 with its zone: 2026-06-01T09:01:00Z"),
            );
        }
        let record = match &given.record {
            None => None,
            Some(name) => match self.file.records.entries.get(name) {
                Some(record) => Some(record),
                None if self.file.records.broken.contains(name) => return None,
                None => {
                    self.out.push(
                        self.document
                            .at_value(
                                Code::C002,
                                &here.key("record"),
                                format!("`{name}` is not a record of this file"),
                            )
                            .suggest(nearest(name, self.file.records.entries.keys().map(String::as_str))),
                    );
                    return None;
                }
            },
        };
        let Some(event) = given.event.clone().or_else(|| record.map(|record| record.event.clone())) else {
            self.out.push(
                self.document
                    .at_key(Code::S001, &here, "`event` is missing here")
                    .help("name the event, or a `record` to start from"),
            );
            return None;
        };
        if let Some(form) = self.catalogue.form(&event) {
            for (key, map) in [("with", &given.with), ("change", &given.change)] {
                values(self.document, &event, form, map, &here.key(key), self.out);
            }
            for (index, field) in given.without.iter().enumerate() {
                known(self.document, &event, form, field, &here.key("without").item(index), false, self.out);
            }
        } else if record.is_none() {
            // An event without a form is a case worth having: nothing happens. A misspelt one is not.
            let meant = nearest(&event, self.catalogue.forms.keys().map(String::as_str));
            if meant.is_some() || !given.with.is_empty() || !given.change.is_empty() {
                self.out.push(no_event(self.document, &event, &here.key("event"), self.catalogue));
            }
        }
        if !ACTIONS.contains(&given.action.as_str()) {
            self.out.push(
                self.document
                    .at_value(
                        Code::R004,
                        &here.key("action"),
                        format!("OpenCRVS never asks about `{}`", given.action),
                    )
                    .suggest(nearest(&given.action, ACTIONS)),
            );
        }
        let mut before = record.map(|record| record.values.clone()).unwrap_or_default();
        before.extend(given.with.clone());
        for field in &given.without {
            before.remove(field);
        }
        let mut after = before.clone();
        after.extend(given.change.clone());
        Some(Case {
            file: self.document.name.clone(),
            line: self.document.at_value(Code::C001, &path.key("name"), "").line,
            name: entry.name.clone(),
            event,
            action: given.action.clone(),
            custom_action: given.custom_action.clone(),
            at: at.ok()?,
            before,
            after,
            event_id: given.event_id.clone().unwrap_or_else(|| SOME_ID.to_owned()),
            tracking_id: given.tracking_id.clone().unwrap_or_else(|| SOME_TRACKING_ID.to_owned()),
            registration_number: given.registration_number.clone(),
            expect: entry.expect.clone(),
        })
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
        for (rule, path) in named.chain(evaluated) {
            if !self.rules.contains(&rule.as_str()) {
                self.out.push(
                    self.document
                        .at_value(Code::C004, &path, format!("`{rule}` is not a rule of rules.yaml"))
                        .suggest(nearest(rule, self.rules.iter().copied())),
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
            ("missing", expect.missing.is_some(), act == "hold"),
        ] {
            if given && !belongs {
                contradiction(
                    &path.key(key),
                    format!("`{key}` does not go with `do: {act}`"),
                    "`packet`, `respond` and `deadline` go with operations, `missing` with `hold`",
                );
            }
        }
        if expect.deadline.as_deref().is_some_and(|text| read_duration(text).is_none()) {
            self.out.push(self.document.at_value(
                Code::R015,
                &path.key("deadline"),
                "this is not a length of time",
            ));
        }
    }
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
