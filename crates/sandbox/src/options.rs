//! How a sandbox is set up. Every default is the real systems' shipped value or
//! says why it is not.

use crate::faults::Faults;
use crate::keys::SandboxKeys;
use crate::time::Spread;
use civitas_opencrvs::Version;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

/// Everything about one sandbox.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Seed of all randomness.
    pub seed: u64,
    /// How many times faster than life the world turns; 1 is real time.
    pub speed: f64,
    /// Where OpenCRVS listens; port 0 takes a free one.
    pub opencrvs_addr: SocketAddr,
    /// Where MOSIP listens; port 0 takes a free one.
    pub mosip_addr: SocketAddr,
    /// OpenCRVS.
    pub opencrvs: OpenCrvsOptions,
    /// MOSIP.
    pub mosip: MosipOptions,
    /// Key pairs; made at start if absent.
    pub keys: Option<SandboxKeys>,
    /// Faults from the start on.
    pub faults: Faults,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            opencrvs_addr: (Ipv4Addr::LOCALHOST, 0).into(),
            mosip_addr: (Ipv4Addr::LOCALHOST, 0).into(),
            opencrvs: OpenCrvsOptions::default(),
            mosip: MosipOptions::default(),
            keys: None,
            faults: Faults::default(),
        }
    }
}

impl SandboxOptions {
    /// For tests: no waiting anywhere in the world, everything else as shipped.
    pub fn instant(seed: u64) -> Self {
        let mosip = MosipOptions {
            reprocess_every: Duration::ZERO,
            stage_delay: Spread::ZERO,
            credential_delay: Spread::ZERO,
            ..MosipOptions::default()
        };
        Self { seed, mosip, ..Self::default() }
    }
}

/// Which token rules OpenCRVS follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Regime {
    /// 1.9.x: plain scopes; the trigger's token confirms.
    V1_9,
    /// 2.0.x: encoded scopes; the trigger's token confirms, or one exchanged for a client's.
    #[default]
    V2_0,
    /// 2.1: no exchange; the client's own token confirms.
    V2_1,
}

impl From<Regime> for Version {
    fn from(regime: Regime) -> Self {
        match regime {
            Regime::V1_9 => Self::V1_9,
            Regime::V2_0 => Self::V2_0,
            Regime::V2_1 => Self::V2_1,
        }
    }
}

/// What becomes of a registrar's click.
#[derive(Clone, Default)]
pub enum Trigger {
    /// Posted to the country config, whose URL can be set later too.
    #[default]
    Http,
    /// Handed over, as if the country config put it on a topic and answered 202.
    Hand(UnboundedSender<Handed>),
}

/// A trigger that was handed over instead of posted.
#[derive(Debug, Clone)]
pub struct Handed {
    /// Record.
    pub event_id: Uuid,
    /// Pending action.
    pub action_id: Uuid,
    /// Type of the pending action.
    pub action_type: String,
    /// The bare event document, as it would have been posted.
    pub body: Vec<u8>,
}

/// OpenCRVS.
#[derive(Clone)]
pub struct OpenCrvsOptions {
    /// Token rules.
    pub version: Regime,
    /// Base URL of the country config; the path `/trigger/…` is appended.
    pub country_config_url: Option<String>,
    /// Where clicks go.
    pub trigger: Trigger,
    /// Core sets no time-out; the gateway in front ends it.
    pub trigger_timeout: Duration,
    /// How long until a write is searchable.
    pub index_lag: Spread,
    /// Pause between an accept's check and its insert, which core does not lock.
    pub accept_gap: Spread,
    /// Integration clients.
    pub clients: Vec<SystemClient>,
    /// Life of a trigger's or exchanged token.
    pub confirmation_token_life: Duration,
    /// Life of a client's token.
    pub system_token_life: Duration,
    /// Whether a 2.1 trigger's token names the record and the action, as before
    /// 2.1. What it carries there is not documented; false is the registrar's own token.
    pub record_claims_in_2_1: bool,
    /// False: exchanged tokens carry an HMAC in place of an RSA signature, which
    /// only the sandbox itself can check. Saves half a millisecond of CPU per
    /// confirmation in benches. Triggers are always signed.
    pub signed_exchange: bool,
}

impl Default for OpenCrvsOptions {
    fn default() -> Self {
        Self {
            version: Regime::default(),
            country_config_url: None,
            trigger: Trigger::default(),
            trigger_timeout: Duration::from_mins(1),
            index_lag: Spread::ZERO,
            accept_gap: Spread::ZERO,
            clients: vec![SystemClient::default()],
            confirmation_token_life: Duration::from_hours(7 * 24),
            system_token_life: Duration::from_mins(10),
            record_claims_in_2_1: true,
            signed_exchange: true,
        }
    }
}

