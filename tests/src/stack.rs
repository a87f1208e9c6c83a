//! The whole in one process: sandbox, engine and server, over real sockets, on a journal of choice.
//!
//! Time scales are those of a test: no settling, quick back-offs, polls within a second.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use civitas_engine::{
    Backoff, Channel, Clock, Engine, IdRepository, Options, PacketsName, Polling, Ports, Records, Route,
    Subscriptions, UploadRoute,
};
use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_mosip::{
    Breaking, Credentials, Endpoints, Limits, Mosip,
    credential::{KeyRing, ProofKeys, VcIssuer, VcTrust},
    data_share::DataSharePolicy,
    packet::{EncryptionCertificate, MachineKey, PacketKeys},
};
use civitas_opencrvs::{Client, ConfirmationAuth, KeySource, SystemClient, TriggerTokens, Version};
use civitas_rules::{Pack, PackFiles};
use civitas_sandbox::{Sandbox, SandboxKeys, SandboxOptions};
use civitas_server::{Identification, Live, MosipApi, Operator, Parts, Role, TokenPolicy};
use jiff::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::wait::until;

/// The secret that the hub signs deliveries with.
pub const HUB_SECRET: &str = "a-hub-secret-of-more-than-thirty-two-bytes";

/// The one operator, who may look at everything and act on nothing.
pub const VIEWER: &str = "vera";

/// The viewer's token.
pub const VIEWER_TOKEN: &str = "a-viewers-token-of-more-than-thirty-two-bytes";

/// How a stack is set up.
pub struct Setup {
    /// The sandbox.
    pub sandbox: SandboxOptions,
    /// Where the journal is; a SQLite file of its own if absent.
    pub journal_url: Option<String>,
    /// Whether the outbox is filled.
    pub publish: bool,
    /// Changes to the shipped pack: file, text, and what stands in its place.
    pub pack: &'static [(&'static str, &'static str, &'static str)],
    /// Changes to the engine's options.
    pub tune: fn(&mut Options),
    /// The clock of everything; the system's unless a test moves it.
    pub clock: Clock,
    /// How long a trigger may wait for the journal.
    pub patience: Duration,
    /// Where the hub is told to deliver, if not straight to the server.
    pub callback: Option<String>,
    /// Changes to what the engine works with, once the sandbox runs.
    pub refit: Option<Refit>,
    /// The surface of mosip-api, where it is served.
    pub mosip_api: Option<MosipApi>,
    /// How people are identified on that surface; nobody is if absent.
    pub identify: Option<Identify>,
    /// Load limits, and when a failing service is left alone.
    pub limits: Limits,
}

/// The clients that identify people in a sandbox.
pub type Identify = fn(&Sandbox, &Mosip) -> Identification;

/// A change to what an engine works with.
pub type Refit = Box<dyn FnOnce(&Sandbox, &mut Ports) + Send>;

impl Default for Setup {
    fn default() -> Self {
        Setup {
            sandbox: SandboxOptions::instant(7),
            journal_url: None,
            publish: false,
            pack: &[],
            tune: |_| {},
            clock: clock(),
            patience: Duration::from_secs(8),
            callback: None,
            refit: None,
            mosip_api: None,
            identify: None,
            limits: quick(),
        }
    }
}

/// No rates, and circuits that open as in production but are tried again within a moment.
pub fn quick() -> Limits {
    let breaking = Breaking {
        first: Duration::from_millis(200),
        longest: Duration::from_secs(1),
        ..Breaking::default()
    };
    Limits { breaking, ..Limits::default() }
}

/// A running stack. Dropping it stops everything.
pub struct Stack {
    /// OpenCRVS and MOSIP.
    pub sandbox: Sandbox,
    /// The engine.
    pub engine: Engine,
    /// The journal.
    pub journal: Journal,
    /// Where the server listens.
    pub url: String,
    /// An HTTP client.
    pub http: reqwest::Client,
    /// The journal's file, where it is SQLite.
    pub file: Option<PathBuf>,
    options: Options,
    clock: Clock,
    limits: Limits,
    pack: Pack,
    patience: Duration,
    mosip_api: Option<MosipApi>,
    identify: Option<Identify>,
    stop: CancellationToken,
    work: Vec<JoinHandle<()>>,
    folder: TempDir,
}

