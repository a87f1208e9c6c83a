//! One attempt, from the folder to the rule set that decides.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use civitas_audit::NewLeaf;
use civitas_journal::rule_sets;
use civitas_rules::Pack;

use super::{
    Ask, Attempt, Examined, Look, Outcome, PackSource, Refused, Took, Trigger,
    examine::{examine, millis},
    restart,
};
use crate::{Engine, EngineError};

/// Between two readings of the folder, which must agree: files that are being exchanged are never mixed.
const BETWEEN_READINGS: Duration = Duration::from_millis(20);

/// Readings until a folder that changes all the time is given up.
const READINGS: usize = 100;

impl Engine {
    /// Reads the pack's folder now and takes what is in it, if nothing speaks against it. `None` where this process
    /// reads no folder.
    pub async fn reload_pack(&self, ask: Ask) -> Option<Attempt> {
        let source = self.swaps().source.get()?;
        let _turn = self.swaps().turn.lock().await;
        let begun = Instant::now();
        let look = steady(source).await;
        Some(self.attempt(look, &ask, millis(begun)).await)
    }

    /// The same with what the watch has seen unchanged for a while, unless somebody else had it taken meanwhile.
    pub(super) async fn take_settled(&self, look: Look) {
        let _turn = self.swaps().turn.lock().await;
        if self.is_new(&look) {
            self.attempt(look, &Ask::by_itself(Trigger::Watch), 0.0).await;
        }
    }

    /// Whether this is not what was tried last.
    pub(super) fn is_new(&self, seen: &Look) -> bool {
        self.swaps().state().tried.as_ref() != Some(seen)
    }

    async fn attempt(&self, look: Look, ask: &Ask, read: f64) -> Attempt {
        let old = self.pack();
        let shared = Arc::new(look);
        let (files, running) = (Arc::clone(&shared), Arc::clone(&old));
        let examined = tokio::task::spawn_blocking(move || admissible(&files, &running)).await;
        let result = match examined {
            Ok(Ok(examined)) => self.take(&old, examined, ask).await,
            Ok(Err(refused)) => Err(refused),
            // A pack that makes the compiler panic is refused like any other.
            Err(_) => Err(panicked()),
        };
        let attempt = self.told(&old, ask, result, read);
        let before = {
            let mut state = self.swaps().state();
            let before = state.last.replace(attempt.clone());
            // What the journal did not take is tried again.
            let again = attempt.outcome == Outcome::JournalFailed;
            state.tried = if again { None } else { Arc::into_inner(shared).or_else(|| state.tried.take()) };
            before
        };
        // A journal that is down is tried again and again, and said once.
        let still =
            |last: &Attempt| last.outcome == attempt.outcome && last.outcome == Outcome::JournalFailed;
        self.witness_attempt(&attempt, ask, before.as_ref().is_some_and(still)).await;
        attempt
    }

    /// What was refused at the start.
    pub(super) async fn note_refused(&self, refused: Refused, ask: &Ask) {
        let attempt = self.told(&self.pack(), ask, Err(refused), 0.0);
        self.swaps().state().last = Some(attempt.clone());
        self.witness_attempt(&attempt, ask, false).await;
    }

