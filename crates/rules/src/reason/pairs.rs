//! Rules for the same step: which ones are never reached, and where only their order decides.

use std::collections::BTreeSet;

use super::Reasoning;
use super::space::{Cube, Face, Space};
use super::witness::Witness;
use crate::codes::Code;
use crate::decision::Effect;
use crate::diagnostics::Diagnostic;
use crate::files::rules::{IfUnknown, Mode};
use crate::ruleset::Rule;
use crate::source::at;

/// More pieces than this of what is left for a rule are not followed any further.
const MOST_LEFT: usize = 128;
/// So many pairs are compared for one step; the rules of a country are far fewer.
const MOST_PAIRS: usize = 200_000;

/// The rules for one action of one event, in file order.
pub(super) struct Step<'r> {
    pub(super) key: (&'r str, Option<&'r str>),
    pub(super) rules: Vec<(usize, &'r Rule)>,
}

/// A rule with what is computed of it once. A rule without `if` has one cube that allows all.
struct Compared<'r> {
    index: usize,
    rule: &'r Rule,
    /// Where it is true.
    matches: Vec<Cube>,
    /// Where it is not.
    misses: Vec<Cube>,
    /// Where it leaves the decision to later rules.
    passes: Vec<Cube>,
    /// Where it decides if no rule before it does.
    reach: Vec<Cube>,
}

impl Reasoning<'_> {
    pub(super) fn step(&self, space: &Space<'_>, step: &Step<'_>, out: &mut Vec<Diagnostic>) {
        let mut earlier: Vec<Compared<'_>> = Vec::new();
        let mut pairs = 0;
        for (index, rule) in step.rules.iter().filter(|(_, rule)| rule.mode != Mode::Off) {
            let Some(compared) = compared(space, *index, rule) else { continue };
            pairs += earlier.len();
            if pairs > MOST_PAIRS {
                return;
            }
            let covered = self.covered(space, &earlier, &compared, out);
            if rule.mode == Mode::Enforce {
                if !covered {
                    self.overlaps(space, &earlier, &compared, out);
                }
                earlier.push(compared);
            }
        }
    }

    /// Whether the rules before it leave nothing for this one.
    fn covered(
        &self,
        space: &Space<'_>,
        earlier: &[Compared<'_>],
        later: &Compared<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> bool {
        // A rule that always applies is reported with the rule itself, however broken the rest is.
        if earlier.iter().any(|other| other.rule.term.is_none()) {
            return true;
        }
        let mut left = later.reach.clone();
        let mut part_in_it: Vec<&str> = Vec::new();
        for other in earlier {
            let (within, outside): (Vec<Cube>, Vec<Cube>) =
                left.drain(..).partition(|cube| other.decides_in(space, cube));
            if within.is_empty() {
                left = outside;
                continue;
            }
            let Ok(rest) = space.both(&within, &other.passes) else { return false };
            part_in_it.push(&other.rule.id);
            left = outside;
            left.extend(rest);
            if left.is_empty() {
                break;
            }
            if left.len() > MOST_LEFT {
                return false;
            }
        }
        if !left.is_empty() {
            return false;
        }
        let whole = earlier
            .iter()
            .find(|other| space.both(&later.reach, &other.passes).is_ok_and(|rest| rest.is_empty()));
        let help = if let Some(other) = whole {
            format!("`{}` stands before it and matches everything that it matches", other.rule.id)
        } else {
            let names: Vec<String> = part_in_it.iter().map(|id| format!("`{id}`")).collect();
            format!("{} stand before it and match everything that it matches", names.join(", "))
        };
        let path = at("rules").item(later.index).key("id");
        out.push(
            self.document
                .at_value(Code::R027, &path, format!("`{}` is never reached", later.rule.id))
                .help(help),
        );
        true
    }

    /// Records that this rule and one before it both match, though they do different things.
    fn overlaps(
        &self,
        space: &Space<'_>,
        earlier: &[Compared<'_>],
        later: &Compared<'_>,
        out: &mut Vec<Diagnostic>,
    ) {
        if later.rule.effect == Effect::Ignore || later.rule.term.is_none() {
            return;
        }
        let meant: BTreeSet<&str> = later.rule.after.iter().map(String::as_str).collect();
        let mut others = Vec::new();
        let mut shown = None;
        for other in earlier {
            let different = other.rule.effect != later.rule.effect && other.rule.effect != Effect::Ignore;
            if !different || meant.contains(other.rule.id.as_str()) {
                continue;
            }
            // The narrower rule first is an exception and its order is plain.
            let Ok(beyond) = space.both(&other.matches, &later.misses) else { continue };
            if beyond.is_empty() {
                continue;
            }
            let Some(witness) = witness(self, space, other, later) else { continue };
            shown.get_or_insert(witness);
            others.push(other);
        }
        let (Some(first), Some(witness)) = (others.first(), shown) else { return };
        let others_too = match others.len() - 1 {
            0 => String::new(),
            1 => format!("; so does `{}`", others[1].rule.id),
            more => format!("; so do {more} more rules"),
        };
        let path = at("rules").item(later.index).key("id");
        out.push(
            self.document
                .at_value(
                    Code::R033,
                    &path,
                    format!(
                        "`{}` and `{}` match the same records and do different things{others_too}",
                        first.rule.id, later.rule.id
                    ),
                )
                .help(format!(
                    "a record where {}: `{}` decides since it stands first. If that is meant, write `after: {}` in `{}`; else narrow one of them",
                    witness.words(),
                    first.rule.id,
                    first.rule.id,
                    later.rule.id,
                )),
        );
    }
}

fn witness(
    reasoning: &Reasoning<'_>,
    space: &Space<'_>,
    a: &Compared<'_>,
    b: &Compared<'_>,
) -> Option<Witness> {
    let terms: Vec<_> = [a.rule, b.rule].into_iter().filter_map(|rule| rule.term.as_ref()).collect();
    let mut tries = 0;
    for left in &a.matches {
        for right in &b.matches {
            let Some(cube) = space.meet(left, right) else { continue };
            let form = reasoning.catalogue.form(&a.rule.event);
            let found = Witness::of(space, &cube, &terms, form, reasoning.country.leap_birthday);
            tries += 1;
            if found.is_some() || tries == 4 {
                return found;
            }
        }
    }
    None
}

impl Compared<'_> {
    /// Whether this rule may decide somewhere in the cube.
    fn decides_in(&self, space: &Space<'_>, cube: &Cube) -> bool {
        self.reach.iter().any(|own| space.meet(own, cube).is_some())
    }
}

fn compared<'r>(space: &Space<'_>, index: usize, rule: &'r Rule) -> Option<Compared<'r>> {
    let Some(term) = &rule.term else {
        let everything = vec![Cube::new()];
        return Some(Compared {
            index,
            rule,
            matches: everything.clone(),
            misses: Vec::new(),
            passes: Vec::new(),
            reach: everything,
        });
    };
    let cubes = |face| space.cubes(term, face, &[]).ok();
    let (matches, misses) = (cubes(Face::True)?, cubes(Face::NotTrue)?);
    let holds = rule.if_unknown == IfUnknown::Hold && rule.mode == Mode::Enforce;
    let (passes, reach) =
        if holds { (cubes(Face::False)?, cubes(Face::NotFalse)?) } else { (misses.clone(), matches.clone()) };
    Some(Compared { index, rule, matches, misses, passes, reach })
}
