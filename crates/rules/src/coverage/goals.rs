//! The goals of a rule set, and which of them one civil event shows.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;

use crate::age::read_date;
use crate::decision::Facts;
use crate::explain::Verdict;
use crate::files::rules::{IfUnknown, Mode};
use crate::mutate::can_be_unknown;
use crate::pack::Inner;
use crate::reference::FieldRef;
use crate::ruleset::Rule;
use crate::term::{Bound, Literal, Scene, Term, Test};
use crate::truth::Truth;

/// Whose term it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// Index of a rule.
    Rule(usize),
    /// Name of a condition.
    Condition(String),
}

/// One thing that a case can show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Goal {
    pub(super) owner: Owner,
    /// The way to the term: which part of `all` and `any`.
    pub(super) path: Vec<usize>,
    pub(super) want: Want,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    Outcome(Truth),
    /// The value lies just below (-1), at (0) or just above (1) the bound.
    Beside(i8),
    /// The value is this one of the list.
    Value(usize),
    /// Of the parts of `any`, this one alone is true.
    Alone(usize),
    /// Of the fields, this one alone is changed.
    Changed(usize),
}

/// Every goal, in the order of the rules; what only provably cannot be shown is left out.
pub(super) fn goals(pack: &Inner) -> Vec<Goal> {
    let mut out = Vec::new();
    let mut add = |goal: Goal| {
        if !out.contains(&goal) {
            out.push(goal);
        }
    };
    for (index, rule) in pack.rules.rules.iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off) {
        let owner = Owner::Rule(index);
        outcomes(rule.term.as_ref(), &owner, &mut add);
        if let Some(term) = &rule.term {
            each(term, &owner, &mut Vec::new(), &mut add);
        }
    }
    out
}

fn outcomes(term: Option<&Term>, owner: &Owner, add: &mut impl FnMut(Goal)) {
    let mut reachable = vec![Truth::True];
    if let Some(term) = term {
        reachable.push(Truth::False);
        if can_be_unknown(term) {
            reachable.push(Truth::Unknown);
        }
    }
    for outcome in reachable {
        add(Goal { owner: owner.clone(), path: Vec::new(), want: Want::Outcome(outcome) });
    }
}

fn each(term: &Term, owner: &Owner, path: &mut Vec<usize>, add: &mut impl FnMut(Goal)) {
    let mut goal = |want| add(Goal { owner: owner.clone(), path: path.clone(), want });
    match term {
        Term::All(terms) | Term::Any(terms) => {
            if matches!(term, Term::Any(_)) && terms.len() > 1 {
                (0..terms.len()).for_each(|index| goal(Want::Alone(index)));
            }
            for (index, part) in terms.iter().enumerate() {
                path.push(index);
                each(part, owner, path, add);
                path.pop();
            }
        }
        Term::Not(inner) => {
            path.push(0);
            each(inner, owner, path, add);
            path.pop();
        }
        Term::Named { name, term } => {
            let owner = Owner::Condition(name.clone());
            outcomes(Some(term), &owner, add);
            each(term, &owner, &mut Vec::new(), add);
        }
        Term::Changed { fields, .. } => {
            goal(Want::Outcome(Truth::False));
            if fields.len() > 1 {
                (0..fields.len()).for_each(|index| goal(Want::Changed(index)));
            } else {
                goal(Want::Outcome(Truth::True));
            }
        }
        Term::Test { test, .. } => match test {
            Test::Present | Test::Absent => {
                goal(Want::Outcome(Truth::True));
                goal(Want::Outcome(Truth::False));
            }
            Test::Equals(_) | Test::Matches(_) => {
                for outcome in [Truth::True, Truth::False, Truth::Unknown] {
                    goal(Want::Outcome(outcome));
                }
            }
            Test::In(literals) => {
                (0..literals.len()).for_each(|index| goal(Want::Value(index)));
                goal(Want::Outcome(Truth::False));
                goal(Want::Outcome(Truth::Unknown));
            }
            _ => {
                for side in [-1, 0, 1] {
                    goal(Want::Beside(side));
                }
                goal(Want::Outcome(Truth::Unknown));
            }
        },
    }
}

