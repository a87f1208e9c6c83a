//! The bearer of a trigger: is it OpenCRVS that asks, and about this record?

use civitas_opencrvs::{TokenError, token_expiry};
use http::{HeaderMap, header};
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use crate::reply::Refusal;
use crate::state::App;

/// How strictly the bearer of a trigger is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPolicy {
    /// Signed by OpenCRVS, for us, valid, and for this record and action.
    Record,
    /// Not checked: something in front of Civitas admits nobody but OpenCRVS.
    Open,
}

/// A bearer that was not refused.
pub(super) struct Bearer {
    pub(super) token: Option<SecretString>,
    pub(super) expires_at: Option<Timestamp>,
}

const ADVICE: &str = "only OpenCRVS calls this endpoint; if this is OpenCRVS, compare opencrvs.auth_url or \
    opencrvs.public_key_file with the deployment that issues its tokens";

/// Refuses a bearer that is provably wrong. One that cannot be checked, because the key cannot be had at the moment,
/// passes: a refusal would freeze the record in OpenCRVS.
pub(super) async fn check(
    app: &App,
    headers: &HeaderMap,
    event_id: Uuid,
    action_id: Option<Uuid>,
    now: Timestamp,
) -> Result<Bearer, Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(crate::auth::bearer);
    let bearer = || {
        let token = token.map(SecretString::from);
        Bearer { expires_at: token.as_ref().and_then(token_expiry), token }
    };
    // Without a pending action the engine refuses the document, whatever the token says.
    let (TokenPolicy::Record, Some(action_id)) = (app.options.token_policy, action_id) else {
        return Ok(bearer());
    };
    let Some(text) = token else {
        return Err(Refusal::unauthorised("token_missing", "the request carries no bearer token", ADVICE));
    };
    match app.tokens.verify(text, event_id, action_id, now).await {
        Ok(_) => Ok(bearer()),
        Err(error) if error.is_provable() => {
            Err(Refusal::unauthorised(code(&error), error.to_string(), ADVICE))
        }
        Err(error) => {
            metrics::counter!("civitas_triggers_unverified_total").increment(1);
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%event_id, error, "the event is taken in unverified");
            Ok(bearer())
        }
    }
}

fn code(error: &TokenError) -> &'static str {
    match error {
        TokenError::Missing => "token_missing",
        TokenError::Expired => "token_expired",
        TokenError::WrongRecord => "token_for_another_record",
        TokenError::Invalid(_) | TokenError::KeyUnavailable(_) => "token_invalid",
    }
}
