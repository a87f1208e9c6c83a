//! Changes of rules.yaml: bounds, terms, and what a rule does; and of the day that country.yaml reckons by.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::catalogue::{Form, Kind};
use crate::country::LeapBirthday;
use crate::files::rules::Mode;
use crate::layout::{Entry, Node, Shape};
use crate::mutate::edit::{
    Edit, append_entry, append_item, inline, quoted, remove_entry, remove_item, rewrite, swap,
};
use crate::mutate::proof::{can_be_unknown, disjoint, has_test, needs_birthday, needs_today, other_step};
use crate::mutate::{Sheet, kind_of, packets, words};
use crate::ruleset::Rule;
use crate::term::Term;

/// The most values that are tried where a list could hold too many.
const ADDED: usize = 4;

pub(super) fn mutate(sheet: &mut Sheet<'_>) {
    let root = sheet.root.clone();
    let rules = &sheet.pack.rules.rules;
    let nodes = root.get("rules").map(Node::items).unwrap_or_default();
    if nodes.len() != rules.len() {
        return;
    }
    for (index, (node, rule)) in nodes.iter().zip(rules).enumerate() {
        let cases = step_cases(sheet, &[rule]);
        effects(sheet, &root, index, node, &cases);
        if rule.mode == Mode::Off {
            continue;
        }
        if let Some(condition) = node.entry("if") {
            let drop = remove_entry(&sheet.text, node, "if");
            let mut walk = Walk { owner: format!("of `{}`", rule.id), form: form_of(sheet, rule), cases };
            // Without one of the terms of `all` it is weaker already.
            let many = condition.value.get("all").is_some_and(|list| list.items().len() > 1);
            walk.condition(sheet, &condition.value, drop.filter(|_| !many), true);
        }
        let next = (index + 1..rules.len())
            .find(|other| rules[*other].mode != Mode::Off && !other_step(rule, &rules[*other]));
        if let Some(other) = next
            && !disjoint(rule, &rules[other])
        {
            let edits = swap(&sheet.text, &node.range, &nodes[other].range);
            let what = format!("`{}` tried after `{}`", rule.id, rules[other].id);
            sheet.add(what, node.range.start, &edits, &step_cases(sheet, &[rule, &rules[other]]));
        }
    }
    for entry in root.get("conditions").map(Node::entries).unwrap_or_default() {
        if let Some((form, cases)) = users(sheet, |term| mentions(term, &entry.key)) {
            let mut walk = Walk { owner: format!("of `{}`", entry.key), form, cases };
            // Dropping or negating the whole is done where it is used.
            walk.condition(sheet, &entry.value, None, false);
        }
    }
    for entry in root.get("groups").map(Node::entries).unwrap_or_default() {
        if let Some((_, cases)) = users(sheet, |term| uses_group(term, &entry.key)) {
            shorten(sheet, &entry.value, &format!("of `{}`", entry.key), &cases);
        }
    }
}

/// The cases for the steps of some rules, in front those that one of the rules decides.
fn step_cases(sheet: &Sheet<'_>, rules: &[&Rule]) -> Vec<usize> {
    let steps: Vec<Rule> = rules.iter().map(|rule| Rule { mode: Mode::Enforce, ..(*rule).clone() }).collect();
    sheet.cases(
        |index| steps.iter().any(|rule| rule.is_for(&sheet.pack.cases[index].facts())),
        |index| rules.iter().any(|rule| sheet.decisions[index].rule.as_ref() == Some(&rule.id)),
    )
}

fn form_of(sheet: &Sheet<'_>, rule: &Rule) -> Form {
    sheet.pack.catalogue.form(&rule.event).cloned().unwrap_or_default()
}

/// The form and the cases of the rules whose condition is as asked; none if there are no such rules.
fn users(sheet: &Sheet<'_>, wanted: impl Fn(&Term) -> bool) -> Option<(Form, Vec<usize>)> {
    let users: Vec<&Rule> = sheet
        .pack
        .rules
        .rules
        .iter()
        .filter(|rule| rule.mode != Mode::Off && rule.term.as_ref().is_some_and(&wanted))
        .collect();
    Some((form_of(sheet, users.first()?), step_cases(sheet, &users)))
}

fn mentions(term: &Term, wanted: &str) -> bool {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().any(|term| mentions(term, wanted)),
        Term::Not(term) => mentions(term, wanted),
        Term::Named { name, term } => name == wanted || mentions(term, wanted),
        Term::Changed { .. } | Term::Test { .. } => false,
    }
}

fn uses_group(term: &Term, wanted: &str) -> bool {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().any(|term| uses_group(term, wanted)),
        Term::Not(term) | Term::Named { term, .. } => uses_group(term, wanted),
        Term::Changed { group, .. } => group.as_deref() == Some(wanted),
        Term::Test { .. } => false,
    }
}

