//! What is counted: old decision × new decision, with a few records of each.

use std::collections::BTreeMap;

use civitas_rules::{Decision, Effect, Respond};
use serde::Serialize;
use uuid::Uuid;

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Outcome {
    /// The operation, or `none`, `hold`, `reject`, `ignore`.
    pub effect: String,
    /// What OpenCRVS is answered: `accept`, `await` or `reject`.
    pub answer: String,
    /// The rule that decided.
    pub rule: Option<String>,
}

/// An outcome that is looked at and not kept.
#[derive(Debug, Clone, Copy)]
pub struct OutcomeRef<'a> {
    /// As in [`Outcome`].
    pub effect: &'a str,
    /// As in [`Outcome`].
    pub answer: &'a str,
    /// As in [`Outcome`].
    pub rule: Option<&'a str>,
}

impl<'a> OutcomeRef<'a> {
    /// What a decision comes to.
    pub fn of(decision: &'a Decision) -> Self {
        let answer = match &decision.effect {
            Effect::Operate { respond: Respond::AwaitExternalValidation, .. } | Effect::Hold { .. } => {
                "await"
            }
            Effect::Reject { .. } => "reject",
            Effect::None | Effect::Ignore | Effect::Operate { respond: Respond::Continue, .. } => "accept",
        };
        Self { effect: decision.effect.as_str(), answer, rule: decision.rule.as_deref() }
    }

    fn is(&self, outcome: &Outcome) -> bool {
        self.effect == outcome.effect && self.answer == outcome.answer && self.rule == outcome.rule.as_deref()
    }

    fn kept(&self) -> Outcome {
        Outcome {
            effect: self.effect.to_owned(),
            answer: self.answer.to_owned(),
            rule: self.rule.map(str::to_owned),
        }
    }
}

impl Outcome {
    /// What happens, in a few words: the effect, and that the record waits where that does not go without saying.
    pub fn label(&self) -> String {
        match (self.effect.as_str(), self.answer.as_str()) {
            ("none" | "ignore", "accept") | ("hold", "await") | ("reject", "reject") => self.effect.clone(),
            (effect, "accept") => effect.to_owned(),
            (effect, answer) => format!("{effect}, {answer}"),
        }
    }

    /// Whether something else happens; by which rule is no matter.
    pub fn differs(&self, other: &Self) -> bool {
        self.effect != other.effect || self.answer != other.answer
    }
}

/// Civil events of one kind that were decided in one way then and in one way now.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// `birth`, `death`, …
    pub event: String,
    /// `REGISTER`, …, or which custom action.
    pub action: String,
    /// The old decision; none if nobody knows it.
    pub old: Option<Outcome>,
    /// The new decision.
    pub new: Outcome,
    /// Whether something else happens than before.
    pub changed: bool,
    /// How many.
    pub count: u64,
    /// How many of them have an identifier from MOSIP already.
    pub issued: u64,
    /// Event ids of the first of them, of those that have one before the others.
    pub samples: Vec<Uuid>,
    /// By which the samples are ordered.
    #[serde(skip)]
    ranks: Vec<Rank>,
}

/// Issued ones first, then in the order of the source.
type Rank = (bool, u64);

/// One judged civil event.
pub struct Judged<'a> {
    /// Number of the item that it came with.
    pub number: u64,
    /// The record.
    pub event_id: Uuid,
    /// `birth`, …
    pub event: &'a str,
    /// `REGISTER`, …
    pub action: &'a str,
    /// How it was decided.
    pub old: Option<OutcomeRef<'a>>,
    /// How it is decided now.
    pub new: OutcomeRef<'a>,
    /// Whether it has an identifier from MOSIP already.
    pub issued: bool,
}

/// Something that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unreadable {
    #[serde(skip)]
    number: u64,
    /// Where it stands.
    pub place: String,
    /// What is wrong with it.
    pub why: String,
}

/// Everything that one worker, or all of them, counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Samples to keep per cell.
    pub keep: usize,
    /// Documents, messages or decisions that were read.
    pub read: u64,
    /// Civil events that were judged.
    pub judged: u64,
    /// Civil events that came again and were not counted again.
    pub repeated: u64,
    /// Accepted actions that were never put to the country.
    pub unasked: u64,
    /// Documents that look like OpenCRVS's reindex feed.
    pub reindexed: u64,
    /// What could not be read, or not be judged.
    pub unreadable: u64,
    /// The first of these.
    pub faults: Vec<Unreadable>,
    cells: Vec<Cell>,
}

