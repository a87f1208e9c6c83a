//! Compiling rules.yaml: every name resolved, every problem at its place.

use std::collections::BTreeSet;

use minijinja::Environment;
use serde_json::Value;

use super::{Rule, Rules};
use crate::actions;
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::condition::Compiler;
use crate::country::Country;
use crate::decision::Respond;
use crate::diagnostics::{Diagnostic, Severity};
use crate::files::Localised;
use crate::files::country::OpencrvsVersion;
use crate::files::rules::{Mode, On, RuleEntry, RuleIds, RulesFile};
use crate::limits::{Spent, enough};
use crate::locations::List;
use crate::mapping::Packets;
use crate::reason::Reasoning;
use crate::review::Review;
use crate::source::{Document, Path, at};
use crate::suggest::nearest;

/// Compiles rules.yaml.
pub(crate) struct RuleCompiler<'a> {
    pub(crate) document: &'a Document,
    pub(crate) file: &'a RulesFile,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) country: &'a Country,
    pub(crate) packets: &'a Packets,
    pub(crate) locations: List<'a>,
    pub(crate) templates: Environment<'static>,
    pub(crate) out: &'a mut Vec<Diagnostic>,
}

impl RuleCompiler<'_> {
    pub(crate) fn compile(mut self) -> Rules {
        let mut rules = Vec::new();
        let mut used = BTreeSet::new();
        let mut spent = Spent::default();
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        for (index, entry) in self.file.rules.iter() {
            if enough(self.out) {
                break;
            }
            let path = at("rules").item(index);
            self.id(entry, &path);
            if !ids.insert(&entry.id) {
                self.out.push(
                    self.document
                        .at_value(
                            Code::R001,
                            &path.key("id"),
                            format!("`{}` is the id of an earlier rule", entry.id),
                        )
                        .help("decisions and audit records name rules by id"),
                );
            }
            self.after(entry, index, &path);
            if let Some(rule) = self.rule(entry, &path, &mut used, &mut spent) {
                self.never_reached(&rules, &rule, &path);
                self.guards(entry, &rule, &path);
                rules.push((index, rule));
            }
        }
        for (index, _) in self.file.rules.0.iter().enumerate().filter(|(_, entry)| entry.is_none()) {
            self.broken(&at("rules").item(index), &mut used, &mut spent);
        }
        for (name, label) in &self.file.labels {
            let path = at("labels").key(name);
            if self.file.conditions.contains_key(name) || self.file.groups.contains_key(name) {
                self.languages(label, &path);
            } else {
                let known = self.file.conditions.keys().chain(self.file.groups.keys()).map(String::as_str);
                self.out.push(
                    self.document
                        .at_key(Code::R008, &path, format!("`{name}` is no condition or group of this file"))
                        .suggest(nearest(name, known)),
                );
            }
        }
        // While rules are broken, what seems unused may only be used by one of them.
        let broken = self
            .out
            .iter()
            .any(|problem| problem.file == self.document.name && problem.severity == Severity::Error);
        let reasoning = Reasoning {
            document: self.document,
            file: self.file,
            catalogue: self.catalogue,
            country: self.country,
            rules: &rules,
            whole: !broken,
        };
        reasoning.check(self.out);
        if !broken {
            self.unused(&used);
            self.unsent();
        }
        if !self.out.iter().any(|problem| problem.severity == Severity::Error) {
            Review {
                document: self.document,
                catalogue: self.catalogue,
                country: self.country,
                packets: self.packets,
                rules: &rules,
            }
            .check(self.out);
        }
        let rules = rules.into_iter().map(|(_, rule)| rule).collect();
        Rules::new(rules, self.file.labels.clone(), self.templates)
    }

    fn unsent(&mut self) {
        let sent: BTreeSet<&str> =
            self.file.rules.iter().filter_map(|(_, rule)| rule.send.as_deref()).collect();
        for name in self.packets.names().filter(|name| !sent.contains(name)) {
            self.out.push(self.packets.unused(name));
        }
    }

    fn id(&mut self, entry: &RuleEntry, path: &Path) {
        let fits = entry.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !fits || entry.id.is_empty() {
            self.out.push(
                self.document
                    .at_value(
                        Code::R002,
                        &path.key("id"),
                        format!("`{}` cannot be the id of a rule", entry.id),
                    )
                    .help("lower case letters, digits and hyphens"),
            );
        }
    }

    fn rule(
        &mut self,
        entry: &RuleEntry,
        path: &Path,
        used: &mut BTreeSet<String>,
        spent: &mut Spent,
    ) -> Option<Rule> {
        self.languages(&entry.name, &path.key("name"));
        let on = path.key("on");
        self.step(entry, &on);
        let effect = self.effect(entry, path);
        self.audit(entry, &path.key("audit"));
        let Some(form) = self.catalogue.form(&entry.on.event) else {
            self.unknown_event(&entry.on.event, &on.key("event"));
            return None;
        };
        let term = match &entry.condition {
            None => None,
            Some(condition) => {
                let mut compiler = Compiler {
                    document: self.document,
                    event: &entry.on.event,
                    form,
                    conditions: &self.file.conditions,
                    groups: &self.file.groups,
                    used,
                    spent,
                    out: self.out,
                    open: Vec::new(),
                };
                Some(compiler.condition(&condition.0, &path.key("if"))?)
            }
        };
        let write = self.write(entry, form, path);
        Some(Rule {
            id: entry.id.clone(),
            name: entry.name.clone(),
            event: entry.on.event.clone(),
            action: entry.on.action.clone(),
            custom_action: entry.on.custom_action.clone(),
            term,
            effect: effect?,
            if_unknown: entry.if_unknown,
            mode: entry.mode,
            audit: entry.audit.clone(),
            after: entry.after.iter().flat_map(RuleIds::ids).cloned().collect(),
            write,
            despite: entry.despite.clone(),
        })
    }

    /// The rules that `after` names stand further up and are for the same step.
    fn after(&mut self, entry: &RuleEntry, index: usize, path: &Path) {
        let Some(after) = &entry.after else { return };
        let path = path.key("after");
        let step = |on: &On| (on.event.clone(), on.action.clone(), on.custom_action.clone());
        let others = |all: bool| {
            let rules = self
                .file
                .rules
                .iter()
                .filter(move |(other, rule)| all || *other < index && step(&rule.on) == step(&entry.on));
            rules.map(|(_, rule)| rule.id.as_str()).collect::<Vec<_>>()
        };
        for (number, id) in after.ids().iter().enumerate() {
            if others(false).contains(&id.as_str()) {
                continue;
            }
            let place = if matches!(after, RuleIds::Many(_)) { path.item(number) } else { path.clone() };
            let problem = if others(true).contains(&id.as_str()) {
                self.document
                    .at_value(
                        Code::R038,
                        &place,
                        format!("`{id}` does not stand further up for the same step"),
                    )
                    .help("the first rule that matches decides: move this one below it, or take `after` out")
            } else {
                self.document
                    .at_value(Code::R038, &place, format!("`{id}` is not a rule of this file"))
                    .suggest(nearest(id, others(false)))
            };
            self.out.push(problem);
        }
    }

    /// What can be said of a rule that could not be read as a whole: its shape was reported, and
    /// the rest of it is checked in the same run.
    fn broken(&mut self, path: &Path, used: &mut BTreeSet<String>, spent: &mut Spent) {
        let Some(rule) = self.document.get(path) else { return };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let on = rule.get("on");
        let event = text(on.and_then(|on| on.get("event")));
        if let (Some(event), Some(action)) = (&event, text(on.and_then(|on| on.get("action")))) {
            let custom = text(on.and_then(|on| on.get("custom_action")));
            self.step_of(&action, custom.is_some(), false, &path.key("on"));
            if let Some(send) = text(rule.get("send")) {
                self.packet(&send, event, &path.key("send"));
            }
        }
        let Some(event) = event else { return };
        let Some(form) = self.catalogue.form(&event) else {
            self.unknown_event(&event, &path.key("on").key("event"));
            return;
        };
        if let Some(condition) = rule.get("if") {
            let mut compiler = Compiler {
                document: self.document,
                event: &event,
                form,
                conditions: &self.file.conditions,
                groups: &self.file.groups,
                used,
                spent,
                out: self.out,
                open: Vec::new(),
            };
            compiler.condition(condition, &path.key("if"));
        }
    }

    fn unknown_event(&mut self, event: &str, path: &Path) {
        self.out.push(
            self.document
                .at_value(Code::R003, path, format!("`{event}` is not an event of fields.yaml"))
                .suggest(nearest(event, self.catalogue.forms.keys().map(String::as_str))),
        );
    }

    fn step(&mut self, entry: &RuleEntry, on: &Path) {
        let awaits = entry.respond == Some(Respond::AwaitExternalValidation);
        self.step_of(&entry.on.action, entry.on.custom_action.is_some(), awaits, on);
        if let Some(custom) = &entry.on.custom_action
            && self.country.history_custom_action.as_ref() == Some(custom)
        {
            self.out.push(
                self.document
                    .at_value(Code::N010, &on.key("custom_action"), format!("`{custom}` carries the engine's own notes"))
                    .help("a rule for it would answer each note with another operation: name another custom action in country.yaml"),
            );
        }
    }

    fn step_of(&mut self, action: &str, custom: bool, awaits: bool, on: &Path) {
        if actions::known(action).is_none() {
            let (near, help) = actions::unknown(action);
            self.out.push(
                self.document
                    .at_value(Code::R004, &on.key("action"), format!("OpenCRVS never asks about `{action}`"))
                    .suggest(near)
                    .help(help),
            );
        }
        self.version(action, on);
        match (action == "CUSTOM", custom) {
            (true, false) => self.out.push(
                self.document
                    .at_value(Code::R005, &on.key("action"), "CUSTOM says nothing without `custom_action`")
                    .help("name the custom action's type, for example `custom_action: REVOKE_REGISTRATION`"),
            ),
            (false, true) => self.out.push(
                self.document
                    .at_key(Code::R005, &on.key("custom_action"), format!("{action} is not a custom action"))
                    .help("write `action: CUSTOM`, or take `custom_action` out"),
            ),
            _ => {}
        }
        let ignored =
            awaits && action == "APPROVE_CORRECTION" && self.country.opencrvs == OpencrvsVersion::V1_9;
        if ignored {
            self.out.push(
                self.document
                    .at_value(Code::R030, &on.key("action"), "OpenCRVS 1.9 does not apply what is written when a correction is accepted")
                    .help("the national id would be stored in the action and never reach the record; 2.0 applies it"),
            );
        }
    }

    pub(crate) fn languages(&mut self, text: &Localised, path: &Path) {
        let missing: Vec<&str> = self.country.missing_in(text);
        if !missing.is_empty() {
            self.out.push(
                self.document
                    .at_key(Code::R029, path, format!("the text is missing in {}", missing.join(", ")))
                    .help("country.yaml lists the languages that every text comes in"),
            );
        }
    }

    fn never_reached(&mut self, earlier: &[(usize, Rule)], rule: &Rule, path: &Path) {
        let cover = earlier.iter().map(|(_, other)| other).find(|other| {
            other.mode == Mode::Enforce
                && other.term.is_none()
                && other.event == rule.event
                && other.action == rule.action
                && (other.custom_action.is_none() || other.custom_action == rule.custom_action)
        });
        if let Some(cover) = cover {
            self.out.push(
                self.document
                    .at_value(Code::R027, &path.key("id"), format!("`{}` is never reached", rule.id))
                    .help(format!("`{}` stands before it and always applies", cover.id)),
            );
        }
    }

    fn unused(&mut self, used: &BTreeSet<String>) {
        let conditions = self.file.conditions.keys().map(|name| ("conditions", name));
        let groups = self.file.groups.keys().map(|name| ("groups", name));
        for (section, name) in conditions.chain(groups).filter(|(_, name)| !used.contains(*name)) {
            self.out.push(
                self.document
                    .at_key(Code::R028, &at(section).key(name), format!("no rule uses `{name}`"))
                    .help("it is not checked against any form; take it out or use it"),
            );
        }
    }
}
