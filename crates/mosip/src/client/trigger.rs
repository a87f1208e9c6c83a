//! `POST /workflowmanager/workflowinstance`: starts the workflow of a created packet.
//!
//! It does not look whether the packet is there, and two calls at the same moment start two workflows: call it after a
//! confirmed creation, one at a time per AID, and ask ([`Mosip::workflow_status`]) before repeating it.

use std::fmt;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
    wire_time,
};
use crate::{Aid, CallError, Class, Service};

/// Whom MOSIP tells of the outcome. Personal data: `Debug` shows none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Their name.
    pub name: Option<String>,
    /// Their phone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notification { .. }")
    }
}

/// The start of a workflow. Process and source are those of the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The packet.
    pub aid: Aid,
    /// Its process.
    pub process: String,
    /// Its source.
    pub source: String,
    /// Whom to tell.
    pub notification: Notification,
}

/// A started workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggered {
    /// MOSIP's id of it; not told if it was there before.
    pub workflow_instance_id: Option<String>,
    /// It was there before (`RPR-WIS-001`): an earlier call had been heard.
    pub already_present: bool,
}

impl Mosip {
    /// Starts the workflow of a packet. After [`Class::Unknown`], ask before calling again.
    pub async fn trigger(&self, trigger: &Trigger, now: Timestamp) -> Result<Triggered, CallError> {
        let Notification { name, phone, email } = &trigger.notification;
        let body = json!({
            "id": "mosip.registration.processor.workflow.instance",
            "version": "v1",
            "requesttime": wire_time(now),
            "request": {
                "registrationId": trigger.aid,
                "process": trigger.process,
                "source": trigger.source,
                "additionalInfoReqId": "",
                "notificationInfo": { "name": name, "phone": phone, "email": email },
            },
        });
        let call = Call {
            service: Service::Workflow,
            role: Role::Packet,
            effect: Effect::Change,
            what: "workflowinstance",
            method: Method::POST,
            url: format!("{}/workflowmanager/workflowinstance", self.shared.endpoints.workflow),
            body: Body::Json(body.to_string()),
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if envelope.codes().any(|code| code == "RPR-WIS-001") {
            return Ok(Triggered { workflow_instance_id: None, already_present: true });
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        let id = envelope.response.get("workflowInstanceId").and_then(Value::as_str).map(str::to_owned);
        if id.is_none() {
            let summary = format!("workflowinstance for {} was answered without an instance", trigger.aid);
            return Err(CallError::classed(Service::Workflow, Class::Unknown, "answer-unreadable", summary));
        }
        Ok(Triggered { workflow_instance_id: id, already_present: false })
    }
}
