//! `POST /esignet/get-oidp-user-info`: the code that e-Signet gave to a person's browser becomes the fields of a form.
//!
//! The token call is made in the configured client's name, whatever the body says, and once for each code. A form gives
//! up after five seconds; what comes later stands for a while, and the same code gets it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use civitas_engine::{Identified, Way};
use civitas_mosip::esignet::{Login, LoginError, LoginFault};
use civitas_opencrvs::Caller;
use http::StatusCode;
use openssl::sha::sha256;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::identity::{Authentication, Kept, Outcome, Trouble, digest};
use super::redirect::Page;
use super::{caller, claims, reply};
use crate::body;
use crate::reply::{Refusal, chain};
use crate::state::App;
use crate::trace;

const MAX_BODY: usize = 16 * 1024;
/// Longest code; a real one has some tens of characters.
const MAX_CODE: usize = 2048;
const ROUTE: &str = "esignet/get-oidp-user-info";

/// What the address carries. `state` may be absent, `noop` or whatever a country's link says: nothing rests on it.
#[derive(Deserialize)]
pub(super) struct Brought {
    code: Option<String>,
}

/// What a form sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    redirect_uri: Option<String>,
}

/// Answers with what e-Signet proved about the person.
pub(super) async fn user_info(
    State(app): State<App>,
    brought: Result<Query<Brought>, QueryRejection>,
    request: Request,
) -> Response {
    let code = brought.ok().and_then(|Query(brought)| brought.code).map(Zeroizing::new);
    let response = match tokio::spawn(handle(app, code, request)).await {
        Ok(Ok(answer)) => reply::json_of(StatusCode::OK, &answer),
        Ok(Err(response)) => response,
        Err(_) => reply::error(&reply::broken()),
    };
    reply::counted(ROUTE, response)
}

async fn handle(app: App, code: Option<Zeroizing<String>>, request: Request) -> Result<Value, Response> {
    let (head, body) = request.into_parts();
    let (caller, _) = caller::known(&app, &head.headers).await?;
    let Some(authentication) = app.identification.authentication.clone() else {
        return Err(reply::error(&Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "esignet_not_configured",
            "e-signet is not configured, so that nobody can sign in",
            "set mosip.esignet (url, client_id, client_key_file)",
        )));
    };
    let raw = body::read(body, MAX_BODY).await.map_err(|error| reply::unread(error, MAX_BODY))?;
    let asked: Asked = serde_json::from_slice(&raw).map_err(|_| {
        reply::error(&Refusal::bad(
            "body_malformed",
            "the body is not {clientId, redirectUri} as JSON",
            "send the body of mosip-api's /esignet/get-oidp-user-info",
        ))
    })?;
    let refused = |refusal: Refusal| reply::error(&refusal);
    let code = code.filter(|code| !code.trim().is_empty() && code.len() <= MAX_CODE).ok_or_else(|| {
        refused(Refusal::bad("code_missing", "the address carries no code", "add ?code= as e-Signet gave it"))
    })?;
    let ours = &authentication.esignet.settings().client_id;
    if asked.client_id.is_some_and(|named| named != *ours) {
        return Err(refused(Refusal::bad(
            "client_differs",
            "the body names another client than the configured one",
            "make OPENID_PROVIDER_CLIENT_ID of the country configuration equal to mosip.esignet.client_id",
        )));
    }
    let page = asked.redirect_uri.as_deref().and_then(|uri| Page::of(uri, &authentication.redirect_uris));
    let page = page.ok_or_else(|| {
        refused(Refusal::bad(
            "redirect_uri_refused",
            "redirectUri is missing, or no page that e-signet may send people back to",
            "list its pattern in mosip.esignet.redirect_uris, as it is registered at e-Signet",
        ))
    })?;
    let now = (app.clock)();
    let key = digest([code.as_bytes()]);
    let owner = digest([page.address.as_bytes(), caller.subject.as_deref().unwrap_or_default().as_bytes()]);
    let patience = authentication.patience;
    let traceparent = trace::traceparent(&head.headers);
    let work = login(app.clone(), authentication, caller, page, code, traceparent);
    let waiting = app.remembered.logins.begin(key, owner, now, work).map_err(|_| {
        refused(Refusal::new(
            StatusCode::CONFLICT,
            "code_used",
            "this code was brought before, by another user or for another page",
            "the person signs in again",
        ))
    })?;
    match tokio::time::timeout(patience, waiting.outcome()).await {
        Ok(Some(Ok(answer))) => Ok(answer),
        Ok(Some(Err(trouble))) => Err(reply::trouble(&trouble)),
        Ok(None) => Err(reply::error(&reply::broken())),
        Err(_) => Err(refused(Refusal::new(
            StatusCode::GATEWAY_TIMEOUT,
            "esignet_slow",
            "e-signet has not answered yet; it is still waited for",
            "ask again with the same code, which is not spent twice",
        ))),
    }
}