/// An integration client of OpenCRVS.
#[derive(Debug, Clone)]
pub struct SystemClient {
    /// Client id; also the `sub` of its tokens.
    pub id: String,
    /// Client secret.
    pub secret: SecretString,
    /// Scope names without encoding: `record.register`.
    pub scopes: Vec<String>,
}

impl Default for SystemClient {
    fn default() -> Self {
        // The last is what 1.9 calls the search.
        let scopes: [&str; 7] = [
            "record.register",
            "record.correct",
            "record.read",
            "record.search",
            "record.reindex",
            "record.custom-action",
            "recordsearch",
        ];
        Self {
            id: "civitas".to_owned(),
            secret: SecretString::from("civitas-secret"),
            scopes: scopes.map(str::to_owned).to_vec(),
        }
    }
}

/// MOSIP.
#[derive(Clone)]
pub struct MosipOptions {
    /// Clients of the authmanager.
    pub clients: Vec<MosipClient>,
    /// Life of a token.
    pub token_life: Duration,
    /// Providers of the packet manager: source and its processes.
    pub providers: Vec<(String, Vec<String>)>,
    /// Clients in the ID repository's own list of audiences. The packet client is not in the shipped one.
    pub id_repository_audience: Vec<String>,
    /// The reprocessor's cron, in world time.
    pub reprocess_every: Duration,
    /// How long each stage takes, in world time.
    pub stage_delay: Spread,
    /// From PROCESSED to the credential, in world time.
    pub credential_delay: Spread,
    /// Pause between the checks and the writes of createPacket and workflowinstance.
    pub race_gap: Spread,
    /// Last age that counts as INFANT. Shipped: 5. Here 9, as a country whose
    /// rule says "below ten" must configure it.
    pub infant_until: i16,
    /// Whether the packet field UIN may carry a VID. Shipped: false. Here true,
    /// as a country that stores VIDs only must configure it.
    pub vid_support_for_update: bool,
    /// Whether CRVS_UPDATE is mapped to UPDATE. Without it an update ends
    /// PROCESSED and changes nothing.
    pub update_mapped: bool,
    /// Partner of the credentials.
    pub partner: String,
    /// Suffix of credential request ids.
    pub request_id_suffix: String,
    /// Credentials by data share; in the events themselves if absent.
    pub shares: Option<ShareOptions>,
    /// Which identifiers a credential shares.
    pub shared: Vec<SharedIdentifier>,
    /// Packet metaInfo values that are copied into the credential event.
    pub meta_info_fields: Vec<String>,
    /// Public host, in issuer and verification method.
    pub host: String,
    /// The credential's own proof.
    pub vc_proof: VcProof,
    /// Identities that exist from the start (see [`crate::generator::Population`]).
    pub population: u32,
    /// The hub.
    pub hub: HubOptions,
    /// ID authentication.
    pub ida: IdaOptions,
    /// e-Signet.
    pub esignet: ESignetOptions,
}

impl Default for MosipOptions {
    fn default() -> Self {
        let processes = ["CRVS_NEW", "CRVS_UPDATE", "CRVS_DEATH"];
        Self {
            clients: vec![MosipClient::packet(), MosipClient::partner(), MosipClient::status()],
            token_life: Duration::from_mins(30),
            providers: vec![("CRVS1".to_owned(), processes.map(str::to_owned).to_vec())],
            id_repository_audience: ["crvs_partner", "mosip-status-client"].map(str::to_owned).to_vec(),
            reprocess_every: Duration::from_mins(3),
            stage_delay: Spread::ms(500, 4000),
            credential_delay: Spread::ms(1000, 10_000),
            race_gap: Spread::ZERO,
            infant_until: 9,
            vid_support_for_update: true,
            update_mapped: true,
            partner: "crvs_partner".to_owned(),
            request_id_suffix: "-CRVS".to_owned(),
            shares: None,
            shared: vec![SharedIdentifier::Vid],
            meta_info_fields: vec!["crvsEventId".to_owned()],
            host: "mosip.sandbox.example".to_owned(),
            vc_proof: VcProof::Signed,
            population: 2000,
            hub: HubOptions::default(),
            ida: IdaOptions::default(),
            esignet: ESignetOptions::default(),
        }
    }
}

/// ID authentication: one partner, one policy.
#[derive(Debug, Clone)]
pub struct IdaOptions {
    /// Licence key of the MISP.
    pub license_key: String,
    /// Id of the authentication partner.
    pub partner: String,
    /// API key of its policy.
    pub api_key: String,
    /// `mosip.ida.allowed.domain.uris`.
    pub domain_uris: Vec<String>,
    /// Mandatory and optional languages.
    pub languages: Vec<String>,
    /// Titles of the master data.
    pub titles: Vec<String>,
    /// Whether a token is sent beside a failure, as up to 1.2.1.2.
    pub token_on_failure: bool,
    /// Salt of people's hashes.
    pub uin_salt: String,
    /// Salt of partners' tokens.
    pub partner_salt: String,
}

