//! The keys and the configuration by which an engine speaks with the stand-ins of this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What stands where.
pub(super) struct Wiring {
    folder: PathBuf,
    pack: PathBuf,
    engine: String,
    opencrvs: SocketAddr,
    mosip: SocketAddr,
    /// How accept and reject are authorised.
    pub(super) mode: &'static str,
    /// Wait between 202 and accept, where not the default.
    pub(super) settle: Option<&'static str>,
    /// Journal address; a SQLite file in the folder if absent.
    pub(super) database: Option<String>,
    /// Kafka brokers, if any.
    pub(super) brokers: Vec<String>,
    /// Where the MOSIP mock of opencrvs/mosip listens, if packets go to it.
    pub(super) mosip_mock: Option<String>,
}

impl Wiring {
    /// An engine at this address, in front of OpenCRVS 2.0 and MOSIP at theirs.
    pub(super) fn new(
        folder: &Path,
        pack: &Path,
        engine: &str,
        opencrvs: SocketAddr,
        mosip: SocketAddr,
    ) -> Self {
        Self {
            folder: folder.to_owned(),
            pack: pack.to_owned(),
            engine: engine.trim_end_matches('/').to_owned(),
            opencrvs,
            mosip,
            mode: "exchange",
            settle: None,
            database: None,
            brokers: Vec::new(),
            mosip_mock: None,
        }
    }

    /// Writes keys and configuration, unless they are there; the configuration's file.
    pub(super) fn write(&self) -> anyhow::Result<PathBuf> {
        self.write_keys()?;
        let file = self.folder.join("civitas.yaml");
        write_new(&file, &self.configuration()?)?;
        Ok(file)
    }

    /// Writes the keys of an engine, unless they are there.
    pub(super) fn write_keys(&self) -> anyhow::Result<()> {
        let keys = self.folder.join("engine-keys");
        if !keys.exists() {
            super::keys::write(&keys, &["operator".to_owned()])?;
        }
        let secrets = [
            ("opencrvs.secret", "civitas-secret"),
            ("mosip.secret", "mosip-crvs1-client-secret"),
            ("partner.secret", "crvs_partner-secret"),
            ("status.secret", "mosip-status-client-secret"),
            ("misp-licence.key", "sandbox-misp-licence-key"),
            ("ida-api.key", "sandbox-api-key"),
        ];
        secrets.into_iter().try_for_each(|(name, secret)| write_new(&keys.join(name), secret))
    }

    /// The configuration's text.
    pub(super) fn configuration(&self) -> anyhow::Result<String> {
        let folder = fs::canonicalize(&self.folder)
            .with_context(|| format!("{} does not exist", self.folder.display()))?;
        let pack = fs::canonicalize(&self.pack).unwrap_or_else(|_| self.pack.clone());
        let pack = quoted(&pack.to_string_lossy());
        let database = match &self.database {
            Some(url) => quoted(url),
            None => quoted(&format!("sqlite:{}", folder.join("journal.db").display())),
        };
        let settle = self.settle.map(|settle| format!(", settle: {settle}")).unwrap_or_default();
        let (engine, opencrvs, mosip, mode) = (&self.engine, self.opencrvs, self.mosip, self.mode);
        let listen = engine.trim_start_matches("http://");
        Ok(format!(
            "# An engine that speaks with stand-ins. Every other key: `civitas config default`.
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
  confirmation: {{ mode: {mode}, client_id: civitas, client_secret_file: engine-keys/opencrvs.secret{settle} }}
mosip:
  gateway_url: http://{mosip}
{urls}  client_id: mosip-crvs1-client
  client_secret_file: engine-keys/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  credential_request_suffix: \"-CRVS\"
  status_client: {{ client_id: mosip-status-client, client_secret_file: engine-keys/status.secret }}
  websub:
    client: {{ client_id: crvs_partner, client_secret_file: engine-keys/partner.secret }}
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: {engine}/websub/callback
    secret_file: engine-keys/hub.secret
  partner:
    keys:
      - {{ key_file: keys/partner-key.pem, certificate_file: keys/partner-cert.pem }}
  signing_certificate_files: [keys/kernel-cert.pem]
  credential_proof: {{ host: mosip.sandbox.example }}
  # Served with server.mosip_api: {{ enabled: true, client_app_url: http://localhost:3000 }}
  id_authentication:
    url: http://{mosip}/idauthentication/v1/auth
    partner_id: crvs-partner
    license_key_file: engine-keys/misp-licence.key
    api_key_file: engine-keys/ida-api.key
    signing_keys:
      - {{ key_file: keys/ida-client-key.pem, certificate_file: keys/ida-client-cert.pem }}
    certificate_files: [keys/ida-cert.pem]
    response_certificate_files: [keys/ida-cert.pem]
  esignet:
    url: http://{mosip}/v1/esignet/oauth/v2/token
    client_id: crvs-client
    client_key_file: keys/esignet-client.jwk
{kafka}",
            urls = self.urls(),
            kafka = self.kafka()?,
        ))
    }

    /// That mock has a packet manager and a workflow; for the rest there are the stand-ins.
    fn urls(&self) -> String {
        self.mosip_mock.as_ref().map_or_else(String::new, |mock| {
            let mock = mock.trim_end_matches('/');
            let packets = quoted(&format!("{mock}/commons/v1/packetmanager"));
            let workflow = quoted(&format!("{mock}/registrationprocessor/v1"));
            format!("  urls: {{ packet_manager: {packets}, workflow: {workflow} }}\n")
        })
    }

    fn kafka(&self) -> anyhow::Result<String> {
        if self.brokers.is_empty() {
            return Ok(String::new());
        }
        let brokers: Vec<String> = self.brokers.iter().map(|broker| quoted(broker)).collect();
        let kid = super::keys::payload_key_id(&self.folder.join("engine-keys/payload.pub.pem"))?;
        Ok(format!(
            "kafka:
  enabled: true
  brokers: [{}]
  encryption: {{ keys: [{{ kid: \"{kid}\", private_key_file: engine-keys/payload.key }}] }}
",
            brokers.join(", ")
        ))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, load};

    fn wiring(folder: &Path) -> Wiring {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let pack = Path::new("country-config/farajaland");
        Wiring::new(folder, pack, "http://127.0.0.1:7080", address(7070), address(8090))
    }

    #[test]
    fn the_written_configuration_is_one_that_the_engine_takes() {
        let folder = tempfile::tempdir().unwrap();
        let wiring = wiring(folder.path());
        let file = wiring.write().unwrap();
        let config = load(&Layers { file: Some(file.clone()), variables: Vec::new() }).unwrap();
        assert_eq!(config.server.operators.len(), 1);
        assert!(config.mosip.websub.secret_file.as_path().exists());
        assert!(config.mosip.client_secret_file.as_path().exists());
        fs::write(&file, "# changed by hand\n").unwrap();
        wiring.write().unwrap();
        let kept = fs::read_to_string(&file).unwrap();
        assert_eq!(kept, "# changed by hand\n", "a second start changes nothing");
    }

    #[test]
    fn with_brokers_payloads_are_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        let mut wiring = wiring(folder.path());
        wiring.brokers = vec!["127.0.0.1:9092".to_owned()];
        wiring.database = Some("postgres://civitas@127.0.0.1:5432/civitas".to_owned());
        let file = wiring.write().unwrap();
        let config = load(&Layers { file: Some(file), variables: Vec::new() }).unwrap();
        assert!(config.kafka.enabled && config.kafka.encryption.required);
        assert_eq!(config.kafka.encryption.keys.len(), 1);
    }
}