/// One login, to its end: asked for, recorded, and put into the form's words.
async fn login(
    app: App,
    authentication: Authentication,
    caller: Caller,
    page: Page,
    code: Zeroizing<String>,
    traceparent: Option<String>,
) -> (Outcome<Value>, Kept) {
    let login = authentication.esignet.login(&code, &page.address, (app.clock)()).await;
    // Where nothing was sent the code is still good.
    let unsent =
        matches!(&login, Err(LoginError::Call(error)) if error.class == civitas_mosip::Class::Parked);
    let receipt = receipt(&authentication);
    let (outcome, detail) = match &login {
        Ok(login) => (
            "authenticated",
            login.acr.clone().filter(|acr| plain(acr)).unwrap_or_else(|| "signed in".to_owned()),
        ),
        Err(error) => (if error.fault() == LoginFault::Code { "refused" } else { "technical" }, said(error)),
    };
    let identified = Identified {
        way: Way::ESignet,
        outcome,
        event_id: page.event_id.or(caller.event_id),
        action_id: caller.action_id,
        person: page.section.clone(),
        actor: caller::actor(&caller),
        detail,
        receipt: login.is_ok().then(|| hex::encode(sha256(receipt.as_bytes()))),
        traceparent,
    };
    if let Err(error) = app.intake.identified(identified).await {
        let refusal = reply::unrecorded(&error);
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a login could not be recorded, and is not told"
        );
        let trouble = Trouble {
            status: refusal.status(),
            code: "journal_unavailable",
            message: refusal.message().to_owned(),
            advice: "the person signs in again once the journal is back; see `civitas doctor`",
            retry_after: None,
        };
        return (Err(trouble), Kept::For);
    }
    let answer = login.map(|login| told(&app, &login, &receipt)).map_err(|error| trouble(&error));
    (answer, if unsent { Kept::Not } else { Kept::For })
}

fn told(app: &App, login: &Login, receipt: &str) -> Value {
    claims::form(super::contract(app), login, &app.desk.claim_policy(), receipt)
}

/// 128 random bits by which a record finds what was proven.
fn receipt(authentication: &Authentication) -> String {
    let mut random = [0; 16];
    (authentication.fill)(&mut random);
    hex::encode(random)
}

/// A name such as `mosip:idp:acr:generated-code`, and nothing else.
fn plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.');
    text.len() <= 64 && text.bytes().all(allowed)
}

fn said(error: &LoginError) -> String {
    match error {
        LoginError::Refused { error, detail } => match detail {
            Some(detail) => format!("{error} ({detail})"),
            None => error.clone(),
        },
        other => other.fault().as_str().to_owned(),
    }
}

fn trouble(error: &LoginError) -> Trouble {
    tracing::warn!(error = error as &dyn std::error::Error, "a login came to nothing");
    let (status, code) = match error.fault() {
        LoginFault::Code => (StatusCode::BAD_REQUEST, "code_refused"),
        LoginFault::Configuration => (StatusCode::SERVICE_UNAVAILABLE, "esignet_misconfigured"),
        LoginFault::Service => (StatusCode::SERVICE_UNAVAILABLE, "esignet_unavailable"),
        LoginFault::Untrusted => (StatusCode::BAD_GATEWAY, "user_info_not_believed"),
    };
    let retry_after = match error {
        LoginError::Call(error) => error.retry_after,
        _ => None,
    };
    Trouble { status, code, message: chain(error), advice: error.advice(), retry_after }
}

/// Where in OpenCRVS's client a form is.
pub(super) fn record_in(path: &str) -> (Option<Uuid>, Option<String>) {
    let mut parts = path.trim_start_matches('/').split('/').skip_while(|part| *part != "events").skip(2);
    // A draft made offline has another id until it is synchronised.
    let event = parts.next().and_then(|id| id.parse().ok());
    let page = parts.skip_while(|part| *part != "pages").nth(1);
    let plain = |page: &&str| {
        page.len() <= 60
            && page.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    (event, page.filter(plain).map(str::to_owned))
}
