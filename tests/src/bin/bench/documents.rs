//! What is measured on: event documents of the sandbox's generator, in its proportions and sizes.

use civitas_sandbox::generator::{Expected, Generated, Generator, Mix, Population};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The stream's seed: every run measures the same documents.
pub(crate) const SEED: u64 = 20;

/// A moment on an ordinary working day.
pub(crate) fn at() -> Timestamp {
    date(2026, 6, 1).at(9, 0, 0, 0).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).unwrap_or_default()
}

/// So many documents: registrations of births and deaths, and between them corrections of births that were
/// registered before, with a number where one was issued.
pub(crate) fn mixed(count: usize) -> Vec<Generated> {
    let generator = Generator::new(SEED, Mix::default(), Population::new(SEED, 2000));
    let today = at().to_zoned(TimeZone::UTC).date();
    let mut documents = Vec::with_capacity(count + 1);
    for index in 0.. {
        if documents.len() >= count {
            break;
        }
        let life = generator.life(index, today);
        documents.push(generator.document(&life, at(), None));
        if life.correction.is_some() {
            let nid = if life.expected == Expected::CreateUin { "4219876543210987" } else { "" };
            documents.push(generator.document(&life, at(), Some(nid)));
        }
    }
    documents.truncate(count);
    documents
}

/// Births that each need a UIN, from a place of the stream on, as of now.
pub(crate) fn births(first: u64, count: usize, now: Timestamp) -> Vec<Generated> {
    births_of(first, count, now, SignedDuration::ZERO)
}

/// The same of the past: so much time lies between one and the next.
pub(crate) fn births_of(first: u64, count: usize, now: Timestamp, every: SignedDuration) -> Vec<Generated> {
    let generator = Generator::new(SEED, Mix::births(), Population::new(SEED, 2000));
    let today = now.to_zoned(TimeZone::UTC).date();
    let lives = (first..).map(|index| generator.life(index, today));
    let eligible = lives.filter(|life| life.expected == Expected::CreateUin);
    let instants = (0..).map(|number: i32| now - every * number);
    eligible.take(count).zip(instants).map(|(life, at)| generator.document(&life, at, None)).collect()
}
