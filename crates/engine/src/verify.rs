//! Taking recorded decisions again, from the archived rule set and the sealed document, and comparing bit for bit.
//!
//! What is compared: the rule set with its digest, the civil event with its document, the decision (rule, effect,
//! sentence, answer, registration number), the operation with its AID and packet, and the decision's leaf in the audit
//! log. Nothing is changed, no clock is read, and a disagreement names no personal data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use civitas_audit::Leaf;
use civitas_journal::history::{Recorded, RecordedOperation};
use civitas_journal::{JournalError, Private, RecordKey, Sealer, Session, history, rule_sets};
use civitas_mosip::Aid;
use civitas_opencrvs::{EventDocument, Pending};
use civitas_rules::Pack;
use openssl::sha::sha256;
use serde_json::Value;

use crate::Origin;
use crate::backfill::{self, Past};
use crate::decide::{self, Decided, Station};
use crate::dispatch::StoredPacket;
use crate::ingest::{CANDIDATES, said};
use crate::requests::{self, Asked, Holder};

/// One thing that comes out otherwise than it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Disagreement {
    /// `rule set`, `document`, `rule`, `effect`, `sentence`, `answer`, `packet`, `audit leaf`, …
    pub what: &'static str,
    /// What the journal holds.
    pub recorded: String,
    /// What comes out now, or what is wrong with it.
    pub found: String,
}

impl Disagreement {
    fn new(what: &'static str, recorded: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what, recorded: recorded.into(), found: found.into() }
    }
}

/// The rule sets of a journal, compiled as they are needed.
#[derive(Default)]
pub struct Archive(BTreeMap<String, Archived>);

/// A rule set out of the archive, or why it cannot be used.
pub type Archived = Result<Arc<Pack>, String>;

impl Archive {
    /// The rule set with this digest. One whose archived text is not that of its digest was altered, and is refused.
    pub async fn get(&mut self, session: &mut Session, digest: &str) -> Result<Archived, JournalError> {
        if let Some(known) = self.0.get(digest) {
            return Ok(known.clone());
        }
        let archived = match rule_sets::get(session, digest).await? {
            None => Err("it was never archived".to_owned()),
            Some(found) => compile(digest, &found.canonical),
        };
        self.0.insert(digest.to_owned(), archived.clone());
        Ok(archived)
    }
}

/// Compiles an archived rule set, if its text is what its digest says.
pub(crate) fn compile(digest: &str, canonical: &str) -> Archived {
    let of_text = hex::encode(sha256(canonical.as_bytes()));
    if of_text != digest {
        return Err(format!("its archived text was altered: the text has the digest {of_text}"));
    }
    let pack = Pack::from_canonical(canonical)
        .map_err(|problems| format!("its archived text does not compile in this build: {problems}"))?;
    Ok(Arc::new(pack))
}

/// A decision with all that is needed to take it again.
pub struct Evidence {
    /// What was recorded.
    pub recorded: Recorded,
    /// The rule set that decided.
    pub pack: Archived,
    /// The audit log's leaves about decisions on the record.
    pub leaves: Vec<String>,
}

impl Evidence {
    /// Brings together what belongs to these decisions.
    pub async fn gather(
        session: &mut Session,
        archive: &mut Archive,
        recorded: Vec<Recorded>,
    ) -> Result<Vec<Evidence>, JournalError> {
        let mut records: Vec<_> = recorded.iter().map(|one| one.key.event_id).collect();
        records.sort_unstable();
        records.dedup();
        let leaves: HashMap<_, _> = history::decided_leaves(session, &records).await?;
        let mut evidence = Vec::with_capacity(recorded.len());
        for recorded in recorded {
            let pack = archive.get(session, &recorded.ruleset).await?;
            let leaves = leaves.get(&recorded.key.event_id).cloned().unwrap_or_default();
            evidence.push(Evidence { recorded, pack, leaves });
        }
        Ok(evidence)
    }

    /// Takes the decision again. Empty: it agrees, bit for bit.
    pub fn verify(&self, sealer: &Sealer) -> Vec<Disagreement> {
        let recorded = &self.recorded;
        let pack = match &self.pack {
            Ok(pack) => pack,
            Err(why) => return vec![Disagreement::new("rule set", &recorded.ruleset, why)],
        };
        let unreadable = |why: String| vec![Disagreement::new("document", "as received", why)];
        let document = match recorded.document.open(sealer) {
            Ok(document) => document,
            Err(error) => return unreadable(error.to_string()),
        };
        if recorded.origin == Origin::TakenOver.as_str() {
            // Nothing was decided here: the mediator before had sent it.
            return Vec::new();
        }
        if recorded.origin == Origin::CountryConfig.as_str() {
            return match Asked::parse(document.as_bytes()) {
                Err(error) => unreadable(error.to_string()),
                Ok(asked) if recorded.key != RecordKey::new(asked.event_id, asked.action_id) => {
                    unreadable("it is of another record or action".to_owned())
                }
                Ok(asked) => self.compared(&asked_again(&asked, pack, recorded), sealer),
            };
        }
        let document = match decide::open(document.as_bytes(), pack) {
            Ok(document) => document,
            Err(error) => return unreadable(error.to_string()),
        };
        if recorded.origin == Origin::Backfill.as_str() {
            return self.compared(&past_again(document, pack, recorded), sealer);
        }
        let Some(action) =
            document.action(recorded.key.action_id).filter(|_| document.id == recorded.key.event_id)
        else {
            return unreadable("it is of another record or lacks the action".to_owned());
        };
        // An anomaly of finding the action is not recorded but in words; it decides nothing.
        let anomaly = document.find_pending().ok().and_then(|pending| pending.anomaly);
        let pending = Pending { action, anomaly };
        let decided = match again(&document, &pending, pack, recorded) {
            Ok(decided) => decided,
            Err(why) => return unreadable(why),
        };
        self.compared(&decided, sealer)
    }