/// The system's clock.
pub fn clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "tests of the whole run in real time")]
    Arc::new(Timestamp::now)
}

/// The key pairs that all sandboxes of a test binary share: making them costs a second of CPU.
fn keys() -> SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(clock()()).expect("keys")).clone()
}

/// The way of packets that are made here: signed and encrypted with the sandbox's keys.
pub fn upload_route() -> Route {
    let keys = keys();
    let machine = keys.machine_private_key_pem().expect("a key in PEM");
    let certificate = keys.registration_certificate_pem().expect("a certificate in PEM");
    let channel = Channel { source: "OPENCRVS".to_owned(), process: "OPENCRVS_NEW".to_owned() };
    Route::Upload(Arc::new(UploadRoute {
        keys: PacketKeys {
            machine: MachineKey::from_pem(&machine).expect("a key"),
            certificates: vec![EncryptionCertificate::from_pem(&certificate).expect("a certificate")],
        },
        processes: [("CRVS_NEW".to_owned(), channel)].into(),
        main_processes: ["NEW", "UPDATE", "OPENCRVS_NEW"].map(str::to_owned).into(),
        entropy: entropy(),
    }))
}

/// A client with a time-out.
pub fn http(timeout: Duration) -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "the one place where tests build their client")]
    reqwest::Client::builder().timeout(timeout).build().expect("a client")
}

/// Random bytes.
pub fn entropy() -> civitas_journal::Entropy {
    Arc::new(|bytes: &mut [u8]| openssl::rand::rand_bytes(bytes).expect("randomness"))
}

/// The shipped pack of this name.
pub fn pack(name: &str) -> Pack {
    Pack::load(&pack_files(name)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Writes a pack into a folder.
pub fn write_pack(files: &PackFiles, folder: &std::path::Path) {
    for (name, text) in &files.0 {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file of the pack");
    }
}

/// The files of the shipped pack of this name.
pub fn pack_files(name: &str) -> PackFiles {
    let root = crate::workspace().join("country-config").join(name);
    let mut files = PackFiles::default();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the pack's folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                files.0.insert(name, std::fs::read_to_string(&path).expect("a text file"));
            }
        }
    }
    files
}

impl Stack {
    /// The shipped set-up.
    pub async fn start() -> Stack {
        Stack::with(Setup::default()).await
    }

    /// Starts sandbox, engine and server, and waits until the hub delivers to us.
    pub async fn with(setup: Setup) -> Stack {
        let stack = Stack::without_work(setup).await;
        stack.run()
    }

    /// Everything but the engine's desks, which [`Stack::run`] starts.
    pub async fn without_work(mut setup: Setup) -> Stack {
        let folder = tempfile::Builder::new().prefix("civitas-stack-").tempdir().expect("a folder");
        let http = http(Duration::from_secs(5));
        let clock = setup.clock;
        setup.sandbox.keys.get_or_insert_with(keys);
        let sandbox = Sandbox::start(setup.sandbox, http.clone(), clock.clone()).await.expect("a sandbox");

        let file = setup.journal_url.is_none().then(|| folder.path().join("journal.db"));
        let url = setup
            .journal_url
            .unwrap_or_else(|| format!("sqlite:{}", file.as_ref().expect("a file").display()));
        let mut options = JournalOptions::new(url, SealingKeys::new([[7; 32]]).expect("a key"));
        options.publish = setup.publish;
        let journal = Journal::open(options, entropy()).await.expect("a journal");
        journal.migrate().await.expect("tables");

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut systems = ports(&sandbox, journal.clone(), &http, &setup.limits, clock.clone());
        if let Some(refit) = setup.refit {
            refit(&sandbox, &mut systems);
        }
        let callback = setup.callback.unwrap_or_else(|| format!("{url}/websub/callback"));
        let mut options = engine_options(&callback);
        (setup.tune)(&mut options);
        let mut files = pack_files("farajaland");
        for (file, from, to) in setup.pack {
            let text = files.0.get_mut(*file).expect("a file of the pack");
            assert!(text.contains(from), "{file} has {from:?}");
            *text = text.replace(from, to);
        }
        let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
        let engine = Engine::new(systems, options.clone(), pack.clone()).await.expect("an engine");
        let stop = CancellationToken::new();
        let identification =
            setup.identify.map(|identify| identify(&sandbox, engine.mosip())).unwrap_or_default();
        let serving = serve(
            &engine,
            &sandbox,
            &http,
            listener,
            &clock,
            setup.patience,
            setup.mosip_api.clone(),
            identification,
            &stop,
        );
        sandbox.opencrvs().set_country_config(&url);
        let work = vec![serving];
        Stack {
            sandbox,
            engine,
            journal,
            url,
            http,
            file,
            options,
            clock,
            limits: setup.limits,
            pack,
            patience: setup.patience,
            mosip_api: setup.mosip_api,
            identify: setup.identify,
            stop,
            work,
            folder,
        }
    }