/// Takes each item out of a list of several different ones.
fn shorten(sheet: &mut Sheet<'_>, list: &Node, from: &str, cases: &[usize]) {
    let items = list.items();
    for (index, item) in items.iter().enumerate() {
        let word = item.scalar().unwrap_or("an item");
        let twice = items.iter().filter(|other| other.scalar() == item.scalar()).count() > 1;
        if items.len() > 1
            && !twice
            && let Some(edit) = remove_item(&sheet.text, list, index)
        {
            sheet.add(format!("`{word}` taken out {from}"), item.range.start, &[edit], cases);
        }
    }
}

/// Changes of what a rule does.
fn effects(sheet: &mut Sheet<'_>, root: &Node, index: usize, node: &Node, cases: &[usize]) {
    let rule = &sheet.pack.rules.rules[index];
    let (id, mode) = (rule.id.clone(), rule.mode);
    let undecided = mode == Mode::Enforce && rule.term.as_ref().is_some_and(can_be_unknown);
    let text = Arc::clone(&sheet.text);
    if let Some(entry) = node.entry("mode").filter(|_| mode != Mode::Enforce) {
        let edit = rewrite(&text, &entry.value, "enforce");
        sheet.add(format!("`{id}` enforced"), entry.key_range.start, &[edit], cases);
    }
    if mode == Mode::Off {
        return;
    }
    if let Some(edit) = root.get("rules").and_then(|rules| remove_item(&text, rules, index)) {
        sheet.add(format!("`{id}` dropped"), node.range.start, &[edit], cases);
    }
    if mode == Mode::Enforce {
        let edit = set(&text, node, "mode", "evaluate");
        sheet.add(
            format!("`{id}` only evaluated"),
            node.range.start,
            &[edit].into_iter().flatten().collect::<Vec<_>>(),
            cases,
        );
    }
    if mode == Mode::Evaluate {
        // Of a rule that only says that it would have, the decision has nothing but its id.
        return;
    }
    if let Some(act) = node.get("do")
        && let Some(word) = act.scalar()
    {
        if word == "reject" || word == "ignore" {
            let other = if word == "reject" { "ignore" } else { "reject" };
            let mut edits = vec![rewrite(&text, act, other)];
            if word == "reject" {
                edits.extend(remove_entry(&text, node, "reason"));
            } else if let Some(name) = node.get("name") {
                edits.extend(append_entry(&text, node, &format!("reason: {}", inline(&text, name))));
            }
            sheet.add(format!("`do: {other}` for `do: {word}`"), act.range.start, &edits, cases);
        } else {
            let other = words::other_act(word);
            let edit = rewrite(&text, act, other);
            sheet.add(format!("`do: {other}` for `do: {word}`"), act.range.start, &[edit], cases);
        }
    }
    if let Some(respond) = node.get("respond") {
        let waits = respond.scalar() == Some("await_external_validation");
        let other = if waits { "continue" } else { "await_external_validation" };
        let mut edit = rewrite(&text, respond, other);
        let deadline = node.get("deadline").is_some();
        if !waits && !deadline {
            // A rule that awaits has a deadline.
            edit.text.push_str(&beside(&text, node, respond, "deadline: 7 days"));
        }
        let mut edits = vec![edit];
        if waits && deadline {
            edits.extend(remove_entry(&text, node, "deadline"));
        }
        sheet.add(format!("`respond: {other}`"), respond.range.start, &edits, cases);
    }
    if let Some(deadline) = node.get("deadline")
        && let Some((count, unit)) = deadline.scalar().and_then(|text| text.split_once(' '))
        && let Ok(count) = count.parse::<u16>()
    {
        let unit = if unit.ends_with('s') { unit.to_owned() } else { format!("{unit}s") };
        let edit = rewrite(&text, deadline, &format!("{} {unit}", count.saturating_add(1)));
        sheet.add("the deadline moved", deadline.range.start, &[edit], cases);
    }
    if let Some(write) = node.get("write") {
        let whole = write.entries().len() == 1;
        for entry in write.entries() {
            let drop = if whole {
                remove_entry(&text, node, "write")
            } else {
                remove_entry(&text, write, &entry.key)
            };
            let edits: Vec<Edit> = drop.into_iter().collect();
            sheet.add(format!("`{}` not written", entry.key), entry.key_range.start, &edits, cases);
        }
        packets::mutate_written(sheet, index, write, cases);
    }
    if undecided {
        let holds = node.get("if_unknown").and_then(Node::scalar) == Some("hold");
        let other = if holds { "skip" } else { "hold" };
        let edit = set(&text, node, "if_unknown", other);
        let at = node.get("if_unknown").map_or(node.range.start, |node| node.range.start);
        sheet.add(
            format!("`if_unknown: {other}` for `{id}`"),
            at,
            &edit.into_iter().collect::<Vec<_>>(),
            cases,
        );
    }
}

