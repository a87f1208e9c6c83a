//! The sandbox in this process, and the engine as `civitas serve` in a process of its own, as it is shipped but for
//! what [`World::start`] names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use civitas_sandbox::generator::Generated;
use civitas_sandbox::{Sandbox, SandboxKeys, SandboxOptions, VcProof};
use civitas_tests::stack::{clock, http, pack_files, write_pack};
use civitas_tests::wait::until;
use futures::StreamExt as _;
use tempfile::TempDir;

use crate::database::{Fresh, Kind};

/// Who may do everything.
const OPERATOR: &str = "bench";

/// Which parts of the engine run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    All,
    /// Triggers are taken in and nothing else is done.
    Server,
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) engine: Engine,
    _database: Fresh,
}

/// The keys that OpenCRVS, MOSIP and the engine share, in a folder. One for all worlds, so that a trigger's bearer
/// that was signed once is good in each.
pub(crate) struct Keys {
    folder: TempDir,
    sandbox: SandboxKeys,
}

/// A registrar's click, ready to be posted.
#[derive(Clone)]
pub(crate) struct Click {
    pub(crate) generated: Generated,
    pub(crate) body: Vec<u8>,
    pub(crate) token: String,
}

impl Keys {
    pub(crate) fn make() -> Self {
        let folder = tempfile::Builder::new().prefix("civitas-bench-").tempdir().expect("a folder");
        let sandbox = SandboxKeys::load_or_create(&folder.path().join("keys"), clock()()).expect("keys");
        let engine = folder.path().join("engine-keys");
        civitas::commands::keys::write(&engine, &[OPERATOR.to_owned()]).expect("the engine's keys");
        write_pack(&pack_files("farajaland"), &folder.path().join("pack"));
        for (name, secret) in [
            ("opencrvs.secret", "civitas-secret"),
            ("mosip.secret", "mosip-crvs1-client-secret"),
            ("partner.secret", "crvs_partner-secret"),
        ] {
            fs::write(engine.join(name), secret).expect("a secret");
        }
        Self { folder, sandbox }
    }

    /// The engine's own copy of the shipped pack.
    pub(crate) fn pack(&self) -> PathBuf {
        self.folder.path().join("pack")
    }

    /// An admin's token.
    pub(crate) fn token(&self) -> String {
        let file = self.folder.path().join(format!("engine-keys/{OPERATOR}.token"));
        fs::read_to_string(file).expect("a token").trim().to_owned()
    }
}

impl World {
    /// Differences from what is shipped: MOSIP answers at once, signs once per credential instead of three times,
    /// and is not protected by a rate limit; the engine does not wait between our 202 and our accept.
    pub(crate) async fn start(keys: &Keys, kind: Kind, parts: Parts) -> Self {
        let mut options = SandboxOptions::instant(crate::documents::SEED);
        options.keys = Some(keys.sandbox.clone());
        options.opencrvs.signed_exchange = false;
        options.mosip.vc_proof = VcProof::Absent;
        options.mosip.hub.parallel = 16;
        let client = http(Duration::from_secs(30));
        let sandbox = Sandbox::start(options, client, clock()).await.expect("a sandbox");
        let database = kind.fresh();
        let engine = Engine::start(keys.folder.path(), &sandbox, &database.url, parts);
        sandbox.opencrvs().set_country_config(&engine.url);
        engine.ready().await;
        if parts == Parts::All {
            let subscribed = || async { sandbox.mosip().subscriptions().len() >= 2 };
            until("the hub delivers to the engine", subscribed).await;
        }
        World { sandbox, engine, _database: database }
    }

    /// Signs the bearers of these documents, on all CPUs, before anything is measured.
    pub(crate) async fn sign(&self, documents: Vec<Generated>) -> Vec<Click> {
        let opencrvs = self.sandbox.opencrvs();
        let signed = futures::stream::iter(documents).map(|generated| async move {
            let token = opencrvs.trigger_token(generated.document.id, generated.action_id).await;
            let body = generated.body();
            Click { token: token.expect("a token"), body, generated }
        });
        signed.buffered(civitas_tests::measure::cores()).collect().await
    }

