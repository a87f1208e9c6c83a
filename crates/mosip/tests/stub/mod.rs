//! A MOSIP of one test: answers what the test says, and remembers what it was asked.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use civitas_mosip::{Aid, CreatePacket, Credentials, Endpoints, IdSchema, Limits, Mosip, Trigger};
use jiff::Timestamp;
use serde_json::Value;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn cookie(&self) -> &str {
        self.headers.get("cookie").map_or("", |value| value.to_str().unwrap())
    }
}

/// What is answered.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Answer {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: Some(value.to_string()),
        }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Answer {
            status,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: Some(body.to_owned()),
        }
    }

    /// The call is heard, the answer never comes.
    pub(crate) fn never() -> Self {
        Answer { status: 0, headers: Vec::new(), body: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A token that lasts for an hour by its Max-Age.
    pub(crate) fn token(token: &str) -> Self {
        Answer::json(&serde_json::json!({ "response": { "status": "Success" }, "errors": null }))
            .with("set-cookie", &format!("Authorization={token}; Path=/; Max-Age=3600; HttpOnly"))
    }
}

type Handler = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// A running stub.
pub(crate) struct Stub {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Most calls that were being answered at a time.
    busiest: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Shared {
    handler: Handler,
    asked: Arc<Mutex<Vec<Asked>>>,
    busy: Arc<AtomicUsize>,
    busiest: Arc<AtomicUsize>,
}

impl Stub {
    /// Starts on a free port. Authentication is answered with tokens `token-1`, `token-2`, … unless the handler does.
    pub(crate) async fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Stub {
        let tokens = AtomicUsize::new(0);
        Stub::start_bare(move |asked| {
            if asked.path.ends_with("/clientidsecretkey") {
                return Answer::token(&format!("token-{}", tokens.fetch_add(1, Ordering::SeqCst) + 1));
            }
            handler(asked)
        })
        .await
    }

    /// The same, where the handler answers authentication as well.
    pub(crate) async fn start_bare(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Stub {
        let shared = Shared {
            handler: Arc::new(handler),
            asked: Arc::default(),
            busy: Arc::default(),
            busiest: Arc::default(),
        };
        let (asked, busiest) = (shared.asked.clone(), shared.busiest.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Stub { address, asked, busiest }
    }

    /// What was asked at paths with this end.
    pub(crate) fn asked(&self, end: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path.ends_with(end)).cloned().collect()
    }

    pub(crate) fn busiest(&self) -> usize {
        self.busiest.load(Ordering::SeqCst)
    }

    /// A client of this stub.
    pub(crate) fn mosip(&self) -> Mosip {
        self.mosip_with(&Limits::default())
    }

    /// A client that soon gives up, for answers that never come.
    pub(crate) fn impatient(&self, limits: &Limits) -> Mosip {
        let endpoints = Endpoints::behind(&self.address);
        Mosip::new(
            http_within(Duration::from_millis(300)),
            endpoints,
            credentials("mosip-crvs1-client"),
            limits,
        )
    }

    pub(crate) fn mosip_with(&self, limits: &Limits) -> Mosip {
        Mosip::new(http(), Endpoints::behind(&self.address), credentials("mosip-crvs1-client"), limits)
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let busy = shared.busy.fetch_add(1, Ordering::SeqCst) + 1;
    shared.busiest.fetch_max(busy, Ordering::SeqCst);
    let (head, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
    };
    let answer = (shared.handler)(&asked);
    shared.asked.lock().unwrap().push(asked);
    let Some(body) = answer.body else { return pending().await };
    tokio::task::yield_now().await;
    shared.busy.fetch_sub(1, Ordering::SeqCst);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

pub(crate) fn credentials(client_id: &str) -> Credentials {
    Credentials { client_id: client_id.to_owned(), secret: "s3cret".into(), app_id: "regproc".to_owned() }
}

/// A client that waits long enough for a busy machine.
pub(crate) fn http() -> reqwest::Client {
    http_within(Duration::from_secs(30))
}

#[expect(clippy::disallowed_methods, reason = "this is where tests build theirs")]
fn http_within(limit: Duration) -> reqwest::Client {
    let client = reqwest::Client::builder().timeout(limit).no_proxy();
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:04:06Z".parse().unwrap()
}

pub(crate) fn aid() -> Aid {
    "10001200420000120260102030405".parse().unwrap()
}

pub(crate) fn packet() -> CreatePacket {
    let schema =
        r#"{"properties":{"identity":{"properties":{"UIN":{"type":"string","fieldCategory":"none"}}}}}"#;
    CreatePacket {
        aid: aid(),
        ref_id: aid().ref_id(),
        process: "CRVS_NEW".to_owned(),
        source: "CRVS1".to_owned(),
        schema_version: "0.5".to_owned(),
        schema: Arc::new(IdSchema::new(schema)),
        fields: [("dateOfBirth".to_owned(), "2026/01/01".to_owned())].into(),
        meta_info: [("crvsEventId".to_owned(), "e-1".to_owned())].into(),
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        officer: "crvs".to_owned(),
    }
}

pub(crate) fn trigger() -> Trigger {
    Trigger {
        aid: aid(),
        process: "CRVS_NEW".to_owned(),
        source: "CRVS1".to_owned(),
        notification: civitas_mosip::Notification {
            name: Some("Asha Rao".to_owned()),
            phone: None,
            email: None,
        },
    }
}
