//! A server before a scripted engine, and the tokens that OpenCRVS would make.

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use civitas_engine::queue::{
    ActError, ActRequest, Acted, Counts, Filter, LastDecision, Overview, QueueError, QueueRow, RecordView,
    TimelineEntry, Transaction,
};
use civitas_engine::swap::{Attempt, DeciderView, Outcome, PackProblem, PackView, Took, Trigger};
use civitas_engine::{
    Answer, Arrival, Cause, CountryRequest, DeliverError, EngineError, Identified, IngestError, IntentAnswer,
    Outside, RequestError, ServiceView, TopicView,
};
use civitas_mosip::keys::Certificate;
use civitas_mosip::websub::Intent;
use civitas_opencrvs::{AUDIENCE, ISSUER, KeySource, TriggerTokens};
use civitas_server::{
    ClaimPolicy, Contract, Desk, Identification, Intake, MosipApi, Operator, Options, Parts, Reply, Role,
    WatchedCertificate, router,
};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) const NOW: &str = "2026-06-01T09:01:01Z";
pub(crate) const EVENT: &str = "6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11";
pub(crate) const ACTION: &str = "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06";
pub(crate) const VIEWER: &str = "viewer-token-0123456789abcdef0123456789";
pub(crate) const ADMIN: &str = "admin-token-0123456789abcdef0123456789ab";
pub(crate) const INTEGRATOR: &str = "integrator-token-0123456789abcdef012345";

/// What the engine does with the next events and deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Accepts,
    Awaits,
    Rejects,
    CannotWrite,
    Panics,
}

/// An engine that follows a script and remembers what it was given.
pub(crate) struct Script {
    pub(crate) mood: Mutex<Mood>,
    pub(crate) arrivals: Mutex<Vec<Arrival>>,
    pub(crate) requests: Mutex<Vec<CountryRequest>>,
    pub(crate) reindexed: Mutex<Vec<(Uuid, Vec<u8>)>>,
    pub(crate) deliveries: Mutex<Vec<Vec<u8>>>,
    pub(crate) denied: Mutex<Vec<(String, String)>>,
    pub(crate) identified: Mutex<Vec<Identified>>,
    pub(crate) acts: Mutex<Vec<ActRequest>>,
    pub(crate) reloads: Mutex<Vec<(String, Option<String>)>>,
}

impl Script {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }
}

fn broken() -> civitas_journal::JournalError {
    civitas_journal::JournalError::Interrupted
}