/// Another value for a key, which is put in where it is missing.
fn set(text: &str, map: &Node, key: &str, value: &str) -> Option<Edit> {
    match map.get(key) {
        Some(node) => Some(rewrite(text, node, value)),
        None => append_entry(text, map, &format!("{key}: {value}")),
    }
}

/// What has to stand behind a value so that another entry follows it in its map.
fn beside(text: &str, map: &Node, value: &Node, entry: &str) -> String {
    let own = map.entries().iter().find(|own| own.value.range == value.range);
    match (&map.shape, own) {
        (Shape::Map { flow: false, .. }, Some(own)) => {
            let column = own.key_range.start - super::edit::line_start(text, own.key_range.start);
            format!("\n{:column$}{entry}", "")
        }
        _ => format!(", {entry}"),
    }
}

/// Goes through one condition.
struct Walk {
    owner: String,
    form: Form,
    cases: Vec<usize>,
}

impl Walk {
    fn add(&self, sheet: &mut Sheet<'_>, what: &str, node: &Node, edit: Option<Edit>) {
        if let Some(edit) = edit {
            sheet.add(format!("{what} {}", self.owner), node.range.start, &[edit], &self.cases);
        }
    }

    /// `drop` takes the whole condition out; `negate` says whether its opposite is worth trying.
    fn condition(&mut self, sheet: &mut Sheet<'_>, node: &Node, drop: Option<Edit>, negate: bool) {
        let text = Arc::clone(&sheet.text);
        self.add(sheet, "a term dropped", node, drop);
        let not =
            |node: &Node| Some(Edit::new(node.range.clone(), format!("{{ not: {} }}", inline(&text, node))));
        let [entry] = node.entries() else {
            if node.scalar().is_some() && negate {
                self.add(sheet, "a term negated", node, not(node));
            }
            return;
        };
        let inner = &entry.value;
        match entry.key.as_str() {
            "all" | "any" => {
                let many = inner.items().len() > 1;
                if negate && many {
                    self.add(sheet, "a term negated", node, not(node));
                }
                if many {
                    let other = if entry.key == "all" { "any" } else { "all" };
                    let edit = Edit::new(entry.key_range.clone(), other);
                    self.add(sheet, &format!("`{other}` for `{}`", entry.key), node, Some(edit));
                }
                for (index, item) in inner.items().iter().enumerate() {
                    let drop = remove_item(&text, inner, index).filter(|_| many);
                    self.condition(sheet, item, drop, many || negate);
                }
            }
            "not" => {
                let edit = Edit::new(node.range.clone(), inline(&text, inner));
                self.add(sheet, "a `not` dropped", node, Some(edit));
                self.condition(sheet, inner, None, false);
            }
            "changed" => {
                if negate {
                    self.add(sheet, "a term negated", node, not(node));
                }
                let from = format!("of `changed` {}", self.owner);
                shorten(sheet, inner, &from, &self.cases);
            }
            _ => self.field(sheet, node, entry, negate),
        }
    }

    fn field(&mut self, sheet: &mut Sheet<'_>, node: &Node, entry: &Entry, negate: bool) {
        let text = Arc::clone(&sheet.text);
        let tests = &entry.value;
        if let Some(word) = tests.scalar() {
            let edit = match words::opposite(word) {
                Some(other) => rewrite(&text, tests, other),
                None => Edit::new(node.range.clone(), format!("{{ not: {} }}", inline(&text, node))),
            };
            if negate {
                self.add(sheet, "a term negated", node, Some(edit));
            }
            return;
        }
        for test in tests.entries() {
            let several = tests.entries().len() > 1;
            if several {
                let drop = remove_entry(&text, tests, &test.key);
                self.add(sheet, "a term dropped", &test.value, drop);
            }
            if negate || several {
                let taken = |other: &str| tests.entries().iter().any(|entry| entry.key == other);
                let edit = match words::opposite(&test.key).filter(|other| !taken(other)) {
                    Some(other) => Some(Edit::new(test.key_range.clone(), other)),
                    None if several => None,
                    None => {
                        Some(Edit::new(node.range.clone(), format!("{{ not: {} }}", inline(&text, node))))
                    }
                };
                self.add(sheet, "a term negated", &test.value, edit);
            }
            self.bound(sheet, node, entry, test, several);
        }
    }

