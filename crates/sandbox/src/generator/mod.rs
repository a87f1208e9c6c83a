//! A seeded stream of realistic records: births, their corrections, deaths, in
//! several scripts, eligible and not.
//!
//! [`Generator::life`] draws one record's whole life; [`play`] clicks a day of
//! them through the OpenCRVS stand-in; [`Generator::document`] writes whole
//! event documents without a store, for a topic or a bench.

mod birth;
mod day;
mod death;
mod history;
mod life;
mod mix;
mod names;
mod people;
mod places;
mod play;
mod population;

pub use day::{Day, Scheduled, Step};
pub use history::Generated;
pub use life::{Correction, Expected, Life};
pub use mix::Mix;
pub use people::Standing;
pub use play::{DayReport, play};
pub use population::Population;

use crate::entropy::rng;
use jiff::civil::Date;
use rand::RngExt;

/// The stream of a seed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Generator {
    seed: u64,
    mix: Mix,
    people: Population,
}

impl Generator {
    /// The same seed, mix and population give the same stream.
    pub fn new(seed: u64, mix: Mix, people: Population) -> Self {
        Self { seed, mix, people }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws the life at a place of the stream, as of `today`.
    pub fn life(&self, index: u64, today: Date) -> Life {
        let mut rng = rng(self.seed, index);
        if rng.random_bool(self.mix.births.clamp(0.0, 1.0)) {
            birth::draw(&mut rng, index, &self.mix, today)
        } else {
            death::draw(&mut rng, index, &self.mix, self.people, today)
        }
    }

    /// Whether the life at a place is corrected later.
    fn is_corrected(&self, index: u64) -> bool {
        self.life(index, Date::constant(2026, 6, 1)).correction.is_some()
    }
}

/// Six characters of `[0-9A-Z]`, a different six for each of the first two
/// billion numbers, and not in their order.
pub(crate) fn tracking_id(number: u64) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    /// 36 to the sixth.
    const ALL: u64 = 2_176_782_336;
    /// Shares no factor with it.
    const STRIDE: u64 = 1_000_000_007;
    let mut number = (number % ALL) * STRIDE % ALL;
    (0..6)
        .map(|_| {
            let letter = LETTERS[usize::try_from(number % 36).unwrap_or(0)];
            number /= 36;
            char::from(letter)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opencrvs::Status;
    use jiff::Timestamp;
    use std::collections::{BTreeMap, HashSet};

    fn at() -> Timestamp {
        "2026-06-01T09:01:00Z".parse().unwrap()
    }

    fn today() -> Date {
        Date::constant(2026, 6, 1)
    }

    fn generator() -> Generator {
        Generator::new(7, Mix::default(), Population::new(7, 500))
    }

    #[test]
    fn tracking_ids_do_not_repeat() {
        let ids: HashSet<_> = (0..50_000).map(tracking_id).collect();
        assert_eq!(ids.len(), 50_000);
        assert!(ids.iter().all(|id| id.len() == 6));
    }

    #[test]
    fn the_stream_is_the_same_every_time() {
        for index in 0..50 {
            let (a, b) = (generator().life(index, today()), generator().life(index, today()));
            assert_eq!(a.declaration, b.declaration);
            let (a, b) = (generator().document(&a, at(), None), generator().document(&b, at(), None));
            assert_eq!(a.document, b.document);
        }
    }

    #[test]
    fn proportions_and_sizes_are_realistic() {
        let generator = generator();
        let mut expected: BTreeMap<Expected, u32> = BTreeMap::new();
        let (mut bytes, mut actions, mut births, mut corrected) = (Vec::new(), 0, 0, 0);
        for index in 0..2000 {
            let life = generator.life(index, today());
            births += u32::from(life.event == "birth");
            corrected += u32::from(life.correction.is_some());
            let made = generator.document(&life, at(), None);
            *expected.entry(made.expected).or_default() += 1;
            bytes.push(made.body().len());
            actions += made.document.actions.len();
        }
        bytes.sort_unstable();
        assert!((1200..1450).contains(&births), "{births} births");
        assert!(corrected > 100, "{corrected} corrected");
        assert!(bytes[0] >= 3000 && bytes[1999] <= 30_000, "{} to {} bytes", bytes[0], bytes[1999]);
        assert!((8..=16).contains(&(actions / 2000)), "{} actions each", actions / 2000);
        assert!(expected[&Expected::CreateUin] > 500, "{expected:?}");
        assert!(expected[&Expected::FlagDeceased] > 200, "{expected:?}");
        assert!(expected[&Expected::Nothing] > 300, "{expected:?}");
        assert!(expected[&Expected::Unclear] > 5, "{expected:?}");
    }

    #[test]
    fn every_field_is_in_the_form() {
        let generator = generator();
        for index in 0..500 {
            let life = generator.life(index, today());
            assert_eq!(crate::opencrvs::unknown_field(life.event, &life.declaration), None);
            if let Some(correction) = life.correction {
                assert_eq!(crate::opencrvs::unknown_field(life.event, &correction.declaration), None);
            }
        }
    }

    #[test]
    fn a_document_has_exactly_one_pending_action_and_several_scripts() {
        let generator = generator();
        let mut letters = HashSet::new();
        for index in 0..300 {
            let life = generator.life(index, today());
            let made = generator.document(&life, at(), None);
            let text = String::from_utf8(made.body()).unwrap();
            letters.extend(text.chars().map(|letter| u32::from(letter) >> 7));
            let answered: HashSet<_> =
                made.document.actions.iter().filter_map(|action| action.original_action_id).collect();
            let pending: Vec<_> = made
                .document
                .actions
                .iter()
                .filter(|action| action.status == Status::Requested && !answered.contains(&action.id))
                .collect();
            assert_eq!(pending.len(), 1);
            assert_eq!(pending[0].id, made.action_id);
            let parsed = civitas_opencrvs::EventDocument::parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.pending(made.action_type).unwrap().action.id, made.action_id);
        }
        assert!(letters.len() > 10, "{letters:?}");
    }

    #[test]
    fn the_day_follows_the_order_of_each_life() {
        let day = Day::of(200);
        let plan = day.plan(&generator());
        assert_eq!(plan, day.plan(&generator()));
        assert!(plan.windows(2).all(|pair| pair[0].at <= pair[1].at));
        for life in 0..200 {
            let steps: Vec<_> =
                plan.iter().filter(|click| click.life == life).map(|click| click.step).collect();
            assert!(steps.starts_with(&[Step::Declare, Step::Register]), "{steps:?}");
        }
    }
}
