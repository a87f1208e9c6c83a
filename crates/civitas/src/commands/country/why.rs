//! Why one civil event is decided as it is: sentences, the tree of terms, and which action gave each value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{anyhow, bail};
use civitas_engine::opencrvs_version;
use civitas_opencrvs::{Action, EventDocument, Origin, Origins, Prospective};
use civitas_rules::{Explanation, Facts, Pack, RuleTree, TermTree, Truth};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::words::instant;

/// The civil event of a document that is to be explained.
pub(super) struct Why<'a> {
    pack: &'a Pack,
    document: &'a EventDocument,
    action: &'a Action,
    states: Prospective,
    origins: Origins<'a>,
    /// Whether it was answered since.
    answered: bool,
}

impl<'a> Why<'a> {
    /// The action that waits, or the newest past one of this type.
    pub(super) fn of_type(
        pack: &'a Pack,
        document: &'a EventDocument,
        action_type: Option<&str>,
    ) -> anyhow::Result<Self> {
        let pending = match action_type {
            Some(action) => document.pending(action),
            None => document.find_pending(),
        };
        let problem = match pending {
            Ok(pending) => return Self::of(pack, document, pending.action.id),
            Err(problem) => problem,
        };
        let past = document.past(opencrvs_version(pack.country().opencrvs));
        let newest = past.iter().rev().find(|past| action_type == Some(past.action.kind.as_str()));
        if let Some(newest) = newest {
            return Self::of(pack, document, newest.action.id);
        }
        let mut asked: Vec<&str> = past.iter().map(|past| past.action.kind.as_str()).collect();
        asked.dedup();
        if asked.is_empty() {
            bail!("{problem}; there is nothing to decide");
        }
        bail!("{problem}; name one that was answered with `--action`: it has {}", asked.join(", "))
    }

    /// The civil event of this action.
    pub(super) fn of(pack: &'a Pack, document: &'a EventDocument, action_id: Uuid) -> anyhow::Result<Self> {
        let version = opencrvs_version(pack.country().opencrvs);
        let nothing = || anyhow!("record {} was never asked about action {action_id}", document.id);
        let action = document.action(action_id).ok_or_else(nothing)?;
        let answered = document.is_answered(action_id);
        let states = if answered {
            let mut past = document.past(version).into_iter();
            past.find(|past| past.action.id == action_id).ok_or_else(nothing)?.states
        } else {
            document.prospective(action_id, version).map_err(|error| anyhow!("{error}"))?
        };
        let origins = document.origins(action_id, version).unwrap_or_default();
        Ok(Self { pack, document, action, states, origins, answered })
    }

    fn explanation(&self) -> Explanation {
        self.pack.explain(&Facts {
            event: &self.document.kind,
            action: &self.action.kind,
            custom_action: self.action.custom_action_type.as_deref(),
            before: &self.states.before,
            after: &self.states.after,
            at: self.action.created_at.at(),
        })
    }

    /// The language of the terms: the one that was asked for, else the country's first.
    fn language<'l>(&'l self, wanted: Option<&'l str>) -> &'l str {
        let first = self.pack.country().languages.first();
        wanted.unwrap_or_else(|| first.map_or("en", |language| language.code.as_str()))
    }

    /// For programs.
    pub(super) fn json(&self, language: Option<&str>) -> Value {
        let explanation = self.explanation();
        let sentences: BTreeMap<&str, String> = self
            .pack
            .country()
            .languages
            .iter()
            .map(|language| (language.code.as_str(), explanation.sentence(&language.code)))
            .collect();
        let language = self.language(language);
        let rules: Vec<Value> = explanation.tree(language).iter().map(|rule| self.rule_json(rule)).collect();
        json!({
            "ruleset": self.pack.digest(),
            "event_id": self.document.id,
            "tracking_id": self.document.tracking_id,
            "event": self.document.kind,
            "action": action_json(self.action),
            "answered": self.answered,
            "decision": explanation.decision(),
            "sentence": explanation.sentence(language),
            "sentences": sentences,
            "anomaly": self.states.anomaly.map(|anomaly| anomaly.to_string()),
            "rules": rules,
        })
    }

    fn rule_json(&self, rule: &RuleTree) -> Value {
        json!({
            "rule": rule.rule, "mode": rule.mode, "outcome": rule.outcome, "decided": rule.decided,
            "condition": rule.condition.as_ref().map(|term| self.term_json(term)),
        })
    }