/// The goals that a civil event shows.
pub(super) fn shown(pack: &Inner, facts: &Facts<'_>) -> BTreeSet<Goal> {
    let mut out = BTreeSet::new();
    let scene = pack.scene(facts);
    let today = pack.country.time_zone.to_datetime(facts.at).date();
    for (index, rule) in pack.rules.rules.iter().enumerate().filter(|(_, rule)| rule.is_for(facts)) {
        let verdict = rule.term.as_ref().map(|term| Verdict::of(term, &scene));
        let outcome = verdict.as_ref().map_or(Truth::True, |verdict| verdict.outcome);
        let owner = Owner::Rule(index);
        out.insert(Goal { owner: owner.clone(), path: Vec::new(), want: Want::Outcome(outcome) });
        if let (Some(term), Some(verdict)) = (&rule.term, &verdict) {
            let mut view =
                View { scene: &scene, facts, today, leap: pack.country.leap_birthday, out: &mut out };
            view.term(term, verdict, &owner, &mut Vec::new());
        }
        if settles(rule, outcome) {
            break;
        }
    }
    out
}

fn settles(rule: &Rule, outcome: Truth) -> bool {
    let holds = outcome == Truth::Unknown && rule.if_unknown == IfUnknown::Hold;
    rule.mode == Mode::Enforce && (outcome == Truth::True || holds)
}

struct View<'a, 'f> {
    scene: &'a Scene<'f>,
    facts: &'a Facts<'a>,
    today: Date,
    leap: crate::country::LeapBirthday,
    out: &'a mut BTreeSet<Goal>,
}

impl View<'_, '_> {
    fn term(&mut self, term: &Term, verdict: &Verdict, owner: &Owner, path: &mut Vec<usize>) {
        let mut show = |want| {
            self.out.insert(Goal { owner: owner.clone(), path: path.clone(), want });
        };
        match term {
            Term::All(terms) | Term::Any(terms) => {
                let holding: Vec<usize> =
                    (0..terms.len()).filter(|index| verdict.parts[*index].outcome == Truth::True).collect();
                if let (Term::Any(_), [alone]) = (term, holding.as_slice()) {
                    show(Want::Alone(*alone));
                }
                // Behind a part that settles the matter by itself, another part shows nothing.
                let settled = matches!(term, Term::Any(_));
                for (index, (part, own)) in terms.iter().zip(&verdict.parts).enumerate() {
                    let masked = verdict.parts.iter().enumerate().any(|(other, settling)| {
                        let apart = other != index && !same_field(&terms[other], part);
                        apart && (settling.outcome == Truth::True) == settled
                    });
                    if masked {
                        continue;
                    }
                    path.push(index);
                    self.term(part, own, owner, path);
                    path.pop();
                }
            }
            Term::Not(inner) => {
                path.push(0);
                self.term(inner, &verdict.parts[0], owner, path);
                path.pop();
            }
            Term::Named { name, term } => {
                let owner = Owner::Condition(name.clone());
                let want = Want::Outcome(verdict.outcome);
                self.out.insert(Goal { owner: owner.clone(), path: Vec::new(), want });
                self.term(term, &verdict.parts[0], &owner, &mut Vec::new());
            }
            Term::Changed { fields, .. } => {
                show(Want::Outcome(verdict.outcome));
                let changed: Vec<usize> =
                    (0..fields.len()).filter(|index| self.scene.has_changed(&fields[*index])).collect();
                if let [alone] = changed.as_slice() {
                    show(Want::Changed(*alone));
                }
            }
            Term::Test { field, test } => {
                show(Want::Outcome(verdict.outcome));
                let value = field.get(self.facts.after);
                if let (Test::In(literals), Some(value)) = (test, value)
                    && let Some(index) = literals.iter().position(|literal| is(value, literal))
                {
                    show(Want::Value(index));
                }
                if let Some(side) = value.and_then(|value| side(test, value, self.today, self.leap)) {
                    show(Want::Beside(side));
                }
            }
        }
    }
}

