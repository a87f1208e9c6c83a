//! The tRPC wire: superjson envelope, batches, error shapes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// What a procedure answers.
pub(crate) type Outcome = Result<Value, TrpcError>;

/// An error as tRPC's own codes name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrpcError {
    pub(crate) code: Code,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    Internal,
}

impl Code {
    const fn parts(self) -> (&'static str, i32, StatusCode) {
        match self {
            Self::BadRequest => ("BAD_REQUEST", -32600, StatusCode::BAD_REQUEST),
            Self::Unauthorized => ("UNAUTHORIZED", -32001, StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("FORBIDDEN", -32003, StatusCode::FORBIDDEN),
            Self::NotFound => ("NOT_FOUND", -32004, StatusCode::NOT_FOUND),
            Self::Conflict => ("CONFLICT", -32009, StatusCode::CONFLICT),
            Self::Internal => ("INTERNAL_SERVER_ERROR", -32603, StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl TrpcError {
    pub(crate) fn new(code: Code, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }

    /// In production the message of a 500 is masked; the log keeps it.
    pub(crate) fn internal(cause: &str) -> Self {
        tracing::debug!(cause, "sandbox OpenCRVS answers 500");
        Self::new(Code::Internal, "Internal server error")
    }

    fn body(&self, path: &str) -> Value {
        let (name, number, status) = self.code.parts();
        let data = json!({"code": name, "httpStatus": status.as_u16(), "path": path});
        json!({"error": {"json": {"message": self.message, "code": number, "data": data}}})
    }
}

/// Takes the inputs of the given number of calls out of a request body.
///
/// # Errors
/// Malformed JSON is 400 before any procedure runs.
pub(crate) fn inputs(body: &[u8], batch: bool, calls: usize) -> Result<Vec<Value>, TrpcError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| TrpcError::new(Code::BadRequest, &format!("Unexpected token in JSON: {error}")))?;
    let unwrap = |value: &Value| value.get("json").cloned().unwrap_or(Value::Null);
    if batch {
        return Ok((0..calls).map(|place| body.get(place.to_string()).map_or(Value::Null, unwrap)).collect());
    }
    Ok(vec![unwrap(&body)])
}

/// Builds the response of one or several calls.
pub(crate) fn respond(outcomes: Vec<(String, Outcome)>, batch: bool) -> Response {
    let status =
        |outcome: &Outcome| outcome.as_ref().map_or_else(|error| error.code.parts().2, |_| StatusCode::OK);
    let mut statuses = outcomes.iter().map(|(_, outcome)| status(outcome));
    let first = statuses.next().unwrap_or(StatusCode::BAD_REQUEST);
    let status = if statuses.all(|other| other == first) { first } else { StatusCode::MULTI_STATUS };
    let mut bodies: Vec<Value> = outcomes
        .into_iter()
        .map(|(path, outcome)| match outcome {
            Ok(data) => json!({"result": {"data": {"json": data}}}),
            Err(error) => error.body(&path),
        })
        .collect();
    let body = if batch { Value::Array(bodies) } else { bodies.pop().unwrap_or(Value::Null) };
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_recorded_shape() {
        let body = TrpcError::new(Code::NotFound, "Action not found.").body("event.actions.register.accept");
        let recorded = r#"{"error":{"json":{"message":"Action not found.","code":-32004,"data":{"code":"NOT_FOUND","httpStatus":404,"path":"event.actions.register.accept"}}}}"#;
        assert_eq!(body.to_string(), recorded);
    }

    #[test]
    fn batches_and_single_calls_are_unwrapped() {
        assert_eq!(inputs(br#"{"json":{"a":1}}"#, false, 1).unwrap(), [json!({"a": 1})]);
        assert_eq!(
            inputs(br#"{"0":{"json":{"a":1}},"1":{"json":2}}"#, true, 2).unwrap(),
            [json!({"a": 1}), json!(2)]
        );
        assert_eq!(inputs(b"{", false, 1).unwrap_err().code, Code::BadRequest);
    }
}