    fn term_json(&self, term: &TermTree) -> Value {
        let mut value = json!({ "text": term.text, "outcome": term.outcome });
        if let Some(cause) = term.cause {
            value["cause"] = json!(cause);
        }
        if !term.fields.is_empty() {
            let from = |field: &String| {
                let from: Vec<Value> = self.given(field).iter().map(origin_json).collect();
                json!({ "field": field, "from": from })
            };
            value["values"] = term.fields.iter().map(from).collect();
        }
        if !term.parts.is_empty() {
            value["parts"] = term.parts.iter().map(|part| self.term_json(part)).collect();
        }
        value
    }

    /// The actions that gave a field, or a part of one.
    fn given(&self, field: &str) -> Vec<Origin<'a>> {
        let mut steps = field.split('#');
        let field = steps.next().unwrap_or_default();
        self.origins.of(field, steps)
    }

    /// For people: a sentence per language, the rules with their terms, and the actions behind the values.
    pub(super) fn text(&self, language: Option<&str>) -> String {
        let explanation = self.explanation();
        let action = self.action.custom_action_type.as_ref().unwrap_or(&self.action.kind);
        let since = if self.answered { ", answered since" } else { "" };
        let mut text = format!(
            "{} {} of {} ({}), {} UTC{since}\nby rule set {}\n\n",
            self.document.kind,
            action,
            self.document.tracking_id,
            self.document.id,
            instant(self.action.created_at.at()),
            self.pack.digest().chars().take(12).collect::<String>(),
        );
        match language {
            Some(language) => {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{}", explanation.sentence(language));
            }
            None => {
                for language in &self.pack.country().languages {
                    let _ = writeln!(text, "{}  {}", language.code, explanation.sentence(&language.code));
                }
            }
        }
        if let Some(anomaly) = self.states.anomaly {
            let _ = writeln!(text, "odd: {anomaly}");
        }
        let mut notes = Notes::default();
        for rule in explanation.tree(self.language(language)) {
            let decided = if rule.decided { ", decided" } else { "" };
            let _ = writeln!(text, "\n{} {}{decided}", mark(rule.outcome), rule.rule);
            match &rule.condition {
                Some(term) => self.term_text(term, 1, &mut notes, &mut text),
                None => text.push_str("    always applies\n"),
            }
        }
        if !notes.0.is_empty() {
            text.push_str("\nWhere the values come from\n");
            text.push_str(&notes.text());
        }
        text
    }

    fn term_text(&self, term: &TermTree, depth: usize, notes: &mut Notes<'a>, text: &mut String) {
        let _ = write!(text, "{:indent$}{} {}", "", mark(term.outcome), term.text, indent = depth * 2);
        let mut given: Vec<Origin<'a>> = term.fields.iter().flat_map(|field| self.given(field)).collect();
        given.sort_by(|a, b| a.action.created_at.as_str().cmp(b.action.created_at.as_str()));
        let mut numbers: Vec<String> = given.into_iter().map(|origin| notes.number(origin)).collect();
        numbers.dedup();
        match (term.fields.is_empty(), numbers.is_empty()) {
            (true, _) => {}
            (false, true) => text.push_str("  [never given]"),
            (false, false) => _ = write!(text, "  {}", numbers.join(" ")),
        }
        text.push('\n');
        for part in &term.parts {
            self.term_text(part, depth + 1, notes, text);
        }
    }
}

/// The actions that were named, numbered in the order of their first naming.
#[derive(Default)]
struct Notes<'a>(Vec<Origin<'a>>);

impl<'a> Notes<'a> {
    fn number(&mut self, origin: Origin<'a>) -> String {
        let same = |known: &Origin<'a>| {
            known.action.id == origin.action.id
                && known.prospective == origin.prospective
                && known.erased == origin.erased
        };
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(origin);
            self.0.len() - 1
        });
        format!("[{}]", at + 1)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (number, origin) in (1..).zip(&self.0) {
            let action = origin.action;
            let kind = action.custom_action_type.as_ref().unwrap_or(&action.kind);
            let erased = if origin.erased { ", took it away" } else { "" };
            let coming = if origin.prospective { ", not in force yet" } else { "" };
            let _ = writeln!(
                text,
                "  [{number}] {kind}, {} UTC, action {}{erased}{coming}",
                instant(action.created_at.at()),
                action.id
            );
        }
        text
    }
}

fn action_json(action: &Action) -> Value {
    json!({
        "id": action.id, "type": action.kind, "custom_action": action.custom_action_type,
        "at": action.created_at.as_str(),
    })
}

fn origin_json(origin: &Origin<'_>) -> Value {
    let mut value = action_json(origin.action);
    value["in_force"] = json!(!origin.prospective);
    value["erased"] = json!(origin.erased);
    value
}

fn mark(outcome: Truth) -> char {
    match outcome {
        Truth::True => '✓',
        Truth::False => '✗',
        Truth::Unknown => '?',
    }
}
