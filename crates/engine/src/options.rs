//! What the engine is told at the start: who it is, with whom it speaks, and its time scales.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use civitas_journal::Entropy;
use civitas_mosip::packet::PacketKeys;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    records::Records,
    schedule::{Backoff, Polling},
};

/// The one source of time. The binary passes the system's clock, tests pass theirs.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The systems that the engine works with.
pub struct Ports {
    /// The SQL journal.
    pub journal: civitas_journal::Journal,
    /// MOSIP's services.
    pub mosip: civitas_mosip::Mosip,
    /// OpenCRVS's accept, reject, get and search.
    pub opencrvs: civitas_opencrvs::Client,
    /// Our partner keys, by which credentials are opened.
    pub keys: civitas_mosip::credential::KeyRing,
    /// MOSIP's signing certificates, by which the proof of a credential event is verified.
    pub proof_keys: civitas_mosip::credential::ProofKeys,
    /// Whose verifiable credentials are believed, by their own proof.
    pub vc_trust: civitas_mosip::credential::VcTrust,
    /// Time.
    pub clock: Clock,
    /// Seed of the jitter of back-offs.
    pub seed: u64,
}

/// How packets travel to MOSIP.
#[derive(Debug, Clone, Default)]
pub enum Route {
    /// MOSIP's packet manager makes them.
    #[default]
    Online,
    /// They are made here and uploaded.
    Upload(Arc<UploadRoute>),
}

impl Route {
    /// What uploading takes, if that is the way.
    pub fn upload(&self) -> Option<&Arc<UploadRoute>> {
        match self {
            Route::Online => None,
            Route::Upload(route) => Some(route),
        }
    }
}

/// What uploading packets of our own takes.
pub struct UploadRoute {
    /// The machine's key and MOSIP's certificates.
    pub keys: PacketKeys,
    /// Process of the pack → what MOSIP takes it as.
    pub processes: BTreeMap<String, Channel>,
    /// MOSIP's main processes: no other can be announced.
    pub main_processes: BTreeSet<String>,
    /// Unpredictable bytes, for the keys of a packet.
    pub entropy: Entropy,
}

/// A source and one of its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// `OPENCRVS`.
    pub source: String,
    /// `OPENCRVS_NEW`.
    pub process: String,
}

impl UploadRoute {
    /// As what MOSIP takes packets of this source and process; `None` if they cannot be announced.
    pub fn channel_of(&self, source: &str, process: &str) -> Option<Channel> {
        let same = || Channel { source: source.to_owned(), process: process.to_owned() };
        let channel = self.processes.get(process).cloned().unwrap_or_else(same);
        self.main_processes.contains(&channel.process).then_some(channel)
    }
}

impl fmt::Debug for UploadRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadRoute")
            .field("keys", &self.keys)
            .field("processes", &self.processes)
            .field("main_processes", &self.main_processes)
            .finish_non_exhaustive()
    }
}

/// Names and time scales. The defaults of a deployment are in `civitas.default.yaml`.
#[derive(Debug, Clone)]
pub struct Options {
    /// This process's name in leases and audit leaves; unique among running processes.
    pub instance: String,
    /// Registration centre at MOSIP (5 digits): the first part of every AID.
    pub center_id: String,
    /// Machine at MOSIP (5 digits): the second part.
    pub machine_id: String,
    /// How packets travel.
    pub route: Route,
    /// User id of the MOSIP officer in whose name packets are made.
    pub officer: String,
    /// Key of the hash that names a subject (a person's VID) without storing the VID.
    pub subject_key: SecretString,
    /// Whether the trigger's token is kept (sealed) for confirming, as OpenCRVS 1.9 needs.
    pub keep_trigger_tokens: bool,
    /// Whether decisions on events from Kafka are told to OpenCRVS by accept or reject.
    pub answer_kafka_events: bool,
    /// Operations worked on at a time.
    pub workers: usize,
    /// How long a claimed piece of work belongs to its process, which prolongs it while the work is in hand: so long lies
    /// the work of a process that died. Longer than any call may take.
    pub lease: Duration,
    /// How often the tables are looked at for work that nobody announced.
    pub idle_poll: Duration,
    /// Back-off of a failing step.
    pub backoff: Backoff,
    /// Schedule of questions about unanswered operations.
    pub polling: Polling,
    /// Wait after an unknown outcome before MOSIP is asked: longer than its own handling of a call.
    pub unknown_wait: Duration,
    /// Wait between our 202 and our accept, while OpenCRVS still writes what it did on the 202.
    pub settle: Duration,
    /// Deadline of an awaiting operation whose rule states none.
    pub default_deadline: Duration,
    /// How long a send-and-continue operation is followed.
    pub tracking_window: Duration,
    /// How often a stalled operation is looked at again, so that a late answer is found.
    pub stalled_check: Duration,
    /// How long after PROCESSED a credential may take before it is asked for again.
    pub credential_grace: Duration,
    /// Suffix that makes the credential request's id out of the AID (`-CRVS`), where MOSIP is set up so.
    pub credential_suffix: Option<String>,
    /// MOSIP's ID repository.
    pub id_repository: IdRepository,
    /// How long a credential of an unknown AID is kept for matching.
    pub parking: Duration,
    /// Whether a data share may hold a credential in clear; its proof is asked for all the same.
    pub plain_shares: bool,
    /// Our subscriptions at the hub.
    pub subscriptions: Subscriptions,
    /// How OpenCRVS is looked through.
    pub records: Records,
}

/// What MOSIP's ID repository is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRepository {
    /// Whether it is used: to check whom a packet is about, to read updates back, to switch identities off and on, and
    /// to look a VID up whose credential does not come.
    pub enabled: bool,
    /// What the field UIN of packets about known people holds.
    pub packets_name: PacketsName,
}

/// By which id a packet names a person who has an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketsName {
    /// By what the record holds, as a MOSIP with `vid-support-for-update` takes it.
    AsRecorded,
    /// By the permanent number, put in at the moment of sending, as a MOSIP without it wants.
    Uin,
}

/// Our subscriptions at MOSIP's hub.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    /// Topic of issued credentials, `<partner>/CREDENTIAL_ISSUED`.
    pub credentials: String,
    /// Topic of finished workflows; none where the role is not granted.
    pub completed: Option<String>,
    /// Where the hub reaches us.
    pub callback: String,
    /// Secrets of the signature, the current one first; more than one during a rotation.
    pub secrets: Vec<SecretString>,
    /// How often every topic is subscribed to again.
    pub renew_every: Duration,
    /// Answers that MOSIP gave and that did not come, with nothing else heard meanwhile, before the hub counts as
    /// silent.
    pub silent_after: u32,
    /// Age, by the event's own time, from which a delivery is taken for a replay and put aside; as far in the future
    /// too. Longer than the hub may be behind.
    pub replay_window: Duration,
}

impl Subscriptions {
    /// The topics asked for.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.credentials.as_str()).chain(self.completed.as_deref())
    }
}
