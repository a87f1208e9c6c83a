//! The one shape of an error: what happened, and what to do, never with personal data.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// `{"error":{"code":…,"message":…,"advice":…}}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// Stable, for programs: `body_too_large`.
    code: String,
    /// For people: what happened, to what.
    message: String,
    /// What to do about it.
    advice: String,
}

/// An error reply.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    detail: ErrorDetail,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let detail = ErrorDetail { code: code.into(), message: message.into(), advice: advice.into() };
        Self { status, detail }
    }

    /// 400.
    pub(crate) fn bad(code: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message, advice)
    }

    /// 401.
    pub(crate) fn unauthorised(code: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message, advice)
    }

    /// The body alone, for a reply that says more.
    pub(crate) fn into_body(self) -> ErrorBody {
        ErrorBody { error: self.detail }
    }

    /// The status of the reply.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What happened, for people.
    pub(crate) fn message(&self) -> &str {
        &self.detail.message
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> &str {
        &self.detail.advice
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.detail.code
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.detail })).into_response()
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