    fn compared(&self, decided: &Decided, sealer: &Sealer) -> Vec<Disagreement> {
        let mut found = Vec::new();
        self.compare(decided, &mut found);
        compare_operation(decided, self.recorded.operation.as_ref(), sealer, &mut found);
        self.compare_leaf(decided, &mut found);
        found
    }

    fn compare(&self, decided: &Decided, found: &mut Vec<Disagreement>) {
        let recorded = &self.recorded;
        let mut same = |what: &'static str, recorded: Option<&str>, now: Option<&str>| {
            if recorded != now {
                found.push(Disagreement::new(what, recorded.unwrap_or("none"), now.unwrap_or("none")));
            }
        };
        let answer = decided.answer.recorded();
        let reason = match &decided.answer {
            crate::Answer::Reject { reason } => Some(reason.as_str()),
            crate::Answer::Accept { .. } | crate::Answer::Await => None,
        };
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
        same("tracking id", Some(&recorded.tracking_id), Some(&decided.tracking_id));
        same("event type", Some(&recorded.event_type), Some(&decided.event_type));
        same("action type", Some(&recorded.action_type), Some(&decided.action_type));
        same("custom action", recorded.custom_action.as_deref(), decided.custom_action.as_deref());
        same("request id", id(recorded.request_id).as_deref(), id(decided.request_id).as_deref());
        let instants = [recorded.action_at, decided.action_at].map(jiff::Timestamp::as_microsecond);
        if instants[0] != instants[1] {
            same("instant", Some(&recorded.action_at.to_string()), Some(&decided.action_at.to_string()));
        }
        same("rule", recorded.rule.as_deref(), decided.rule.as_deref());
        same("effect", Some(&recorded.effect), Some(decided.effect));
        same("sentence", Some(&recorded.sentence), Some(&decided.sentence));
        same("answer", Some(&recorded.answer), Some(answer.as_str()));
        same("reason of the rejection", recorded.answer_reason.as_deref(), reason);
        same(
            "registration number",
            recorded.registration_number.as_deref(),
            decided.registration_number.as_deref(),
        );
        same("record's number", recorded.record_number.as_deref(), decided.record_number.as_deref());
    }

    fn compare_leaf(&self, decided: &Decided, found: &mut Vec<Disagreement>) {
        let key = self.recorded.key;
        let leaves = self.leaves.iter().filter_map(|body| Leaf::parse(body).ok());
        let mut about = leaves.filter(|leaf| leaf.action_id == Some(key.action_id));
        let Some(leaf) = about.next() else {
            found.push(Disagreement::new("audit leaf", "none", "a decision has a leaf in the audit log"));
            return;
        };
        if about.next().is_some() {
            found.push(Disagreement::new("audit leaf", "several", "a decision has one leaf"));
        }
        let mut same = |what: &'static str, recorded: Option<String>, now: Option<String>| {
            if recorded != now {
                let text = |side: Option<String>| side.unwrap_or_else(|| "none".to_owned());
                found.push(Disagreement::new(what, text(recorded), text(now)));
            }
        };
        same("rule set in the audit leaf", leaf.ruleset, Some(decided.ruleset.clone()));
        same("rule in the audit leaf", leaf.rule, decided.rule.clone());
        same("effect in the audit leaf", leaf.to, Some(decided.effect.to_owned()));
        same("reason in the audit leaf", leaf.reason, Some(said(decided)));
        same("AID in the audit leaf", leaf.aid, decided.aid());
    }
}

/// Decides as it was decided then: with the candidate for number and AID that was taken.
fn again(
    document: &EventDocument,
    pending: &Pending<'_>,
    pack: &Pack,
    recorded: &Recorded,
) -> Result<Decided, String> {
    let aid = aid_of(recorded);
    let parsed: Option<Aid> = aid.and_then(|aid| aid.parse().ok());
    let station = station_of(parsed.as_ref());
    let decide = |candidate| {
        decide::decide(document, pending, pack, &station, candidate)
            .map_err(|_| "the action does not wait for an answer in it".to_owned())
    };
    let first = decide(0)?;
    let fits = |decided: &Decided| {
        decided.registration_number == recorded.registration_number && decided.aid().as_deref() == aid
    };
    if fits(&first) {
        return Ok(first);
    }
    for candidate in 1..=CANDIDATES {
        let next = decide(candidate)?;
        if fits(&next) {
            return Ok(next);
        }
    }
    Ok(first)
}

