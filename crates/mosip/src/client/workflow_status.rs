//! `POST /workflowmanager/workflow/search`: where a workflow stands.
//!
//! The one source that knows packets of every process and tells success from failure. Its filters are joined by "and"
//! and each takes one value, so that a call asks about one id: a batch is several calls, a few at a time. The answer is JSON that calls itself `text/plain`.

use std::fmt;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
    wire_time,
};
use crate::{Aid, CallError, Service, Status};

/// Calls of one batch that wait at the service's gate at a time; the gate itself may let fewer through.
const AT_A_TIME: usize = 8;

/// Where a workflow stands.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkflowStatus {
    /// The packet.
    pub aid: Aid,
    /// How far it is.
    pub status: Status,
    /// MOSIP's comment, for a person's eyes: free text that may name somebody.
    pub comment: Option<String>,
    /// The stage that it is in or ended in.
    pub stage: Option<String>,
    /// When MOSIP changed it last.
    pub updated_at: Option<Timestamp>,
}

impl fmt::Debug for WorkflowStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkflowStatus")
            .field("aid", &self.aid.as_str())
            .field("status", &self.status)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    data: Option<Vec<Row>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    workflow_id: String,
    status_code: String,
    #[serde(default)]
    status_comment: Option<String>,
    #[serde(default)]
    current_stage_name: Option<String>,
    #[serde(default)]
    update_date_time: Option<String>,
}

/// MOSIP writes UTC, with and without saying so.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

impl Mosip {
    /// The statuses of several packets, in no order; one that MOSIP does not know is left out. The first failure fails
    /// the batch: a missing status means "not known", never "could not be asked".
    pub async fn workflow_status(
        &self,
        aids: &[Aid],
        now: Timestamp,
    ) -> Result<Vec<WorkflowStatus>, CallError> {
        let mut answers = self.ask_each(aids, now);
        let mut found = Vec::with_capacity(aids.len());
        while let Some((_, answer)) = answers.next().await {
            found.extend(answer?);
        }
        Ok(found)
    }

    /// The same, each with its own outcome, so that one failing question does not hold up the others.
    pub async fn workflow_status_each(
        &self,
        aids: &[Aid],
        now: Timestamp,
    ) -> Vec<(Aid, Result<Option<WorkflowStatus>, CallError>)> {
        self.ask_each(aids, now).collect().await
    }

    fn ask_each<'a>(
        &'a self,
        aids: &'a [Aid],
        now: Timestamp,
    ) -> impl stream::Stream<Item = (Aid, Result<Option<WorkflowStatus>, CallError>)> + Unpin + 'a {
        let asks =
            aids.iter().map(move |aid| async move { (aid.clone(), self.workflow_status_of(aid, now).await) });
        Box::pin(stream::iter(asks).buffer_unordered(AT_A_TIME))
    }

    /// Where the newest workflow of one packet stands; `None` if MOSIP knows of none.
    pub async fn workflow_status_of(
        &self,
        aid: &Aid,
        now: Timestamp,
    ) -> Result<Option<WorkflowStatus>, CallError> {
        let body = json!({
            "id": "mosip.registration.processor.workflow.search",
            "version": "v1",
            "requesttime": wire_time(now),
            "request": {
                "filters": [{ "columnName": "regId", "value": aid, "type": "equals" }],
                "sort": { "sortField": "createDateTime", "sortType": "desc" },
                "pagination": { "pageStart": 0, "pageFetch": 10 },
            },
        });
        let call = Call {
            service: Service::Workflow,
            role: Role::Status,
            effect: Effect::Harmless,
            what: "workflow/search",
            method: Method::POST,
            url: format!("{}/workflowmanager/workflow/search", self.shared.endpoints.workflow),
            body: Body::Json(body.to_string()),
        };
        let reply = self.exchange(&call, now).await?;
        let response = envelope::response(&call, &reply)?;
        if response.is_null() {
            // Nothing found is an empty page; this is a failure that MOSIP does not name.
            let summary = format!("workflow/search for {aid} was answered with neither a page nor an error");
            return Err(CallError::known(Service::Workflow, "null-response", summary));
        }
        let page: Page = serde_json::from_value(response).map_err(|_| {
            let summary = format!(
                "workflow/search for {aid} was answered with something else than a page of workflows"
            );
            CallError::known(Service::Workflow, "answer-unreadable", summary)
        })?;
        let rows = page.data.unwrap_or_default();
        Ok(rows.into_iter().find(|row| row.workflow_id == aid.as_str()).map(|row| WorkflowStatus {
            aid: aid.clone(),
            status: Status::parse(&row.status_code),
            comment: row.status_comment,
            stage: row.current_stage_name,
            updated_at: row.update_date_time.as_deref().and_then(instant),
        }))
    }
}