/// Faults that are kept to be shown.
const FAULTS: usize = 10;
/// Samples of a cell when nobody says otherwise.
pub const SAMPLES: usize = 5;

impl Tally {
    /// Counts one civil event.
    pub fn count(&mut self, judged: &Judged<'_>) {
        self.judged += 1;
        let keep = if self.keep == 0 { SAMPLES } else { self.keep };
        let cell = self.cell(judged);
        cell.count += 1;
        cell.issued += u64::from(judged.issued);
        cell.sample((!judged.issued, judged.number), judged.event_id, keep);
    }

    /// Notes of one that was counted before that it was issued since.
    pub fn issued_since(&mut self, judged: &Judged<'_>) {
        let keep = if self.keep == 0 { SAMPLES } else { self.keep };
        let cell = self.cell(judged);
        cell.issued += 1;
        cell.sample((false, judged.number), judged.event_id, keep);
    }

    fn cell(&mut self, judged: &Judged<'_>) -> &mut Cell {
        let fits = |cell: &Cell| {
            judged.new.is(&cell.new)
                && match (&judged.old, &cell.old) {
                    (Some(old), Some(known)) => old.is(known),
                    (None, None) => true,
                    _ => false,
                }
                && cell.action == judged.action
                && cell.event == judged.event
        };
        let at = match self.cells.iter().position(fits) {
            // What is frequent moves to the front, where it is found soon.
            Some(at) if at > 0 && self.cells[at].count > self.cells[at - 1].count => {
                self.cells.swap(at, at - 1);
                at - 1
            }
            Some(at) => at,
            None => {
                let (old, new) = (judged.old.map(|old| old.kept()), judged.new.kept());
                self.cells.push(Cell {
                    event: judged.event.to_owned(),
                    action: judged.action.to_owned(),
                    changed: old.as_ref().is_some_and(|old| old.differs(&new)),
                    old,
                    new,
                    count: 0,
                    issued: 0,
                    samples: Vec::new(),
                    ranks: Vec::new(),
                });
                self.cells.len() - 1
            }
        };
        &mut self.cells[at]
    }

    /// Notes something that could not be judged.
    pub fn fault(&mut self, number: u64, place: impl Into<String>, why: impl Into<String>) {
        self.unreadable += 1;
        let fault = Unreadable { number, place: place.into(), why: why.into() };
        let at = self.faults.partition_point(|known| *known < fault);
        if at < FAULTS {
            self.faults.insert(at, fault);
            self.faults.truncate(FAULTS);
        }
    }

    /// Adds what another worker counted. The result does not depend on who counted what.
    pub fn merge(&mut self, other: Self, keep: usize) {
        self.read += other.read;
        self.judged += other.judged;
        self.repeated += other.repeated;
        self.unasked += other.unasked;
        self.reindexed += other.reindexed;
        self.unreadable += other.unreadable;
        self.faults.extend(other.faults);
        self.faults.sort();
        self.faults.truncate(FAULTS);
        for cell in other.cells {
            let same = |known: &&mut Cell| {
                known.event == cell.event
                    && known.action == cell.action
                    && known.old == cell.old
                    && known.new == cell.new
            };
            match self.cells.iter_mut().find(same) {
                None => self.cells.push(cell),
                Some(known) => {
                    known.count += cell.count;
                    known.issued += cell.issued;
                    for (rank, sample) in cell.ranks.into_iter().zip(cell.samples) {
                        known.sample(rank, sample, keep);
                    }
                }
            }
        }
    }

    /// The cells: what changed first, the issued before all; then by number.
    pub fn cells(&self) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.cells.iter().collect();
        cells.sort_by_key(|cell| {
            let rank = (!cell.changed, std::cmp::Reverse((cell.changed && cell.issued > 0, cell.count)));
            (rank, &cell.event, &cell.action, &cell.old, &cell.new)
        });
        cells
    }

    /// How many civil events come out otherwise.
    pub fn changed(&self) -> u64 {
        self.cells.iter().filter(|cell| cell.changed).map(|cell| cell.count).sum()
    }

    /// How many of these have an identifier from MOSIP already.
    pub fn changed_issued(&self) -> u64 {
        self.cells.iter().filter(|cell| cell.changed).map(|cell| cell.issued).sum()
    }

    /// How many come out the same by another rule.
    pub fn renamed(&self) -> u64 {
        let other =
            |cell: &&Cell| !cell.changed && cell.old.as_ref().is_some_and(|old| old.rule != cell.new.rule);
        self.cells.iter().filter(other).map(|cell| cell.count).sum()
    }

    /// The matrix: labels of the old and of the new side, and how many went from which to which.
    pub fn matrix(&self) -> BTreeMap<(Option<String>, String), u64> {
        let mut matrix = BTreeMap::new();
        for cell in &self.cells {
            let key = (cell.old.as_ref().map(Outcome::label), cell.new.label());
            *matrix.entry(key).or_default() += cell.count;
        }
        matrix
    }
}