/// Two tests of one field miss it together.
fn same_field(a: &Term, b: &Term) -> bool {
    matches!((a, b), (Term::Test { field: a, .. }, Term::Test { field: b, .. }) if a == b)
}

fn is(value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Text(text) => value.as_str() == Some(text),
        Literal::Bool(yes) => value.as_bool() == Some(*yes),
        Literal::Number(number) => value.as_f64().is_some_and(|value| (value - number).abs() < f64::EPSILON),
    }
}

/// On which side of its bound a value lies, if it is as near as it can be.
fn side(test: &Test, value: &Value, today: Date, leap: crate::country::LeapBirthday) -> Option<i8> {
    let date = || value.as_str().and_then(read_date);
    let days = |from: Date, to: Date| i8::try_from(from.until(to).ok()?.get_days()).ok();
    match test {
        Test::AgeBelow(age) | Test::AgeAtLeast(age) => {
            let born = date().filter(|born| *born <= today)?;
            days(age.reached_on(born, leap)?, today)
        }
        Test::Before(bound) | Test::After(bound) => {
            let bound = match bound {
                Bound::Today => today,
                Bound::On(date) => *date,
            };
            days(bound, date()?)
        }
        Test::LessThan(bound) | Test::AtLeast(bound) => {
            let step = crate::mutate::step_of(&bound.to_string());
            let apart = value.as_f64()? - bound;
            let near = apart.abs() <= step * 1.000_001;
            near.then_some(if apart.abs() < f64::EPSILON {
                0
            } else if apart < 0.0 {
                -1
            } else {
                1
            })
        }
        _ => None,
    }
    .filter(|side| (-1..=1).contains(side))
}

/// How many tests stand between the event and an outcome of the term.
pub(super) fn distance(term: &Term, wanted: bool, scene: &Scene<'_>) -> usize {
    match term {
        Term::All(terms) | Term::Any(terms) => {
            let each = terms.iter().map(|term| distance(term, wanted, scene));
            if matches!(term, Term::All(_)) == wanted { each.sum() } else { each.min().unwrap_or_default() }
        }
        Term::Not(inner) => distance(inner, !wanted, scene),
        Term::Named { term, .. } => distance(term, wanted, scene),
        Term::Changed { .. } | Term::Test { .. } => usize::from(term.eval(scene) != Truth::from(wanted)),
    }
}

/// The term at the end of a way.
fn at<'t>(term: &'t Term, path: &[usize]) -> Option<&'t Term> {
    let Some((first, rest)) = path.split_first() else { return Some(term) };
    match term {
        Term::All(terms) | Term::Any(terms) => at(terms.get(*first)?, rest),
        Term::Not(inner) => at(inner, rest),
        _ => None,
    }
}

/// The condition of that name, wherever it is used.
fn condition<'t>(term: &'t Term, wanted: &str) -> Option<&'t Term> {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().find_map(|term| condition(term, wanted)),
        Term::Named { name, term } if name == wanted => Some(term),
        Term::Not(term) | Term::Named { term, .. } => condition(term, wanted),
        Term::Changed { .. } | Term::Test { .. } => None,
    }
}

impl Goal {
    /// The rules that can show it.
    pub(super) fn rules(&self, pack: &Inner) -> Vec<usize> {
        let rules = &pack.rules.rules;
        match &self.owner {
            Owner::Rule(index) => vec![*index],
            Owner::Condition(name) => (0..rules.len())
                .filter(|index| rules[*index].mode != Mode::Off)
                .filter(|index| rules[*index].term.as_ref().is_some_and(|t| condition(t, name).is_some()))
                .collect(),
        }
    }