impl Intake for Script {
    fn trigger(&self, arrival: Arrival) -> Reply<'_, Result<Answer, IngestError>> {
        self.arrivals.lock().unwrap().push(arrival);
        let mood = self.mood();
        Box::pin(async move {
            match mood {
                Mood::Accepts => Ok(Answer::Accept {
                    registration_number: Some("B2026X7Q4KMN".to_owned()),
                    declaration: civitas_engine::Values::default(),
                    note: None,
                }),
                Mood::Awaits => Ok(Answer::Await),
                Mood::Rejects => Ok(Answer::Reject { reason: "the mother is not known".to_owned() }),
                Mood::CannotWrite => Err(IngestError::Journal(broken())),
                Mood::Panics => panic!("a fault in the engine"),
            }
        })
    }

    fn request(&self, request: CountryRequest) -> Reply<'_, Result<(), RequestError>> {
        self.requests.lock().unwrap().push(request);
        let mood = self.mood();
        Box::pin(async move {
            match mood {
                Mood::Rejects => Err(RequestError::NothingAsked),
                Mood::CannotWrite => Err(RequestError::Journal(broken())),
                Mood::Panics => panic!("a fault in the engine"),
                Mood::Accepts | Mood::Awaits => Ok(()),
            }
        })
    }

    fn reindexed(
        &self,
        records: Vec<(Uuid, Vec<u8>)>,
    ) -> Reply<'_, Result<(), civitas_journal::JournalError>> {
        let result = if self.mood() == Mood::CannotWrite { Err(broken()) } else { Ok(()) };
        self.reindexed.lock().unwrap().extend(records);
        Box::pin(std::future::ready(result))
    }

    fn deliver(&self, raw: Vec<u8>, signature: Option<String>) -> Reply<'_, Result<(), DeliverError>> {
        let mood = self.mood();
        let result = match (signature.as_deref(), mood) {
            (_, Mood::Panics) => panic!("a fault in the engine"),
            (Some("sha256=good"), Mood::CannotWrite) => Err(DeliverError::Journal(broken())),
            (Some("sha256=good"), _) => {
                self.deliveries.lock().unwrap().push(raw);
                Ok(())
            }
            _ => Err(DeliverError::Signature),
        };
        Box::pin(std::future::ready(result))
    }

    fn intent(&self, intent: Intent) -> Reply<'_, IntentAnswer> {
        let answer = match intent {
            Intent::Verify { topic, challenge, .. } if topic == "crvs/CREDENTIAL_ISSUED" => {
                IntentAnswer::Echo(challenge)
            }
            Intent::Denied { .. } => IntentAnswer::Noted,
            Intent::Verify { .. } => IntentAnswer::Refused,
        };
        Box::pin(std::future::ready(answer))
    }

    fn identified(&self, identified: Identified) -> Reply<'_, Result<(), EngineError>> {
        self.identified.lock().unwrap().push(identified);
        let result =
            if self.mood() == Mood::CannotWrite { Err(EngineError::Journal(broken())) } else { Ok(()) };
        Box::pin(std::future::ready(result))
    }

    fn denied(&self, operator: Option<String>, what: String) -> Reply<'_, ()> {
        let actor = operator.unwrap_or_else(|| "unknown".to_owned());
        self.denied.lock().unwrap().push((actor, what));
        Box::pin(std::future::ready(()))
    }
}

/// A service that is left alone, and a hub that fell silent.
fn outside() -> Outside {
    let service = ServiceView {
        service: "packet_manager".to_owned(),
        circuit: "open".to_owned(),
        instance: "civitas-1".to_owned(),
        since: NOW.parse().unwrap(),
        until: None,
    };
    let topic = TopicView {
        topic: "crvs_partner/CREDENTIAL_ISSUED".to_owned(),
        state: "verified".to_owned(),
        cause: None,
        verified_at: None,
        silent_since: Some(NOW.parse().unwrap()),
        missed: 4,
    };
    Outside { services: vec![service], topics: vec![topic], ..Outside::default() }
}

impl Desk for Script {
    fn claim_policy(&self) -> ClaimPolicy {
        ClaimPolicy::default()
    }

    fn pack(&self) -> PackView {
        PackView {
            instance: "civitas-0".to_owned(),
            digest: "5c1f0a9be4d17732aa".to_owned(),
            country: "FAR".to_owned(),
            since: NOW.parse().unwrap(),
            on_trial: vec!["birth-trial".to_owned()],
            last: (self.mood() == Mood::Rejects).then(refused_pack),
        }
    }

