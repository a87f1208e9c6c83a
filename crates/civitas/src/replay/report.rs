//! What a replay found, for people and for programs. Ids, rules and numbers; nothing of a record's content.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell as TableCell, CellAlignment, Table};
use serde::Serialize;
use serde_json::{Value, json};

use super::tally::{Cell, Outcome, Tally};
use crate::words::{grouped, many};

/// A rule set that took part, as it is named in reports.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Folder of the pack, or `journal`.
    pub pack: String,
    /// Digest of the rule set; none where each decision has its own.
    pub digest: Option<String>,
}

/// When a run counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Deny {
    /// When any civil event comes out otherwise
    Changed,
    /// When one comes out otherwise for which MOSIP has issued an identifier already
    IssuedChanged,
    /// Never
    None,
}

impl Deny {
    /// Whether the policy denies what was found.
    pub fn denies(self, tally: &Tally) -> bool {
        match self {
            Self::Changed => tally.changed() > 0,
            Self::IssuedChanged => tally.changed_issued() > 0,
            Self::None => false,
        }
    }
}

/// What was found, for programs.
pub fn json(tally: &Tally, old: Option<&Side>, new: &Side) -> Value {
    let matrix: Vec<Value> = tally
        .matrix()
        .into_iter()
        .map(|((old, new), count)| json!({ "old": old, "new": new, "count": count }))
        .collect();
    json!({
        "old": old,
        "new": new,
        "read": tally.read,
        "civil_events": tally.judged,
        "changed": tally.changed(),
        "changed_issued": tally.changed_issued(),
        "same_by_another_rule": tally.renamed(),
        "repeated": tally.repeated,
        "never_asked": tally.unasked,
        "reindex_feed": tally.reindexed,
        "unreadable": { "count": tally.unreadable, "first": tally.faults },
        "matrix": matrix,
        "cells": tally.cells(),
    })
}

