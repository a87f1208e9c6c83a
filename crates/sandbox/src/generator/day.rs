//! A day at the offices: which click happens when.

use super::Generator;
use crate::entropy::rng;
use rand::RngExt;
use std::time::Duration;

/// The size of a day.
#[derive(Debug, Clone)]
pub struct Day {
    /// Records that are declared.
    pub records: u64,
    /// Opening hours, in world time; 10,000 records in 8 hours is the planning figure.
    pub hours: Duration,
    /// First life of the stream.
    pub first: u64,
    /// Clicks being made at once.
    pub clerks: usize,
    /// Share of deaths with a VID that are of children registered the same day.
    pub infant_deaths: f64,
    /// How often a correction that comes too early is tried again.
    pub patience: u32,
}

impl Day {
    /// A day of this many records.
    pub fn of(records: u64) -> Self {
        Self {
            records,
            hours: Duration::from_hours(8),
            first: 0,
            clerks: 16,
            infant_deaths: 0.05,
            patience: 40,
        }
    }
}

/// What is done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Fill in and send.
    Declare,
    /// Register.
    Register,
    /// Request a correction and approve it.
    Correct,
}

/// A click with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled {
    /// World time since opening.
    pub at: Duration,
    /// Which life.
    pub life: u64,
    /// Which step.
    pub step: Step,
}

impl Day {
    /// The schedule, in order. Declarations come all day, a registration some
    /// minutes after each, a correction later still.
    pub fn plan(&self, generator: &Generator) -> Vec<Scheduled> {
        let mut rng = rng(generator.seed(), 0xDA7);
        let millis = u64::try_from(self.hours.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut plan = Vec::new();
        for place in 0..self.records {
            let life = self.first + place;
            let declared = rng.random_range(0..millis * 8 / 10 + 1);
            let registered = declared + rng.random_range(1..millis / 10 + 2);
            let corrected = registered + rng.random_range(1..millis / 10 + 2);
            let at = Duration::from_millis;
            plan.push(Scheduled { at: at(declared), life, step: Step::Declare });
            plan.push(Scheduled { at: at(registered), life, step: Step::Register });
            if generator.is_corrected(life) {
                plan.push(Scheduled { at: at(corrected), life, step: Step::Correct });
            }
        }
        plan.sort_by_key(|click| (click.at, click.life, click.step));
        plan
    }
}
