//! Who judges a past civil event again: as of the action, by the new pack, beside the old decision.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use civitas_engine::opencrvs_version;
use civitas_journal::Sealer;
use civitas_journal::history::Recorded;
use civitas_opencrvs::{Action, EventDocument, Past, Prospective, Version};
use civitas_rules::{Decision, Facts, Pack};
use uuid::Uuid;

use super::Item;
use super::progress::Progress;
use super::tally::{Judged, OutcomeRef, Tally};

/// What all workers share.
pub struct Judge<'a> {
    /// The pack that is tried.
    pub new: &'a Pack,
    /// The pack that stands for the old decisions; without it those of the journal do.
    pub old: Option<&'a Pack>,
    /// What opens the journal's documents.
    pub sealer: Option<&'a Sealer>,
    /// Samples to keep per cell.
    pub keep: usize,
    /// Counts what was judged.
    pub progress: &'a Progress,
    wanted: Vec<String>,
    seen: Seen,
}

/// A civil event, and the states on which it is decided.
struct Event<'d> {
    document: &'d EventDocument,
    action: &'d Action,
    states: &'d Prospective,
    /// The states as the old pack's OpenCRVS has them, where that is of another version.
    former: Option<&'d Prospective>,
}

impl<'a> Judge<'a> {
    /// A judge by this pack.
    pub fn new(new: &'a Pack, old: Option<&'a Pack>, keep: usize, progress: &'a Progress) -> Self {
        let mut wanted: Vec<String> = new.fields_of_rules().iter().cloned().collect();
        wanted.extend(old.into_iter().flat_map(Pack::fields_of_rules).cloned());
        wanted.sort_unstable();
        Self { new, old, sealer: None, keep, progress, wanted, seen: Seen::new() }
    }

    /// Judges everything that an item holds.
    pub fn judge(&self, number: u64, item: Item, tally: &mut Tally) {
        tally.keep = self.keep;
        tally.read += 1;
        let before = tally.judged;
        match item {
            Item::Fault { place, what } => tally.fault(number, place.to_string(), what),
            Item::Recorded(recorded) => self.recorded(number, &recorded, tally),
            Item::Message(message) => match message.read() {
                Err(error) => tally.fault(number, message.place(), error.to_string()),
                Ok(incoming) => match self.parse(&incoming.document) {
                    Err(why) => tally.fault(number, message.place(), why),
                    Ok(document) => self.pending(number, &document, &message.place(), tally),
                },
            },
            Item::Document { place, bytes } => match self.parse(&bytes) {
                Err(why) => tally.fault(number, place.to_string(), why),
                Ok(document) => {
                    tally.reindexed += u64::from(is_reindexed(&bytes));
                    self.history(number, &document, tally);
                }
            },
        }
        self.progress.judged(tally.judged - before);
    }

    fn parse(&self, bytes: &[u8]) -> Result<EventDocument, String> {
        let wanted = |field: &str| self.wanted.binary_search_by(|known| known.as_str().cmp(field)).is_ok();
        EventDocument::parse_only(bytes, wanted).map_err(|error| error.to_string())
    }

    /// Every civil event of a record's history.
    fn history(&self, number: u64, document: &EventDocument, tally: &mut Tally) {
        tally.unasked += document.unasked() as u64;
        let now = version(self.new);
        let former = self.old.map(version).filter(|old| *old != now);
        let former: Option<Vec<Past<'_>>> = former.map(|then| document.past(then));
        for (place, past) in document.past(now).iter().enumerate() {
            let former = former.as_ref().and_then(|former| former.get(place)).map(|past| &past.states);
            let event = Event { document, action: past.action, states: &past.states, former };
            self.once(number, &event, None, self.was_issued(document, past), tally);
        }
    }

    /// The civil event of a message: the action that waits, as the engine takes it.
    fn pending(&self, number: u64, document: &EventDocument, place: &str, tally: &mut Tally) {
        match document.find_pending() {
            Err(error) => tally.fault(number, place, error.to_string()),
            Ok(pending) => self.waiting(number, document, pending.action, None, false, place, tally),
        }
    }