impl Cell {
    /// Keeps the first few records.
    fn sample(&mut self, rank: Rank, event_id: Uuid, keep: usize) {
        if self.ranks.len() >= keep && self.ranks.last().is_none_or(|last| *last <= rank) {
            return;
        }
        if let Some(known) = self.samples.iter().position(|sample| *sample == event_id) {
            if self.ranks[known] <= rank {
                return;
            }
            self.ranks.remove(known);
            self.samples.remove(known);
        }
        let at = self.ranks.partition_point(|known| *known <= rank);
        self.ranks.insert(at, rank);
        self.samples.insert(at, event_id);
        self.ranks.truncate(keep);
        self.samples.truncate(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome<'a>(effect: &'a str, answer: &'a str, rule: Option<&'a str>) -> OutcomeRef<'a> {
        OutcomeRef { effect, answer, rule }
    }

    fn judged<'a>(number: u64, old: Option<OutcomeRef<'a>>, new: OutcomeRef<'a>, issued: bool) -> Judged<'a> {
        let event_id = Uuid::from_u128(number.into());
        Judged { number, event_id, event: "birth", action: "REGISTER", old, new, issued }
    }

    #[test]
    fn what_was_counted_does_not_depend_on_who_counted_it() {
        let create = outcome("create_uin", "await", Some("a"));
        let none = outcome("none", "accept", None);
        let all: Vec<Judged<'_>> = (0..40)
            .map(|number| match number % 4 {
                0 => judged(number, Some(create), create, true),
                1 => judged(number, Some(create), none, number < 10),
                2 => judged(number, Some(none), none, false),
                _ => judged(number, Some(create), outcome("create_uin", "await", Some("b")), true),
            })
            .collect();
        let mut whole = Tally::default();
        for one in &all {
            whole.count(one);
        }
        let mut parts = Tally::default();
        for part in 0..3 {
            let mut tally = Tally::default();
            for one in all.iter().rev().filter(|one| one.number % 3 == part) {
                tally.count(one);
            }
            parts.merge(tally, SAMPLES);
        }
        let shown = |tally: &Tally| serde_json::to_string(&tally.cells()).unwrap();
        assert_eq!(shown(&whole), shown(&parts));
        assert_eq!((whole.judged, whole.changed(), whole.changed_issued(), whole.renamed()), (40, 10, 3, 10));
        let first = whole.cells()[0];
        assert!(first.changed && first.new.effect == "none");
        assert_eq!(
            first.samples,
            [1, 5, 9, 13, 17].map(Uuid::from_u128),
            "the issued ones are the first three"
        );
    }

    #[test]
    fn an_event_without_an_old_decision_has_not_changed() {
        let mut tally = Tally::default();
        tally.count(&judged(1, None, outcome("none", "accept", None), false));
        assert_eq!((tally.changed(), tally.renamed()), (0, 0));
    }

    #[test]
    fn labels_say_what_does_not_go_without_saying() {
        let label = |effect, answer| outcome(effect, answer, None).kept().label();
        assert_eq!(label("create_uin", "await"), "create_uin, await");
        assert_eq!(label("create_uin", "accept"), "create_uin");
        assert_eq!(label("hold", "await"), "hold");
        assert_eq!(label("none", "reject"), "none, reject");
    }

    #[test]
    fn the_first_faults_are_kept() {
        let mut tally = Tally::default();
        for number in (0..30).rev() {
            tally.fault(number, format!("a:{number}"), "broken");
        }
        assert_eq!(tally.unreadable, 30);
        assert_eq!(tally.faults.len(), FAULTS);
        assert_eq!(tally.faults[0].place, "a:0");
    }
}
