//! MOSIP: its services, its hub, our keys, and what is asked of it at most.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ESignet, IdAuthentication};
use crate::config::units::{BaseUrl, Count, FilePath, FiveDigits, Size, Wait};

/// MOSIP.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Mosip {
    /// Address of the gateway.
    pub gateway_url: Option<BaseUrl>,
    /// Services that are not behind the gateway.
    pub urls: MosipUrls,
    /// Client that creates and triggers packets.
    pub client_id: String,
    /// Its secret.
    pub client_secret_file: FilePath,
    /// Client that asks for statuses, where it is another one.
    pub status_client: OtherClient,
    /// Application id of authmanager.
    pub app_id: String,
    /// How packets travel.
    pub route: MosipRoute,
    /// Packets of our own.
    pub upload: MosipUpload,
    /// Registration centre.
    pub center_id: FiveDigits,
    /// Machine.
    pub machine_id: FiveDigits,
    /// Officer.
    pub officer: String,
    /// Time-out of one call.
    pub timeout: Wait,
    /// Time-out of connecting.
    pub connect_timeout: Wait,
    /// Time-out of silence.
    pub read_timeout: Wait,
    /// Circuit breaker.
    pub breaking: Breaking,
    /// Suffix of credential request ids.
    pub credential_request_suffix: Option<String>,
    /// ID repository.
    pub id_repository: IdRepository,
    /// Hub.
    pub websub: WebSub,
    /// Our partner keys.
    pub partner: Partner,
    /// Certificates of event proofs.
    pub signing_certificate_files: Vec<FilePath>,
    /// How long before a certificate's end it is warned of.
    pub certificate_warning: Wait,
    /// Where credentials may be fetched from.
    pub data_share: DataShare,
    /// Proofs inside verifiable credentials.
    pub credential_proof: CredentialProof,
    /// Comparisons of demographic data.
    pub id_authentication: IdAuthentication,
    /// Logins.
    pub esignet: ESignet,
    /// Load limits.
    pub limits: MosipLimits,
}

/// When a service that fails is left alone.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Breaking {
    /// Failures in a row.
    pub failures: Count<1, 1000>,
    /// First pause.
    pub first: Wait,
    /// Longest pause.
    pub longest: Wait,
}

/// How packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MosipRoute {
    /// MOSIP's packet manager makes them.
    Online,
    /// They are made here and uploaded.
    Upload,
}

/// Packets of our own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MosipUpload {
    /// The machine's key.
    pub machine_key_file: Option<FilePath>,
    /// MOSIP's certificates.
    pub certificate_files: Vec<FilePath>,
    /// What the pack's processes are uploaded as.
    pub processes: BTreeMap<String, String>,
    /// What can be announced at all.
    pub main_processes: Vec<String>,
}

/// MOSIP's services.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MosipUrls {
    /// Authmanager.
    pub auth: Option<BaseUrl>,
    /// Packet manager.
    pub packet_manager: Option<BaseUrl>,
    /// Registration processor.
    pub workflow: Option<BaseUrl>,
    /// Announcements and statuses of our own packets.
    pub registration_status: Option<BaseUrl>,
    /// Receiver of our own packets.
    pub packet_receiver: Option<BaseUrl>,
    /// Hub.
    pub hub: Option<BaseUrl>,
    /// Credential request generator.
    pub credential_request: Option<BaseUrl>,
    /// ID repository.
    pub id_repository: Option<BaseUrl>,
}

/// What the ID repository is used for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdRepository {
    /// Whether it is used at all.
    pub enabled: bool,
    /// Client for it, where it is another one than that for statuses.
    pub client: OtherClient,
    /// What the field UIN of packets about known people holds.
    pub packets_name: PacketsName,
}

/// By which id a packet names a person who has an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PacketsName {
    /// The record's own id.
    AsRecorded,
    /// The number behind it.
    Uin,
}