    /// Archive, leaf and change-over: a decision is never older than the archive that explains it.
    async fn take(&self, old: &Pack, examined: Examined, ask: &Ask) -> Result<Examined, Refused> {
        if old.digest() == examined.pack.digest() {
            return Ok(examined);
        }
        let begun = Instant::now();
        if let Err(error) = self.swap_for(examined.pack.clone(), ask).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a rule set could not be archived");
            let refused = Refused::new(Outcome::JournalFailed, Vec::new());
            let found = Some(examined.pack.digest().to_owned());
            return Err(Refused { found, cases: Some(examined.cases), took: examined.took, ..refused });
        }
        let took = Took { swap: millis(begun), ..examined.took };
        Ok(Examined { took, ..examined })
    }

    /// Replaces the rule set whole, whatever it changes. Events that were begun keep the one that they started with.
    pub async fn swap_pack(&self, pack: Pack) -> Result<(), EngineError> {
        self.swap_for(pack, &Ask::by_itself(Trigger::Start)).await
    }

    async fn swap_for(&self, pack: Pack, ask: &Ask) -> Result<(), EngineError> {
        let from = self.pack().digest().to_owned();
        self.begin(&pack, Some(from), ask).await?;
        let pack = Arc::new(pack);
        self.keep_at_hand(&pack);
        self.put_pack(pack);
        self.swaps().state().since = self.now();
        Ok(())
    }

    /// Archives a rule set and notes that it decides from now on, in one transaction with its leaf.
    pub(super) async fn begin(
        &self,
        pack: &Pack,
        from: Option<String>,
        ask: &Ask,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let mut leaf = NewLeaf::new("ruleset", ask.actor.clone(), now);
        leaf.from = from;
        leaf.to = Some(pack.digest().to_owned());
        leaf.ruleset = Some(pack.digest().to_owned());
        leaf.reason = Some(ask.said());
        let work = Arc::new((self.rule_set(pack), leaf));
        self.journal()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (rule_set, leaf) = &*work;
                    rule_sets::insert(tx, rule_set).await?;
                    rule_sets::begin(tx, &rule_set.digest, now).await?;
                    tx.append_audit(std::slice::from_ref(leaf));
                    Ok(())
                })
            })
            .await?;
        self.bells().outbox.ring();
        Ok(())
    }

    fn told(&self, before: &Pack, ask: &Ask, result: Result<Examined, Refused>, read: f64) -> Attempt {
        let (outcome, found, problems, more, cases, took) = match result {
            Ok(examined) => {
                let same = before.digest() == examined.pack.digest();
                let outcome = if same { Outcome::Unchanged } else { Outcome::Swapped };
                let found = Some(examined.pack.digest().to_owned());
                (outcome, found, Vec::new(), 0, Some(examined.cases), examined.took)
            }
            Err(refused) => {
                (refused.outcome, refused.found, refused.problems, refused.more, refused.cases, refused.took)
            }
        };
        Attempt {
            at: self.now(),
            trigger: ask.trigger,
            actor: ask.actor.clone(),
            outcome,
            running: self.pack().digest().to_owned(),
            found,
            problems,
            more,
            cases,
            took: Took { read, ..took },
        }
    }

    /// Log, metric, and the audit log where nothing was swapped: a swap has its leaf already.
    async fn witness_attempt(&self, attempt: &Attempt, ask: &Ask, said: bool) {
        let outcome = attempt.outcome;
        metrics::counter!("civitas_pack_reloads_total", "outcome" => outcome.as_str()).increment(1);
        let (trigger, actor) = (ask.trigger.as_str(), ask.actor.as_str());
        let (running, found) = (attempt.running.as_str(), attempt.found.as_deref());
        if outcome.runs() {
            let cases = attempt.cases;
            tracing::info!(
                outcome = outcome.as_str(),
                trigger,
                actor,
                running,
                cases,
                "country pack read anew"
            );
        } else if !said {
            let problems = attempt.problems_in_line();
            tracing::error!(
                outcome = outcome.as_str(),
                trigger,
                actor,
                running,
                found,
                problems,
                "country pack refused: {}; the rule set that ran goes on",
                outcome.sentence()
            );
        }
        self.show_rule_set();
        self.say_what_decides().await;
        if matches!(outcome, Outcome::Swapped | Outcome::JournalFailed) {
            return;
        }
        let mut leaf = NewLeaf::new("ruleset", ask.actor.clone(), attempt.at);
        leaf.ruleset = Some(attempt.running.clone());
        let places: Vec<String> = attempt.problems.iter().map(super::PackProblem::reference).collect();
        let places = if places.iter().all(String::is_empty) {
            String::new()
        } else {
            format!(" at {}", places.join(", "))
        };
        leaf.reason = Some(format!("{}; {}{places}", ask.said(), outcome.as_str()));
        if let Err(error) = self.witness(leaf).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an attempt at a swap was not recorded");
        }
    }
}

/// Everything that can be said of a pack before it is taken.
fn admissible(look: &Look, running: &Pack) -> Result<Examined, Refused> {
    let examined = examine(look)?;
    let reasons = restart::needed(running, &examined.pack);
    if reasons.is_empty() {
        return Ok(examined);
    }
    let found = Some(examined.pack.digest().to_owned());
    let refused = Refused::new(Outcome::RestartNeeded, reasons);
    Err(Refused { found, cases: Some(examined.cases), took: examined.took, ..refused })
}

fn panicked() -> Refused {
    let message = "the pack made the compiler fail; `civitas country check` shows where".to_owned();
    let whole = super::PackProblem { file: String::new(), line: 0, column: 0, code: None, message };
    Refused::new(Outcome::Invalid, vec![whole])
}

/// Reads until two readings in a row agree.
async fn steady(source: &PackSource) -> Look {
    let mut before = look(source).await;
    for _ in 0..READINGS {
        tokio::time::sleep(BETWEEN_READINGS).await;
        let again = look(source).await;
        if again == before {
            return again;
        }
        before = again;
    }
    Err("the folder changes all the time: nothing in it could be read whole".to_owned())
}

/// One reading, off the runtime's threads.
pub(super) async fn look(source: &PackSource) -> Look {
    let source = Arc::clone(source);
    let read = tokio::task::spawn_blocking(move || source()).await;
    read.unwrap_or_else(|_| Err("reading the folder failed".to_owned()))
}
