//! Looking for a record that shows a goal: one that a case has already, with as few changes as will do.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Map;

use crate::cases::{self, Case, CaseWorld, SOME_ID, SOME_TRACKING_ID};
use crate::coverage::goals::{Goal, distance, shown};
use crate::coverage::values::{Ground, Move, sample};
use crate::coverage::written;
use crate::decision::Effect;
use crate::files::cases::{CasesFile, Expect};
use crate::files::rules::Mode;
use crate::mapping::Plan;
use crate::pack::{Pack, PackFiles};
use crate::packet::PacketContext;
use crate::ruleset::Rule;
use crate::source::{Document, Place};

/// The most cases that are tried as a start.
const STARTS: usize = 6;

/// A case that was found, and run.
pub(super) struct Found {
    pub(super) file: String,
    pub(super) yaml: String,
}

/// A case that shows the goal, with everything that it shows.
pub(super) fn find(
    pack: &Pack,
    files: &PackFiles,
    goal: &Goal,
    taken: &mut BTreeSet<String>,
) -> Option<(Found, BTreeSet<Goal>)> {
    let inner = pack.inner();
    for index in goal.rules(inner) {
        let rule = &inner.rules.rules[index];
        let mut starts = starts(pack, rule);
        let nothing = from_nothing(pack, files, rule);
        let mut moves = Vec::new();
        if let Some(form) = inner.catalogue.form(&rule.event) {
            let at = starts.first().or(nothing.as_ref())?.at;
            let today = inner.country.time_zone.to_datetime(at).date();
            let ground = Ground { form, today, leap: inner.country.leap_birthday, cases: &inner.cases };
            // The rule's own terms first, then those of the rules that are asked before it.
            let before = inner.rules.rules[..index].iter().filter(|other| same_step(other, rule));
            for rule in std::iter::once(rule).chain(before) {
                if let Some(term) = &rule.term {
                    ground.moves(term, &mut moves);
                }
            }
            for start in &mut starts {
                start.at = at;
            }
            // A record that the rule matches is a good place to look around.
            starts = solved(pack, index, starts, &moves);
        }
        let made_up = solved(pack, index, nothing.into_iter().collect(), &moves);
        let mut few = |starts: &[Case], steps: usize| {
            starts
                .iter()
                .find_map(|start| walk(pack, files, goal, &mut start.clone(), &moves, 0, steps, taken))
        };
        let found = (0..=2)
            .find_map(|steps| few(&starts, steps))
            .or_else(|| few(&starts[..starts.len().min(2)], 3))
            .or_else(|| (0..=3).find_map(|steps| few(&made_up, steps)));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn same_step(a: &Rule, b: &Rule) -> bool {
    a.event == b.event && a.action == b.action
}

/// Cases of the rule's step, those in front that the rule decides and that start from a record.
fn starts(pack: &Pack, rule: &Rule) -> Vec<Case> {
    let inner = pack.inner();
    let mut found: Vec<(bool, bool, &Case)> = inner
        .cases
        .iter()
        .filter(|case| case.event == rule.event && case.action == rule.action)
        .filter(|case| rule.custom_action.is_none() || rule.custom_action == case.custom_action)
        .map(|case| {
            let decides = pack.decide(&case.facts()).rule.as_ref() == Some(&rule.id);
            (!decides, case.record.is_none(), case)
        })
        .collect();
    found.sort_by_key(|(decides, record, _)| (*decides, *record));
    let starts = found.into_iter().take(STARTS).map(|(_, _, case)| case.clone());
    // Each also as it would be if the action changed nothing.
    let unchanged = |case: Case| {
        let still = Case { after: Arc::clone(&case.before), ..case.clone() };
        if still.after == case.after { vec![case] } else { vec![case, still] }
    };
    starts.flat_map(unchanged).collect()
}

/// The starts from which a few moves make a record that the rule matches, so made, and all starts behind them.
fn solved(pack: &Pack, index: usize, starts: Vec<Case>, moves: &[Move]) -> Vec<Case> {
    let mut all = starts.clone();
    all.retain_mut(|start| solve(pack, index, start, moves));
    all.truncate(2);
    all.extend(starts);
    all
}

/// Makes the moves that bring the record nearer to the rule, one after the other, until the rule matches.
fn solve(pack: &Pack, index: usize, case: &mut Case, moves: &[Move]) -> bool {
    let rules = &pack.inner().rules.rules;
    let far = |case: &Case| {
        let facts = case.facts();
        let scene = pack.inner().scene(&facts);
        let own = rules[index].term.as_ref().map_or(0, |term| distance(term, true, &scene));
        let earlier = rules[..index].iter().filter(|rule| rule.mode == Mode::Enforce && rule.is_for(&facts));
        let others: usize =
            earlier.map(|rule| rule.term.as_ref().map_or(1, |term| distance(term, false, &scene))).sum();
        own + others
    };
    let mut left = far(case);
    while left > 0 {
        let tries = moves.iter().map(|step| {
            let mut tried = case.clone();
            step.make(&mut tried);
            (far(&tried), tried)
        });
        let Some((nearer, best)) = tries.min_by_key(|(far, _)| *far).filter(|(far, _)| *far < left) else {
            return false;
        };
        (left, *case) = (nearer, best);
    }
    true
}

/// A record made up of what the rule's packet reads.
fn from_nothing(pack: &Pack, files: &PackFiles, rule: &Rule) -> Option<Case> {
    let inner = pack.inner();
    let file = files.0.keys().find(|name| name.starts_with("cases/"))?.clone();
    let at = inner.cases.first().map_or(Timestamp::UNIX_EPOCH, |case| case.at);
    let today = inner.country.time_zone.to_datetime(at).date();
    let form = inner.catalogue.form(&rule.event)?;
    let mut values = Map::new();
    if let Effect::Operate { send, .. } = &rule.effect
        && let Some(plan) = inner.packets.plans.get(send)
    {
        for field in fields_of(plan) {
            if let Some(kind) = form.fields.get(&field) {
                values.insert(field, sample(kind, 0, today));
            }
        }
    }
    let expect: Expect = serde_json::from_value(serde_json::json!({ "do": "none" })).ok()?;
    let values = Arc::new(values);
    Some(Case {
        file,
        place: Place::default(),
        name: String::new(),
        event: rule.event.clone(),
        action: rule.action.clone(),
        custom_action: rule.custom_action.clone(),
        at,
        before: Arc::clone(&values),
        after: values,
        event_id: SOME_ID.to_owned(),
        tracking_id: SOME_TRACKING_ID.to_owned(),
        registration_number: Some("B26000000000".to_owned()),
        record: None,
        expect,
    })
}

fn fields_of(plan: &Plan) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for value in plan.fields.values() {
        value.source.fields(&mut |field| {
            fields.insert(field.field.clone());
        });
    }
    fields
}

/// Tries `steps` more moves, from the one at `from` on.
#[expect(clippy::too_many_arguments, reason = "one recursive search, all of it needed at each step")]
fn walk(
    pack: &Pack,
    files: &PackFiles,
    goal: &Goal,
    case: &mut Case,
    moves: &[Move],
    from: usize,
    steps: usize,
    taken: &mut BTreeSet<String>,
) -> Option<(Found, BTreeSet<Goal>)> {
    if steps == 0 {
        let shows = shown(pack.inner(), &case.facts());
        return shows
            .contains(goal)
            .then(|| write(pack, files, goal, case, taken))
            .flatten()
            .map(|found| (found, shows));
    }
    for (index, step) in moves.iter().enumerate().skip(from) {
        let (before, after) = (Arc::clone(&case.before), Arc::clone(&case.after));
        step.make(case);
        let found = walk(pack, files, goal, case, moves, index + 1, steps - 1, taken);
        (case.before, case.after) = (before, after);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Writes the case, pastes it into its file, reads that, and runs it.
fn write(
    pack: &Pack,
    files: &PackFiles,
    goal: &Goal,
    case: &Case,
    taken: &mut BTreeSet<String>,
) -> Option<Found> {
    let inner = pack.inner();
    let decision = pack.decide(&case.facts());
    let mut number = None;
    if let Effect::Operate { send, .. } = &decision.effect {
        let facts = case.facts();
        let built = |number: Option<&str>| {
            let (event_id, tracking_id) = (&case.event_id, &case.tracking_id);
            let context = PacketContext { facts: &facts, event_id, tracking_id, registration_number: number };
            pack.build_packet(send, &context).is_ok()
        };
        // A number only where the packet does not do without.
        if !built(None) {
            number.clone_from(&case.registration_number);
            if !built(number.as_deref()) {
                return None;
            }
        }
    }
    let text = files.0.get(&case.file)?;
    let (place, indent) = written::indent_of(text)?;
    let mut names = taken.clone();
    let mut case = Case { registration_number: number, ..case.clone() };
    case.name = written::name(&goal.text(inner).replace(": ", ", "), &mut names);
    let yaml = written::yaml(pack, &case, &decision, &indent);
    let mut out = Vec::new();
    let document = Document::yaml(&case.file, &written::pasted(text, place, &yaml), &mut out)?;
    let file: CasesFile = serde_json::from_value(document.value.clone()).ok()?;
    let ids: Vec<&str> = pack.rule_ids().collect();
    let nothing = std::collections::BTreeMap::new();
    let world = CaseWorld {
        catalogue: &inner.catalogue,
        country: &inner.country,
        ids: &ids,
        rules: &inner.rules,
        documents: &nothing,
        reader: None,
    };
    let read = cases::compile(&[(document, file)], &world, &mut out).cases;
    let again = read.iter().find(|other| other.name == case.name)?;
    let line = again.place.line();
    let accepted = !out.iter().any(|problem| problem.line >= line && problem.file == case.file);
    if !accepted || again.run(pack).is_some() || !shown(inner, &again.facts()).contains(goal) {
        return None;
    }
    *taken = names;
    Some(Found { file: case.file, yaml })
}
