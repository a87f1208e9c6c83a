//! A server that answers as it is told to and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

type Answering = dyn Fn(&Asked, usize) -> Response + Send + Sync;

/// The server. Stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answering: Arc<Answering>,
}

impl Server {
    /// Answers each request by a function of it and of how many came to the same path before.
    pub(crate) async fn start<R: IntoResponse>(
        answer: impl Fn(&Asked, usize) -> R + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            answering: Arc::new(move |asked, before| answer(asked, before).into_response()),
        };
        let router = axum::Router::new().fallback(handle).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// What arrived so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn handle(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let asked = Asked { method, path: uri.to_string(), headers, body };
    let before = {
        let mut log = server.asked.lock().unwrap();
        let bare = |path: &str| path.split('?').next().map(str::to_owned);
        let before = log.iter().filter(|other| bare(&other.path) == bare(&asked.path)).count();
        log.push(asked.clone());
        before
    };
    (server.answering)(&asked, before)
}

/// An answer of JSON.
pub(crate) fn json(status: u16, body: impl Into<String>) -> Response {
    let headers = [("content-type", "application/json")];
    (StatusCode::from_u16(status).unwrap(), headers, body.into()).into_response()
}

/// An HTTP client as the binary makes one.
pub(crate) fn http() -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "the test is the one place that makes its client")]
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(20))
        .no_proxy()
        .build()
        .unwrap()
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