/// Decides on what was asked for as it was decided then: with the candidate, and with the owner of its number.
fn asked_again(asked: &Asked, pack: &Pack, recorded: &Recorded) -> Decided {
    let aid = aid_of(recorded);
    let parsed: Option<Aid> = aid.and_then(|aid| aid.parse().ok());
    let station = station_of(parsed.as_ref());
    let holders: &[Holder] = match recorded.registration_number {
        None if recorded.record_number.is_some() => &[Holder::SameRecord, Holder::Other],
        _ => &[Holder::Nobody],
    };
    let stalled = recorded.operation.as_ref().is_some_and(|operation| operation.packet.is_none());
    for holder in holders {
        for candidate in 0..=CANDIDATES {
            let decided = requests::decide(asked, pack, &station, candidate, *holder);
            let planned = decided.operation.as_ref().is_some_and(|planned| planned.packet.is_err());
            if decided.aid().as_deref() == aid && planned == stalled {
                return decided;
            }
        }
    }
    requests::decide(asked, pack, &station, 0, holders[0])
}

/// Decides on a past registration as it was decided then.
fn past_again(document: EventDocument, pack: &Pack, recorded: &Recorded) -> Decided {
    let aid = aid_of(recorded);
    let parsed: Option<Aid> = aid.and_then(|aid| aid.parse().ok());
    let station = station_of(parsed.as_ref());
    let (action_id, at) = (recorded.key.action_id, recorded.action_at);
    let past = Past { document, action_id, at, due: at };
    let decide = |candidate| backfill::decide(&past, pack, &station, candidate);
    (0..=CANDIDATES).map(decide).find(|decided| decided.aid().as_deref() == aid).unwrap_or_else(|| decide(0))
}

fn aid_of(recorded: &Recorded) -> Option<&str> {
    recorded.operation.as_ref().and_then(|operation| operation.aid.as_deref())
}

fn station_of(aid: Option<&Aid>) -> Station<'_> {
    aid.map_or(Station { center: "", machine: "" }, |aid| Station {
        center: aid.center(),
        machine: aid.machine(),
    })
}

fn compare_operation(
    decided: &Decided,
    recorded: Option<&RecordedOperation>,
    sealer: &Sealer,
    found: &mut Vec<Disagreement>,
) {
    let (planned, recorded) = match (&decided.operation, recorded) {
        (None, None) => return,
        (Some(planned), Some(recorded)) => (planned, recorded),
        (planned, recorded) => {
            let recorded = recorded.map_or("none", |recorded| &recorded.operation);
            let planned = planned.as_ref().map_or("none", |planned| &planned.operation);
            found.push(Disagreement::new("operation", recorded, planned));
            return;
        }
    };
    if recorded.operation != planned.operation {
        found.push(Disagreement::new("operation", &recorded.operation, &planned.operation));
    }
    if recorded.respond != planned.respond.as_str() {
        found.push(Disagreement::new("respond", &recorded.respond, planned.respond.as_str()));
    }
    let aid = decided.aid();
    if recorded.aid != aid {
        let text = |aid: &Option<String>| aid.clone().unwrap_or_else(|| "none".to_owned());
        found.push(Disagreement::new("AID", text(&recorded.aid), text(&aid)));
    }
    let Some(stored) = &recorded.packet else {
        return;
    };
    let packet = match stored.open(sealer) {
        Ok(packet) => packet,
        Err(error) => return found.push(Disagreement::new("packet", "as built", error.to_string())),
    };
    match &planned.packet {
        Err(obstacle) => found.push(Disagreement::new("packet", "built", obstacle.detail.clone())),
        Ok(built) => {
            let built = StoredPacket::of(built, &decided.ruleset, decided.action_at).sealed();
            let packet = without_upload(packet);
            if built != packet {
                let names = differing(packet.as_bytes(), built.as_bytes());
                found.push(Disagreement::new("packet", "as built", format!("it differs in {names}")));
            }
        }
    }
}

/// What was decided, without the packet that was built of it on its way.
fn without_upload(packet: Private) -> Private {
    match StoredPacket::from_bytes(packet.as_bytes()) {
        Ok(mut stored) if stored.upload.is_some() => {
            stored.upload = None;
            stored.sealed()
        }
        _ => packet,
    }
}

/// Names of what differs in two stored packets; never a value.
fn differing(recorded: &[u8], built: &[u8]) -> String {
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let (recorded, built) = (read(recorded), read(built));
    let mut names = Vec::new();
    for (key, value) in built.as_object().into_iter().flatten() {
        match (value, &recorded[key]) {
            (Value::Object(now), Value::Object(then)) => {
                let keys = now.keys().chain(then.keys().filter(|name| !now.contains_key(*name)));
                names.extend(keys.filter(|name| now.get(*name) != then.get(*name)).cloned());
            }
            (now, then) if now != then => names.push(key.clone()),
            _ => {}
        }
    }
    if names.is_empty() { "the order of its bytes".to_owned() } else { names.join(", ") }
}
