//! `civitas sandbox`: stand-ins for OpenCRVS and MOSIP, and a configuration by which an engine speaks with them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use civitas_sandbox::{Regime, Sandbox as Stand, SandboxKeys, SandboxOptions};
use clap::{Args, ValueEnum};

use crate::{assembly, clock, http};

/// Run stand-ins for OpenCRVS and MOSIP.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Folder for its keys, and for a civitas.yaml by which an engine speaks with it
    #[arg(default_value = "sandbox")]
    folder: PathBuf,
    /// Where OpenCRVS listens
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)))]
    opencrvs: SocketAddr,
    /// Where MOSIP listens
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)))]
    mosip: SocketAddr,
    /// Where the engine listens: triggers and deliveries go there
    #[arg(long, default_value = "http://127.0.0.1:7080")]
    engine: String,
    /// Which OpenCRVS to be
    #[arg(long, value_enum, default_value_t = Release::V2_0)]
    release: Release,
    /// How many times faster than life
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Seed of all randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Country pack to name in the written configuration
    #[arg(long, default_value = "country-config/farajaland")]
    pack: PathBuf,
}

/// A release line of OpenCRVS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Release {
    #[value(name = "1.9")]
    V1_9,
    #[value(name = "2.0")]
    V2_0,
    #[value(name = "2.1")]
    V2_1,
}

impl Release {
    fn regime(self) -> Regime {
        match self {
            Self::V1_9 => Regime::V1_9,
            Self::V2_0 => Regime::V2_0,
            Self::V2_1 => Regime::V2_1,
        }
    }

    fn mode(self) -> &'static str {
        match self {
            Self::V1_9 => "trigger_token",
            Self::V2_0 => "exchange",
            Self::V2_1 => "client_credentials",
        }
    }
}

/// Runs the command.
pub async fn run(sandbox: &Sandbox) -> anyhow::Result<()> {
    anyhow::ensure!(sandbox.speed > 0.0, "--speed is a number above 0");
    let keys = SandboxKeys::load_or_create(&sandbox.folder.join("keys"), clock::now())
        .with_context(|| format!("the sandbox's keys in {} cannot be used", sandbox.folder.display()))?;
    let mut options = SandboxOptions {
        seed: sandbox.seed,
        speed: sandbox.speed,
        opencrvs_addr: sandbox.opencrvs,
        mosip_addr: sandbox.mosip,
        keys: Some(keys),
        ..SandboxOptions::default()
    };
    options.opencrvs.version = sandbox.release.regime();
    options.opencrvs.country_config_url = Some(sandbox.engine.clone());
    let stand = Stand::start(options, http::client(Duration::from_mins(1))?, assembly::clock())
        .await
        .context("the sandbox cannot start")?;
    let file = write_configuration(sandbox)?;
    println!("OpenCRVS  {}", stand.opencrvs().url());
    println!("MOSIP     {}", stand.mosip().url());
    println!("faults    PUT {}/admin/faults, ledger GET /admin/ledger", stand.mosip().url());
    println!("engine    civitas serve --config {}", file.display());
    println!("Ctrl-C ends it.");
    super::serve::stop_signal().await;
    stand.stop();
    Ok(())
}

/// Writes the keys of an engine and a configuration for this sandbox, unless they are there.
fn write_configuration(sandbox: &Sandbox) -> anyhow::Result<PathBuf> {
    let folder = &sandbox.folder;
    let keys = folder.join("engine-keys");
    if !keys.exists() {
        super::keys::write(&keys, &["operator".to_owned()])?;
    }
    for (name, secret) in
        [("opencrvs.secret", "civitas-secret"), ("mosip.secret", "mosip-crvs1-client-secret")]
    {
        write_new(&keys.join(name), secret)?;
    }
    write_new(&keys.join("partner.secret"), "crvs_partner-secret")?;
    let file = folder.join("civitas.yaml");
    write_new(&file, &configuration(sandbox)?)?;
    Ok(file)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn configuration(sandbox: &Sandbox) -> anyhow::Result<String> {
    let pack = fs::canonicalize(&sandbox.pack).unwrap_or_else(|_| sandbox.pack.clone());
    let folder = fs::canonicalize(&sandbox.folder)
        .with_context(|| format!("{} does not exist", sandbox.folder.display()))?;
    let listen = sandbox.engine.trim_start_matches("http://").trim_end_matches('/');
    let (opencrvs, mosip, mode) = (sandbox.opencrvs, sandbox.mosip, sandbox.release.mode());
    let quoted = |path: &Path| serde_json::Value::from(path.to_string_lossy()).to_string();
    let (pack, database) =
        (quoted(&pack), quoted(Path::new(&format!("sqlite:{}", folder.join("journal.db").display()))));
    let engine = &sandbox.engine;
    Ok(format!(
        "# An engine that speaks with `civitas sandbox`. Every other key: `civitas config default`.
pack: {pack}
database:
  url: {database}
  sealing_key_files: [engine-keys/sealing.key]
  subject_key_file: engine-keys/subject.key
server:
  listen: {listen}
  operators:
    - {{ name: operator, role: admin, token_file: engine-keys/operator.token }}
opencrvs:
  gateway_url: http://{opencrvs}
  auth_url: http://{opencrvs}
  country_config_url: http://{opencrvs}
  confirmation: {{ mode: {mode}, client_id: civitas, client_secret_file: engine-keys/opencrvs.secret }}
mosip:
  gateway_url: http://{mosip}
  client_id: mosip-crvs1-client
  client_secret_file: engine-keys/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  credential_request_suffix: \"-CRVS\"
  websub:
    client: {{ client_id: crvs_partner, client_secret_file: engine-keys/partner.secret }}
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: {engine}/websub/callback
    secret_file: engine-keys/hub.secret
  partner:
    keys:
      - {{ key_file: keys/partner-key.pem, certificate_file: keys/partner-cert.pem }}
  signing_certificate_files: [keys/kernel-cert.pem]
"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, load};

    #[test]
    fn the_written_configuration_is_one_that_the_engine_takes() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox {
            folder: folder.path().to_owned(),
            opencrvs: ([127, 0, 0, 1], 7070).into(),
            mosip: ([127, 0, 0, 1], 8090).into(),
            engine: "http://127.0.0.1:7080".into(),
            release: Release::V2_0,
            speed: 1.0,
            seed: 1,
            pack: "country-config/farajaland".into(),
        };
        let file = write_configuration(&sandbox).unwrap();
        let config = load(&Layers { file: Some(file.clone()), variables: Vec::new() }).unwrap();
        assert_eq!(config.server.operators.len(), 1);
        assert!(config.mosip.websub.secret_file.as_path().exists());
        assert!(config.mosip.client_secret_file.as_path().exists());
        fs::write(&file, "# changed by hand\n").unwrap();
        write_configuration(&sandbox).unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "# changed by hand\n",
            "a second start changes nothing"
        );
    }
}