    /// Stops engine and server in order, and starts them again on the same journal and address with options that were
    /// changed; the desks run.
    pub async fn restart(mut self, change: impl FnOnce(&mut Options)) -> Stack {
        self.halt().await;
        self.stop = CancellationToken::new();
        let listener =
            TcpListener::bind(self.url.trim_start_matches("http://")).await.expect("the same port");
        change(&mut self.options);
        let systems =
            ports(&self.sandbox, self.journal.clone(), &self.http, &self.limits, self.clock.clone());
        self.engine = Engine::new(systems, self.options.clone(), self.pack.clone()).await.expect("an engine");
        let identification =
            self.identify.map(|identify| identify(&self.sandbox, self.engine.mosip())).unwrap_or_default();
        let serving = serve(
            &self.engine,
            &self.sandbox,
            &self.http,
            listener,
            &self.clock,
            self.patience,
            self.mosip_api.clone(),
            identification,
            &self.stop,
        );
        self.work.push(serving);
        self.run()
    }

    /// Kills engine and server where they stand, whatever they wait for, and starts them again on the same journal and
    /// address. What was in hand is claimed anew when its lease ends.
    pub async fn killed(mut self) -> Stack {
        for work in &self.work {
            work.abort();
        }
        for work in std::mem::take(&mut self.work) {
            let _ = work.await;
        }
        self.restart(|_| {}).await
    }

    /// The same on a journal that was lost, and begun anew.
    pub async fn restart_on_an_empty_journal(mut self) -> Stack {
        self.halt().await;
        self.journal.close().await;
        let file = self.folder.path().join("journal-after-the-loss.db");
        let url = format!("sqlite:{}", file.display());
        let options = JournalOptions::new(url, SealingKeys::new([[7; 32]]).expect("a key"));
        self.journal = Journal::open(options, entropy()).await.expect("a journal");
        self.journal.migrate().await.expect("tables");
        self.file = Some(file);
        self.restart(|_| {}).await
    }

    /// Stops engine and server in order; the sandbox and the journal stay.
    pub async fn halt(&mut self) {
        self.stop.cancel();
        for work in std::mem::take(&mut self.work) {
            let _ = work.await;
        }
    }

    /// Starts the engine's desks.
    #[must_use]
    pub fn run(mut self) -> Stack {
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        self.work.push(tokio::spawn(async move { engine.run_dispatcher(stop).await }));
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        self.work.push(tokio::spawn(async move { engine.run_reconciler(stop).await }));
        self
    }

    /// Another engine on the same journal and sandbox, which works by other keys or clients. Its desks run until the
    /// token is cancelled.
    pub async fn second(
        &self,
        refit: impl FnOnce(&Sandbox, &mut Ports),
    ) -> (JoinHandle<()>, CancellationToken) {
        let mut systems =
            ports(&self.sandbox, self.journal.clone(), &self.http, &self.limits, self.clock.clone());
        refit(&self.sandbox, &mut systems);
        let options = Options { instance: "test-2".to_owned(), ..self.options.clone() };
        let engine = Engine::new(systems, options, pack("farajaland")).await.expect("an engine");
        let stop = CancellationToken::new();
        let until = stop.clone();
        let work = tokio::spawn(async move {
            tokio::join!(engine.run_dispatcher(until.clone()), engine.run_reconciler(until));
        });
        (work, stop)
    }