    fn recorded(&self, number: u64, recorded: &Recorded, tally: &mut Tally) {
        // No rule was asked about what a country configuration or the mediator before had decided.
        if matches!(recorded.origin.as_str(), "country_config" | "taken_over" | "backfill") {
            tally.unasked += 1;
            return;
        }
        let place = format!("journal: {} {}", recorded.tracking_id, recorded.action_type);
        let Some(sealer) = self.sealer else {
            return tally.fault(number, place, "the journal is not open");
        };
        let bytes = match recorded.document.open(sealer) {
            Ok(bytes) => bytes,
            Err(error) => return tally.fault(number, place, error.to_string()),
        };
        let document = match self.parse(bytes.as_bytes()) {
            Ok(document) => document,
            Err(why) => return tally.fault(number, place, why),
        };
        let Some(action) = document.action(recorded.key.action_id) else {
            return tally.fault(number, place, "its document lacks the action");
        };
        let old =
            OutcomeRef { effect: &recorded.effect, answer: &recorded.answer, rule: recorded.rule.as_deref() };
        let issued = recorded.operation.as_ref().is_some_and(|operation| {
            operation.operation == "create_uin"
                && (operation.is_issued || matches!(operation.state.as_str(), "issued" | "confirmed"))
        });
        self.waiting(number, &document, action, Some(old), issued, &place, tally);
    }

    #[expect(clippy::too_many_arguments, reason = "one event, with all that is known of it")]
    fn waiting(
        &self,
        number: u64,
        document: &EventDocument,
        action: &Action,
        old: Option<OutcomeRef<'_>>,
        issued: bool,
        place: &str,
        tally: &mut Tally,
    ) {
        let states = |version| document.prospective(action.id, version);
        let now = version(self.new);
        let former = self.old.map(version).filter(|old| *old != now).map(states).transpose();
        match (states(now), former) {
            (Ok(states), Ok(former)) => {
                let event = Event { document, action, states: &states, former: former.as_ref() };
                self.once(number, &event, old, issued, tally);
            }
            (Err(error), _) | (_, Err(error)) => tally.fault(number, place, error.to_string()),
        }
    }

    fn once(
        &self,
        number: u64,
        event: &Event<'_>,
        recorded: Option<OutcomeRef<'_>>,
        issued: bool,
        tally: &mut Tally,
    ) {
        let sight = self.seen.see(event.document.id, event.action.id, issued);
        if sight == Sight::Again {
            tally.repeated += 1;
            return;
        }
        let new = event.decide(self.new, event.states);
        let old: Option<Decision> =
            self.old.map(|old| event.decide(old, event.former.unwrap_or(event.states)));
        let judged = Judged {
            number,
            event_id: event.document.id,
            event: &event.document.kind,
            action: event.action.custom_action_type.as_deref().unwrap_or(&event.action.kind),
            old: old.as_ref().map(OutcomeRef::of).or(recorded.filter(|_| self.old.is_none())),
            new: OutcomeRef::of(&new),
            issued,
        };
        match sight {
            Sight::First => tally.count(&judged),
            Sight::Again => {}
            Sight::Issued => {
                tally.repeated += 1;
                tally.issued_since(&judged);
            }
        }
    }

    /// Whether the answer to an action brought an identifier.
    fn was_issued(&self, document: &EventDocument, past: &Past<'_>) -> bool {
        let Some(field) = self.new.country().nid_field(&document.kind) else { return false };
        past.answer
            .and_then(|answer| answer.declaration.get(field))
            .is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()))
    }
}

impl Event<'_> {
    fn decide(&self, pack: &Pack, states: &Prospective) -> Decision {
        pack.decide(&Facts {
            event: &self.document.kind,
            action: &self.action.kind,
            custom_action: self.action.custom_action_type.as_deref(),
            before: &states.before,
            after: &states.after,
            at: self.action.created_at.at(),
        })
    }
}

