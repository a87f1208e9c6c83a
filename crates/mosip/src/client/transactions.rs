//! `GET /registrationtransaction/search/{rid}`: the trail of a packet through the stages, which holds the reason of a
//! failure that neither event nor status tells.

use std::fmt;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
};
use crate::{Aid, CallError, Service};

/// What one stage did.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StageRecord {
    /// The stage: `VALIDATE_PACKET`, `DEMOGRAPHIC_VERIFICATION`, …
    pub stage: String,
    /// `SUCCESS`, `FAILED`, `ERROR`, `REJECTED`, `REPROCESS`, `PROCESSED`, …
    pub status: String,
    /// A code of the stage's own.
    pub sub_status: Option<String>,
    /// MOSIP's comment, for a person's eyes: free text that may name somebody.
    pub comment: Option<String>,
    /// When, as MOSIP wrote it.
    pub at: Option<String>,
}

impl fmt::Debug for StageRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageRecord")
            .field("stage", &self.stage)
            .field("status", &self.status)
            .field("sub_status", &self.sub_status)
            .finish_non_exhaustive()
    }
}

/// The record that tells why a workflow did not succeed: the last that is not a success, else the last.
pub fn reason(trail: &[StageRecord]) -> Option<&StageRecord> {
    let success =
        |record: &&StageRecord| matches!(record.status.as_str(), "SUCCESS" | "PROCESSED" | "PROCESSING");
    trail.iter().rev().find(|record| !success(record)).or(trail.last())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    transaction_type_code: Option<String>,
    #[serde(default)]
    status_code: Option<String>,
    #[serde(default)]
    sub_status_code: Option<String>,
    #[serde(default)]
    status_comment: Option<String>,
    #[serde(default)]
    created_date_times: Option<serde_json::Value>,
}

impl From<Row> for StageRecord {
    fn from(row: Row) -> Self {
        StageRecord {
            stage: row.transaction_type_code.unwrap_or_default(),
            status: row.status_code.unwrap_or_default(),
            sub_status: row.sub_status_code.filter(|code| !code.is_empty()),
            comment: row.status_comment.filter(|comment| !comment.is_empty()),
            at: row.created_date_times.and_then(|at| at.as_str().map(str::to_owned)),
        }
    }
}

impl Mosip {
    /// The trail of a packet, oldest first; empty if MOSIP knows none.
    pub async fn transactions(&self, aid: &Aid, now: Timestamp) -> Result<Vec<StageRecord>, CallError> {
        let call = Call {
            service: Service::Workflow,
            role: Role::Status,
            effect: Effect::Harmless,
            what: "registrationtransaction/search",
            method: Method::GET,
            url: format!("{}/registrationtransaction/search/{aid}", self.shared.endpoints.workflow),
            body: Body::Nothing,
        };
        let reply = self.exchange(&call, now).await?;
        let response = envelope::response(&call, &reply)?;
        let rows: Option<Vec<Row>> = serde_json::from_value(response).map_err(|_| {
            let summary = format!(
                "registrationtransaction/search for {aid} was answered with something else than a list"
            );
            CallError::known(Service::Workflow, "answer-unreadable", summary)
        })?;
        let mut trail: Vec<StageRecord> =
            rows.unwrap_or_default().into_iter().map(StageRecord::from).collect();
        // ISO instants of one writer sort as text; rows without one keep their place relative to each other.
        trail.sort_by(|one, other| one.at.cmp(&other.at));
        Ok(trail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stage: &str, status: &str) -> StageRecord {
        StageRecord { stage: stage.to_owned(), status: status.to_owned(), ..StageRecord::default() }
    }

    #[test]
    fn the_reason_is_the_last_stage_that_did_not_succeed() {
        let trail = [
            record("VALIDATE_PACKET", "SUCCESS"),
            record("DEMOGRAPHIC_VERIFICATION", "FAILED"),
            record("INTERNAL_WORKFLOW_ACTION", "PROCESSED"),
        ];
        assert_eq!(reason(&trail).unwrap().stage, "DEMOGRAPHIC_VERIFICATION");
        assert_eq!(reason(&trail[..1]).unwrap().stage, "VALIDATE_PACKET");
        assert!(reason(&[]).is_none());
    }
}