    fn bound(&mut self, sheet: &mut Sheet<'_>, node: &Node, entry: &Entry, test: &Entry, several: bool) {
        let source = Arc::clone(&sheet.text);
        let kind = kind_of(&self.form, &entry.key);
        let value = &test.value;
        let written = value.scalar().unwrap_or_default();
        let mut moved = |this: &Self, what: &str, values: &[String]| {
            for other in values {
                this.add(
                    sheet,
                    &format!("{what} `{other}` for `{written}`"),
                    value,
                    Some(rewrite(&source, value, other)),
                );
            }
        };
        match test.key.as_str() {
            "age_below" | "age_at_least" => moved(self, "the bound", &words::ages(written)),
            "less_than" | "at_least" => moved(self, "the bound", &words::numbers(written)),
            "before" | "after" => {
                moved(self, "the bound", &words::dates(written));
                let other = if test.key == "before" { "after" } else { "before" };
                // Not after: the day itself is on the other side than with `before`.
                let name = &source[entry.key_range.clone()];
                let not = format!("{{ not: {{ {name}: {{ {other}: {} }} }} }}", inline(&source, value));
                if written == "today" && !several {
                    self.add(
                        sheet,
                        "the day itself counted in",
                        value,
                        Some(Edit::new(node.range.clone(), not)),
                    );
                }
            }
            "equals" => {
                let others: Vec<String> = match (&kind, written) {
                    (_, "true") => vec!["false".to_owned()],
                    (_, "false") => vec!["true".to_owned()],
                    (Some(Kind::Choice(options)), _) => {
                        options.iter().filter(|option| *option != written).take(1).cloned().collect()
                    }
                    (Some(Kind::Number), _) => words::numbers(written),
                    (Some(Kind::Date), _) => words::dates(written),
                    _ => vec![format!("{written}x")],
                };
                moved(self, "the value", &others);
            }
            "in" => {
                shorten(sheet, value, &self.owner, &self.cases);
                if let Some(Kind::Choice(options)) = &kind {
                    let listed: BTreeSet<&str> = value.items().iter().filter_map(Node::scalar).collect();
                    for option in
                        options.iter().filter(|option| !listed.contains(option.as_str())).take(ADDED)
                    {
                        let edit = append_item(&source, value, &plain(option));
                        self.add(sheet, &format!("`{option}` let in by a term"), value, edit);
                    }
                }
            }
            "matches" if written != ".*" => {
                // Any text at all; with a choice whose every value fits the pattern that is no change.
                let fits_all = match (&kind, regex::Regex::new(&format!("^(?:{written})$"))) {
                    (Some(Kind::Choice(options)), Ok(pattern)) => {
                        options.iter().all(|option| pattern.is_match(option))
                    }
                    _ => false,
                };
                if !fits_all {
                    self.add(
                        sheet,
                        "any text for the pattern",
                        value,
                        Some(Edit::new(value.range.clone(), "'(?s).*'")),
                    );
                }
            }
            _ => {}
        }
    }
}

/// A word as YAML has it, in quotes where it would be read as something else.
pub(crate) fn plain(word: &str) -> String {
    let odd = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", ""];
    let letters = word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let leads = word.starts_with(|c: char| c.is_alphabetic());
    if letters && leads && !odd.contains(&word.to_lowercase().as_str()) {
        word.to_owned()
    } else {
        quoted(word)
    }
}

/// Changes of the day: another time zone, another birthday of those born on 29 February.
pub(super) fn mutate_country(sheet: &mut Sheet<'_>) {
    let root = sheet.root.clone();
    let text = Arc::clone(&sheet.text);
    let asks = |wanted| users(sheet, |term| has_test(term, wanted)).map(|(_, cases)| cases);
    let (today, birthday) = (asks(needs_today), asks(needs_birthday));
    if let (Some(node), Some(cases)) = (root.get("time_zone"), today) {
        let own = &sheet.pack.country.time_zone;
        let offsets = |zone: &TimeZone| {
            [1, 7].map(|month| {
                zone.to_ambiguous_timestamp(date(2026, month, 1).at(12, 0, 0, 0)).compatible().ok()
            })
        };
        let other = ["UTC", "Asia/Kathmandu"]
            .into_iter()
            .find(|name| TimeZone::get(name).is_ok_and(|zone| offsets(&zone) != offsets(own)));
        if let Some(other) = other {
            let edit = rewrite(&text, node, other);
            sheet.add(format!("days reckoned in {other}"), node.range.start, &[edit], &cases);
        }
    }
    if let Some(cases) = birthday {
        let other = match sheet.pack.country.leap_birthday {
            LeapBirthday::February28 => "mar_1",
            LeapBirthday::March1 => "feb_28",
        };
        let at = root.get("leap_birthday").map_or(0, |node| node.range.start);
        let edits: Vec<Edit> = set(&text, &root, "leap_birthday", other).into_iter().collect();
        sheet.add("the other birthday for 29 February", at, &edits, &cases);
    }
}
