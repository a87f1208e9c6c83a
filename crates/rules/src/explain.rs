//! Why a decision came out as it did: every rule for the step, every term with its outcome.
//!
//! An explanation names fields, bounds and outcomes and holds no value of the record, so that it
//! can be stored, shown and audited.

use std::sync::Arc;

use serde::Serialize;

use crate::decision::{Decision, Effect, Facts};
use crate::files::rules::Mode;
use crate::pack::Inner;
use crate::phrases::Phrase;
use crate::ruleset::Rule;
use crate::term::{Cause, Scene, Term};
use crate::truth::Truth;
use crate::words::Speaker;

/// How a term turned out; the parts stand in the order of the term's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Truth,
    pub(crate) cause: Option<Cause>,
    pub(crate) parts: Vec<Verdict>,
}

impl Verdict {
    /// Evaluates the whole term, without stopping where the outcome is settled.
    pub(crate) fn of(term: &Term, scene: &Scene<'_>) -> Self {
        match term {
            Term::All(terms) => Self::join(terms, scene, Truth::True, Truth::and),
            Term::Any(terms) => Self::join(terms, scene, Truth::False, Truth::or),
            Term::Not(inner) => {
                let part = Self::of(inner, scene);
                Self { outcome: !part.outcome, cause: None, parts: vec![part] }
            }
            Term::Named { term, .. } => {
                let part = Self::of(term, scene);
                Self { outcome: part.outcome, cause: None, parts: vec![part] }
            }
            Term::Changed { fields, .. } => {
                let changed = fields.iter().any(|field| scene.has_changed(field));
                Self { outcome: changed.into(), cause: None, parts: Vec::new() }
            }
            Term::Test { field, test } => match scene.test(field, test) {
                Ok(holds) => Self { outcome: holds.into(), cause: None, parts: Vec::new() },
                Err(cause) => Self { outcome: Truth::Unknown, cause: Some(cause), parts: Vec::new() },
            },
        }
    }

    fn join(terms: &[Term], scene: &Scene<'_>, start: Truth, join: fn(Truth, Truth) -> Truth) -> Self {
        let parts: Vec<Self> = terms.iter().map(|term| Self::of(term, scene)).collect();
        let outcome = parts.iter().fold(start, |outcome, part| join(outcome, part.outcome));
        Self { outcome, cause: None, parts }
    }
}

/// Why a decision came out as it did.
#[derive(Clone)]
pub struct Explanation {
    pack: Arc<Inner>,
    decision: Decision,
    step: (String, String, Option<String>),
    /// Index of a rule for this step, and how its condition turned out.
    rules: Vec<(usize, Option<Verdict>)>,
}

/// One rule of an explanation, for people and for JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTree {
    /// The rule's id.
    pub rule: String,
    /// `enforce` or `evaluate`.
    pub mode: Mode,
    /// How its condition turned out.
    pub outcome: Truth,
    /// Whether it made the decision.
    pub decided: bool,
    /// Its condition; none if the rule always applies.
    pub condition: Option<TermTree>,
}

/// One term of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TermTree {
    /// What turned out, in words: no value of the record is in them.
    pub text: String,
    /// How it turned out.
    pub outcome: Truth,
    /// The fields that it looks at, `child.name` or a part of one, `child.name#surname`; those of its parts aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Why it is undecided, where a field is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TermTree>,
}

impl Explanation {
    pub(crate) fn new(pack: Arc<Inner>, facts: &Facts<'_>) -> Self {
        let scene = pack.scene(facts);
        let decision = pack.rules.decide(facts, &scene);
        let rules = pack
            .rules
            .of_step(facts)
            .map(|(index, rule)| (index, rule.term.as_ref().map(|term| Verdict::of(term, &scene))))
            .collect();
        let step = (facts.event.to_owned(), facts.action.to_owned(), facts.custom_action.map(str::to_owned));
        Self { pack, decision, step, rules }
    }

    /// The decision that is explained; the same that [`crate::Pack::decide`] gives.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Every rule for this step, with every term and its outcome, worded in `language` (a language of the
    /// country; otherwise its first).
    pub fn tree(&self, language: &str) -> Vec<RuleTree> {
        let speaker = self.speaker(language);
        self.each()
            .map(|(rule, verdict)| RuleTree {
                rule: rule.id.clone(),
                mode: rule.mode,
                outcome: verdict.map_or(Truth::True, |verdict| verdict.outcome),
                decided: self.decision.rule.as_ref() == Some(&rule.id),
                condition: rule
                    .term
                    .as_ref()
                    .zip(verdict)
                    .map(|(term, verdict)| term_tree(&speaker, term, verdict)),
            })
            .collect()
    }

