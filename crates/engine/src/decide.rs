//! From a civil event to what is recorded and done about it: pure, but for the pack's code.

use std::collections::BTreeMap;

use civitas_journal::{RecordKey, WouldHave, operations::Respond};
use civitas_mosip::Aid;
use civitas_opencrvs::{DocumentError, EventDocument, Pending, Version};
use civitas_rules::{
    Effect, Facts, FieldProblem, Guard, OpencrvsVersion, Operation, Pack, Packet, PacketContext, Writing,
};
use jiff::{SignedDuration, Timestamp};

use crate::{Answer, Arrival, IngestError, Note, Values};

/// A civil event with the decision taken on it.
pub(crate) struct Decided {
    pub(crate) event_id: uuid::Uuid,
    pub(crate) action_id: uuid::Uuid,
    pub(crate) tracking_id: String,
    pub(crate) event_type: String,
    pub(crate) action_type: String,
    pub(crate) custom_action: Option<String>,
    pub(crate) request_id: Option<uuid::Uuid>,
    pub(crate) action_at: Timestamp,
    pub(crate) ruleset: String,
    pub(crate) rule: Option<String>,
    pub(crate) effect: &'static str,
    pub(crate) would_have: Vec<WouldHave>,
    pub(crate) sentence: String,
    /// What the record's history says of it, in the pack's own words.
    pub(crate) message: Option<String>,
    /// What it says if the operation cannot be sent.
    pub(crate) failed_message: Option<String>,
    pub(crate) answer: Answer,
    /// Minted for this action (a REGISTER).
    pub(crate) registration_number: Option<String>,
    /// The record's number, minted now or before.
    pub(crate) record_number: Option<String>,
    /// What the rule writes into the record, and what is left out of it.
    pub(crate) writing: Writing,
    pub(crate) operation: Option<Planned>,
    pub(crate) anomaly: Option<String>,
}

impl Decided {
    pub(crate) fn key(&self) -> RecordKey {
        RecordKey::new(self.event_id, self.action_id)
    }

    /// Leaves out what may not be written, with the reason why.
    pub(crate) fn leave_out(&mut self, fields: &BTreeMap<String, String>) {
        for (field, reason) in fields {
            if self.writing.declaration.remove(field).is_some() {
                let problem = FieldProblem { field: field.clone(), reason: reason.clone() };
                self.writing.left_out.push(problem);
            }
        }
        if let Answer::Accept { declaration, .. } = &mut self.answer {
            declaration.0.clone_from(&self.writing.declaration);
        }
    }

    pub(crate) fn aid(&self) -> Option<String> {
        self.operation.as_ref()?.aid.as_ref().map(Aid::to_string)
    }
}

/// The operation that a decision asks for.
pub(crate) struct Planned {
    pub(crate) operation: String,
    pub(crate) respond: Respond,
    /// None when there is nothing to send.
    pub(crate) aid: Option<Aid>,
    pub(crate) deadline: Option<SignedDuration>,
    pub(crate) subject: Option<String>,
    /// The packet, or why a person must look first.
    pub(crate) packet: Result<Packet, Obstacle>,
}

/// Why an operation starts stalled.
pub(crate) struct Obstacle {
    pub(crate) cause: &'static str,
    pub(crate) detail: String,
}

/// Where the AID comes from.
pub(crate) struct Station<'a> {
    pub(crate) center: &'a str,
    pub(crate) machine: &'a str,
}

impl Station<'_> {
    /// Whether an AID names this station as the maker of its packet. It is ours alone.
    pub(crate) fn made(&self, aid: &str) -> bool {
        aid.strip_prefix(self.center).is_some_and(|rest| rest.starts_with(self.machine))
    }
}

/// Reads the document and finds the action that the arrival is about.
pub(crate) fn read(arrival: &Arrival, pack: &Pack) -> Result<EventDocument, IngestError> {
    let document = open(&arrival.document, pack).map_err(IngestError::Document)?;
    if let Some(said) = arrival.event_id.filter(|said| *said != document.id) {
        let what = "message key";
        return Err(IngestError::Mismatch {
            what,
            said: said.to_string(),
            document: document.id.to_string(),
        });
    }
    if let Some(said) = arrival.event_type.as_ref().filter(|said| **said != document.kind) {
        let what = "path";
        return Err(IngestError::Mismatch { what, said: said.clone(), document: document.kind.clone() });
    }
    Ok(document)
}

/// Reads of a document what a pack may look at; the rest is stepped over.
pub(crate) fn open(bytes: &[u8], pack: &Pack) -> Result<EventDocument, DocumentError> {
    let fields = pack.fields();
    EventDocument::parse_only(bytes, |field| fields.contains(field))
}

/// The action that waits for an answer.
pub(crate) fn pending<'d>(
    document: &'d EventDocument,
    arrival: &Arrival,
) -> Result<Pending<'d>, IngestError> {
    match &arrival.action_type {
        Some(kind) => document.pending(kind),
        None => document.find_pending(),
    }
    .map_err(|_| IngestError::NoPendingAction { event_id: document.id, action: arrival.action_type.clone() })
}

