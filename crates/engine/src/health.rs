//! How things stand outside: circuits of MOSIP's services, how many operations wait for an answer, and how OpenCRVS's
//! records compare with ours.

use std::{collections::HashMap, time::Duration};

use civitas_audit::NewLeaf;
use civitas_journal::{JournalError, circuits, operations, subscriptions};
use civitas_mosip::{Circuit, Service};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{Engine, EngineError, Queue, RecordsView, queue::QueueError, schedule::later};

/// How often a process says that a circuit is still not closed.
const SAY_AGAIN: Duration = Duration::from_secs(30);
/// After this silence of its process a circuit is no news any more.
const FORGET: Duration = Duration::from_mins(10);

/// A service of MOSIP that some process leaves alone at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceView {
    /// `packet_manager`, `workflow`, …
    pub service: String,
    /// `open` (nothing is sent), `half_open` (one call tries) or `recovering` (calls come back a few at a time).
    pub circuit: String,
    /// The process that finds it so.
    pub instance: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when nothing is sent.
    pub until: Option<Timestamp>,
}

/// How one of our topics at the hub stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopicView {
    /// The topic.
    pub topic: String,
    /// `requested`, `verified`, `denied`, `left` or `lost`.
    pub state: String,
    /// Why, where it is not verified.
    pub cause: Option<String>,
    /// When the hub verified it last.
    pub verified_at: Option<Timestamp>,
    /// Since when the hub counts as silent: MOSIP finished what it did not tell.
    pub silent_since: Option<Timestamp>,
    /// Answers that did not come by this topic since it was heard last.
    pub missed: u32,
}

/// How things stand outside: the way to MOSIP, and the records of OpenCRVS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outside {
    /// Services that are left alone; none when all is well.
    pub services: Vec<ServiceView>,
    /// Our topics at the hub.
    pub topics: Vec<TopicView>,
    /// How OpenCRVS's records compare with ours.
    pub records: RecordsView,
}

impl Outside {
    /// Whether anything here wants a person's eye.
    pub fn is_troubled(&self) -> bool {
        !self.services.is_empty()
            || self.topics.iter().any(|topic| topic.silent_since.is_some())
            || self.records.is_troubled()
    }
}

impl Queue {
    /// How the way to MOSIP stands, as all processes of this journal find it.
    pub async fn outside(&self) -> Result<Outside, QueueError> {
        let mut reader = self.journal().read().await?;
        let since = self.now().checked_sub(signed(FORGET)).unwrap_or(Timestamp::MIN);
        let services = circuits::live(&mut reader, since).await?;
        let topics = subscriptions::all(&mut reader).await?;
        drop(reader);
        let records = self.records().await?;
        Ok(Outside {
            records,
            services: services
                .into_iter()
                .map(|row| ServiceView {
                    service: row.service,
                    circuit: row.circuit,
                    instance: row.instance,
                    since: row.since,
                    until: row.until,
                })
                .collect(),
            topics: topics
                .into_iter()
                .map(|row| TopicView {
                    topic: row.topic,
                    state: row.state.as_str().to_owned(),
                    cause: row.cause,
                    verified_at: row.verified_at,
                    silent_since: row.silent_since,
                    missed: row.missed,
                })
                .collect(),
        })
    }
}

impl Engine {
    /// Tells journal, log and metrics how the circuits stand, and keeps count of what waits, until `stop`.
    pub(crate) async fn keep_watch(&self, stop: CancellationToken) {
        if !self.begins_watch() {
            return;
        }
        let mut told = HashMap::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.look_outside(&mut told).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the circuits were not recorded");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.options().idle_poll) => {}
            }
        }
    }

    async fn look_outside(
        &self,
        told: &mut HashMap<Service, (Circuit, Timestamp)>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        for health in self.mosip().health(now) {
            let service = health.service;
            metrics::gauge!("civitas_mosip_circuit", "service" => service.as_str())
                .set(level(health.circuit));
            let before = told.get(&service).copied();
            let unchanged = match before {
                None => health.circuit == Circuit::Closed,
                Some((circuit, at)) => circuit == health.circuit && now < later(at, SAY_AGAIN),
            };
            if unchanged {
                continue;
            }
            let row = circuits::Circuit {
                instance: self.options().instance.clone(),
                service: service.as_str().to_owned(),
                circuit: health.circuit.as_str().to_owned(),
                since: health.since.unwrap_or(now),
                until: health.until,
                seen_at: now,
            };
            let opened = before.is_none();
            let closed = health.circuit == Circuit::Closed;
            self.journal()
                .write(move |tx| {
                    let row = row.clone();
                    Box::pin(async move {
                        let said = match (opened, closed) {
                            (true, _) => Some("it fails, so that what is meant for it is parked"),
                            (_, true) => Some("it answers again, and what was parked goes on"),
                            _ => None,
                        };
                        if let Some(said) = said {
                            let mut leaf = NewLeaf::new("service", row.instance.as_str(), now);
                            leaf.reason = Some(format!("{}: {said}", row.service));
                            tx.append_audit(&[leaf]);
                        }
                        circuits::forget(tx, now.checked_sub(signed(FORGET)).unwrap_or(Timestamp::MIN))
                            .await?;
                        if closed {
                            circuits::remove(tx, &row.instance, &row.service).await
                        } else {
                            circuits::put(tx, &row).await
                        }
                    })
                })
                .await?;
            if closed {
                told.remove(&service);
                self.bells().sender.ring();
            } else {
                told.insert(service, (health.circuit, now));
            }
        }
        self.count_waiting().await?;
        Ok(())
    }

    async fn count_waiting(&self) -> Result<(), JournalError> {
        let mut reader = self.journal().read().await?;
        let waiting = operations::waiting(&mut reader).await?;
        self.set_waiting(waiting);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; operations are far below 2^53")]
        metrics::gauge!("civitas_operations_waiting").set(waiting as f64);
        Ok(())
    }
}

fn level(circuit: Circuit) -> f64 {
    match circuit {
        Circuit::Closed => 0.0,
        Circuit::Recovering => 1.0,
        Circuit::HalfOpen => 2.0,
        Circuit::Open => 3.0,
    }
}

fn signed(wait: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX)
}