    /// One sentence that says why, in `language` (a language of the country; otherwise its first).
    pub fn sentence(&self, language: &str) -> String {
        let speaker = self.speaker(language);
        let decisive = self.each().find(|(rule, _)| self.decision.rule.as_ref() == Some(&rule.id));
        let Some((rule, verdict)) = decisive else { return self.nothing(&speaker) };
        let name = speaker.text(&rule.name).unwrap_or(&rule.id);
        let reasons = reasons_of(&speaker, rule, verdict);
        let lead = match &self.decision.effect {
            Effect::None | Effect::Operate { .. } => name.to_owned(),
            Effect::Hold { .. } => speaker.say(Phrase::Held, &[("rule", name)]),
            Effect::Reject { .. } => speaker.say(Phrase::Rejected, &[("rule", name)]),
            Effect::Ignore => speaker.say(Phrase::Ignored, &[("rule", name)]),
        };
        because(&speaker, lead, &reasons)
    }

    /// What the record's history says at the decision, in the pack's own words and in `language`; none
    /// where the pack has no message for it.
    pub fn audit_message(&self, language: &str) -> Option<&str> {
        let outcome = self.decision.effect.outcome()?;
        self.pack.audit_message(self.decision.rule.as_ref()?, outcome, language)
    }

    fn nothing(&self, speaker: &Speaker<'_>) -> String {
        let lead = speaker.say(Phrase::Nothing, &[]);
        let why: Vec<String> = self
            .each()
            .filter(|(rule, _)| rule.mode == Mode::Enforce)
            .map(|(rule, verdict)| {
                let reasons = speaker.join(&reasons_of(speaker, rule, verdict), Phrase::And);
                speaker.say(Phrase::InRule, &[("rule", &rule.id), ("reasons", &reasons)])
            })
            .collect();
        if why.is_empty() {
            let (event, action, custom) = &self.step;
            let what = custom.as_ref().unwrap_or(action);
            let form = self.pack.catalogue.form(event).and_then(|form| speaker.text(&form.label));
            let event = form.unwrap_or(event);
            return because(
                speaker,
                lead,
                &[speaker.say(Phrase::NoRule, &[("event", event), ("action", what)])],
            );
        }
        because(speaker, lead, &[speaker.join(&why, Phrase::Rules)])
    }

    /// Somebody who speaks the language if it is one of the country, otherwise its first.
    fn speaker<'a>(&'a self, language: &'a str) -> Speaker<'a> {
        let languages = &self.pack.country.languages;
        let known = languages.iter().any(|known| known.code == language);
        let first = languages.first().map_or("en", |first| first.code.as_str());
        let language = if known { language } else { first };
        Speaker { pack: &self.pack, language, event: &self.step.0 }
    }

    fn each(&self) -> impl Iterator<Item = (&Rule, Option<&Verdict>)> {
        self.rules.iter().map(|(index, verdict)| (&self.pack.rules.rules[*index], verdict.as_ref()))
    }
}

impl std::fmt::Debug for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explanation").field("decision", &self.decision).finish_non_exhaustive()
    }
}

fn because(speaker: &Speaker<'_>, lead: String, reasons: &[String]) -> String {
    if reasons.is_empty() {
        return lead;
    }
    let reasons = speaker.join(reasons, Phrase::And);
    speaker.say(Phrase::Because, &[("decision", &lead), ("reasons", &reasons)])
}

fn reasons_of(speaker: &Speaker<'_>, rule: &Rule, verdict: Option<&Verdict>) -> Vec<String> {
    let Some((term, verdict)) = rule.term.as_ref().zip(verdict) else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    for reason in speaker.reasons(term, verdict) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

fn term_tree(speaker: &Speaker<'_>, term: &Term, verdict: &Verdict) -> TermTree {
    let inner: Vec<&Term> = match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().collect(),
        Term::Not(inner) => vec![&**inner],
        Term::Named { term, .. } => vec![&**term],
        Term::Changed { .. } | Term::Test { .. } => Vec::new(),
    };
    let fields = match term {
        Term::Test { field, .. } => vec![field.to_string()],
        Term::Changed { fields, .. } => fields.iter().map(ToString::to_string).collect(),
        Term::All(_) | Term::Any(_) | Term::Not(_) | Term::Named { .. } => Vec::new(),
    };
    TermTree {
        text: speaker.phrase(term, verdict),
        outcome: verdict.outcome,
        fields,
        cause: verdict.cause,
        parts: inner
            .into_iter()
            .zip(&verdict.parts)
            .map(|(term, part)| term_tree(speaker, term, part))
            .collect(),
    }
}