    /// Waits until the hub has verified our callback.
    pub async fn subscribed(&self) {
        until("the hub delivers to us", || async { self.sandbox.mosip().subscriptions().len() >= 2 }).await;
    }

    /// Waits until no operation and no confirmation is open.
    pub async fn settled(&self) {
        until("everything is settled", || async {
            let overview = self.engine.queue().overview(1).await.expect("an overview");
            let open: u64 = overview
                .counts
                .operations
                .iter()
                .filter(|(state, _)| {
                    !matches!(state.as_str(), "confirmed" | "processed" | "sent" | "released" | "rejected")
                })
                .map(|(_, n)| n)
                .sum();
            open == 0
        })
        .await;
    }

    /// Stops in order.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for work in std::mem::take(&mut self.work) {
            let _ = work.await;
        }
        self.journal.close().await;
    }
}

/// Serves an engine until the token is cancelled.
#[expect(clippy::too_many_arguments, reason = "what a server is made of")]
fn serve(
    engine: &Engine,
    sandbox: &Sandbox,
    http: &reqwest::Client,
    listener: TcpListener,
    clock: &Clock,
    patience: Duration,
    mosip_api: Option<MosipApi>,
    identification: Identification,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let live = Live { engine: engine.clone(), patience };
    let key_url = format!("{}/.well-known", sandbox.opencrvs().url());
    let parts = Parts {
        intake: Arc::new(live.clone()),
        desk: Arc::new(live),
        tokens: TriggerTokens::new(
            http.clone(),
            KeySource::Url(key_url),
            civitas_opencrvs::ISSUER,
            "opencrvs:countryconfig-user",
        ),
        clock: clock.clone(),
        identification,
        metrics: None,
        stop: stop.clone(),
    };
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut server = civitas_server::Options::new(url);
    server.token_policy = TokenPolicy::Record;
    server.mosip_api = mosip_api;
    server.max_reindex_size = Some(64 * 1024 * 1024);
    server.operators =
        vec![Operator { name: VIEWER.to_owned(), role: Role::Viewer, token: VIEWER_TOKEN.into() }];
    let router = civitas_server::router(parts, server);
    let ended = stop.clone();
    tokio::spawn(async move {
        civitas_server::serve(listener, router, ended, Duration::from_secs(1)).await.expect("served");
    })
}

/// MOSIP's clients, whose data shares are those of the sandbox and whatever this changes.
pub fn mosip(sandbox: &Sandbox, http: &reqwest::Client, tune: impl FnOnce(&mut DataSharePolicy)) -> Mosip {
    mosip_within(sandbox, http, &quick(), tune)
}

fn mosip_within(
    sandbox: &Sandbox,
    http: &reqwest::Client,
    limits: &Limits,
    tune: impl FnOnce(&mut DataSharePolicy),
) -> Mosip {
    let secret = |id: &str| SecretString::from(format!("{id}-secret"));
    let credentials =
        |id: &str| Credentials { client_id: id.to_owned(), secret: secret(id), app_id: "regproc".to_owned() };
    let host = sandbox.mosip().url().trim_start_matches("http://");
    let mut policy = DataSharePolicy {
        hosts: vec![host.parse().expect("a host")],
        networks: vec!["127.0.0.0/8".parse().expect("a network")],
        plain_http: true,
        timeout: Duration::from_secs(5),
        ..DataSharePolicy::nothing()
    };
    tune(&mut policy);
    let total = policy.timeout;
    let time_outs = civitas::http::TimeOuts { connect: total, read: total, total };
    let guarded = civitas::http::guarded(policy.networks.clone(), time_outs).expect("a client");
    Mosip::new(
        http.clone(),
        Endpoints::behind(sandbox.mosip().url()),
        credentials("mosip-crvs1-client"),
        limits,
    )
    .with_partner(credentials("crvs_partner"))
    .with_status(credentials("mosip-status-client"))
    .with_data_share(guarded, policy)
}

