//! An engine on a temporary SQLite file with the pack of Farajaland.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use civitas_engine::{Backoff, Engine, Options, Polling, Ports, Subscriptions};
use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_mosip::credential::{KeyRing, ProofKeys, VcTrust};
use civitas_mosip::{Credentials, Endpoints, Limits, Mosip};
use civitas_opencrvs::{AUDIENCE, ConfirmationAuth, ISSUER, KeySource, TriggerTokens, Version};
use civitas_rules::{Pack, PackFiles};
use civitas_server::{Live, Operator, Parts, Role, TokenPolicy};
use http::{Request, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(crate) const OPERATOR: &str = "operator-token-0123456789abcdef0123456789";
const HUB_SECRET: &str = "hub-secret-0123456789abcdef0123456789";
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

pub(crate) struct House {
    router: Router,
    _folder: tempfile::TempDir,
}

fn pack() -> Pack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../country-config/farajaland");
    let mut files = BTreeMap::new();
    for folder in ["", "cases", "documents"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    Pack::load(&PackFiles(files)).unwrap()
}

pub(crate) fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn options() -> Options {
    Options {
        instance: "test".into(),
        center_id: "10001".into(),
        machine_id: "20042".into(),
        route: civitas_engine::Route::Online,
        officer: "crvs1".into(),
        subject_key: "0123456789abcdef0123456789abcdef".into(),
        keep_trigger_tokens: false,
        answer_kafka_events: false,
        workers: 2,
        lease: Duration::from_mins(2),
        idle_poll: Duration::from_secs(1),
        backoff: Backoff { first: Duration::from_secs(1), ceiling: Duration::from_mins(1) },
        polling: Polling {
            shortest: Duration::from_mins(3),
            longest: Duration::from_hours(6),
            per_second: 20,
        },
        unknown_wait: Duration::from_secs(30),
        settle: Duration::from_secs(5),
        default_deadline: Duration::from_hours(24),
        tracking_window: Duration::from_hours(24),
        stalled_check: Duration::from_hours(1),
        credential_grace: Duration::from_mins(15),
        credential_suffix: None,
        id_repository: civitas_engine::IdRepository {
            enabled: false,
            packets_name: civitas_engine::PacketsName::AsRecorded,
        },
        parking: Duration::from_hours(24),
        plain_shares: false,
        subscriptions: Subscriptions {
            credentials: "crvs/CREDENTIAL_ISSUED".into(),
            completed: None,
            callback: "http://civitas.example/websub/callback".into(),
            secrets: vec![HUB_SECRET.into()],
            renew_every: Duration::from_mins(10),
            silent_after: 3,
            replay_window: Duration::from_hours(24 * 30),
        },
        records: civitas_engine::Records::off(),
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("journal.db").display());
        let keys = SealingKeys::new([[7; 32]]).unwrap();
        let entropy: civitas_journal::Entropy = Arc::new(|buffer| openssl::rand::rand_bytes(buffer).unwrap());
        let journal = Journal::open(JournalOptions::new(url, keys), entropy).await.unwrap();
        journal.migrate().await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's client")]
        let http = reqwest::Client::new();
        let credentials = Credentials { client_id: "c".into(), secret: "s".into(), app_id: "regproc".into() };
        let endpoints = civitas_opencrvs::Endpoints { gateway: NOWHERE.into(), auth: NOWHERE.into() };
        let ports = Ports {
            journal,
            mosip: Mosip::new(http.clone(), Endpoints::behind(NOWHERE), credentials, &Limits::default()),
            opencrvs: civitas_opencrvs::Client::new(
                http.clone(),
                endpoints,
                ConfirmationAuth::TriggerToken,
                Version::V2_0,
            ),
            keys: KeyRing::new(),
            proof_keys: ProofKeys::new(),
            vc_trust: VcTrust::nobody(),
            clock: Arc::new(|| "2026-06-10T09:00:02Z".parse().unwrap()),
            seed: 1,
        };
        let engine = Engine::new(ports, options(), pack()).await.unwrap();
        let live = Arc::new(Live { engine, patience: Duration::from_secs(5) });
        let shown = Parts {
            intake: live.clone(),
            desk: live,
            tokens: TriggerTokens::new(http, KeySource::Url(NOWHERE.into()), ISSUER, AUDIENCE),
            clock: Arc::new(|| "2026-06-10T09:00:02Z".parse().unwrap()),
            identification: civitas_server::Identification::default(),
            metrics: None,
            stop: CancellationToken::new(),
        };
        let mut server = civitas_server::Options::new("http://civitas.example");
        server.token_policy = TokenPolicy::Open;
        server.operators =
            vec![Operator { name: "amina".into(), role: Role::Integrator, token: OPERATOR.into() }];
        Self { router: civitas_server::router(shown, server), _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn trigger(&self, path: &str, document: &Value) -> (StatusCode, Value) {
        let request = Request::post(format!("/trigger/events/{path}"))
            .header("content-type", "application/json")
            .body(Body::from(document.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {OPERATOR}"))
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn act(&self, path: &str, reason: &str) -> (StatusCode, Value) {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {OPERATOR}"))
            .header("content-type", "application/json")
            .body(Body::from(serde_json::json!({ "reason": reason }).to_string()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn deliver(&self, body: &str, secret: &str) -> (StatusCode, Value) {
        let key = openssl::pkey::PKey::hmac(secret.as_bytes()).unwrap();
        let mut pen = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
        let mac = pen.sign_oneshot_to_vec(body.as_bytes()).unwrap();
        let request = Request::post("/websub/callback")
            .header("content-type", "application/json")
            .header("x-hub-signature", format!("sha256={}", hex::encode(mac)))
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn deliver_signed(&self, body: &str) -> (StatusCode, Value) {
        self.deliver(body, HUB_SECRET).await
    }
}
