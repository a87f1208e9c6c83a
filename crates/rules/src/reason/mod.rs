//! What the rules say together: conditions that cannot be true, terms without effect, rules that
//! others cover, rules of which only their order says who decides.
//!
//! Conditions are turned into sets of cells ([`space`]), over which contradiction and implication
//! are computed. What is called impossible is impossible, in three-valued logic and for any value
//! that a record can hold, of whatever type; an overlap is only reported with a record that shows
//! it. Where that takes too much, nothing is concluded.

use std::collections::BTreeMap;

use serde_json::Value;

mod ages;
mod domain;
#[cfg(test)]
mod laws;
mod pairs;
mod set;
mod space;
mod terms;
mod tree;
mod witness;

use self::pairs::Step;
use self::space::{Face, Space};
use self::terms::TermCheck;
use self::tree::Node;
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::rules::{IfUnknown, RulesFile};
use crate::ruleset::Rule;
use crate::source::{Document, at};
use crate::term::Term;

/// The compiled rules and the file that they come from.
pub(crate) struct Reasoning<'a> {
    pub(crate) document: &'a Document,
    pub(crate) file: &'a RulesFile,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) country: &'a Country,
    /// Index in the file, and the rule.
    pub(crate) rules: &'a [(usize, Rule)],
    /// Whether every rule could be read; else nothing is said about rules together.
    pub(crate) whole: bool,
}

impl Reasoning<'_> {
    /// Reports everything that can be concluded.
    pub(crate) fn check(&self, out: &mut Vec<Diagnostic>) {
        let mut events: BTreeMap<&str, Vec<&(usize, Rule)>> = BTreeMap::new();
        for rule in self.rules {
            events.entry(&rule.1.event).or_default().push(rule);
        }
        let mut seen = Vec::new();
        for rules in events.values() {
            let terms = rules.iter().filter_map(|(_, rule)| rule.term.as_ref());
            let space = Space::of(terms, self.country.leap_birthday);
            let mut steps: Vec<Step<'_>> = Vec::new();
            for (index, rule) in rules {
                let alive = self.condition(&space, *index, rule, &mut seen, out);
                if !alive {
                    continue;
                }
                let key = (rule.action.as_str(), rule.custom_action.as_deref());
                match steps.iter_mut().find(|step| step.key == key) {
                    Some(step) => step.rules.push((*index, rule)),
                    None => steps.push(Step { key, rules: vec![(*index, rule)] }),
                }
            }
            for step in steps.iter().filter(|_| self.whole) {
                self.step(&space, step, out);
            }
        }
        self.twins(out);
    }

    /// Whether the rule's condition can be true; what is wrong inside of it is reported.
    fn condition(
        &self,
        space: &Space<'_>,
        index: usize,
        rule: &Rule,
        seen: &mut Vec<String>,
        out: &mut Vec<Diagnostic>,
    ) -> bool {
        let (Some(term), Some(entry)) = (&rule.term, self.file.rules.0.get(index).and_then(Option::as_ref))
        else {
            return true;
        };
        let Some(condition) = &entry.condition else { return true };
        let here = at("rules").item(index).key("if");
        if space.cubes(term, Face::True, &[]).is_err() {
            out.push(
                self.document
                    .at_key(Code::R039, &here, "this is too much to be compared with other rules")
                    .help("whether it can be true, and which rules it covers, is not known: split the rule"),
            );
            return true;
        }
        let root = Node::of(term, &condition.0, here);
        let three_valued = rule.if_unknown == IfUnknown::Hold;
        let alive = TermCheck { space, document: self.document, root: &root, three_valued, out }.run();
        self.named(space, term, seen, out);
        alive
    }

    /// The named conditions of a term, each where it is written and once.
    fn named(&self, space: &Space<'_>, term: &Term, seen: &mut Vec<String>, out: &mut Vec<Diagnostic>) {
        match term {
            Term::All(terms) | Term::Any(terms) => {
                for term in terms {
                    self.named(space, term, seen, out);
                }
            }
            Term::Not(term) => self.named(space, term, seen, out),
            Term::Named { name, term } => {
                if !seen.contains(name) {
                    seen.push(name.clone());
                    if let Some(condition) = self.file.conditions.get(name) {
                        let root = Node::of(term, &condition.0, at("conditions").key(name));
                        // It may be used where it matters that it is false, not only that it is true.
                        TermCheck { space, document: self.document, root: &root, three_valued: true, out }
                            .run();
                    }
                    self.named(space, term, seen, out);
                }
            }
            Term::Changed { .. } | Term::Test { .. } => {}
        }
    }

    /// Conditions and groups that are written twice under two names.
    fn twins(&self, out: &mut Vec<Diagnostic>) {
        let mut report = |section: &str, name: &str, earlier: &str, noun: &str| {
            out.push(
                self.document
                    .at_key(
                        Code::R037,
                        &at(section).key(name),
                        format!("`{name}` is the same {noun} as `{earlier}`"),
                    )
                    .help("one that is changed and one that is forgotten make a rule wrong: keep one name"),
            );
        };
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for (name, condition) in &self.file.conditions {
            match known.get(alike(&condition.0).as_str()) {
                Some(earlier) => report("conditions", name, earlier, "condition"),
                None => _ = known.insert(alike(&condition.0), name),
            }
        }
        let mut known: BTreeMap<Vec<&str>, &str> = BTreeMap::new();
        for (name, fields) in &self.file.groups {
            let mut fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            fields.sort_unstable();
            match known.get(&fields) {
                Some(earlier) => report("groups", name, earlier, "group"),
                None => _ = known.insert(fields, name),
            }
        }
    }
}

/// The condition as a text in which the order of lists does not matter.
fn alike(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(alike).collect();
            items.sort_unstable();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let mut entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key:?}:{}", alike(value))).collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(","))
        }
        plain => plain.to_string(),
    }
}
