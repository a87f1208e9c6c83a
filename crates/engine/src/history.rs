//! What the record's history in OpenCRVS says, in the pack's own words: the annotation of the action that is accepted, at
//! once or later.
//!
//! OpenCRVS has no call to note something on a record; what an accepted action carries in its annotation is what its
//! history can show. The key is the pack's (`history.annotation`); a pack that names none has nothing written.

use civitas_journal::{
    JournalError, Session,
    civil_events::{Answer, NewCivilEvent},
    operations::{self, State},
    rule_sets,
};
use civitas_rules::Outcome;
use serde_json::{Map, Value};

use crate::{Engine, verify};

/// A message under the pack's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Key in the annotation.
    pub key: String,
    /// The pack's message, in the country's first language.
    pub message: String,
}

impl Note {
    /// What a rule says of an outcome, where the pack has both the key and the message.
    pub(crate) fn of(pack: &civitas_rules::Pack, rule: Option<&str>, outcome: Outcome) -> Option<Self> {
        let key = pack.country().history_annotation.clone()?;
        let language = pack.country().languages.first().map_or("en", |language| language.code.as_str());
        let message = pack.audit_message(rule?, outcome, language)?.to_owned();
        Some(Self { key, message })
    }

    /// As an annotation.
    pub(crate) fn into_annotation(self) -> Map<String, Value> {
        Map::from_iter([(self.key, Value::from(self.message))])
    }
}

/// What an effect comes to when it is decided.
pub(crate) fn decided(effect: &str) -> Option<Outcome> {
    match effect {
        "none" => None,
        "ignore" => Some(Outcome::Ignored),
        "hold" => Some(Outcome::Held),
        "reject" => Some(Outcome::Rejected),
        _ => Some(Outcome::Requested),
    }
}

impl Engine {
    /// What is noted on the acceptance of a civil event, the same however often it is told.
    pub(crate) async fn note_on_acceptance(
        &self,
        session: &mut Session,
        event: &NewCivilEvent,
        identifier: bool,
    ) -> Result<Option<Note>, JournalError> {
        let outcome = match event.answer {
            Answer::Accept | Answer::Reject => decided(&event.effect),
            Answer::Await if identifier => Some(Outcome::Completed),
            Answer::Await => {
                let state = operations::get(session, event.key).await?.map(|operation| operation.state);
                // Let go by a person, without MOSIP's answer.
                Some(if state == Some(State::Released) { Outcome::Failed } else { Outcome::Completed })
            }
        };
        let Some(outcome) = outcome else { return Ok(None) };
        self.note_of(session, &event.ruleset, event.rule.as_deref(), outcome).await
    }

    /// What a rule of an archived rule set says of an outcome.
    pub(crate) async fn note_of(
        &self,
        session: &mut Session,
        ruleset: &str,
        rule: Option<&str>,
        outcome: Outcome,
    ) -> Result<Option<Note>, JournalError> {
        if rule.is_none() {
            return Ok(None);
        }
        if let Some(pack) = self.pack_at_hand(ruleset) {
            return Ok(Note::of(&pack, rule, outcome));
        }
        let Some(archived) = rule_sets::get(session, ruleset).await? else { return Ok(None) };
        // A rule set that cannot be read again is reported where decisions are verified.
        let Ok(pack) = verify::compile(ruleset, &archived.canonical) else { return Ok(None) };
        self.keep_at_hand(&pack);
        Ok(Note::of(&pack, rule, outcome))
    }
}
