//! Open transactions of the mediator before: packets that it sent and whose answers nobody else will hear. They are
//! taken into the journal as operations that await MOSIP, under the id that MOSIP knows them by.

use std::sync::Arc;

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, RecordKey, Tx,
    civil_events::{self, Answer, NewCivilEvent},
    operations::{self, NewOperation, Respond, State},
    predecessor::Transaction,
};
use civitas_opencrvs::Caller;
use civitas_rules::{OpencrvsVersion, Operation as Kind};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::{Engine, EngineError, Origin, entry, requests::TYPE_UNKNOWN, schedule::later};

/// What became of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOver {
    /// MOSIP's registration id.
    pub aid: String,
    /// The record, where the token names one.
    pub event_id: Option<Uuid>,
    /// What it is taken for: `create_uin` or `flag_deceased`.
    pub operation: &'static str,
    /// What happened.
    pub outcome: Outcome,
    /// What there is to know about it.
    pub note: Option<String>,
}

/// How a transaction ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the journal now.
    Taken,
    /// The journal knows its action, or its id, already.
    Known,
    /// Its token names no record and action: nobody could be told of an answer.
    Unusable,
}

/// A transaction with what OpenCRVS says of its record.
struct Found {
    key: RecordKey,
    tracking_id: Option<String>,
    event_type: String,
    action_type: String,
    custom_action: Option<String>,
    request_id: Option<Uuid>,
    expires_at: Option<Timestamp>,
    note: Option<String>,
}

impl Engine {
    /// Takes one transaction over. OpenCRVS is asked once what record it is about, if it can be asked; the same
    /// transaction again changes nothing.
    pub async fn take_over(&self, transaction: Transaction) -> Result<TakenOver, EngineError> {
        let aid = transaction.id.clone();
        let text = transaction.token.as_text().unwrap_or_default();
        let caller = Caller::unverified(text).ok();
        let ids = caller.as_ref().and_then(|caller| Some((caller.event_id?, caller.action_id?)));
        let (Some(caller), Some((event_id, action_id))) = (&caller, ids) else {
            let note = Some("its token names no record and action".to_owned());
            let outcome = Outcome::Unusable;
            return Ok(TakenOver { aid, event_id: None, operation: Kind::CreateUin.as_str(), outcome, note });
        };
        let key = RecordKey::new(event_id, action_id);
        let mut reader = self.journal().read().await?;
        let known = civil_events::get(&mut reader, key).await?.is_some()
            || operations::by_aid(&mut reader, &aid).await?.is_some();
        drop(reader);
        if known {
            let (operation, outcome) = (Kind::CreateUin.as_str(), Outcome::Known);
            return Ok(TakenOver { aid, event_id: Some(event_id), operation, outcome, note: None });
        }
        let found = self.look_at(key, text, caller.expires_at).await;
        let operation = if found.event_type == "death" { Kind::FlagDeceased } else { Kind::CreateUin };
        let note = found.note.clone();
        let (engine, work) = (self.clone(), Arc::new((transaction, found)));
        self.journal()
            .write(move |tx| {
                let (engine, work) = (engine.clone(), Arc::clone(&work));
                Box::pin(async move { engine.take_over_in(tx, &work.0, &work.1, operation).await })
            })
            .await?;
        self.bells().asker.ring();
        let (operation, outcome) = (operation.as_str(), Outcome::Taken);
        Ok(TakenOver { aid, event_id: Some(event_id), operation, outcome, note })
    }

    async fn look_at(&self, key: RecordKey, token: &str, expires_at: Option<Timestamp>) -> Found {
        let token = SecretString::from(token);
        let record = self.record_of(key.event_id, Some(&token)).await;
        let mut found = Found {
            key,
            tracking_id: None,
            event_type: "birth".to_owned(),
            action_type: match self.pack().country().opencrvs {
                OpencrvsVersion::V1_9 => "REGISTER".to_owned(),
                OpencrvsVersion::V2_0 | OpencrvsVersion::V2_1 => TYPE_UNKNOWN.to_owned(),
            },
            custom_action: None,
            request_id: None,
            expires_at,
            note: None,
        };
        match record {
            Err(error) => {
                found.note =
                    Some(format!("taken for a birth, since OpenCRVS did not show the record: {error}"));
            }
            Ok(record) => {
                found.tracking_id = Some(record.tracking_id.clone());
                found.event_type.clone_from(&record.kind);
                if record.is_answered(key.action_id) {
                    found.note = Some("OpenCRVS holds an answer to the action already".to_owned());
                }
                if let Some(action) = record.action(key.action_id) {
                    found.action_type.clone_from(&action.kind);
                    found.custom_action.clone_from(&action.custom_action_type);
                    found.request_id = action.request_id;
                }
            }
        }
        found
    }

    async fn take_over_in(
        &self,
        tx: &mut Tx,
        transaction: &Transaction,
        found: &Found,
        operation: Kind,
    ) -> Result<(), JournalError> {
        let now = self.now();
        let sent = transaction.created_at.unwrap_or(now);
        let number = transaction.registration_number.clone();
        let taken = civil_events::number_holders(tx, std::slice::from_ref(&number)).await?;
        let sentence = format!("{operation} was asked for by mosip-api, which was taken over from");
        let keep = self.options().keep_trigger_tokens;
        let document = json!({ "taken_over": transaction.id, "sent": transaction.created_at });
        let event = NewCivilEvent {
            key: found.key,
            tracking_id: found.tracking_id.clone().unwrap_or_else(|| found.key.event_id.to_string()),
            event_type: found.event_type.clone(),
            action_type: found.action_type.clone(),
            custom_action: found.custom_action.clone(),
            request_id: found.request_id,
            origin: Origin::TakenOver,
            received_at: now,
            action_at: sent,
            ruleset: self.pack().digest().to_owned(),
            rule: None,
            effect: operation.as_str().to_owned(),
            sentence: sentence.clone(),
            answer: Answer::Await,
            answer_reason: None,
            registration_number: Some(number.clone()).filter(|number| !taken.contains_key(number)),
            record_number: Some(number),
            document: Private::new(document.to_string()),
            token: Some(transaction.token.clone()).filter(|_| keep),
            token_expires_at: found.expires_at.filter(|_| keep),
            traceparent: None,
            declared: None,
            would_have: Vec::new(),
        };
        let ordinals = civil_events::insert_many(tx, &[event]).await?;
        // Somebody else took it over in this moment.
        let Some(Some(ordinal)) = ordinals.first() else { return Ok(()) };
        let new = NewOperation {
            key: found.key,
            ordinal: *ordinal,
            operation: operation.as_str().to_owned(),
            respond: Respond::AwaitExternalValidation,
            aid: Some(transaction.id.clone()),
            subject: None,
            state: State::Awaiting,
            cause: None,
            cause_detail: None,
            next_action_at: Some(now),
            deadline_at: Some(later(sent, self.options().default_deadline).max(now)),
            created_at: sent,
            traceparent: None,
            packet: None,
        };
        operations::insert_many(tx, std::slice::from_ref(&new)).await?;
        civitas_journal::inbox::wake(tx, std::slice::from_ref(&transaction.id)).await?;
        let mut leaf =
            NewLeaf::new("decided", "takeover", now).about(found.key.event_id, found.key.action_id);
        leaf.aid = Some(transaction.id.clone());
        leaf.to = Some(operation.as_str().to_owned());
        leaf.ruleset = Some(self.pack().digest().to_owned());
        leaf.reason = Some(sentence);
        tx.append_audit(&[leaf]);
        tx.publish(entry::message(&operations::Operation::from(&new), now));
        Ok(())
    }
}