    fn deciders(&self) -> Reply<'_, Result<Vec<DeciderView>, QueueError>> {
        let decider = |instance: &str, ruleset: &str| DeciderView {
            instance: instance.to_owned(),
            ruleset: ruleset.to_owned(),
            since: NOW.parse().unwrap(),
            refused: None,
        };
        let both = vec![decider("civitas-0", "5c1f0a9be4d17732aa"), decider("civitas-1", "77aa0011223344ff")];
        Box::pin(std::future::ready(Ok(both)))
    }

    fn reload(&self, operator: String, reason: Option<String>) -> Reply<'_, Option<Attempt>> {
        self.reloads.lock().unwrap().push((operator, reason));
        let attempt = match self.mood() {
            Mood::CannotWrite => None,
            Mood::Rejects => Some(refused_pack()),
            _ => Some(Attempt { outcome: Outcome::Swapped, problems: Vec::new(), more: 0, ..refused_pack() }),
        };
        Box::pin(std::future::ready(attempt))
    }

    fn overview(&self, _: u32) -> Reply<'_, Result<Overview, QueueError>> {
        let decision = LastDecision {
            event_id: EVENT.parse().unwrap(),
            tracking_id: "7KQ2ZB".to_owned(),
            event_type: "birth".to_owned(),
            action_type: "REGISTER".to_owned(),
            effect: "create_uin".to_owned(),
            sentence: "UIN requested: child.nid is absent & <b>a parent is known</b>".to_owned(),
            at: NOW.parse().unwrap(),
        };
        let overview = Overview {
            counts: Counts { operations: [("stalled".to_owned(), 1)].into(), ..Counts::default() },
            decisions: vec![decision],
            waiting: vec![waiting()],
            outside: outside(),
            at: NOW.parse().unwrap(),
        };
        Box::pin(std::future::ready(Ok(overview)))
    }

    fn outside(&self) -> Reply<'_, Result<Outside, QueueError>> {
        Box::pin(std::future::ready(Ok(outside())))
    }

    fn list(&self, _: Filter) -> Reply<'_, Result<Vec<QueueRow>, QueueError>> {
        let result = match self.mood() {
            Mood::CannotWrite => Err(QueueError::from(broken())),
            _ => Ok(vec![waiting()]),
        };
        Box::pin(std::future::ready(result))
    }

    fn transactions(&self) -> Reply<'_, Result<Vec<Transaction>, QueueError>> {
        let row = Transaction {
            event_id: EVENT.parse().unwrap(),
            action_id: ACTION.parse().unwrap(),
            aid: Some("7KQ2ZB".to_owned()),
            registration_number: Some("2026B0000001".to_owned()),
            created_at: NOW.parse().unwrap(),
        };
        Box::pin(std::future::ready(Ok(vec![row])))
    }

    fn show(&self, record: String) -> Reply<'_, Result<Option<RecordView>, QueueError>> {
        let found = (record == "7KQ2ZB").then(|| RecordView {
            event_id: EVENT.parse().unwrap(),
            tracking_id: record,
            event_type: "birth".to_owned(),
            actions: Vec::new(),
            timeline: vec![TimelineEntry {
                at: NOW.parse().unwrap(),
                index: 4,
                kind: "operator".to_owned(),
                from: Some("stalled".to_owned()),
                to: Some("released".to_owned()),
                actor: "amina".to_owned(),
                reason: Some("MOSIP lost the packet".to_owned()),
            }],
        });
        Box::pin(std::future::ready(Ok(found)))
    }

    fn act(&self, request: ActRequest) -> Reply<'_, Result<Acted, ActError>> {
        let result = if request.record == "7KQ2ZB" {
            Ok(Acted {
                event_id: EVENT.parse().unwrap(),
                action_id: ACTION.parse().unwrap(),
                from: "stalled".to_owned(),
                to: "released".to_owned(),
                next: "OpenCRVS is told to accept".to_owned(),
            })
        } else {
            Err(ActError::NoSuchRecord(request.record.clone()))
        };
        self.acts.lock().unwrap().push(request);
        Box::pin(std::future::ready(result))
    }
}

fn refused_pack() -> Attempt {
    Attempt {
        at: NOW.parse().unwrap(),
        trigger: Trigger::Operator,
        actor: "ada".to_owned(),
        outcome: Outcome::Invalid,
        running: "5c1f0a9be4d17732aa".to_owned(),
        found: None,
        problems: vec![PackProblem {
            file: "rules.yaml".to_owned(),
            line: 12,
            column: 5,
            code: Some("R006".to_owned()),
            message: "`child.bod` is no field of <birth>".to_owned(),
        }],
        more: 2,
        cases: None,
        took: Took::default(),
    }
}

