//! From a request to what is recorded and done about it: pure, but for the pack's code.

use civitas_journal::operations::Respond;
use civitas_mosip::Aid;
use civitas_rules::{Fitted, Operation, Pack, Writing};

use super::{Asked, type_of};
use crate::{
    Answer,
    decide::{Decided, Obstacle, Planned, Station},
};

/// Who has the certificate number of a request already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    /// An earlier action of the same record: its registration, of which this is a correction.
    SameRecord,
    /// Another record, which came in at the same moment.
    Other,
}

/// Decides on a request.
pub(crate) fn decide(
    asked: &Asked,
    pack: &Pack,
    station: &Station<'_>,
    candidate: u32,
    holder: Holder,
) -> Decided {
    let (operation, event) = asked.body.operation(asked.route);
    let number = asked.body.number(asked.route).map(str::to_owned);
    let mapped = asked.body.mapped(operation);
    let made = pack.packet_of_mapped(operation, event, &mapped);
    let sentence = sentence(asked, operation, made.as_ref().ok());
    let packet = match made {
        _ if holder == Holder::Other => Err(Obstacle {
            cause: "certificate_number_taken",
            detail: "another record came with the same number at the same moment".to_owned(),
        }),
        Ok(fitted) => Ok(fitted.packet),
        Err(error) => Err(Obstacle { cause: "packet_not_buildable", detail: error.to_string() }),
    };
    // Whether the country configuration answered 200 or 202 to a death is not told. An accept that was given already is
    // answered well and changes nothing, so that a death is waited for like a birth.
    let (respond, answer) = match operation {
        Operation::UpdateBiographics => (Respond::Continue, Answer::accept()),
        _ => (Respond::AwaitExternalValidation, Answer::Await),
    };
    let aid =
        Aid::derive(station.center, station.machine, asked.event_id, asked.action_id, asked.at, candidate);
    let mut decided = Decided {
        event_id: asked.event_id,
        action_id: asked.action_id,
        tracking_id: asked.body.tracking_id.clone().unwrap_or_else(|| asked.event_id.to_string()),
        event_type: event.to_owned(),
        action_type: String::new(),
        custom_action: None,
        request_id: None,
        action_at: asked.at,
        ruleset: pack.digest().to_owned(),
        rule: None,
        effect: operation.as_str(),
        would_have: Vec::new(),
        sentence,
        message: None,
        failed_message: None,
        answer,
        registration_number: number.clone().filter(|_| holder == Holder::Nobody),
        record_number: number,
        writing: Writing::default(),
        operation: Some(Planned {
            operation: operation.as_str().to_owned(),
            respond,
            aid: Some(aid),
            deadline: None,
            subject: mapped.subject,
            packet,
        }),
        anomaly: None,
    };
    type_of(pack.country().opencrvs, &decided).clone_into(&mut decided.action_type);
    decided
}

fn sentence(asked: &Asked, operation: Operation, fitted: Option<&Fitted>) -> String {
    let by = match operation {
        Operation::CreateUin => "birthCertificateNumber is given",
        Operation::FlagDeceased => "deathCertificateNumber is given",
        _ => "a VID and what changes are given",
    };
    let route = asked.route.as_str();
    let mut text =
        format!("{operation} was asked for by the country configuration on {route}: {by}; no rule was asked");
    let mut add = |what: &str, fields: &[String]| {
        if !fields.is_empty() {
            let names: Vec<&str> = fields.iter().map(|name| named(name)).collect();
            text.push_str("; ");
            text.push_str(what);
            text.push_str(": ");
            text.push_str(&names.join(", "));
        }
    };
    if let Some(fitted) = fitted {
        add("brought into the form of the ID schema", &fitted.adapted);
        add("left out, since the ID schema lacks them", &fitted.dropped);
    }
    text
}

/// A field's name for the log; whatever else a caller put in its place is left out.
fn named(name: &str) -> &str {
    let plain = name.len() <= 60 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { name } else { "a field of another name" }
}
