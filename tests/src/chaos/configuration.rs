//! The configuration of the engines, and what tests do with the same keys.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_kafka::{Encrypter, EventProducer, KafkaConfig, Shape};
use civitas_sandbox::Sandbox;

use super::quoted;
use crate::stack::{HUB_SECRET, entropy};

const SEALING_KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const PAYLOAD_KEY_ID: &str = "chaos";

/// What every engine of the run is told.
pub(super) struct Configuration {
    folder: PathBuf,
    database: String,
    text: String,
    public_key: String,
}

impl Configuration {
    pub(super) fn write(
        folder: &Path,
        sandbox: &Sandbox,
        public_url: &str,
        database: Option<String>,
        brokers: Option<String>,
    ) -> Self {
        let secrets = [
            ("sealing.key", SEALING_KEY),
            ("subject.key", SEALING_KEY),
            ("hub.secret", HUB_SECRET),
            ("opencrvs.secret", "civitas-secret"),
            ("mosip.secret", "mosip-crvs1-client-secret"),
            ("partner.secret", "crvs_partner-secret"),
        ];
        for (name, secret) in secrets {
            fs::write(folder.join(name), secret).expect("a secret is written");
        }
        let pair = openssl::rsa::Rsa::generate(2048).expect("a key pair");
        let pair = openssl::pkey::PKey::from_rsa(pair).expect("a key pair");
        fs::write(folder.join("payload.key"), pair.private_key_to_pem_pkcs8().expect("PEM"))
            .expect("written");
        let public_key = String::from_utf8(pair.public_key_to_pem().expect("PEM")).expect("text");

        let database = database.unwrap_or_else(|| format!("sqlite:{}", folder.join("journal.db").display()));
        let kafka = brokers.map_or_else(String::new, |brokers| {
            format!(
                "kafka:\n  enabled: true\n  brokers: [\"{brokers}\"]\n  batch: 200\n  encryption:\n    keys:\n      \
                 - {{ kid: {PAYLOAD_KEY_ID}, private_key_file: payload.key }}\n"
            )
        });
        let pack = crate::workspace().join("country-config/farajaland");
        let text = format!(
            "pack: {pack}
database: {{ url: {database:?}, sealing_key_files: [sealing.key], subject_key_file: subject.key }}
opencrvs:
  gateway_url: {opencrvs}
  auth_url: {opencrvs}
  timeout: 5 s
  confirmation: {{ mode: exchange, client_id: civitas, client_secret_file: opencrvs.secret, settle: 0 s }}
mosip:
  gateway_url: {mosip}
  client_id: mosip-crvs1-client
  client_secret_file: mosip.secret
  timeout: 2 s
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  credential_request_suffix: \"-CRVS\"
  data_share: {{ timeout: 2 s }}
  breaking: {{ first: 500 ms, longest: 5 s }}
  websub:
    client: {{ client_id: crvs_partner, client_secret_file: partner.secret }}
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: {public_url}/websub/callback
    secret_file: hub.secret
    renew_every: 1 min
  partner: {{ keys: [{{ key_file: keys/partner-key.pem, certificate_file: keys/partner-cert.pem }}] }}
  status_client: {{ client_id: crvs_partner, client_secret_file: partner.secret }}
  signing_certificate_files: [keys/kernel-cert.pem]
  credential_proof: {{ host: mosip.sandbox.example }}
  limits:
    packet_manager: {{ concurrency: 64, per_second: 0 }}
    workflow: {{ concurrency: 64, per_second: 0 }}
    credential_request: {{ concurrency: 16, per_second: 0 }}
    id_repository: {{ concurrency: 32, per_second: 0 }}
dispatch:
  lease: 6 s
  idle_poll: 200 ms
  backoff: {{ first: 100 ms, ceiling: 2 s }}
  unknown_wait: 500 ms
  polling: {{ shortest: 1 s, longest: 5 s }}
  stalled_check: 2 s
  credential_grace: 2 s
telemetry: {{ log_format: json, level: warn }}
{kafka}",
            pack = quoted(&pack),
            opencrvs = sandbox.opencrvs().url(),
            mosip = sandbox.mosip().url(),
        );
        Configuration { folder: folder.to_owned(), database, text, public_key }
    }

    /// A file for one engine.
    pub(super) fn for_engine(&self, listen: SocketAddr) -> PathBuf {
        let file = self.folder.join(format!("engine-{}.yaml", listen.port()));
        let own =
            format!("server: {{ listen: \"{listen}\" }}\ninstance: {{ name: engine-{} }}\n", listen.port());
        fs::write(&file, self.text.clone() + &own).expect("a configuration is written");
        file
    }

    /// The same journal, for looking.
    pub(super) async fn journal(&self) -> Journal {
        let keys = SealingKeys::parse(&SEALING_KEY.into()).expect("a key");
        Journal::open(JournalOptions::new(&self.database, keys), entropy()).await.expect("the journal")
    }

    /// Makes the topics.
    pub(super) async fn topics(&self, bootstrap: &str) {
        let shape = Shape { partitions: 4, replication: 1 };
        civitas_kafka::ensure(&KafkaConfig::new(bootstrap), shape).await.expect("topics");
    }

    /// A bridge from OpenCRVS to Kafka.
    pub(super) fn producer(&self, bootstrap: &str) -> EventProducer {
        let encrypter = Encrypter::new(PAYLOAD_KEY_ID, &self.public_key).expect("a key");
        EventProducer::new(&KafkaConfig::new(bootstrap), "/opencrvs", Some(encrypter)).expect("a producer")
    }
}