fn version(pack: &Pack) -> Version {
    opencrvs_version(pack.country().opencrvs)
}

/// Whether a document has the extra key of OpenCRVS's reindex feed at its beginning or end, where that puts it.
pub fn is_reindexed(bytes: &[u8]) -> bool {
    const KEY: &[u8] = b"\"eventType\"";
    const NEAR: usize = 256;
    let has = |part: &[u8]| part.windows(KEY.len()).any(|window| window == KEY);
    has(&bytes[..bytes.len().min(NEAR)]) || has(&bytes[bytes.len().saturating_sub(NEAR)..])
}

/// The civil events that were judged, as hashes in a few maps, so that workers seldom wait for each other; each with
/// whether it was known to be issued.
struct Seen([Mutex<HashMap<u64, bool>>; MAPS]);

const MAPS: usize = 32;

/// How a civil event comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    First,
    Again,
    /// Again, out of a later document, which tells that it was issued.
    Issued,
}

impl Seen {
    fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// Notes a civil event. Two different ones are taken for one once in 2^64 pairs.
    fn see(&self, event_id: Uuid, action_id: Uuid, issued: bool) -> Sight {
        let mut hasher = DefaultHasher::new();
        (event_id, action_id).hash(&mut hasher);
        let hash = hasher.finish();
        let map = usize::try_from(hash % MAPS as u64).unwrap_or(0);
        match self.0[map].lock().unwrap_or_else(PoisonError::into_inner).entry(hash) {
            Entry::Vacant(place) => {
                place.insert(issued);
                Sight::First
            }
            Entry::Occupied(mut known) if issued && !*known.get() => {
                known.insert(true);
                Sight::Issued
            }
            Entry::Occupied(_) => Sight::Again,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replay::files::Place;

    fn pack() -> Pack {
        let folder = format!("{}/../../country-config/farajaland", env!("CARGO_MANIFEST_DIR"));
        crate::pack::load(std::path::Path::new(&folder)).unwrap()
    }

    fn sample(name: &str) -> serde_json::Value {
        let folder = format!("{}/../opencrvs/tests/documents", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(format!("{folder}/{name}.json")).unwrap()).unwrap()
    }

    fn judged(documents: &[serde_json::Value]) -> Tally {
        let (pack, progress) = (pack(), Progress::hidden());
        let judge = Judge::new(&pack, Some(&pack), 5, &progress);
        let mut tally = Tally::default();
        for (number, document) in (0..).zip(documents) {
            let item = Item::Document { place: Place::default(), bytes: document.to_string().into_bytes() };
            judge.judge(number, item, &mut tally);
        }
        tally
    }

    #[test]
    fn a_record_in_two_documents_is_counted_once_and_the_later_one_tells_what_was_issued() {
        let (waiting, finished) = (sample("birth-register"), sample("birth-approve-correction"));
        for documents in [[&waiting, &finished], [&finished, &waiting]] {
            let tally = judged(&documents.map(Clone::clone));
            assert_eq!((tally.judged, tally.repeated), (4, 2));
            let cells = tally.cells();
            let created = cells.iter().find(|cell| cell.new.effect == "create_uin").unwrap();
            assert_eq!((created.count, created.issued), (1, 1));
        }
    }

    #[test]
    fn a_document_of_the_reindex_feed_is_known_by_its_extra_key() {
        let mut document = sample("birth-register");
        assert_eq!(judged(&[document.clone()]).reindexed, 0);
        document["eventType"] = json!("birth");
        assert_eq!(judged(&[document]).reindexed, 1);
    }

    #[test]
    fn what_cannot_be_judged_is_named_and_says_nothing_of_its_content() {
        let mut document = sample("birth-register");
        document["actions"][1]["status"] = json!("Portgas");
        let tally = judged(&[document]);
        assert_eq!((tally.judged, tally.unreadable), (0, 1));
        assert!(!tally.faults[0].why.contains("Portgas"), "{:?}", tally.faults);
    }
}
