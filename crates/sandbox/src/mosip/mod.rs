//! The MOSIP stand-in: authmanager, packet manager, registration processor,
//! ID repository, credential issuance and WebSub hub, as the references say
//! that they behave.

mod auth;
mod credential;
mod desk;
mod envelope;
mod esignet;
mod hub;
mod ida;
mod idrepo;
mod issuance;
mod ledger;
mod packets;
mod pipeline;
mod registry;
mod relay;
mod routes;
mod shares;
mod snapshot;
mod state;
mod statuses;
mod uploads;
mod vc_proof;
mod ver_r2;
mod wellknown;
mod workflow;

pub(crate) use auth::Grants;
pub(crate) use desk::Desk;
pub(crate) use esignet::Office;
pub(crate) use hub::Hub;
pub(crate) use registry::Registry;
pub(crate) use routes::{fault_name, fault_names, router};
pub(crate) use shares::Shares;
pub(crate) use snapshot::{Snapshot, restore, take};
pub(crate) use state::Mosip as Shared;

use crate::generator::Population;
use crate::keys::{KeyError, SandboxKeys};
use crate::options::ShareOptions;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Handle to the MOSIP stand-in. Cheap to clone.
#[derive(Clone)]
pub struct Mosip {
    pub(crate) shared: Arc<Shared>,
    pub(crate) url: String,
}

/// A subscription as the hub sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Topic.
    pub topic: String,
    /// Where deliveries go.
    pub callback: String,
    /// False after a delivery failed for good: silence until anybody subscribes.
    pub alive: bool,
}

impl Mosip {
    /// Base URL of every service: `{url}/v1/authmanager`, `{url}/commons/v1/packetmanager`,
    /// `{url}/registrationprocessor/v1`, `{url}/hub`, `{url}/idrepository/v1`, `{url}/v1/credentialrequest`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key pairs in use; the engine needs the partner's private key and MOSIP's certificate.
    pub fn keys(&self) -> SandboxKeys {
        (*self.shared.keys()).clone()
    }

    /// From the next credential on another partner certificate is sealed to, as after an upload to partner
    /// management; credentials of before stay as they are. The private half stays with whoever made it.
    pub fn use_partner_certificate(&self, pem: &[u8]) -> Result<(), KeyError> {
        let keys = self.keys().with_partner_certificate(pem)?;
        self.shared.set_keys(keys);
        Ok(())
    }