    /// Puts the records into OpenCRVS, their action pending.
    pub(crate) fn import(&self, clicks: &[Click]) {
        for click in clicks {
            assert!(self.sandbox.opencrvs().import(click.generated.document.clone()), "a new record");
        }
    }

    /// Accepts that OpenCRVS has taken.
    pub(crate) fn completed(&self) -> usize {
        usize::try_from(self.sandbox.opencrvs().confirmations("accept ok")).unwrap_or(usize::MAX)
    }
}

impl Click {
    /// Posts it; the status of the reply, read to its end.
    pub(crate) async fn post(&self, http: &reqwest::Client, url: &str) -> Option<u16> {
        let request = http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        let reply = request.body(self.body.clone()).send().await.ok()?;
        let status = reply.status().as_u16();
        reply.bytes().await.ok()?;
        Some(status)
    }
}

/// The engine's process. Dropping it kills it.
pub(crate) struct Engine {
    child: Child,
    log: PathBuf,
    pub(crate) url: String,
}

impl Engine {
    fn start(folder: &Path, sandbox: &Sandbox, database: &str, parts: Parts) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listen = listener.local_addr().expect("its address").to_string();
        drop(listener);
        let (file, log) = (folder.join("civitas.yaml"), folder.join("engine.log"));
        fs::write(&file, configuration(sandbox, database, &listen)).expect("a configuration");
        let output = || File::options().create(true).append(true).open(&log).expect("a log file");
        // The engine is this very program: see `main`. It dies with the thread that starts it, which is the main one.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(std::env::current_exe().expect("this program"));
        command.args(["civitas", "--config"]).arg(&file).arg("serve");
        if parts == Parts::Server {
            command.args(["--only", "server"]);
        }
        command.stdin(Stdio::null()).stdout(output()).stderr(output());
        Self { child: command.spawn().expect("the engine starts"), log, url: format!("http://{listen}") }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn trigger(&self, event: &str, action: &str) -> String {
        format!("{}/trigger/events/{event}/actions/{action}", self.url)
    }

    async fn ready(&self) {
        let (client, url) = (http(Duration::from_secs(2)), format!("{}/health/ready", self.url));
        let running = PathBuf::from(format!("/proc/{}/exe", self.id()));
        until("the engine is ready", || async {
            assert!(fs::read_link(&running).is_ok(), "the engine ended: {}", self.tail());
            client.get(&url).send().await.is_ok_and(|reply| reply.status().is_success())
        })
        .await;
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configuration(sandbox: &Sandbox, database: &str, listen: &str) -> String {
    let (opencrvs, mosip) = (sandbox.opencrvs().url(), sandbox.mosip().url());
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let database = quoted(database);
    format!(
        "pack: pack
database:
  url: {database}
  sealing_key_files: [engine-keys/sealing.key]
  subject_key_file: engine-keys/subject.key
server:
  listen: \"{listen}\"
  operators: [{{ name: {OPERATOR}, role: admin, token_file: engine-keys/{OPERATOR}.token }}]
opencrvs:
  gateway_url: {opencrvs}
  auth_url: {opencrvs}
  country_config_url: {opencrvs}
  confirmation:
    mode: exchange
    client_id: civitas
    client_secret_file: engine-keys/opencrvs.secret
    settle: 0 s
mosip:
  gateway_url: {mosip}
  client_id: mosip-crvs1-client
  client_secret_file: engine-keys/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  credential_request_suffix: \"-CRVS\"
  id_repository:
    client: {{ client_id: crvs_partner, client_secret_file: engine-keys/partner.secret }}
  websub:
    client: {{ client_id: crvs_partner, client_secret_file: engine-keys/partner.secret }}
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: http://{listen}/websub/callback
    secret_file: engine-keys/hub.secret
  partner:
    keys:
      - {{ key_file: keys/partner-key.pem, certificate_file: keys/partner-cert.pem }}
  signing_certificate_files: [keys/kernel-cert.pem]
  credential_proof: {{ host: mosip.sandbox.example }}
  limits:
    packet_manager: {{ concurrency: 16, per_second: 0 }}
    workflow: {{ concurrency: 16, per_second: 0 }}
"
    )
}
