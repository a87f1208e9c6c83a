//! `POST /api/v1/records/{id}/{retry|release|reject}`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use civitas_engine::queue::{Act as Deed, ActError, ActRequest, Acted};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::described;
use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::{ErrorBody, Refusal, chain};
use crate::state::App;

/// Why it is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// For the audit log: what was found out, and from whom. At most 500 characters, no personal data.
    reason: String,
}

/// Acts on a record that waits. Needs the role integrator; act and reason go into the audit log.
#[utoipa::path(post, path = "/api/v1/records/{id}/{act}", tag = "Operators", security(("operator" = [])),
    params(("id" = String, Path, description = "Event id, tracking id or AID"),
           ("act" = String, Path, description = "retry: do the current step again; release: let the record go on \
               without MOSIP; reject: send it back to the registrar")),
    request_body = Reason,
    responses((status = 200, body = described::Acted), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
              (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
              (status = 503, body = ErrorBody)))]
pub(crate) async fn act(
    State(app): State<App>,
    Path((id, word)): Path<(String, String)>,
    headers: HeaderMap,
    reason: Result<Json<Reason>, JsonRejection>,
) -> Result<Json<Acted>, Refusal> {
    let deed = [Deed::Retry, Deed::Release, Deed::Reject].into_iter().find(|deed| deed.as_str() == word);
    let name = deed.map_or("act", Deed::as_str);
    let asked = Act { name, needs: Role::Integrator, record: Some(&id), carrier: Carrier::Bearer };
    let operator = auth::admit(&app, &headers, asked).await?;
    let deed = deed.ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "act_unknown",
            "there is no such act",
            "use retry, release or reject",
        )
    })?;
    let Json(Reason { reason }) = reason.map_err(|error| {
        Refusal::bad("reason_missing", error.body_text(), "send {\"reason\": \"…\"} as application/json")
    })?;
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 500 {
        return Err(Refusal::bad(
            "reason_missing",
            "the reason is empty or longer than 500 characters",
            "say in a sentence what was found out; it goes into the audit log",
        ));
    }
    let request = ActRequest { record: id, act: deed, actor: operator.name, reason };
    app.desk.act(request).await.map(Json).map_err(|error| refused(&error))
}

fn refused(error: &ActError) -> Refusal {
    let (status, code, advice) = match error {
        ActError::NoSuchRecord(_) => {
            (StatusCode::NOT_FOUND, "record_unknown", "GET /api/v1/queue shows the records that wait")
        }
        ActError::NothingOpen(_) => {
            (StatusCode::CONFLICT, "nothing_open", "GET /api/v1/records/{id} tells how it ended")
        }
        ActError::NoReason => {
            (StatusCode::BAD_REQUEST, "reason_missing", "say in a sentence what was found out")
        }
        ActError::NotPossible { .. } => {
            (StatusCode::CONFLICT, "act_not_possible", "look at the record, then choose another act")
        }
        ActError::Journal(_) => (StatusCode::SERVICE_UNAVAILABLE, "journal_unavailable", "try again"),
    };
    Refusal::new(status, code, chain(error), advice)
}
