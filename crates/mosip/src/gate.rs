//! The way to each service: a place, a turn, and a circuit that is closed.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Admission, Circuit, Limits, Service,
    breaker::{Breaker, Health, Pass},
};

/// Lets calls through to one service.
struct Gate {
    service: Service,
    places: Semaphore,
    rate: Option<DefaultDirectRateLimiter>,
    breaker: Mutex<Breaker>,
    under_way: AtomicUsize,
    freed: Notify,
}

/// How the way to a service stands, in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceHealth {
    /// Which.
    pub service: Service,
    /// Its circuit.
    pub circuit: Circuit,
    /// When its circuit opened, if it is not wholly closed.
    pub since: Option<Timestamp>,
    /// Until when nothing is sent, if it is open.
    pub until: Option<Timestamp>,
    /// Calls under way.
    pub under_way: usize,
}

/// The gates of all services.
pub(crate) struct Gates {
    gates: Vec<Gate>,
    closed: CancellationToken,
}

impl Gates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let gate_of = |service| {
            let limit = limits.of(service);
            // The smallest burst: a service that bears 20/s does not bear 20 at once.
            let quota = |rate| Quota::per_second(rate).allow_burst(NonZeroU32::MIN);
            let concurrency = limit.concurrency.max(1);
            Gate {
                service,
                places: Semaphore::new(concurrency),
                rate: limit.per_second.map(|rate| RateLimiter::direct(quota(rate))),
                breaker: Mutex::new(Breaker::new(limits.breaking, concurrency)),
                under_way: AtomicUsize::new(0),
                freed: Notify::new(),
            }
        };
        Gates { gates: Service::ALL.into_iter().map(gate_of).collect(), closed: CancellationToken::new() }
    }

    /// Lets nobody through any more, and sends those away who wait.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    fn of(&self, service: Service) -> &Gate {
        let found = self.gates.iter().find(|gate| gate.service == service);
        // There is a gate for each service; the first stands in for one that was forgotten in `Service::ALL`.
        found.unwrap_or(&self.gates[0])
    }

    /// Waits for a place and for its turn. Refused, with the time until when, while the circuit is open; and at once when
    /// the gates close.
    pub(crate) async fn enter(&self, service: Service, now: Timestamp) -> Result<Entry<'_>, Timestamp> {
        let gate = self.of(service);
        // Before waiting for a turn: what is parked must not take turns from those that may go.
        if let Admission::Parked(until) = gate.breaker().admission(now) {
            return Err(until);
        }
        let (place, room) = self.closed.run_until_cancelled(gate.turn()).await.ok_or(now)?;
        // The circuit may have opened while this call waited.
        let pass = gate.breaker().admit(now)?;
        Ok(Entry { gate, pass, now, began: Instant::now(), settled: false, _room: room, _place: place })
    }

    /// What one may do with a service, without doing it.
    pub(crate) fn admission(&self, service: Service, now: Timestamp) -> Admission {
        self.of(service).breaker().admission(now)
    }

    pub(crate) fn health(&self, now: Timestamp) -> Vec<ServiceHealth> {
        self.gates
            .iter()
            .map(|gate| {
                let breaker = gate.breaker();
                let (since, until) = breaker.times();
                ServiceHealth {
                    service: gate.service,
                    circuit: breaker.circuit(now),
                    since,
                    until,
                    under_way: gate.under_way.load(Ordering::Acquire),
                }
            })
            .collect()
    }
}

impl Gate {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place, and for what the rate allows.
    async fn turn(&self) -> (Option<SemaphorePermit<'_>>, Room<'_>) {
        // The semaphore is never closed.
        let place = self.places.acquire().await.ok();
        let room = self.room().await;
        if let Some(rate) = &self.rate {
            rate.until_ready().await;
        }
        (place, room)
    }

    /// Takes one of the places that a recovering service is given.
    async fn room(&self) -> Room<'_> {
        loop {
            let freed = self.freed.notified();
            let width = self.breaker().width();
            let taken = self.under_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, |under_way| {
                (under_way < width).then_some(under_way + 1)
            });
            if taken.is_ok() {
                return Room(self);
            }
            freed.await;
        }
    }
}

/// A place at a service, also at one that recovers.
struct Room<'a>(&'a Gate);

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_waiters();
    }
}

/// A call that was let through. Its place is free again when this is dropped.
pub(crate) struct Entry<'a> {
    gate: &'a Gate,
    pass: Pass,
    now: Timestamp,
    began: Instant,
    settled: bool,
    _room: Room<'a>,
    _place: Option<SemaphorePermit<'a>>,
}

impl Entry<'_> {
    /// Whether this call is the one that tries a service that failed.
    pub(crate) fn tries(&self) -> bool {
        self.pass == Pass::Probe
    }

    /// Says how the service did.
    pub(crate) fn settle(&mut self, health: Health) {
        self.settled = true;
        let service = self.gate.service;
        // The caller's clock said when it began; how long it took is time as well.
        let took = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        let now = self.now.checked_add(took).unwrap_or(self.now);
        let (changed, circuit, until) = {
            let mut breaker = self.gate.breaker();
            let changed = breaker.settle(self.pass, health, now);
            (changed, breaker.circuit(now), breaker.times().1)
        };
        if !changed {
            return;
        }
        match (circuit, until) {
            (Circuit::Open, Some(until)) => {
                metrics::counter!("civitas_mosip_circuit_opened_total", "service" => service.as_str())
                    .increment(1);
                tracing::warn!(%service, %until, "the service fails; what is meant for it is parked");
            }
            (circuit, _) => tracing::info!(%service, circuit = circuit.as_str(), "the service answers again"),
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(Health::Silent);
        }
    }
}
