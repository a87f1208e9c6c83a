//! `POST /verify`: do a number, a name and a date of birth belong together, as far as MOSIP knows?
//!
//! `verified` and `failed` say what was found about the person. Whatever else comes of it (an outage, a wrong key) is an
//! error and never `failed`: nothing was compared then. Each call leaves its outcome in the audit log.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use civitas_engine::{Identified, Way};
use civitas_mosip::ida::{AuthClass, Person, Verdict, VerifyError, full_name};
use civitas_opencrvs::Caller;
use http::{HeaderValue, StatusCode, header};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::identity::{Compares, Found, Kept, Outcome, Trouble, Verification, digest};
use super::{caller, reply};
use crate::body;
use crate::reply::{Refusal, chain};
use crate::state::App;
use crate::trace;

/// Largest body that is read: names are short.
const MAX_BODY: usize = 64 * 1024;

const ROUTE: &str = "verify";

/// What a country configuration sends. Unknown keys are left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    nid: Option<String>,
    dob: Option<String>,
    name: Option<Name>,
    #[serde(default)]
    gender: Option<String>,
    #[serde(default)]
    transaction_id: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    firstname: Option<String>,
    #[serde(default)]
    middlename: Option<String>,
    #[serde(default)]
    surname: Option<String>,
}

/// Answers `verified` or `failed`.
pub(super) async fn verify(State(app): State<App>, request: Request) -> Response {
    // In a task of its own: what was begun is recorded even if the caller goes away.
    let response = match tokio::spawn(handle(app, request)).await {
        Ok(Ok(word)) => {
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            (StatusCode::OK, [(header::CONTENT_TYPE, kind)], word).into_response()
        }
        Ok(Err(response)) => response,
        Err(_) => reply::error(&reply::broken()),
    };
    reply::counted(ROUTE, response)
}

async fn handle(app: App, request: Request) -> Result<&'static str, Response> {
    let (head, body) = request.into_parts();
    let (caller, _) = caller::known(&app, &head.headers).await?;
    let Some(verification) = app.identification.verification.clone() else {
        return Err(reply::error(&Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "verification_not_configured",
            "id authentication is not configured, so that nobody can be verified",
            "set mosip.id_authentication (url, partner_id, license_key_file, api_key_file, signing_keys, \
             certificate_files)",
        )));
    };
    let raw =
        Zeroizing::new(body::read(body, MAX_BODY).await.map_err(|error| reply::unread(error, MAX_BODY))?);
    let asked: Asked = serde_json::from_slice(&raw).map_err(|error| {
        // Where, and not what: the text might quote a value.
        let place = format!("line {}, column {}", error.line(), error.column());
        reply::error(&Refusal::bad(
            "body_malformed",
            format!("the body is not {{nid, dob, name: {{firstname, surname}}}} as JSON ({place})"),
            "send the body of mosip-api's /verify",
        ))
    })?;
    let place = Place::of(&caller, asked.transaction_id.as_deref());
    let person = person(asked, verification.compares).map_err(|refusal| reply::error(&refusal))?;
    let traceparent = trace::traceparent(&head.headers);
    let outcome = found(&app, &verification, &caller, person).await;
    let (word, detail) = match &outcome {
        Ok((found, anew)) => {
            let how = if *anew { String::new() } else { format!(", as found at {}", found.at) };
            (if found.matched { "verified" } else { "failed" }, format!("{}{how}", found.detail))
        }
        Err(trouble) => ("technical", trouble.code.to_owned()),
    };
    let identified = Identified {
        way: Way::IdAuthentication,
        outcome: word,
        event_id: place.event_id,
        action_id: place.action_id,
        person: place.person,
        actor: caller::actor(&caller),
        detail,
        receipt: None,
        traceparent,
    };
    // An outcome that is not recorded is not ours to tell.
    app.intake.identified(identified).await.map_err(|error| reply::error(&reply::unrecorded(&error)))?;
    match outcome {
        Ok(_) => Ok(word),
        Err(trouble) => Err(reply::trouble(&trouble)),
    }
}

/// Which record and person a request names, for the audit log.
struct Place {
    event_id: Option<Uuid>,
    action_id: Option<Uuid>,
    person: Option<String>,
}

impl Place {
    /// Farajaland names a call `mother-<event id>`.
    fn of(caller: &Caller, transaction: Option<&str>) -> Self {
        let named = transaction.and_then(|text| text.split_once('-'));
        let (person, event) = match named.map(|(person, event)| (person, event.parse::<Uuid>())) {
            Some((person, Ok(event))) => (Some(person), Some(event)),
            _ => (None, None),
        };
        let plain =
            |person: &&str| person.len() <= 30 && person.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self {
            event_id: caller.event_id.or(event),
            action_id: caller.action_id,
            person: person.filter(plain).map(str::to_owned),
        }
    }
}

