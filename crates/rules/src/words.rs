//! The words of explanations: English and French.
//!
//! A phrase says which field, which bound and which outcome; it never holds a value of a record.
//! A language without words of its own is explained in English, with the pack's own texts in it.

use crate::country::Country;
use crate::explain::Verdict;
use crate::files::Localised;
use crate::pack::Inner;
use crate::reference::FieldRef;
use crate::term::{Bound, Cause, Literal, Term, Test};
use crate::truth::Truth;

/// Speaks about one pack in one language.
#[derive(Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub(crate) pack: &'a Inner,
    pub(crate) language: &'a str,
}

impl<'a> Speaker<'a> {
    fn country(&self) -> &'a Country {
        &self.pack.country
    }

    /// One of two wordings.
    pub(crate) fn say<'t>(&self, english: &'t str, french: &'t str) -> &'t str {
        if self.language == "fr" { french } else { english }
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

    /// What the pack calls the field, or its id.
    fn name(&self, field: &FieldRef) -> String {
        let label = self.pack.catalogue.label(&field.field).and_then(|label| self.text(label));
        match (label, field.parts.as_slice()) {
            (None, _) => field.to_string(),
            (Some(label), []) => label.to_owned(),
            (Some(label), parts) => format!("{label} ({})", parts.join(" ")),
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
        let outcome = verdict.outcome;
        match term {
            Term::All(_) => self.say("all of", "toutes ces conditions").to_owned(),
            Term::Any(_) => self.say("any of", "l’une de ces conditions").to_owned(),
            Term::Not(_) => self.say("not", "pas").to_owned(),
            Term::Named { name, term } => self.named(name, term, verdict),
            Term::Changed { group: Some(group), .. } => {
                let label = self.label(group);
                match outcome {
                    Truth::True => self.say("{} changed", "changement de {}"),
                    _ => self.say("{} did not change", "pas de changement de {}"),
                }
                .replace("{}", &label)
            }
            Term::Changed { group: None, fields } => {
                let names: Vec<String> = fields.iter().map(|field| self.name(field)).collect();
                let names = names.join(self.say(" or ", " ou "));
                match outcome {
                    Truth::True => self.say("{} changed", "{} a changé"),
                    _ => self.say("{} did not change", "{} n’a pas changé"),
                }
                .replace("{}", &names)
            }
            Term::Test { field, test } => match verdict.cause {
                Some(Cause::Missing) => {
                    format!("{} {}", self.name(field), self.say("is missing", "manque"))
                }
                Some(Cause::Unreadable) => {
                    format!("{} {}", self.name(field), self.say("cannot be read", "est illisible"))
                }
                None => self.test(field, test, outcome == Truth::True),
            },
        }
    }

    fn named(&self, name: &str, term: &Term, verdict: &Verdict) -> String {
        let label = self.label(name);
        match verdict.outcome {
            Truth::True => label,
            Truth::False => {
                self.say("it is not so that {}", "condition non remplie : {}").replace("{}", &label)
            }
            Truth::Unknown => {
                let why = verdict.parts.first().map(|part| self.reasons(term, part)).unwrap_or_default();
                let open =
                    self.say("it is not known whether {}", "condition indécise : {}").replace("{}", &label);
                format!("{open} ({})", why.join(", "))
            }
        }
    }

    fn test(&self, asked: &FieldRef, test: &Test, holds: bool) -> String {
        let (field, section) = (self.name(asked), asked.section());
        let pick = |yes: (&'static str, &'static str), no: (&'static str, &'static str)| {
            let (english, french) = if holds { yes } else { no };
            if self.language == "fr" { french } else { english }
        };
        match test {
            Test::Present => {
                format!("{field} {}", pick(("is present", "est présent"), ("is absent", "est absent")))
            }
            Test::Absent => {
                format!("{field} {}", pick(("is absent", "est absent"), ("is present", "est présent")))
            }
            Test::Equals(literal) => {
                let value = self.value(asked, literal);
                format!("{field} {} {value}", pick(("is", "est"), ("is not", "n’est pas")))
            }
            Test::In(literals) => {
                let words: Vec<String> = literals.iter().map(|literal| self.value(asked, literal)).collect();
                let words = words.join(self.say(" or ", " ou "));
                format!("{field} {} {words}", pick(("is", "est"), ("is not", "n’est pas")))
            }
            Test::Contains(literal) => format!(
                "{field} {} {}",
                pick(("contains", "contient"), ("does not contain", "ne contient pas")),
                self.value(asked, literal)
            ),
            Test::Matches(_) => format!(
                "{field} {}",
                pick(
                    ("has the expected form", "a la forme attendue"),
                    ("does not have the expected form", "n’a pas la forme attendue")
                )
            ),
            Test::Before(bound) => format!(
                "{field} {} {}",
                pick(("is before", "est avant"), ("is not before", "n’est pas avant")),
                self.bound(*bound)
            ),
            Test::After(bound) => format!(
                "{field} {} {}",
                pick(("is after", "est après"), ("is not after", "n’est pas après")),
                self.bound(*bound)
            ),
            Test::AgeBelow(age) => self.age(section, &field, &age.to_string(), holds),
            Test::AgeAtLeast(age) => self.age(section, &field, &age.to_string(), !holds),
            Test::LessThan(bound) => self.amount(&field, *bound, holds),
            Test::AtLeast(bound) => self.amount(&field, *bound, !holds),
        }
    }

    fn bound(&self, bound: Bound) -> String {
        match bound {
            Bound::Today => self.say("the day of the action", "le jour de l’action").to_owned(),
            Bound::On(date) => date.to_string(),
        }
    }

    /// `child.dob` is about the child; another date of birth is about its field.
    fn age(&self, section: &str, field: &str, age: &str, below: bool) -> String {
        let who = match self.pack.catalogue.sections.get(section).and_then(|label| self.text(label)) {
            Some(label) => label.to_owned(),
            None if field == format!("{section}.dob") => section.to_owned(),
            None => field.to_owned(),
        };
        let age = if self.language == "fr" { in_french(age) } else { age.to_owned() };
        if below {
            format!("{who} {} {age}", self.say("is below", "a moins de"))
        } else if self.language == "fr" {
            format!("{who} a {age} ou plus")
        } else {
            format!("{who} is {age} or older")
        }
    }

    fn amount(&self, field: &str, bound: f64, less: bool) -> String {
        if less {
            format!("{field} {} {bound}", self.say("is less than", "est inférieur à"))
        } else {
            format!("{field} {} {bound}", self.say("is at least", "est au moins"))
        }
    }
}

fn in_french(age: &str) -> String {
    let (count, unit) = age.split_once(' ').unwrap_or((age, ""));
    let unit = match unit {
        "day" => "jour",
        "days" => "jours",
        "week" => "semaine",
        "weeks" => "semaines",
        "month" | "months" => "mois",
        "year" => "an",
        _ => "ans",
    };
    format!("{count} {unit}")
}
