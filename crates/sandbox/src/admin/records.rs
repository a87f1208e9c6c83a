//! `POST /admin/records`: a registrar declares and registers, for whoever has no registrar at hand.
//!
//! Body `{"event": "birth", "declaration": {…}}`; answer `{"event", "action", "outcome"}`, the outcome in the words of
//! [`Clicked`]: what became of the REGISTER, or of the DECLARE where that was refused.

use super::{Admin, refused};
use crate::opencrvs::{Click, Clicked, Declaration, FORMS, Submission};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    event: String,
    declaration: Declaration,
}

pub(super) async fn register(State(admin): State<Admin>, body: axum::body::Bytes) -> Response {
    let record: Record = match serde_json::from_slice(&body) {
        Ok(record) => record,
        Err(error) => return refused(&error.to_string()),
    };
    let opencrvs = &admin.opencrvs;
    if !FORMS.contains(&record.event.as_str()) {
        return refused(&format!("no form is for `{}`; there are {}", record.event, FORMS.join(" and ")));
    }
    let event = opencrvs.create(&record.event);
    let mut click = opencrvs.submit(event, Submission::new("DECLARE").with(record.declaration)).await;
    if click.outcome == Clicked::Accepted {
        opencrvs.assign(event);
        click = opencrvs.submit(event, Submission::new("REGISTER")).await;
    }
    let Click { outcome, action_id, .. } = click;
    Json(json!({"event": event, "action": action_id, "outcome": format!("{outcome:?}")})).into_response()
}
