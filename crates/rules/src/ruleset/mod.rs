//! The compiled rules and the decision.

mod compile;
mod effects;

use std::collections::{BTreeMap, HashMap};

use minijinja::Environment;

pub(crate) use self::compile::RuleCompiler;
use crate::decision::{Decision, Effect, Facts};
use crate::files::Localised;
use crate::files::rules::{Guard, IfUnknown, Mode, Outcome};
use crate::term::{Scene, Slots, Term};
use crate::truth::Truth;
use crate::writes::Write;

/// A rule, ready to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) name: Localised,
    pub(crate) event: String,
    pub(crate) action: String,
    pub(crate) custom_action: Option<String>,
    pub(crate) term: Option<Term>,
    pub(crate) effect: Effect,
    pub(crate) if_unknown: IfUnknown,
    pub(crate) mode: Mode,
    pub(crate) audit: BTreeMap<Outcome, Localised>,
    /// Rules further up whose precedence is meant.
    pub(crate) after: Vec<String>,
    /// What it writes into the record.
    pub(crate) write: Vec<Write>,
    /// Guards that it is meant to pass.
    pub(crate) despite: Vec<Guard>,
}

impl Rule {
    /// Whether the rule is for this step at all.
    pub(crate) fn is_for(&self, facts: &Facts<'_>) -> bool {
        self.mode != Mode::Off
            && self.event == facts.event
            && self.action == facts.action
            && self.custom_action.as_deref().is_none_or(|custom| facts.custom_action == Some(custom))
    }

    pub(crate) fn eval(&self, scene: &Scene<'_>) -> Truth {
        self.term.as_ref().map_or(Truth::True, |term| term.eval(scene))
    }
}

/// The rules in file order.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the rules of the rules, as in the file")]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) labels: BTreeMap<String, Localised>,
    /// Of what rules write.
    pub(crate) templates: Environment<'static>,
    /// Event → action → the rules for it, in file order: what is not for a step costs it nothing.
    by_step: HashMap<String, HashMap<String, Vec<usize>>>,
}

impl Rules {
    pub(crate) fn new(
        mut rules: Vec<Rule>,
        labels: BTreeMap<String, Localised>,
        templates: Environment<'static>,
    ) -> Self {
        let mut slots: HashMap<String, Slots> = HashMap::new();
        for rule in &mut rules {
            if let Some(term) = &mut rule.term {
                slots.entry(rule.event.clone()).or_default().give(term);
            }
        }
        let mut by_step: HashMap<String, HashMap<String, Vec<usize>>> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            by_step
                .entry(rule.event.clone())
                .or_default()
                .entry(rule.action.clone())
                .or_default()
                .push(index);
        }
        Self { rules, labels, templates, by_step }
    }

    /// The rules for this step, in file order, each with its index in the file.
    pub(crate) fn of_step<'a>(&'a self, facts: &'a Facts<'_>) -> impl Iterator<Item = (usize, &'a Rule)> {
        let indexes = self.by_step.get(facts.event).and_then(|actions| actions.get(facts.action));
        let rules = indexes.into_iter().flatten().map(|index| (*index, &self.rules[*index]));
        rules.filter(|(_, rule)| rule.is_for(facts))
    }

    /// Evaluates rules in file order; the first enforced rule that settles the matter decides.
    pub(crate) fn decide(&self, facts: &Facts<'_>, scene: &Scene<'_>) -> Decision {
        let mut would_have = Vec::new();
        for (_, rule) in self.of_step(facts) {
            match (rule.eval(scene), rule.mode) {
                (Truth::True, Mode::Evaluate) => would_have.push(rule.id.clone()),
                // A record that the rule would have frozen is what a trial is to find out.
                (Truth::Unknown, Mode::Evaluate) if rule.if_unknown == IfUnknown::Hold => {
                    would_have.push(rule.id.clone());
                }
                (Truth::True, _) => {
                    return Decision { rule: Some(rule.id.clone()), effect: rule.effect.clone(), would_have };
                }
                (Truth::Unknown, Mode::Enforce) if rule.if_unknown == IfUnknown::Hold => {
                    let mut missing = Vec::new();
                    if let Some(term) = &rule.term {
                        term.undecided(scene, &mut missing);
                    }
                    return Decision {
                        rule: Some(rule.id.clone()),
                        effect: Effect::Hold { missing },
                        would_have,
                    };
                }
                _ => {}
            }
        }
        Decision { rule: None, effect: Effect::None, would_have }
    }
}