impl Default for IdaOptions {
    fn default() -> Self {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            license_key: "sandbox-misp-licence-key".to_owned(),
            partner: "crvs-partner".to_owned(),
            api_key: "sandbox-api-key".to_owned(),
            domain_uris: all(&["https://api.mosip.sandbox.example"]),
            languages: all(&["eng", "ara", "fra"]),
            titles: all(&["Mr", "Mr.", "Mrs", "Ms", "Miss", "Dr"]),
            token_on_failure: false,
            uin_salt: "zHuDEAbmbxiUbUShgy6pwUhKh9DE0EZn9kQDKPPKbWscGajMwf".to_owned(),
            partner_salt: "yS8w5Wb6vhIKdf1msi4LYTJks7mqkbmITk2O63Iq8h0bkRlD0d".to_owned(),
        }
    }
}

/// e-Signet: one relying party.
#[derive(Debug, Clone)]
pub struct ESignetOptions {
    /// Its client id.
    pub client_id: String,
    /// Where people may be sent back to; two stars at the end stand for any text.
    pub redirect_uris: Vec<String>,
    /// Whether user info is encrypted.
    pub encrypted: bool,
}

impl Default for ESignetOptions {
    fn default() -> Self {
        Self {
            client_id: "crvs-client".to_owned(),
            redirect_uris: vec![
                "http://localhost:3000/**".to_owned(),
                "https://register.example/**".to_owned(),
            ],
            encrypted: false,
        }
    }
}

/// A client of the authmanager.
#[derive(Debug, Clone)]
pub struct MosipClient {
    /// Client id.
    pub id: String,
    /// Secret key.
    pub secret: SecretString,
    /// Roles in its tokens.
    pub roles: Vec<String>,
}

impl MosipClient {
    fn new(id: &str, roles: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            secret: SecretString::from(format!("{id}-secret")),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }

    /// `mosip-crvs1-client`, secret `mosip-crvs1-client-secret`: packets and triggers only.
    pub fn packet() -> Self {
        Self::new("mosip-crvs1-client", &["ONLINE_REGISTRATION_CLIENT"])
    }

    /// `crvs_partner`, secret `crvs_partner-secret`: the hub. Holds every other
    /// role too, so that one client is enough where a deployment has only one.
    pub fn partner() -> Self {
        let roles = [
            "ONLINE_REGISTRATION_CLIENT",
            "REGISTRATION_PROCESSOR",
            "CREDENTIAL_REQUEST",
            "ID_REPOSITORY",
            "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL",
            "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
            "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL",
        ];
        Self::new("crvs_partner", &roles)
    }

    /// `mosip-status-client`, secret `mosip-status-client-secret`: statuses and look-ups.
    pub fn status() -> Self {
        Self::new(
            "mosip-status-client",
            &["REGISTRATION_PROCESSOR", "REGISTRATION_ADMIN", "CREDENTIAL_REQUEST"],
        )
    }
}

/// Credentials by data share: the partner's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShareOptions {
    /// How often a share may be fetched; 0: each is used up before anybody comes.
    pub transactions_allowed: u32,
    /// For how many minutes of world time; 0: each has expired before anybody comes.
    pub valid_for_minutes: u32,
    /// Whether it holds the credential in clear (encryption type `none`).
    pub plain: bool,
    /// Scheme and host that addresses begin with; this MOSIP's own if absent.
    pub base: Option<String>,
}

impl Default for ShareOptions {
    fn default() -> Self {
        Self { transactions_allowed: 1, valid_for_minutes: 60, plain: false, base: None }
    }
}

/// An identifier that a credential may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedIdentifier {
    /// Virtual id, 16 digits.
    Vid,
    /// Unique identification number, 10 digits.
    Uin,
    /// Partner-specific user token, 36 digits.
    Psut,
}

/// How the credential is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VcProof {
    /// A verifiable credential with a PS256 proof: half a millisecond of CPU each.
    Signed,
    /// The default provider's form, without a proof. For benches: the event proof
    /// still covers the whole document.
    Absent,
}

/// The WebSub hub.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Messages polled at once.
    pub batch: usize,
    /// Deliveries in flight per subscription. The real hub's is 1; benches may raise it.
    pub parallel: usize,
    /// First retry pause, in world time; doubles up to 20 s.
    pub retry_pause: Duration,
    /// Retries after the first attempt.
    pub retries: u32,
    /// Real time allowed to a subscriber per attempt.
    pub timeout: Duration,
    /// Wait before each delivery, in world time.
    pub delay: Spread,
    /// Whether a publish or subscribe needs the role of its topic.
    pub check_roles: bool,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            batch: 3,
            parallel: 1,
            retry_pause: Duration::from_secs(3),
            retries: 3,
            timeout: Duration::from_mins(1),
            delay: Spread::ZERO,
            check_roles: true,
        }
    }
}