    /// The next generation of the partner key: made, and sealed to from now on. Its private key and certificate, PEM.
    pub fn rotate_partner_key(&self) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        let keys = self.keys().with_new_partner(self.shared.pace.now())?;
        let pair = (keys.partner_private_key_pem()?, keys.partner_certificate_pem()?);
        self.shared.set_keys(keys);
        Ok(pair)
    }

    /// MOSIP signs with a new key from now on; its certificate, PEM. Keymanager tells it at once, while
    /// `/.well-known/public-key.json` keeps the old one until [`Mosip::restart_file_server`].
    pub fn rotate_signing_key(&self) -> Result<Vec<u8>, KeyError> {
        let keys = self.keys().with_new_kernel(self.shared.pace.now())?;
        let certificate = keys.kernel_certificate_pem()?;
        self.shared.set_keys(keys);
        Ok(certificate)
    }

    /// The file server builds what it publishes once, when it starts.
    pub fn restart_file_server(&self) -> Result<(), KeyError> {
        self.shared.publish_key()
    }

    /// How credentials are handed over from now on: by data share, or in the event itself.
    pub fn share_credentials(&self, shares: Option<ShareOptions>) {
        self.shared.shares.set_mode(shares);
    }

    /// Raw status of an AID: `RESUMABLE`, `PROCESSING`, `PROCESSED`, `REJECTED`, `FAILED`, `REPROCESS_FAILED`.
    pub fn status(&self, aid: &str) -> Option<&'static str> {
        self.shared.desk().workflows.get(aid).map(|row| row.status.as_str())
    }

    /// The VID that the AID's identity has.
    pub fn vid_of(&self, aid: &str) -> Option<String> {
        let registry = self.shared.registry();
        let uin = &registry.by_aid(aid)?.uin;
        registry.lasting_vid(uin).map(str::to_owned)
    }

    /// The stored attributes of the identity behind a VID.
    pub fn attributes(&self, vid: &str) -> Option<Map<String, Value>> {
        self.shared.registry().by_vid(vid).map(|identity| identity.fields.clone())
    }

    /// Makes a VID inactive, as another system might.
    pub fn deactivate_vid(&self, vid: &str) -> bool {
        self.shared.registry().set_vid(vid, "DEACTIVATED", "").is_some()
    }

    /// Whether the identity behind a VID, active or not, is `ACTIVATED`, `DEACTIVATED` or `BLOCKED`.
    pub fn identity_status(&self, vid: &str) -> Option<String> {
        let registry = self.shared.registry();
        registry.owner_of(vid).map(|identity| identity.status.to_string())
    }

    /// Sets that status, as MOSIP's own people might.
    pub fn set_identity_status(&self, vid: &str, status: &'static str) -> bool {
        let mut registry = self.shared.registry();
        let uin = registry.owner_of(vid).map(|identity| identity.uin.clone());
        uin.is_some_and(|uin| registry.set_status(&uin, status))
    }

    /// The permanent number behind a VID, active or not.
    pub fn uin_of(&self, vid: &str) -> Option<String> {
        self.shared.registry().owner_of(vid).map(|identity| identity.uin.clone())
    }

    /// Adds an identity with this VID, as if enrolled elsewhere.
    pub fn enrol(&self, vid: &str) {
        let mut registry = self.shared.registry();
        if !registry.knows_vid(vid) {
            let uin = self.shared.dice.digits(10);
            registry.insert(&format!("enrolled-{vid}"), uin, vid.to_owned(), Map::new());
        }
    }

    /// Adds an identity with this VID and these attributes; its UIN.
    pub fn enrol_with(&self, vid: &str, fields: Map<String, Value>) -> String {
        let uin = self.shared.dice.digits(10);
        self.shared.registry().insert(&format!("enrolled-{vid}"), uin.clone(), vid.to_owned(), fields);
        uin
    }

    /// Signs somebody in on e-Signet's page, who consents to these claims; the code that the browser is sent back with.
    /// None where the number is no active one.
    pub fn sign_in(&self, id: &str, redirect_uri: &str, claims: &[&str]) -> Option<String> {
        let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
        let wanted = esignet::Wanted { claims, ..esignet::Wanted::default() };
        esignet::sign_in(&self.shared, id, redirect_uri, wanted)
    }

    /// How often a person was told of an authentication with this number.
    pub fn told(&self, id: &str) -> u64 {
        self.shared.office.told(id)
    }

    /// How often e-Signet's token endpoint was called.
    pub fn token_calls(&self) -> u64 {
        self.shared.office.token_calls()
    }

    /// The fields that the stored packet of an AID has, what the schema lacked left out.
    pub fn packet_fields(&self, aid: &str) -> Option<Map<String, Value>> {
        self.shared.desk().packets.get(aid).map(|packet| packet.fields.clone())
    }

    /// All AIDs in the order of their first call.
    pub fn aids(&self) -> Vec<String> {
        self.shared.desk().order.clone()
    }

    /// From now on no token of before is good.
    pub fn revoke_tokens(&self) {
        self.shared.grants.revoke_all();
    }

    /// The hub's subscriptions.
    pub fn subscriptions(&self) -> Vec<SubscriptionState> {
        let states = self.shared.hub.subscriptions();
        states
            .into_iter()
            .map(|subscription| SubscriptionState {
                alive: subscription.is_alive(),
                topic: subscription.topic,
                callback: subscription.callback,
            })
            .collect()
    }

    /// Publishes to a topic as MOSIP itself would.
    pub fn publish(&self, topic: &str, aid: &str, body: Vec<u8>) {
        self.shared.hub.publish(topic, aid, body);
    }

    /// The body that the hub last published for an AID on the credential topic,
    /// among the latest few hundred.
    pub fn last_credential(&self, aid: &str) -> Option<Vec<u8>> {
        let topic = credential::topic(&self.shared.options);
        self.shared.hub.latest(&topic, aid).map(|body| body.to_vec())
    }

    /// A genuine credential event for any AID, sealed and signed as MOSIP does,
    /// with these claims.
    pub async fn genuine_credential(&self, aid: &str, claims: Map<String, Value>) -> Option<Vec<u8>> {
        let meta_info = issuance::meta_info(&self.shared, aid);
        let draft = credential::Draft::new(&self.shared, aid, claims, meta_info);
        issuance::build(&self.shared, draft).await
    }

    /// What a forger can make: sealed to the right certificate, for this AID,
    /// with this VID, signed with a wrong key.
    pub async fn forged_credential(&self, aid: &str, vid: &str) -> Option<Vec<u8>> {
        hub::forged(&self.shared, aid, vid).await
    }

    /// Issues the AID's credential again at once: new event id, same request.
    pub async fn reissue(&self, aid: &str) {
        let id = format!("{aid}{}", self.shared.options.request_id_suffix);
        issuance::issue(&self.shared, &id).await;
    }

    /// Posts a body to a callback, signed with any secret; the status it got.
    pub async fn post_delivery(&self, callback: &str, topic: &str, secret: &str, body: &[u8]) -> Option<u16> {
        hub::post_once(&self.shared, callback, topic, secret, body).await
    }

    /// `X-Hub-Signature` over a body.
    pub fn hub_signature(secret: &str, body: &[u8]) -> Option<String> {
        hub::signature(secret, body)
    }

    /// The truth about every AID; with `summary` the counters only.
    pub fn ledger(&self, summary: bool) -> Value {
        ledger::ledger(&self.shared, summary)
    }

    /// Forgets packets, identities, subscriptions and tokens.
    pub fn reset(&self) {
        *self.shared.desk() = Desk::default();
        *self.shared.registry() =
            Registry::with(Population::new(self.shared.seed, self.shared.options.population));
        self.shared.grants.revoke_all();
        self.shared.hub.reset();
        self.shared.office.reset();
    }
}