/// Evaluates the rules and builds what they ask for. `candidate` is 0, and higher only when the
/// registration number or AID of the lower one is taken by another civil event.
pub(crate) fn decide(
    document: &EventDocument,
    pending: &Pending<'_>,
    pack: &Pack,
    station: &Station<'_>,
    candidate: u32,
) -> Result<Decided, IngestError> {
    let action = pending.action;
    let version = opencrvs_version(pack.country().opencrvs);
    let states = document.prospective(action.id, version).map_err(|_| IngestError::NoPendingAction {
        event_id: document.id,
        action: Some(action.kind.clone()),
    })?;
    let at = action.created_at.at();
    let facts = Facts {
        event: &document.kind,
        action: &action.kind,
        custom_action: action.custom_action_type.as_deref(),
        before: &states.before,
        after: &states.after,
        at,
    };
    let explanation = pack.explain(&facts);
    let language = pack.country().languages.first().map_or("en", |language| language.code.as_str());
    let sentence = explanation.sentence(language);
    let message = explanation.audit_message(language).map(str::to_owned);
    let decision = explanation.decision().clone();
    let failed_message = decision.rule.as_deref().and_then(|rule| {
        pack.audit_message(rule, civitas_rules::Outcome::Failed, language).map(str::to_owned)
    });
    let guard = pack.forbids(&facts, &decision);
    let would_have = pack.would_have(&facts, &decision).into_iter();
    let would_have = would_have
        .map(|(rule, effect)| WouldHave { effect: effect.as_str().to_owned(), rule: rule.to_owned() })
        .collect();
    let (event_id, action_id) = (document.id.to_string(), action.id.to_string());
    let registration_number = (action.kind == "REGISTER")
        .then(|| pack.registration_number(&document.kind, &event_id, &action_id, at, candidate));
    let record_number =
        registration_number.clone().or_else(|| document.registration_number().map(str::to_owned));
    let aid = || Aid::derive(station.center, station.machine, document.id, action.id, at, candidate);

    let outcome = decision.effect.outcome();
    let note = outcome.and_then(|outcome| Note::of(pack, decision.rule.as_deref(), outcome));
    let context = PacketContext {
        facts: &facts,
        event_id: &event_id,
        tracking_id: &document.tracking_id,
        registration_number: record_number.as_deref(),
    };
    let writing = writing_of(pack, &decision, &context);
    let accept = |number: Option<&String>| Answer::Accept {
        registration_number: number.cloned(),
        declaration: Values(writing.declaration.clone()),
        note: note.clone(),
    };
    let (effect, answer, operation) = match decision.effect {
        Effect::None => ("none", accept(registration_number.as_ref()), None),
        Effect::Ignore => ("ignore", accept(registration_number.as_ref()), None),
        Effect::Reject { reason } => ("reject", Answer::Reject { reason }, None),
        Effect::Hold { missing } => ("hold", Answer::Await, Some(held(&missing))),
        Effect::Operate { operation, send, respond, deadline } => {
            let packet = packet_of(operation, &send, guard, pack, &context);
            let (respond, answer) = match respond {
                civitas_rules::Respond::AwaitExternalValidation => {
                    (Respond::AwaitExternalValidation, Answer::Await)
                }
                civitas_rules::Respond::Continue => (Respond::Continue, accept(registration_number.as_ref())),
            };
            let subject = packet.as_ref().ok().and_then(|packet| packet.subject.clone());
            let planned = Planned {
                operation: operation.as_str().to_owned(),
                respond,
                aid: Some(aid()),
                deadline,
                subject,
                packet,
            };
            (operation.as_str(), answer, Some(planned))
        }
    };
    Ok(Decided {
        event_id: document.id,
        action_id: action.id,
        tracking_id: document.tracking_id.clone(),
        event_type: document.kind.clone(),
        action_type: action.kind.clone(),
        custom_action: action.custom_action_type.clone(),
        request_id: action.request_id,
        action_at: at,
        ruleset: pack.digest().to_owned(),
        rule: decision.rule,
        effect,
        would_have,
        sentence,
        message,
        failed_message,
        answer,
        registration_number,
        record_number: record_number.clone(),
        writing,
        operation,
        anomaly: pending
            .anomaly
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| states.anomaly.map(|a| a.to_string())),
    })
}

/// What a decision writes into the record: that of a rule that matched, and does not reject.
fn writing_of(pack: &Pack, decision: &civitas_rules::Decision, context: &PacketContext<'_>) -> Writing {
    match (&decision.effect, &decision.rule) {
        (Effect::Operate { .. } | Effect::Ignore, Some(rule)) => pack.write(rule, context),
        _ => Writing::default(),
    }
}

/// A record that waits for a person, since its rule needs what it lacks.
fn held(missing: &[String]) -> Planned {
    Planned {
        operation: "hold".to_owned(),
        respond: Respond::AwaitExternalValidation,
        aid: None,
        deadline: None,
        subject: None,
        packet: Err(Obstacle { cause: "fields_unknown", detail: missing.join(", ") }),
    }
}

/// The packet that carries the operation, or why a person must look first.
pub(crate) fn packet_of(
    operation: Operation,
    send: &str,
    guard: Option<Guard>,
    pack: &Pack,
    context: &PacketContext<'_>,
) -> Result<Packet, Obstacle> {
    if let Some(guard) = guard {
        return Err(Obstacle { cause: "policy_guard", detail: guard.why().to_owned() });
    }
    // New packs with such a rule are refused. Should one decide all the same, MOSIP must not get a packet for it.
    if operation == Operation::VerifyIdentity {
        return Err(Obstacle { cause: "operation_not_carried_out", detail: operation.to_string() });
    }
    pack.build_packet(send, context)
        .map_err(|error| Obstacle { cause: "packet_not_buildable", detail: error.to_string() })
}

/// The release line of OpenCRVS that a pack states: it decides how actions are folded.
pub fn opencrvs_version(stated: OpencrvsVersion) -> Version {
    match stated {
        OpencrvsVersion::V1_9 => Version::V1_9,
        OpencrvsVersion::V2_0 => Version::V2_0,
        OpencrvsVersion::V2_1 => Version::V2_1,
    }
}
