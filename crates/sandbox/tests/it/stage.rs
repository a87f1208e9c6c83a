//! What the tests share: a sandbox with keys made once, a country config that
//! answers as told, a callback that writes down what it gets.

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use civitas_sandbox::{Declaration, Regime, Sandbox, SandboxKeys, SandboxOptions, Submission};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// Where the tests' time stands, and a hand to move it.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<Timestamp>>);

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-06-01T09:00:00Z".parse().unwrap())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        // A millisecond a reading keeps the order of actions.
        *now += SignedDuration::from_millis(1);
        *now
    }

    pub(crate) fn forward(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += by;
    }
}

pub(crate) fn keys() -> SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate("2026-06-01T00:00:00Z".parse().unwrap()).unwrap()).clone()
}

/// One client for all tests. It keeps no connections: each test has a runtime of its own.
#[expect(clippy::disallowed_methods, reason = "the tests are where this client is made")]
pub(crate) fn http() -> reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    let build =
        || reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(20)).build();
    HTTP.get_or_init(|| build().unwrap()).clone()
}

pub(crate) async fn start(mut options: SandboxOptions, time: &Time) -> Sandbox {
    options.keys = Some(keys());
    let time = time.clone();
    Sandbox::start(options, http(), Arc::new(move || time.now())).await.unwrap()
}

pub(crate) async fn sandbox(regime: Regime) -> (Sandbox, Time) {
    let mut options = SandboxOptions::instant(11);
    options.opencrvs.version = regime;
    let time = Time::new();
    (start(options, &time).await, time)
}

/// One reply of a country config.
pub(crate) type Reply = (u16, &'static str);

/// Answers triggers in the given order, then with the last reply again.
pub(crate) struct CountryConfig {
    pub(crate) url: String,
    pub(crate) seen: UnboundedReceiver<(String, HeaderMap, Value)>,
}

#[derive(Clone)]
struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    seen: UnboundedSender<(String, HeaderMap, Value)>,
}

pub(crate) async fn country_config(replies: &[Reply]) -> CountryConfig {
    async fn answer(State(script): State<Script>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        let _ = script.seen.send((parts.uri.path().to_owned(), parts.headers, body));
        let mut replies = script.replies.lock().unwrap();
        let (status, body) =
            if replies.len() > 1 { replies.pop_front() } else { replies.front().copied() }.unwrap();
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    }
    let (sender, seen) = unbounded_channel();
    let script = Script { replies: Arc::new(Mutex::new(replies.iter().copied().collect())), seen: sender };
    CountryConfig { url: serve(Router::new().fallback(answer).with_state(script)).await, seen }
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// What a callback received.
#[derive(Debug)]
pub(crate) enum Heard {
    Intent(HashMap<String, String>),
    Delivery { signature: String, body: Vec<u8> },
}

/// A subscriber: echoes challenges, answers deliveries in the given order, then 200.
pub(crate) struct Callback {
    pub(crate) url: String,
    pub(crate) heard: UnboundedReceiver<Heard>,
    pub(crate) answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone)]
struct Ear {
    heard: UnboundedSender<Heard>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

pub(crate) async fn callback() -> Callback {
    async fn intent(State(ear): State<Ear>, Query(query): Query<HashMap<String, String>>) -> Response {
        let challenge = query.get("hub.challenge").cloned().unwrap_or_default();
        let _ = ear.heard.send(Heard::Intent(query));
        (StatusCode::ACCEPTED, challenge).into_response()
    }
    async fn delivery(State(ear): State<Ear>, headers: HeaderMap, body: axum::body::Bytes) -> StatusCode {
        let signature = headers["x-hub-signature"].to_str().unwrap().to_owned();
        let _ = ear.heard.send(Heard::Delivery { signature, body: body.to_vec() });
        StatusCode::from_u16(ear.answers.lock().unwrap().pop_front().unwrap_or(200)).unwrap()
    }
    let (heard, receiver) = unbounded_channel();
    let answers = Arc::new(Mutex::new(VecDeque::new()));
    let ear = Ear { heard, answers: Arc::clone(&answers) };
    let app = Router::new()
        .route("/cb", get(intent))
        .route("/cb", post(delivery))
        .layer(axum::extract::DefaultBodyLimit::max(10_000_000))
        .with_state(ear);
    Callback { url: format!("{}/cb", serve(app).await), heard: receiver, answers }
}

impl Callback {
    /// The next delivery; challenges are passed over.
    pub(crate) async fn delivery(&mut self) -> (String, Vec<u8>) {
        loop {
            match self.next().await {
                Heard::Delivery { signature, body } => return (signature, body),
                Heard::Intent(_) => {}
            }
        }
    }

    pub(crate) async fn intent(&mut self) -> HashMap<String, String> {
        loop {
            if let Heard::Intent(query) = self.next().await {
                return query;
            }
        }
    }

    async fn next(&mut self) -> Heard {
        tokio::time::timeout(Duration::from_secs(30), self.heard.recv())
            .await
            .expect("nothing heard")
            .unwrap()
    }

    /// Nothing is waiting to be read.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

/// Waits until something is so; fails after a generous while.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.is_ok(), "never: {what}");
}

pub(crate) fn map(value: &Value) -> Declaration {
    value.as_object().unwrap().clone()
}

/// A declared birth, whose next click is REGISTER.
pub(crate) async fn declared(sandbox: &Sandbox) -> Uuid {
    let record = sandbox.opencrvs().create("birth");
    let form = map(&json!({
        "child.name": {"firstname": "Ace", "surname": "Portgas"}, "child.dob": "2026-05-20", "child.gender": "male",
        "mother.verified": "authenticated",
    }));
    let click = sandbox.opencrvs().submit(record, Submission::new("DECLARE").with(form)).await;
    assert_eq!(click.outcome, civitas_sandbox::Clicked::Accepted, "{click:?}");
    record
}

/// A birth waiting for external validation: record and pending action.
pub(crate) async fn awaiting(sandbox: &Sandbox) -> (Uuid, Uuid) {
    let record = declared(sandbox).await;
    let click = sandbox.opencrvs().submit(record, Submission::new("REGISTER")).await;
    assert_eq!(click.outcome, civitas_sandbox::Clicked::Awaiting, "{click:?}");
    (record, click.action_id.unwrap())
}