fn waiting() -> QueueRow {
    QueueRow {
        event_id: EVENT.parse().unwrap(),
        action_id: ACTION.parse().unwrap(),
        tracking_id: "7KQ2ZB".to_owned(),
        event_type: "birth".to_owned(),
        action_type: "REGISTER".to_owned(),
        operation: "create_uin".to_owned(),
        frozen: true,
        aid: Some("10001200420000120260601090100".to_owned()),
        state: "stalled".to_owned(),
        cause: Some(Cause { code: "deadline_passed".to_owned(), detail: None }),
        advice: Some("ask MOSIP about this AID".to_owned()),
        sentence: "UIN requested".to_owned(),
        since: "2026-05-29T06:01:01Z".parse().unwrap(),
        deadline_at: Some("2026-06-01T08:00:00Z".parse().unwrap()),
        next_action_at: None,
        attempts: 2,
    }
}

/// OpenCRVS's key, made once: it is what takes time here.
static KEY: OnceLock<PKey<Private>> = OnceLock::new();

/// The server under test.
pub(crate) struct Stage {
    pub(crate) script: Arc<Script>,
    pub(crate) router: Router,
    pub(crate) stop: CancellationToken,
    key: PKey<Private>,
}

/// A server whose key source is a file, or an address where nobody listens.
pub(crate) fn stage_with(mood: Mood, key_at_hand: bool) -> Stage {
    staged(mood, key_at_hand, None)
}

/// A server that serves mosip-api's surface.
pub(crate) fn stage_as(mood: Mood, contract: Contract) -> Stage {
    staged(mood, true, Some(contract))
}

pub(crate) fn staged(mood: Mood, key_at_hand: bool, contract: Option<Contract>) -> Stage {
    identifying(mood, key_at_hand, contract, Identification::default())
}

/// The same, where people are identified.
pub(crate) fn identifying(
    mood: Mood,
    key_at_hand: bool,
    contract: Option<Contract>,
    identification: Identification,
) -> Stage {
    let client_app_url = Some("https://register.example".to_owned());
    let mosip_api = contract.map(|contract| MosipApi { contract, client_app_url });
    let key = KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()).clone();
    let pem = String::from_utf8(key.public_key_to_pem().unwrap()).unwrap();
    let source = if key_at_hand {
        KeySource::pem(&pem).unwrap()
    } else {
        KeySource::Url("http://127.0.0.1:1/.well-known".to_owned())
    };
    let script = Arc::new(Script {
        mood: Mutex::new(mood),
        arrivals: Mutex::default(),
        requests: Mutex::default(),
        reindexed: Mutex::default(),
        deliveries: Mutex::default(),
        denied: Mutex::default(),
        identified: Mutex::default(),
        acts: Mutex::default(),
        reloads: Mutex::default(),
    });
    #[expect(clippy::disallowed_methods, reason = "a test's client")]
    let http = reqwest::Client::new();
    let stop = CancellationToken::new();
    let parts = Parts {
        intake: Arc::clone(&script) as Arc<dyn Intake>,
        desk: Arc::clone(&script) as Arc<dyn Desk>,
        tokens: TriggerTokens::new(http, source, ISSUER, AUDIENCE),
        clock: Arc::new(|| NOW.parse().unwrap()),
        identification,
        metrics: None,
        stop: stop.clone(),
    };
    let mut options = Options::new("http://civitas.example");
    options.max_event_size = 64 * 1024;
    options.mosip_api = mosip_api;
    options.max_reindex_size = Some(16 * 1024 * 1024);
    options.certificates = certificates();
    options.operators = vec![
        Operator { name: "vera".to_owned(), role: Role::Viewer, token: VIEWER.into() },
        Operator { name: "amina".to_owned(), role: Role::Integrator, token: INTEGRATOR.into() },
        Operator { name: "ada".to_owned(), role: Role::Admin, token: ADMIN.into() },
    ];
    Stage { script, router: router(parts, options), stop, key }
}

