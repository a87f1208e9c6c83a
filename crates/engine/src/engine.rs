//! The engine as its users hold it: a cheap handle on ports, options and the running rule set.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use civitas_audit::NewLeaf;
use civitas_journal::{BoxFuture, Journal, JournalError, Lease, Tx, inbox, leases, operations, rule_sets};
use civitas_mosip::{
    IdSchema, Mosip,
    credential::{KeyRing, ProofKeys, VcTrust},
};
use civitas_rules::Pack;
use jiff::Timestamp;
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
use rand::{SeedableRng, rngs::StdRng};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::{
    EngineError, Options, Ports, Queue,
    answers::{Arrived, Asker, Heard, InboxDesk},
    computing::Computing,
    confirm::{Closing, Confirmer},
    decide::Station,
    desk::{self, Bell},
    dispatch::Sender,
    forms::Forms,
    gather::Gatherer,
    moves::Move,
    moving::Moving,
    noter::Noter,
    schedule::later,
    swap::Swaps,
    together::Together,
};

/// A handle on the engine; clones share everything.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    ports: Ports,
    options: Options,
    pack: RwLock<Arc<Pack>>,
    archive: Mutex<HashMap<String, AtHand>>,
    jitter: Mutex<StdRng>,
    bells: Bells,
    gatherer: Gatherer,
    mover: Together<Moving>,
    heard: Together<Heard>,
    closings: Together<Closing>,
    deliveries: Together<Arrived>,
    denials: Mutex<Option<Timestamp>>,
    swaps: Swaps,
    forms: Forms,
    waiting: AtomicU64,
    watched: AtomicBool,
    computing: Computing,
}

/// A rule set that decided, compiled, and its ID schema as packets carry it.
#[derive(Clone)]
struct AtHand {
    pack: Arc<Pack>,
    schema: Arc<IdSchema>,
}

impl From<Arc<Inner>> for Engine {
    fn from(inner: Arc<Inner>) -> Self {
        Engine(inner)
    }
}

/// What a claim goes by.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) lease: Lease,
    pub(crate) now: Timestamp,
    pub(crate) limit: u32,
}

/// One bell per desk.
#[derive(Default)]
pub(crate) struct Bells {
    pub(crate) sender: Bell,
    pub(crate) inbox: Bell,
    pub(crate) confirmer: Bell,
    pub(crate) asker: Bell,
    pub(crate) noter: Bell,
    pub(crate) outbox: Bell,
}

/// At most one audit leaf per this time for refused callers, who could otherwise fill the log.
const DENIAL_PAUSE: Duration = Duration::from_secs(10);

/// Compiled rule sets that are kept in memory; a country changes its rules a few times a year.
const PACKS_AT_HAND: usize = 32;

impl Engine {
    /// Starts with a pack; its rule set goes into the archive, so that every decision can be evaluated again.
    pub async fn new(ports: Ports, options: Options, pack: Pack) -> Result<Engine, EngineError> {
        let jitter = StdRng::seed_from_u64(ports.seed);
        let pack = Arc::new(pack);
        let swaps = Swaps::new((ports.clock)());
        let (gatherer, queue) = Gatherer::new();
        let (mover, steps) = Together::new();
        let (heard, answers) = Together::new();
        let (closings, told) = Together::new();
        let (deliveries, arrived) = Together::new();
        let computing = Computing::with(&ports.keys);
        let engine = Engine(Arc::new(Inner {
            ports,
            options,
            pack: RwLock::new(Arc::clone(&pack)),
            archive: Mutex::default(),
            jitter: Mutex::new(jitter),
            bells: Bells::default(),
            gatherer,
            mover,
            heard,
            closings,
            deliveries,
            denials: Mutex::default(),
            swaps,
            forms: Forms::default(),
            waiting: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            computing,
        }));
        engine.archive(&pack).await?;
        tokio::spawn(queue.run(Arc::downgrade(&engine.0)));
        tokio::spawn(steps.run(Arc::downgrade(&engine.0)));
        tokio::spawn(answers.run(Arc::downgrade(&engine.0)));
        tokio::spawn(told.run(Arc::downgrade(&engine.0)));
        tokio::spawn(arrived.run(Arc::downgrade(&engine.0)));
        if !engine.pack().written_fields().is_empty() {
            let looking = engine.clone();
            tokio::spawn(async move { looking.look_at_forms().await });
        }
        Ok(engine)
    }

