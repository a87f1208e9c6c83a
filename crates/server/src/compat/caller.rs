//! Who calls: the token that OpenCRVS made for a registrar, as the country configuration passes it on.

use axum::response::Response;
use civitas_opencrvs::{Caller, TokenError};
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;

use super::reply;
use crate::auth::bearer;
use crate::reply::Refusal;
use crate::state::App;
use crate::trigger::TokenPolicy;

/// By any of these an action may be answered. 1.9 and 2.0 give the first one, 2.1 the others.
const MAY_ASK: [&str; 3] = ["record.confirm-registration", "record.register", "record.correct"];

/// The claims of the token, once its signature, issuer, audience and time are right, and the token.
pub(super) async fn known(app: &App, headers: &HeaderMap) -> Result<(Caller, SecretString), Response> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(bearer) else { return Err(reply::unauthorised()) };
    let checked = match app.options.token_policy {
        TokenPolicy::Record => app.tokens.identify(token, (app.clock)()).await,
        TokenPolicy::Open => Caller::unverified(token),
    };
    match checked {
        Ok(caller) => Ok((caller, SecretString::from(token))),
        Err(TokenError::KeyUnavailable(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a token could not be checked");
            Err(reply::error(&Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "token_not_checkable",
                "the token could not be checked: OpenCRVS's public key is not to be had",
                "send it again; `civitas doctor` says what is wrong with the key",
            )))
        }
        Err(_) => Err(reply::unauthorised()),
    }
}

/// The same, of somebody who may answer an action of a record.
pub(super) async fn may_ask(app: &App, headers: &HeaderMap) -> Result<(Caller, SecretString), Response> {
    let (caller, token) = known(app, headers).await?;
    let open = app.options.token_policy == TokenPolicy::Open;
    if open || MAY_ASK.iter().any(|scope| caller.has_scope(scope)) {
        return Ok((caller, token));
    }
    app.intake.denied(None, "mosip-api's surface: a token without a scope for it".to_owned()).await;
    Err(reply::forbidden())
}

/// The caller's name in the audit log.
pub(super) fn actor(caller: &Caller) -> String {
    format!("opencrvs:{}", caller.subject.as_deref().unwrap_or("unknown"))
}