/// Ours of two generations, the older one over, and MOSIP's, which ends in ten days.
fn certificates() -> Vec<WatchedCertificate> {
    let of = |purpose, subject: &str, not_after: &str| WatchedCertificate {
        purpose,
        certificate: Certificate {
            subject: subject.to_owned(),
            thumbprint: openssl::sha::sha256(not_after.as_bytes()).map(|byte| format!("{byte:02x}")).concat(),
            not_before: "2025-01-01T00:00:00Z".parse().unwrap(),
            not_after: not_after.parse().unwrap(),
        },
    };
    vec![
        of("partner", "CN=crvs_partner", "2028-01-01T00:00:00Z"),
        of("partner", "CN=crvs_partner", "2026-05-01T00:00:00Z"),
        of("mosip_signing", "CN=<KERNEL-SIGN>", "2026-06-11T12:00:00Z"),
    ]
}

pub(crate) fn stage(mood: Mood) -> Stage {
    stage_with(mood, true)
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The error's code; every error has the same shape.
    pub(crate) fn code(&self) -> String {
        let error = &self.json()["error"];
        assert!(!error["message"].as_str().unwrap().is_empty(), "{}", self.text);
        assert!(!error["advice"].as_str().unwrap().is_empty(), "{}", self.text);
        error["code"].as_str().unwrap().to_owned()
    }
}

impl Stage {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answered {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str, authorization: Option<&str>) -> Answered {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A trigger as OpenCRVS posts it.
    pub(crate) fn trigger(&self) -> http::request::Builder {
        Self::trigger_to("/trigger/events/birth/actions/REGISTER", &self.token(EVENT, ACTION))
    }

    pub(crate) fn trigger_to(path: &str, token: &str) -> http::request::Builder {
        Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
    }

    /// A token as OpenCRVS signs it.
    pub(crate) fn token(&self, event: &str, action: &str) -> String {
        Self::token_of(&self.key, event, action)
    }

    /// A token that somebody else signed.
    pub(crate) fn forged_token() -> String {
        Self::token_of(&PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(), EVENT, ACTION)
    }

    /// A token as OpenCRVS signs it, with other claims.
    pub(crate) fn token_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = Self::claims(EVENT, ACTION);
        change(&mut claims);
        Self::signed(&self.key, &claims)
    }

    fn claims(event: &str, action: &str) -> Value {
        let now: Timestamp = NOW.parse().unwrap();
        json!({
            "iss": ISSUER, "aud": [AUDIENCE], "exp": now.as_second() + 604_800, "iat": now.as_second(),
            "scope": ["type=record.confirm-registration"], "userType": "user", "sub": Uuid::nil(),
            "eventId": event, "actionId": action,
        })
    }

    fn token_of(key: &PKey<Private>, event: &str, action: &str) -> String {
        Self::signed(key, &Self::claims(event, action))
    }

    fn signed(key: &PKey<Private>, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({ "alg": "RS256", "typ": "JWT" })), encode(claims));
        let mut pen = Signer::new(MessageDigest::sha256(), key).unwrap();
        let signature = pen.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A birth whose REGISTER waits for an answer.
pub(crate) fn document() -> Value {
    let action = |id: &str, kind: &str, status: &str, at: &str| {
        json!({
            "id": id, "transactionId": format!("t-{id}"), "type": kind, "status": status, "createdAt": at,
            "createdBy": "u", "createdByUserType": "user", "declaration": {},
        })
    };
    json!({
        "id": EVENT, "type": "birth", "trackingId": "7KQ2ZB",
        "createdAt": "2026-06-01T08:00:00.000Z", "updatedAt": "2026-06-01T08:00:00.000Z",
        "actions": [
            action("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a01", "CREATE", "Accepted", "2026-06-01T08:00:00.000Z"),
            action(ACTION, "REGISTER", "Requested", "2026-06-01T09:01:00.000Z"),
        ],
    })
}