    /// The rule set that decides.
    pub fn pack(&self) -> Arc<Pack> {
        Arc::clone(&self.0.pack.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on new events are decided by this pack, which must be archived. Events that were begun keep theirs.
    pub(crate) fn put_pack(&self, pack: Arc<Pack>) {
        *self.0.pack.write().unwrap_or_else(PoisonError::into_inner) = pack;
    }

    pub(crate) fn swaps(&self) -> &Swaps {
        &self.0.swaps
    }

    /// Now, by the clock that was passed in.
    pub fn now(&self) -> Timestamp {
        (self.0.ports.clock)()
    }

    /// The queue commands over the same journal.
    pub fn queue(&self) -> Queue {
        Queue::new(self.journal().clone(), Arc::clone(&self.0.ports.clock)).within(self.clone())
    }

    /// Sends operations, reads the inbox and confirms records, until `stop`.
    pub async fn run_dispatcher(&self, stop: CancellationToken) {
        self.take_up_quarantined().await;
        tokio::join!(
            desk::run(Sender(self.clone()), stop.clone()),
            desk::run(InboxDesk(self.clone()), stop.clone()),
            desk::run(Confirmer(self.clone()), stop.clone()),
            desk::run(Noter(self.clone()), stop.clone()),
            self.close_mosip(stop.clone()),
            self.keep_watch(stop),
        );
    }

    /// At a stop only the calls under way are waited for: what waits for its turn is put back.
    async fn close_mosip(&self, stop: CancellationToken) {
        stop.cancelled().await;
        self.mosip().close();
    }

    /// Deliveries that were put aside for want of something that is configured now: certificates of ours and of
    /// MOSIP's, and where shares may be fetched from.
    async fn take_up_quarantined(&self) {
        let now = self.now();
        let mut named = self.keys().thumbprints();
        named.extend(self.proof_keys().thumbprints());
        named.push("data_share_refused".to_owned());
        let named = Arc::new(named);
        let taken = self
            .journal()
            .write(move |tx| {
                let named = Arc::clone(&named);
                Box::pin(async move { inbox::take_up_again(tx, &named, now).await })
            })
            .await;
        match taken {
            Ok(0) => {}
            Ok(taken) => {
                tracing::info!(taken, "deliveries are taken up again that were put aside for want of a key");
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "quarantine could not be looked through"
                );
            }
        }
    }

    /// Asks MOSIP about what nobody answered, keeps deadlines, renews subscriptions, looks through OpenCRVS for what
    /// waits there and not here, until `stop`.
    pub async fn run_reconciler(&self, stop: CancellationToken) {
        tokio::join!(
            desk::run(Asker(self.clone()), stop.clone()),
            self.close_mosip(stop.clone()),
            self.keep_subscribed(stop.clone()),
            self.keep_looking_through(stop.clone()),
            self.keep_watch(stop),
        );
    }

    /// Records a denied act of somebody whose name is known: each one.
    pub async fn record_denial_of(&self, operator: &str, what: &str) {
        metrics::counter!("civitas_denied_total", "actor" => operator.to_owned()).increment(1);
        self.witness_denial(operator, what, self.now()).await;
    }

    /// Records a denied act of a stranger. Throttled, since strangers could fill the log; the metrics count every one.
    pub async fn record_denial(&self, actor: &str, what: &str) {
        metrics::counter!("civitas_denied_total", "actor" => actor.to_owned()).increment(1);
        let now = self.now();
        {
            let mut last = self.0.denials.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| now < later(last, DENIAL_PAUSE)) {
                return;
            }
            *last = Some(now);
        }
        self.witness_denial(actor, what, now).await;
    }