/// The person, as far as anything is compared.
fn person(asked: Asked, compares: Compares) -> Result<Person, Refusal> {
    let missing = |what: &str| {
        Refusal::bad(
            "body_incomplete",
            format!("the body has no {what}"),
            "send nid, dob (YYYY-MM-DD) and name with firstname and surname",
        )
    };
    let id: Zeroizing<String> = match asked.nid {
        Some(nid) if !nid.trim().is_empty() => Zeroizing::new(nid.trim().to_owned()),
        _ => return Err(missing("nid")),
    };
    let dob = asked.dob.ok_or_else(|| missing("dob"))?;
    let dob: Date = dob.parse().ok().filter(|_| dob.len() == 10).ok_or_else(|| {
        Refusal::bad("dob_malformed", "dob is not a date", "send it as YYYY-MM-DD, a day that there is")
    })?;
    let name = asked.name.ok_or_else(|| missing("name"))?;
    let parts = [&name.firstname, &name.middlename, &name.surname];
    let name = full_name(parts.into_iter().filter_map(|part| part.as_deref()));
    if name.is_empty() {
        return Err(missing("name"));
    }
    let gender = asked.gender.filter(|gender| !gender.trim().is_empty()).map(Zeroizing::new);
    Ok(Person {
        id,
        name: compares.name.then_some(name),
        dob: compares.dob.then_some(dob),
        gender: gender.filter(|_| compares.gender),
    })
}

/// What there is to find, and whether it was asked for anew.
async fn found(
    app: &App,
    verification: &Verification,
    caller: &Caller,
    person: Person,
) -> Outcome<(Found, bool)> {
    let now = (app.clock)();
    let remembered = &app.remembered;
    let text = |text: &Option<Zeroizing<String>>| text.clone().unwrap_or_default();
    let (name, gender) = (text(&person.name), text(&person.gender));
    let dob = person.dob.map(|dob| dob.to_string()).unwrap_or_default();
    let key = digest([person.id.as_bytes(), name.as_bytes(), dob.as_bytes(), gender.as_bytes()]);
    if let Some(Ok(found)) = remembered.answers.known(key, now) {
        return Ok((found, false));
    }
    let user = digest([caller.subject.as_deref().unwrap_or_default().as_bytes()]);
    let too_often = |whose: &'static str, wait| Trouble {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "asked_too_often",
        message: format!("{whose} was asked for too often"),
        advice: "wait; server.mosip_api in civitas.yaml says how many comparisons there are",
        retry_after: Some(wait),
    };
    remembered
        .users
        .take(user, verification.per_user, now)
        .map_err(|wait| too_often("by this user it", wait))?;
    let id = digest([person.id.as_bytes()]);
    remembered
        .ids
        .take(id, verification.per_id, now)
        .map_err(|wait| too_often("a comparison with this number", wait))?;
    let (ida, clock) = (verification.ida.clone(), Arc::clone(&app.clock));
    let work = async move {
        let found = ida.verify(&person, &*clock).await;
        let outcome = judged(found, clock());
        let kept = if outcome.is_ok() { Kept::For } else { Kept::Not };
        (outcome, kept)
    };
    // The key is the question itself: whoever has it may have the answer.
    let waiting = remembered.answers.begin(key, [0; 32], now, work);
    let outcome = match waiting {
        Ok(waiting) => waiting.outcome().await,
        Err(_) => None,
    };
    outcome.unwrap_or_else(|| Err(reply::broke_down())).map(|found| (found, true))
}

/// What is told, and what is an error.
fn judged(verdict: Result<Verdict, VerifyError>, at: jiff::Timestamp) -> Outcome<Found> {
    match verdict {
        Ok(Verdict::Matched { .. }) => Ok(Found { matched: true, detail: "match".to_owned(), at }),
        Ok(Verdict::NotMatched(why)) => {
            let attributes = why.attributes.join(", ");
            let of = if attributes.is_empty() { String::new() } else { format!(" of {attributes}") };
            let detail = format!("{}{of} ({})", why.class.as_str(), why.codes.join(", "));
            Ok(Found { matched: false, detail, at })
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody could be verified");
            let (status, code) = match error.class() {
                AuthClass::Config | AuthClass::Refetch => {
                    (StatusCode::SERVICE_UNAVAILABLE, "verification_misconfigured")
                }
                AuthClass::BadData => (StatusCode::BAD_GATEWAY, "verification_refused"),
                _ => (StatusCode::SERVICE_UNAVAILABLE, "verification_unavailable"),
            };
            let retry_after = match &error {
                VerifyError::Call(error) => error.retry_after,
                _ => None,
            };
            Err(Trouble { status, code, message: chain(&error), advice: error.advice(), retry_after })
        }
    }
}