    fn term<'t>(&self, pack: &'t Inner) -> Option<&'t Term> {
        let root = match &self.owner {
            Owner::Rule(index) => pack.rules.rules[*index].term.as_ref()?,
            Owner::Condition(name) => {
                pack.rules.rules.iter().find_map(|rule| condition(rule.term.as_ref()?, name))?
            }
        };
        at(root, &self.path)
    }

    /// The goal in a few words.
    pub(super) fn text(&self, pack: &Inner) -> String {
        let owner = match &self.owner {
            Owner::Rule(index) => &pack.rules.rules[*index].id,
            Owner::Condition(name) => name,
        };
        let verb = match &self.owner {
            Owner::Rule(_) => ["matches", "fails", "is undecided"],
            Owner::Condition(_) => ["holds", "fails", "is undecided"],
        };
        let word = |outcome: Truth, words: [&str; 3]| match outcome {
            Truth::True => words[0].to_owned(),
            Truth::False => words[1].to_owned(),
            Truth::Unknown => words[2].to_owned(),
        };
        match (self.term(pack), &self.want) {
            (Some(term @ (Term::Test { .. } | Term::Changed { .. })), _) => {
                format!("{owner}: {}", leaf(term, &self.want))
            }
            (Some(Term::Any(terms)), Want::Alone(index)) => {
                let mut names = BTreeSet::new();
                if let Some(term) = terms.get(*index) {
                    crate::because::names(term, &mut names);
                }
                let names: Vec<String> = names.into_iter().collect();
                format!("{owner}: only {} makes `any` true", names.join(", "))
            }
            (_, Want::Outcome(outcome)) => format!("{owner} {}", word(*outcome, verb)),
            _ => owner.clone(),
        }
    }
}

fn leaf(term: &Term, want: &Want) -> String {
    let list = |fields: &[FieldRef]| fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (term, want) {
        (Term::Changed { fields, .. }, Want::Changed(index)) => format!("only {} is changed", fields[*index]),
        (Term::Changed { fields, group }, Want::Outcome(outcome)) => {
            let what = group.clone().unwrap_or_else(|| list(fields));
            if *outcome == Truth::True { format!("{what} changed") } else { format!("{what} unchanged") }
        }
        (Term::Test { field, .. }, Want::Outcome(Truth::Unknown)) => format!("{field} missing"),
        (Term::Test { field, test }, Want::Outcome(outcome)) => {
            let holds = *outcome == Truth::True;
            match test {
                Test::Present | Test::Absent => {
                    let there = holds == matches!(test, Test::Present);
                    format!("{field} {}", if there { "present" } else { "absent" })
                }
                Test::Equals(literal) => format!("{field} {} {literal}", if holds { "is" } else { "is not" }),
                Test::In(_) => format!("{field} is none of the listed values"),
                _ if holds => format!("{field} fits the pattern"),
                _ => format!("{field} does not fit the pattern"),
            }
        }
        (Term::Test { field, test: Test::In(literals) }, Want::Value(index)) => {
            format!("{field} is {}", literals[*index])
        }
        (Term::Test { field, test }, Want::Beside(side)) => {
            let at = |words: [&str; 3]| {
                words[usize::from(side.unsigned_abs()) + usize::from(*side > 0)].to_owned()
            };
            match test {
                Test::AgeBelow(age) | Test::AgeAtLeast(age) => {
                    let when = at(["exactly", "a day short of", "a day over"]);
                    format!("{field}, {when} {age}")
                }
                Test::Before(bound) | Test::After(bound) => {
                    let bound = match bound {
                        Bound::Today => "the day of the action".to_owned(),
                        Bound::On(date) => date.to_string(),
                    };
                    format!("{field} {} {bound}", at(["on", "the day before", "the day after"]))
                }
                Test::LessThan(bound) | Test::AtLeast(bound) => {
                    format!("{field} {} {bound}", at(["exactly", "just below", "just above"]))
                }
                _ => field.to_string(),
            }
        }
        _ => String::new(),
    }
}
