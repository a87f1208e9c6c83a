//! A desk: claims due work, works on some of it at a time, sleeps until there is more.

use std::{future::Future, sync::Arc, time::Duration};

use civitas_journal::leases::{self, Held};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{Engine, EngineError};

/// After the bell, so that what arrives together is claimed in one transaction.
const GATHER: Duration = Duration::from_millis(15);

/// Rings when a desk has new work.
#[derive(Debug, Clone)]
pub(crate) struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Self {
        Bell(watch::Sender::new(()))
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.send_replace(());
    }

    pub(crate) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// One kind of work that lies in a table of the journal.
pub(crate) trait Desk: Send + Sync + 'static {
    /// A claimed piece of work.
    type Item: Send + 'static;

    /// For logs and metrics.
    const NAME: &'static str;

    fn engine(&self) -> &Engine;

    fn bell(&self) -> &Bell;

    /// Leases up to `limit` pieces that are due.
    fn claim(&self, limit: usize) -> impl Future<Output = Result<Vec<Self::Item>, EngineError>> + Send;

    /// The row whose lease it is.
    fn held(item: &Self::Item) -> Held;

    /// Works on one piece. An error leaves it to its lease: it is claimed again when that ends.
    fn handle(&self, item: Self::Item) -> impl Future<Output = Result<(), EngineError>> + Send;
}

/// Runs a desk until `stop`, then finishes what is in hand.
pub(crate) async fn run<D: Desk>(desk: D, stop: CancellationToken) {
    let desk = Arc::new(desk);
    let workers = desk.engine().options().workers;
    let idle = desk.engine().options().idle_poll;
    let mut bell = desk.bell().listen();
    let mut busy = JoinSet::new();
    let mut more = true;
    while !stop.is_cancelled() {
        let free = workers - busy.len();
        // A claim is a transaction: not for every freed hand, but for half of them at once.
        if more && free * 2 >= workers {
            let ends = Instant::now() + desk.engine().options().lease;
            let claimed = desk.claim(free).await.unwrap_or_else(|error| {
                report(D::NAME, &error);
                Vec::new()
            });
            more = claimed.len() == free;
            for item in claimed {
                let desk = Arc::clone(&desk);
                busy.spawn(async move {
                    if let Err(error) = work(&*desk, item, ends).await {
                        report(D::NAME, &error);
                    }
                });
            }
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(finished) = busy.join_next(), if !busy.is_empty() => aborted(D::NAME, finished),
            _ = bell.changed(), if !more => {
                tokio::time::sleep(GATHER).await;
                bell.mark_unchanged();
                more = true;
            }
            () = tokio::time::sleep(idle), if !more => more = true,
        }
    }
    while let Some(finished) = busy.join_next().await {
        aborted(D::NAME, finished);
    }
}

/// Works on a piece while it is ours. A call may wait for its turn at a slow MOSIP for longer than any lease, so the lease
/// is prolonged meanwhile; where it cannot be, the work stops before somebody else takes it up.
async fn work<D: Desk>(desk: &D, item: D::Item, ends: Instant) -> Result<(), EngineError> {
    let held = D::held(&item);
    tokio::select! {
        done = desk.handle(item) => done,
        () = hold(desk.engine(), &held, ends) => Err(EngineError::LeaseEnded),
    }
}

/// Holds a lease that ends at this instant. Returns when it has ended.
async fn hold(engine: &Engine, held: &Held, mut ends: Instant) {
    let lease = engine.options().lease;
    let mut next = ends - lease / 3 * 2;
    while timeout_at(ends, sleep_until(next)).await.is_ok() {
        let asked = Instant::now();
        if let Ok(Ok(true)) = timeout_at(ends, engine.prolong(held)).await {
            ends = asked + lease;
        }
        next = asked + lease / 3;
    }
}

impl Engine {
    /// Moves the end of the lease of a row in hand; `false` if it is not ours any more.
    async fn prolong(&self, held: &Held) -> Result<bool, EngineError> {
        let ((lease, _), held) = (self.lease(), held.clone());
        let prolonged = self.journal().write(move |tx| {
            let (lease, held) = (lease.clone(), held.clone());
            Box::pin(async move { leases::prolong(tx, &held, &lease).await })
        });
        Ok(prolonged.await?)
    }
}

fn aborted(desk: &'static str, finished: Result<(), tokio::task::JoinError>) {
    if let Err(error) = finished {
        tracing::error!(desk, %error, "a piece of work was aborted; its lease will end");
    }
}

fn report(desk: &'static str, error: &EngineError) {
    metrics::counter!("civitas_desk_errors_total", "desk" => desk).increment(1);
    tracing::warn!(desk, error = error as &dyn std::error::Error, "a piece of work was put back");
}