/// A client beside the main one; without an id the main one is used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OtherClient {
    /// Client id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret_file: Option<FilePath>,
}

/// Subscriptions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WebSub {
    /// Client that subscribes, where it is another one.
    pub client: OtherClient,
    /// Topic of credentials.
    pub credential_topic: String,
    /// Topic of finished workflows.
    pub completed_topic: Option<String>,
    /// Our callback.
    pub callback_url: BaseUrl,
    /// Current secret.
    pub secret_file: FilePath,
    /// Secret before the last rotation.
    pub previous_secret_file: Option<FilePath>,
    /// Renewal.
    pub renew_every: Wait,
    /// Missed answers that make a silence.
    pub silent_after: Count<1, 1000>,
    /// Age of a replay.
    pub replay_window: Wait,
}

/// Partner key pairs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Partner {
    /// Generations, newest first.
    pub keys: Vec<PartnerKey>,
}

/// One generation: from PEM, from PKCS#12, or in a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PartnerKey {
    /// Private key in PEM.
    pub key_file: Option<FilePath>,
    /// Private key and certificate in PKCS#12.
    pub pkcs12_file: Option<FilePath>,
    /// Password of either.
    pub password_file: Option<FilePath>,
    /// Private key in a token.
    pub pkcs11: Option<TokenKey>,
    /// Certificate in PEM.
    pub certificate_file: Option<FilePath>,
}

/// A private key in an HSM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenKey {
    /// The vendor's PKCS#11 library.
    pub module: FilePath,
    /// The token by its label.
    pub token: Option<String>,
    /// The token by its serial number.
    pub serial: Option<String>,
    /// The token by its slot.
    pub slot: Option<u64>,
    /// The key by its label.
    pub key: Option<String>,
    /// The key by its id, in hexadecimal.
    pub key_id: Option<String>,
    /// The user's PIN.
    pub pin_file: FilePath,
    /// Most operations at a time; 4 where it is not set.
    pub sessions: Option<Count<1, 64>>,
}

/// Credentials that are fetched.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DataShare {
    /// Hosts.
    pub hosts: Vec<String>,
    /// Networks that are not public, and allowed.
    pub networks: Vec<String>,
    /// Whether http will do.
    pub plain_http: bool,
    /// Whether a credential in clear will do.
    pub plain_content: bool,
    /// Largest share.
    pub max_size: Size,
    /// Longest fetch.
    pub timeout: Wait,
}

/// What the proof inside a verifiable credential is verified by.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CredentialProof {
    /// Public host of MOSIP.
    pub host: Option<String>,
    /// Its own context.
    pub context_file: Option<FilePath>,
    /// Allowed algorithms.
    pub algorithms: Vec<ProofAlgorithm>,
}

/// How a credential may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ProofAlgorithm {
    /// RSASSA-PSS.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PKCS1-v1_5.
    #[serde(rename = "RS256")]
    Rs256,
}

/// Limits per service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MosipLimits {
    /// Authmanager.
    pub auth: Limit,
    /// Packet manager.
    pub packet_manager: Limit,
    /// Workflow, status and transactions.
    pub workflow: Limit,
    /// Announcements and statuses of our own packets.
    pub registration_status: Limit,
    /// Receiver of our own packets.
    pub packet_receiver: Limit,
    /// Hub.
    pub hub: Limit,
    /// Credential requests.
    pub credential_request: Limit,
    /// ID repository.
    pub id_repository: Limit,
    /// Data shares.
    pub data_share: Limit,
    /// ID authentication.
    pub id_authentication: Limit,
    /// e-Signet.
    pub esignet: Limit,
}

/// One service's limit.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limit {
    /// Calls at a time.
    pub concurrency: Count<1, 1000>,
    /// Calls per second; 0 = no limit.
    pub per_second: Count<0, 10_000>,
    /// Time-out of one call.
    pub timeout: Option<Wait>,
}