    async fn witness_denial(&self, actor: &str, what: &str, now: Timestamp) {
        let mut leaf = NewLeaf::new("denied", actor, now);
        leaf.reason = Some(what.to_owned());
        if let Err(error) = self.witness(leaf).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a denied act was not recorded");
        }
    }

    pub(crate) async fn witness(&self, leaf: NewLeaf) -> Result<(), EngineError> {
        self.journal()
            .write(move |tx| {
                let leaf = leaf.clone();
                Box::pin(async move {
                    tx.append_audit(&[leaf]);
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.ports.journal
    }

    /// MOSIP's clients, for whoever asks MOSIP beside the engine: limits and circuits are shared.
    pub fn mosip(&self) -> &Mosip {
        &self.0.ports.mosip
    }

    pub(crate) fn opencrvs(&self) -> &civitas_opencrvs::Client {
        &self.0.ports.opencrvs
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.ports.keys
    }

    pub(crate) fn vc_trust(&self) -> &VcTrust {
        &self.0.ports.vc_trust
    }

    pub(crate) fn proof_keys(&self) -> &ProofKeys {
        &self.0.ports.proof_keys
    }

    /// Names and time scales.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Whether the caller is the first of this process to keep watch.
    pub(crate) fn begins_watch(&self) -> bool {
        !self.0.watched.swap(true, Ordering::AcqRel)
    }

    /// How many operations wait for MOSIP's answer, as counted last.
    pub(crate) fn waiting(&self) -> u64 {
        self.0.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn set_waiting(&self, waiting: u64) {
        self.0.waiting.store(waiting, Ordering::Relaxed);
    }

    /// What was last seen of the country's forms.
    pub(crate) fn forms(&self) -> &Forms {
        &self.0.forms
    }

    pub(crate) fn gatherer(&self) -> &Gatherer {
        &self.0.gatherer
    }

    /// Where answers queue that are understood.
    pub(crate) fn heard(&self) -> &Together<Heard> {
        &self.0.heard
    }

    /// Where what OpenCRVS was told queues.
    pub(crate) fn closings(&self) -> &Together<Closing> {
        &self.0.closings
    }

    /// Where deliveries of the hub queue that are to be made durable.
    pub(crate) fn deliveries(&self) -> &Together<Arrived> {
        &self.0.deliveries
    }

    pub(crate) fn computing(&self) -> &Computing {
        &self.0.computing
    }

    pub(crate) fn bells(&self) -> &Bells {
        &self.0.bells
    }

    pub(crate) fn station(&self) -> Station<'_> {
        Station { center: &self.options().center_id, machine: &self.options().machine_id }
    }

    /// A lease of this process, and the instant at which it is taken.
    pub(crate) fn lease(&self) -> (Lease, Timestamp) {
        let now = self.now();
        (Lease { owner: self.options().instance.clone(), until: later(now, self.options().lease) }, now)
    }

    /// Takes rows that are due under a lease of this process; at most so many.
    pub(crate) async fn claim_due<T, F>(&self, limit: usize, claim: F) -> Result<Vec<T>, EngineError>
    where
        F: for<'a> Fn(&'a mut Tx, Due) -> BoxFuture<'a, Result<Vec<T>, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let (lease, now) = self.lease();
        let due = Due { lease, now, limit: limit.try_into().unwrap_or(u32::MAX) };
        Ok(self.journal().write(move |tx| claim(tx, due.clone())).await?)
    }

    /// Whether this process has a role that one process has at a time, or takes it now.
    pub(crate) async fn plays(&self, role: &'static str) -> Result<bool, JournalError> {
        let (lease, now) = self.lease();
        self.journal()
            .write(move |tx| {
                let lease = lease.clone();
                Box::pin(async move { leases::acquire(tx, role, &lease, now).await })
            })
            .await
    }

    pub(crate) fn backoff(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let mut jitter = self.0.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        self.options().backoff.wait(failures, retry_after, &mut *jitter)
    }

    /// The keyed hash that stands for a person: a VID is a bearer of identity, and is not stored to compare.
    pub(crate) fn subject_of(&self, identifier: &str) -> String {
        let key = self.options().subject_key.expose_secret();
        let hash = || -> Result<Vec<u8>, openssl::error::ErrorStack> {
            let key = PKey::hmac(key.as_bytes())?;
            let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
            signer.update(identifier.as_bytes())?;
            signer.sign_to_vec()
        };
        // HMAC over memory fails only when OpenSSL itself is unusable; then nothing else works either.
        hash().map(hex::encode).unwrap_or_default()
    }

    /// Applies a move, in a transaction with what else moved meanwhile. `None`: somebody else moved the operation.
    pub(crate) async fn apply_move(
        &self,
        operation: operations::Operation,
        step: Move,
    ) -> Result<Option<operations::Operation>, EngineError> {
        let (to, tells) = (step.to, step.tell.is_some());
        let Some(moved) = self.0.mover.record(Moving { operation, step }).await? else { return Ok(None) };
        metrics::counter!("civitas_moves_total", "to" => to.as_str()).increment(1);
        if moved.done {
            self.bells().sender.ring();
        }
        if tells {
            self.bells().confirmer.ring();
        }
        self.bells().outbox.ring();
        Ok(Some(moved))
    }

    async fn archive(&self, pack: &Arc<Pack>) -> Result<(), EngineError> {
        let rule_set = Arc::new(self.rule_set(pack));
        self.journal()
            .write(move |tx| {
                let rule_set = Arc::clone(&rule_set);
                Box::pin(async move { rule_sets::insert(tx, &rule_set).await })
            })
            .await?;
        self.keep_at_hand(pack);
        Ok(())
    }

    /// A pack as the archive takes it.
    pub(crate) fn rule_set(&self, pack: &Pack) -> rule_sets::RuleSet {
        rule_sets::RuleSet {
            digest: pack.digest().to_owned(),
            country: pack.country().code.clone(),
            canonical: pack.canonical().to_owned(),
            loaded_at: self.now(),
        }
    }

    /// A rule set that is compiled already.
    pub(crate) fn pack_at_hand(&self, digest: &str) -> Option<Arc<Pack>> {
        self.at_hand(digest).map(|at_hand| at_hand.pack)
    }

    fn at_hand(&self, digest: &str) -> Option<AtHand> {
        self.0.archive.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Spares the compiling of an archived rule set; returns its ID schema. What is dropped here is in the journal.
    pub(crate) fn keep_at_hand(&self, pack: &Arc<Pack>) -> Arc<IdSchema> {
        let schema = Arc::new(IdSchema::new(pack.id_schema()));
        let mut archive = self.0.archive.lock().unwrap_or_else(PoisonError::into_inner);
        if archive.len() >= PACKS_AT_HAND {
            archive.clear();
        }
        archive
            .insert(pack.digest().to_owned(), AtHand { pack: Arc::clone(pack), schema: Arc::clone(&schema) });
        schema
    }

    /// The ID schema of the rule set that decided, also when another one decides now.
    pub(crate) async fn archived_schema(&self, digest: &str) -> Result<Arc<IdSchema>, EngineError> {
        if let Some(at_hand) = self.at_hand(digest) {
            return Ok(at_hand.schema);
        }
        let unusable = |why: String| EngineError::Archive { digest: digest.to_owned(), why };
        let mut reader = self.journal().read().await?;
        let archived = rule_sets::get(&mut reader, digest)
            .await?
            .ok_or_else(|| unusable("it was never archived".to_owned()))?;
        let pack = crate::verify::compile(digest, &archived.canonical).map_err(unusable)?;
        Ok(self.keep_at_hand(&pack))
    }
}