fn ports(
    sandbox: &Sandbox,
    journal: Journal,
    http: &reqwest::Client,
    limits: &Limits,
    clock: Clock,
) -> Ports {
    let mosip = mosip_within(sandbox, http, limits, |_| {});
    let client = SystemClient { id: "civitas".to_owned(), secret: SecretString::from("civitas-secret") };
    let gateway = sandbox.opencrvs().url().to_owned();
    let endpoints = civitas_opencrvs::Endpoints { auth: gateway.clone(), gateway };
    let opencrvs = Client::new(http.clone(), endpoints, ConfirmationAuth::Exchange { client }, Version::V2_0);
    let (keys, proof_keys, vc_trust) = trusting(&[sandbox.mosip().keys()]);
    Ports { journal, mosip, opencrvs, keys, vc_trust, proof_keys, clock, seed: 7 }
}

/// What opens and believes the credentials of these generations of keys.
pub fn trusting(generations: &[SandboxKeys]) -> (KeyRing, ProofKeys, VcTrust) {
    let pem = |bytes: Result<Vec<u8>, civitas_sandbox::KeyError>| bytes.expect("a key in PEM");
    let mut ring = KeyRing::new();
    for keys in generations {
        let (key, certificate) = (pem(keys.partner_private_key_pem()), pem(keys.partner_certificate_pem()));
        ring.add(&key, &certificate).expect("our key");
    }
    let kernel: Vec<Vec<u8>> = generations.iter().map(|keys| pem(keys.kernel_certificate_pem())).collect();
    let proof_keys = ProofKeys::from_pem(kernel.iter().map(Vec::as_slice)).expect("MOSIP's certificates");
    (ring, proof_keys.clone(), trusting_in(proof_keys))
}

/// Believes the sandbox's credentials where they are signed with one of these keys.
pub fn trusting_in(keys: ProofKeys) -> VcTrust {
    let issuer = VcIssuer::stock("mosip.sandbox.example").expect("MOSIP's context");
    VcTrust::new(vec![issuer], keys)
}

fn engine_options(callback: &str) -> Options {
    Options {
        instance: "test-1".to_owned(),
        center_id: "10001".to_owned(),
        machine_id: "20042".to_owned(),
        route: Route::Online,
        officer: "crvs".to_owned(),
        subject_key: SecretString::from("a subject key of a test"),
        keep_trigger_tokens: false,
        answer_kafka_events: true,
        workers: 16,
        lease: Duration::from_secs(20),
        idle_poll: Duration::from_millis(100),
        backoff: Backoff { first: Duration::from_millis(50), ceiling: Duration::from_secs(1) },
        polling: Polling {
            shortest: Duration::from_millis(300),
            longest: Duration::from_secs(2),
            per_second: 0,
        },
        unknown_wait: Duration::from_millis(200),
        settle: Duration::ZERO,
        default_deadline: Duration::from_secs(14 * 86_400),
        tracking_window: Duration::from_secs(7 * 86_400),
        stalled_check: Duration::from_millis(500),
        credential_grace: Duration::from_secs(2),
        credential_suffix: Some("-CRVS".to_owned()),
        id_repository: IdRepository { enabled: true, packets_name: PacketsName::AsRecorded },
        parking: Duration::from_secs(60),
        plain_shares: false,
        subscriptions: Subscriptions {
            credentials: "crvs_partner/CREDENTIAL_ISSUED".to_owned(),
            completed: Some("REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT".to_owned()),
            callback: callback.to_owned(),
            secrets: vec![SecretString::from(HUB_SECRET)],
            renew_every: Duration::from_secs(2),
            silent_after: 3,
            replay_window: Duration::from_secs(30 * 86_400),
        },
        records: records(false),
    }
}

/// Looking through OpenCRVS at a test's pace.
pub fn records(enabled: bool) -> Records {
    Records {
        enabled,
        actions: ["REGISTER", "APPROVE_CORRECTION"].map(str::to_owned).into(),
        every: Duration::from_millis(200),
        grace: Duration::from_millis(300),
        sweep_every: Some(Duration::from_millis(200)),
        still_for: Duration::from_millis(300),
        window: Duration::from_secs(86_400),
        reads_per_minute: 60_000,
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
