//! Authenticating operators, and refusing in a way that is recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};

use crate::operators::{Operator, Role};
use crate::reply::Refusal;
use crate::state::App;

/// The token of an `Authorization: Bearer …` header.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// Where a request may carry an operator's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// `Authorization: Bearer` only: a browser never sends it by itself, so no foreign page can act in its name.
    Bearer,
    /// Also `Authorization: Basic` with the token as password: a browser asks for it. Reading only.
    BearerOrBasic,
}

/// What is being done, for the refusal's record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) name: &'static str,
    pub(crate) needs: Role,
    pub(crate) record: Option<&'a str>,
    pub(crate) carrier: Carrier,
}

/// The operator who asks, if that is allowed.
pub(crate) async fn admit(app: &App, headers: &HeaderMap, act: Act<'_>) -> Result<Operator, Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| token_of(value, act.carrier));
    let found = token.as_deref().and_then(|token| app.operators.by_token(token));
    let (operator, refusal) = match found {
        Some(operator) if operator.role >= act.needs => return Ok(operator.clone()),
        Some(operator) => (
            Some(operator.name.clone()),
            Refusal::new(
                StatusCode::FORBIDDEN,
                "role_insufficient",
                format!(
                    "{} is a {}; this needs {}",
                    operator.name,
                    operator.role.as_str(),
                    act.needs.as_str()
                ),
                "ask somebody with that role, or have server.operators changed",
            ),
        ),
        None => {
            let (code, message) = match token {
                Some(_) => ("token_unknown", "no operator has this token"),
                None => ("token_missing", "the request carries no operator token"),
            };
            let advice = "send Authorization: Bearer with a token of server.operators";
            (None, Refusal::unauthorised(code, message, advice))
        }
    };
    // A browser's first, tokenless request for a page is how it learns that it must ask.
    if act.carrier == Carrier::Bearer || given.is_some() {
        let on = act.record.map(named).unwrap_or_default();
        app.intake.denied(operator, format!("{}{on}: {}", act.name, refusal.code())).await;
    }
    Err(refusal)
}

/// A record's id for the audit log; whatever else a stranger put into the path is left out.
fn named(id: &str) -> String {
    let plain = id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { format!(" on record {id}") } else { " on a malformed id".to_owned() }
}

fn token_of(value: &str, carrier: Carrier) -> Option<String> {
    if let Some(token) = bearer(value) {
        return Some(token.to_owned());
    }
    if carrier == Carrier::Bearer {
        return None;
    }
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    Some(decoded.split_once(':')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_where_the_act_allows_it() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Bearer "), None);
        assert_eq!(bearer("Basic YTpi"), None);
        assert_eq!(token_of("Basic YW1pbmE6c2VjcmV0", Carrier::BearerOrBasic).as_deref(), Some("secret"));
        assert_eq!(token_of("Basic YW1pbmE6c2VjcmV0", Carrier::Bearer), None);
    }
}