/// What was found, for people.
pub fn text(tally: &Tally, old: Option<&Side>, new: &Side) -> String {
    let mut text = String::new();
    let name = |side: &Side| match &side.digest {
        Some(digest) => format!("{} ({})", side.pack, digest.chars().take(12).collect::<String>()),
        None => side.pack.clone(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "old  {}", old.map_or_else(|| "not known".to_owned(), name));
    let _ = writeln!(text, "new  {}", name(new));
    let _ = writeln!(text, "{} judged, {} read\n", many(tally.judged, "civil event"), grouped(tally.read));
    if tally.judged > 0 {
        text.push_str(&matrix(tally));
        text.push('\n');
    }
    if old.is_some() {
        text.push_str(&changes(tally));
    }
    for remark in remarks(tally) {
        let _ = writeln!(text, "{remark}");
    }
    if tally.unreadable > 0 {
        let _ = writeln!(text, "\n{} could not be judged:", many(tally.unreadable, "place"));
        for fault in &tally.faults {
            let _ = writeln!(text, "  {}  {}", fault.place, fault.why);
        }
    }
    text
}

/// Old decisions down, new ones across.
fn matrix(tally: &Tally) -> String {
    let matrix = tally.matrix();
    let news: BTreeSet<&String> = matrix.keys().map(|(_, new)| new).collect();
    let olds: BTreeSet<&Option<String>> = matrix.keys().map(|(old, _)| old).collect();
    let known = olds.iter().any(|old| old.is_some());
    let mut table = Table::new();
    table.load_style(NOTHING);
    let corner = if known { "old ↓  new →" } else { "new →" };
    table.set_header(
        std::iter::once(TableCell::new(corner))
            .chain(news.iter().map(|new| TableCell::new(new).set_alignment(CellAlignment::Right))),
    );
    for old in olds {
        let label = match old {
            Some(old) => old.as_str(),
            None if known => "not known",
            None => "",
        };
        let counts = news.iter().map(|new| {
            let count = matrix.get(&(old.clone(), (*new).clone())).copied().unwrap_or(0);
            let shown = if count == 0 { "·".to_owned() } else { grouped(count) };
            TableCell::new(shown).set_alignment(CellAlignment::Right)
        });
        table.add_row(std::iter::once(TableCell::new(label)).chain(counts));
    }
    format!("{}\n", table.trim_fmt())
}

fn changes(tally: &Tally) -> String {
    let mut text = String::new();
    let (changed, issued) = (tally.changed(), tally.changed_issued());
    if changed == 0 {
        let same = if tally.judged == 0 { "" } else { "Nothing comes out otherwise.\n" };
        text.push_str(same);
    } else {
        let _ = writeln!(
            text,
            "{} of {} come out otherwise; MOSIP has issued an identifier already for {} of them.",
            grouped(changed),
            grouped(tally.judged),
            if issued == 0 { "none".to_owned() } else { grouped(issued) },
        );
    }
    for cell in tally.cells().into_iter().filter(|cell| cell.changed) {
        text.push_str(&change(cell));
    }
    match tally.renamed() {
        0 => {}
        renamed => {
            let _ = writeln!(text, "{} come out the same by another rule.", grouped(renamed));
        }
    }
    text
}

fn change(cell: &Cell) -> String {
    let by = |outcome: &Outcome| match &outcome.rule {
        Some(rule) => format!("{} by {rule}", outcome.label()),
        None => format!("{}, no rule matched", outcome.label()),
    };
    let issued = match cell.issued {
        0 => String::new(),
        issued => format!(", {} issued", grouped(issued)),
    };
    let samples: Vec<String> = cell.samples.iter().map(ToString::to_string).collect();
    format!(
        "\n  {} {}: {}{issued}\n    was  {}\n    now  {}\n    such as {}\n",
        cell.event,
        cell.action,
        grouped(cell.count),
        cell.old.as_ref().map(by).unwrap_or_default(),
        by(&cell.new),
        samples.join("\n            "),
    )
}

fn remarks(tally: &Tally) -> Vec<String> {
    let mut remarks = Vec::new();
    if tally.repeated > 0 {
        remarks.push(format!("{} that came again: counted once.", many(tally.repeated, "civil event")));
    }
    if tally.unasked > 0 {
        remarks.push(format!(
            "{} never put to the country (accepted without a request): not counted.",
            many(tally.unasked, "action")
        ));
    }
    if tally.reindexed > 0 {
        remarks.push(format!(
            "{} of OpenCRVS's reindex feed, which loses nulls: a field that was erased counts as if it were still there.",
            many(tally.reindexed, "document")
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::tally::{Judged, OutcomeRef};
    use super::*;

    fn tally() -> Tally {
        let create = OutcomeRef { effect: "create_uin", answer: "await", rule: Some("birth-uin") };
        let none = OutcomeRef { effect: "none", answer: "accept", rule: None };
        let mut tally = Tally::default();
        for number in 0..1203 {
            let (old, new) = match number {
                0..3 => (create, none),
                3 => (none, create),
                _ if number % 3 == 0 => (create, create),
                _ => (none, none),
            };
            tally.read += 1;
            tally.count(&Judged {
                number,
                event_id: Uuid::from_u128(number.into()),
                event: "birth",
                action: "REGISTER",
                old: Some(old),
                new,
                issued: number == 1,
            });
        }
        tally.fault(9, "a.json:4", "the document has no `id`");
        tally
    }

    fn side(pack: &str) -> Side {
        Side { pack: pack.to_owned(), digest: Some("0123456789abcdef".to_owned()) }
    }

    #[test]
    fn a_report_shows_the_matrix_and_what_changed_first() {
        insta::assert_snapshot!(text(&tally(), Some(&side("old")), &side("new")));
    }

    #[test]
    fn without_old_decisions_it_shows_the_new_ones() {
        let mut tally = Tally::default();
        (tally.read, tally.reindexed, tally.unasked, tally.repeated) = (2, 2, 1, 1);
        tally.count(&Judged {
            number: 0,
            event_id: Uuid::nil(),
            event: "birth",
            action: "REGISTER",
            old: None,
            new: OutcomeRef { effect: "none", answer: "accept", rule: None },
            issued: false,
        });
        insta::assert_snapshot!(text(&tally, None, &side("new")));
    }

    #[test]
    fn policies_deny_what_they_say() {
        let tally = tally();
        assert!(Deny::Changed.denies(&tally) && Deny::IssuedChanged.denies(&tally));
        assert!(!Deny::None.denies(&tally) && !Deny::Changed.denies(&Tally::default()));
    }
}
