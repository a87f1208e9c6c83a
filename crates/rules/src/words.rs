//! Speaking about a pack in one language.
//!
//! A phrase says which field, which bound and which outcome; it never holds a value of a record.

use crate::age::{Age, Unit};
use crate::country::Country;
use crate::explain::Verdict;
use crate::files::Localised;
use crate::pack::Inner;
use crate::phrases::Phrase;
use crate::reference::FieldRef;
use crate::term::{Bound, Cause, Literal, Term, Test};
use crate::truth::Truth;

/// Speaks about one pack in one language.
#[derive(Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub(crate) pack: &'a Inner,
    pub(crate) language: &'a str,
    /// The event whose form the fields are of.
    pub(crate) event: &'a str,
}

impl<'a> Speaker<'a> {
    fn country(&self) -> &'a Country {
        &self.pack.country
    }

    /// A phrase, its places filled.
    pub(crate) fn say(&self, phrase: Phrase, slots: &[(&str, &str)]) -> String {
        self.pack.words.say(self.language, phrase, slots)
    }

    /// Several texts with a phrase between them.
    pub(crate) fn join(&self, texts: &[String], between: Phrase) -> String {
        texts.join(&self.say(between, &[]))
    }

    pub(crate) fn text(&self, text: &'a Localised) -> Option<&'a str> {
        self.country().text_in(text, self.language)
    }

    fn label(&self, name: &str) -> String {
        self.pack
            .rules
            .labels
            .get(name)
            .and_then(|label| self.text(label))
            .map_or_else(|| name.replace('_', " "), str::to_owned)
    }

    /// The field's label, or its id; parts as they are written.
    fn field(&self, field: &FieldRef) -> String {
        let form = self.pack.catalogue.form(self.event);
        let label = form.and_then(|form| form.labels.get(&field.field)).and_then(|label| self.text(label));
        match label {
            Some(label) if field.parts.is_empty() => label.to_owned(),
            Some(label) => format!("{label} ({})", field.parts.join(", ")),
            None => field.to_string(),
        }
    }

    /// What the pack calls a value of the field, or the value as the rule has it.
    fn value(&self, field: &FieldRef, literal: &Literal) -> String {
        let Literal::Text(option) = literal else { return literal.to_string() };
        let label = self.pack.catalogue.option_label(&field.field, option);
        label.and_then(|label| self.text(label)).map_or_else(|| option.clone(), str::to_owned)
    }

    /// Why the term has its outcome: the parts that made it so.
    pub(crate) fn reasons(&self, term: &Term, verdict: &Verdict) -> Vec<String> {
        match term {
            Term::All(terms) | Term::Any(terms) => {
                let parts =
                    terms.iter().zip(&verdict.parts).filter(|(_, part)| part.outcome == verdict.outcome);
                let settled_by_one = matches!((term, verdict.outcome), (Term::Any(_), Truth::True));
                let shown = if settled_by_one { 1 } else { usize::MAX };
                parts.take(shown).flat_map(|(term, part)| self.reasons(term, part)).collect()
            }
            Term::Not(inner) => {
                verdict.parts.first().map(|part| self.reasons(inner, part)).unwrap_or_default()
            }
            _ => vec![self.phrase(term, verdict)],
        }
    }

    /// One statement about one term, as it turned out.
    pub(crate) fn phrase(&self, term: &Term, verdict: &Verdict) -> String {
        let holds = verdict.outcome == Truth::True;
        match term {
            Term::All(_) => self.say(Phrase::AllOf, &[]),
            Term::Any(_) => self.say(Phrase::AnyOf, &[]),
            Term::Not(_) => self.say(Phrase::Not, &[]),
            Term::Named { name, term } => self.named(name, term, verdict),
            Term::Changed { group: Some(group), .. } => {
                let phrase = if holds { Phrase::GroupChanged } else { Phrase::GroupUnchanged };
                self.say(phrase, &[("group", &self.label(group))])
            }
            Term::Changed { group: None, fields } => {
                let names: Vec<String> = fields.iter().map(|field| self.field(field)).collect();
                let phrase = if holds { Phrase::Changed } else { Phrase::Unchanged };
                self.say(phrase, &[("field", &self.join(&names, Phrase::Or))])
            }
            Term::Test { field, test } => match verdict.cause {
                Some(Cause::Missing) => self.say(Phrase::Missing, &[("field", &self.field(field))]),
                Some(Cause::Unreadable) => self.say(Phrase::Unreadable, &[("field", &self.field(field))]),
                None => self.test(field, test, holds),
            },
        }
    }

    fn named(&self, name: &str, term: &Term, verdict: &Verdict) -> String {
        let label = self.label(name);
        match verdict.outcome {
            Truth::True => label,
            Truth::False => self.say(Phrase::ConditionFalse, &[("condition", &label)]),
            Truth::Unknown => {
                let why = verdict.parts.first().map(|part| self.reasons(term, part)).unwrap_or_default();
                let reasons = self.join(&why, Phrase::And);
                self.say(Phrase::ConditionUnknown, &[("condition", &label), ("reasons", &reasons)])
            }
        }
    }

    fn test(&self, field: &FieldRef, test: &Test, holds: bool) -> String {
        let name = self.field(field);
        let pick = |yes: Phrase, no: Phrase| if holds { yes } else { no };
        let plain = |yes, no| self.say(pick(yes, no), &[("field", &name)]);
        let with =
            |yes, no, slot: &str, value: &str| self.say(pick(yes, no), &[("field", &name), (slot, value)]);
        match test {
            Test::Present => plain(Phrase::Present, Phrase::Absent),
            Test::Absent => plain(Phrase::Absent, Phrase::Present),
            Test::Equals(literal) => with(Phrase::Is, Phrase::IsNot, "value", &self.value(field, literal)),
            Test::In(literals) => {
                let words: Vec<String> = literals.iter().map(|literal| self.value(field, literal)).collect();
                with(Phrase::Is, Phrase::IsNot, "value", &self.join(&words, Phrase::Or))
            }
            Test::Contains(literal) => {
                with(Phrase::Contains, Phrase::DoesNotContain, "value", &self.value(field, literal))
            }
            Test::Matches(_) => plain(Phrase::Fits, Phrase::DoesNotFit),
            Test::Before(bound) => with(Phrase::Before, Phrase::NotBefore, "date", &self.bound(*bound)),
            Test::After(bound) => with(Phrase::After, Phrase::NotAfter, "date", &self.bound(*bound)),
            Test::AgeBelow(age) => self.age(field, *age, holds),
            Test::AgeAtLeast(age) => self.age(field, *age, !holds),
            Test::LessThan(bound) => with(Phrase::Less, Phrase::NotLess, "number", &bound.to_string()),
            Test::AtLeast(bound) => with(Phrase::NotLess, Phrase::Less, "number", &bound.to_string()),
        }
    }

    fn bound(&self, bound: Bound) -> String {
        match bound {
            Bound::Today => self.say(Phrase::DayOfAction, &[]),
            Bound::On(date) => date.to_string(),
        }
    }

    /// `child.dob` is about the child; another date of birth is about its field.
    fn age(&self, field: &FieldRef, age: Age, below: bool) -> String {
        let section = field.section();
        let who = match self.pack.catalogue.sections.get(section).and_then(|label| self.text(label)) {
            Some(label) => label.to_owned(),
            None if field.to_string() == format!("{section}.dob") => section.to_owned(),
            None => self.field(field),
        };
        let unit = match age.unit {
            Unit::Days => Phrase::Days,
            Unit::Weeks => Phrase::Weeks,
            Unit::Months => Phrase::Months,
            Unit::Years => Phrase::Years,
        };
        let age = self.say(unit, &[("count", &age.count.to_string())]);
        self.say(if below { Phrase::BelowAge } else { Phrase::OfAge }, &[("who", &who), ("age", &age)])
    }
}
