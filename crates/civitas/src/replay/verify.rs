//! Every decision of the journal, taken again from the archive.

use std::fmt::Write as _;

use civitas_engine::verify::{Archive, Disagreement, Evidence};
use serde_json::{Value, json};

use super::journal::Source;
use super::pool;
use super::progress::Progress;
use crate::words::{grouped, many};

/// Decisions that do not agree are shown up to this many; all are counted.
const SHOWN: usize = 20;

/// A decision that does not agree with its record.
#[derive(Debug)]
pub struct Wrong {
    number: u64,
    /// Event id, tracking id and action of the civil event.
    pub name: [String; 3],
    /// What does not agree.
    pub found: Vec<Disagreement>,
}

impl Wrong {
    /// The decision of this evidence, with what was found about it.
    pub fn of(number: u64, evidence: &Evidence, found: Vec<Disagreement>) -> Self {
        let recorded = &evidence.recorded;
        let name =
            [recorded.key.event_id.to_string(), recorded.tracking_id.clone(), recorded.action_type.clone()];
        Self { number, name, found }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let [event_id, tracking_id, action] = &self.name;
        json!({ "event_id": event_id, "tracking_id": tracking_id, "action": action, "found": self.found })
    }

    /// For people.
    pub fn text(&self) -> String {
        let [event_id, tracking_id, action] = &self.name;
        let mut text = format!("{tracking_id} {action} ({event_id})\n");
        for one in &self.found {
            // Writing to a string cannot fail.
            let _ =
                writeln!(text, "  {}\n    recorded  {}\n    found     {}", one.what, one.recorded, one.found);
        }
        text
    }
}

/// What taking decisions again came to.
#[derive(Debug, Default)]
pub struct Verified {
    /// Decisions that were taken again.
    pub decisions: u64,
    /// Those that do not agree.
    pub wrong: u64,
    /// The first of these.
    pub first: Vec<Wrong>,
}

impl Verified {
    /// Counts a decision.
    pub fn count(&mut self, number: u64, evidence: &Evidence, found: Vec<Disagreement>) {
        self.decisions += 1;
        if !found.is_empty() {
            self.wrong += 1;
            self.keep(Wrong::of(number, evidence, found));
        }
    }

    fn keep(&mut self, wrong: Wrong) {
        let at = self.first.partition_point(|known| known.number < wrong.number);
        self.first.insert(at, wrong);
        self.first.truncate(SHOWN);
    }

    fn merge(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.wrong += other.wrong;
        for wrong in other.first {
            self.keep(wrong);
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let first: Vec<Value> = self.first.iter().map(Wrong::json).collect();
        json!({ "decisions": self.decisions, "agree": self.decisions - self.wrong, "disagree": self.wrong, "first": first })
    }

    /// For people.
    pub fn text(&self) -> String {
        let agree = grouped(self.decisions - self.wrong);
        let mut text = match (self.decisions, self.wrong) {
            (0, _) => "The journal holds no decisions.\n".to_owned(),
            (decisions, 0) => format!(
                "{} taken again from the archived rule sets: all agree with the record, bit for bit.\n",
                many(decisions, "decision")
            ),
            (_, wrong) => {
                format!(
                    "{} NOT in agreement with the record; {agree} in agreement.\n",
                    many(wrong, "decision")
                )
            }
        };
        for wrong in &self.first {
            text.push('\n');
            text.push_str(&wrong.text());
        }
        if self.wrong > self.first.len() as u64 {
            let _ = writeln!(text, "\n… and {} more", grouped(self.wrong - self.first.len() as u64));
        }
        text
    }
}

/// Takes every decision again.
pub fn all(source: &Source, jobs: usize, progress: &Progress) -> anyhow::Result<Verified> {
    let sealer = source.sealer();
    pool::run(
        jobs,
        progress,
        |to| {
            to.progress.begin("journal", source.count()?);
            let mut archive = Archive::default();
            source.pages(async |session, page| {
                to.progress.advance(page.len() as u64);
                for evidence in Evidence::gather(session, &mut archive, page).await? {
                    to.push(evidence, 12_000)?;
                }
                Ok(())
            })
        },
        |number, evidence: Evidence, verified: &mut Verified| {
            let found = evidence.verify(sealer);
            verified.count(number, &evidence, found);
            progress.judged(1);
        },
        Verified::merge,
    )
}
