//! Which processes decide, by which rule set: each says so in the journal, since each reads a folder of its own.

use std::{collections::BTreeSet, time::Duration};

use civitas_journal::deciders::{self, Decider};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Ask, DeciderView, Refused, Trigger};
use crate::{Engine, EngineError, Queue, queue::QueueError};

/// How often a process says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Who said nothing for so long is not counted.
const SILENT: SignedDuration = SignedDuration::from_secs(70);

/// Who said nothing for so long was killed, and is taken out.
const GONE: SignedDuration = SignedDuration::from_hours(24);

impl Engine {
    /// Notes that this process decides from now on, by the pack that it was started with: audit leaf, metric, and
    /// its entry among the deciders. `before` is the rule set that decided last on this journal.
    /// `refused`: why the pack in the folder does not decide, where an archived one does in its place.
    pub async fn begin_deciding(
        &self,
        before: Option<String>,
        refused: Option<Refused>,
    ) -> Result<(), EngineError> {
        let (pack, ask) = (self.pack(), Ask::by_itself(Trigger::Start));
        self.begin(&pack, before, &ask).await?;
        {
            let mut state = self.swaps().state();
            state.since = self.now();
            state.decides = true;
        }
        if let Some(refused) = refused {
            self.note_refused(refused, &ask).await;
        } else {
            self.show_rule_set();
            self.say_what_decides().await;
        }
        Ok(())
    }

    /// Says again and again what decides here, until `stop`; then takes this process out.
    pub async fn keep_deciding(&self, stop: CancellationToken) {
        let mut apart = 0_u32;
        loop {
            tokio::select! {
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = stop.cancelled() => break,
            }
            self.say_what_decides().await;
            let Ok(live) = self.queue().deciders().await else { continue };
            let sets = live.iter().map(|decider| decider.ruleset.as_str()).collect::<BTreeSet<_>>().len();
            metrics::gauge!("civitas_rulesets_deciding").set(u32::try_from(sets).unwrap_or(u32::MAX));
            // Once is a rollout under way, twice is worth a word.
            apart = if sets > 1 { apart.saturating_add(1) } else { 0 };
            if apart == 2 {
                let who: Vec<_> =
                    live.iter().map(|d| format!("{} runs {}", d.instance, short(&d.ruleset))).collect();
                tracing::warn!(
                    processes = who.join(", "),
                    "processes on this journal decide by different rule sets"
                );
            }
        }
        let instance = self.options().instance.clone();
        let removed = self
            .journal()
            .write(move |tx| {
                let instance = instance.clone();
                Box::pin(async move { deciders::remove(tx, &instance).await })
            })
            .await;
        if let Err(error) = removed {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "this process is still listed as deciding"
            );
        }
    }

    /// What a failure leaves out is said the next time.
    pub(super) async fn say_what_decides(&self) {
        let view = self.pack_view();
        if !self.swaps().state().decides {
            return;
        }
        let now = self.now();
        let decider = Decider {
            instance: view.instance.clone(),
            ruleset: view.digest.clone(),
            since: view.since,
            seen_at: now,
            refused: view.refused().map(|last| last.outcome.as_str().to_owned()),
        };
        let said = self
            .journal()
            .write(move |tx| {
                let decider = decider.clone();
                Box::pin(async move {
                    deciders::forget(tx, back(now, GONE)).await?;
                    deciders::put(tx, &decider).await
                })
            })
            .await;
        if let Err(error) = said {
            tracing::debug!(error = &error as &dyn std::error::Error, "what decides here was not said");
        }
    }

    /// The running rule set as a metric; one that ran before is set to 0.
    pub(super) fn show_rule_set(&self) {
        let pack = self.pack();
        let digest = pack.digest().to_owned();
        let before = self.swaps().state().shown.replace(digest.clone());
        if let Some(before) = before.filter(|before| *before != digest) {
            metrics::gauge!("civitas_ruleset_info", "digest" => before).set(0);
        }
        metrics::gauge!("civitas_ruleset_info", "digest" => digest).set(1);
    }
}

impl Queue {
    /// The processes that decide on this journal, by name.
    pub async fn deciders(&self) -> Result<Vec<DeciderView>, QueueError> {
        let mut reader = self.journal().read().await?;
        let live = deciders::live(&mut reader, back(self.now(), SILENT)).await?;
        let view = |decider: Decider| DeciderView {
            instance: decider.instance,
            ruleset: decider.ruleset,
            since: decider.since,
            refused: decider.refused,
        };
        Ok(live.into_iter().map(view).collect())
    }
}

fn back(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
