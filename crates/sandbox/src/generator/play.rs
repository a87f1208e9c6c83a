//! Playing a day against a sandbox: the clicks, and what became of them.

use super::Generator;
use super::day::{Day, Scheduled, Step};
use super::life::Life;
use crate::entropy::{lock, rng};
use crate::opencrvs::{Clicked, Declaration, OpenCrvs, Submission};
use jiff::tz::TimeZone;
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What a day came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayReport {
    /// `REGISTER accepted`, `REGISTER awaiting`, `APPROVE_CORRECTION conflict`, … to count.
    pub clicks: BTreeMap<String, u64>,
    /// The record of each life that was declared.
    pub records: BTreeMap<u64, Uuid>,
}

struct Player {
    opencrvs: OpenCrvs,
    generator: Generator,
    day: Day,
    lives: Mutex<HashMap<u64, (Uuid, Life)>>,
    report: Mutex<DayReport>,
}

/// Plays the day at the sandbox's speed; returns after the last click.
pub async fn play(opencrvs: &OpenCrvs, generator: &Generator, day: &Day) -> DayReport {
    let player = Arc::new(Player {
        opencrvs: opencrvs.clone(),
        generator: generator.clone(),
        day: day.clone(),
        lives: Mutex::default(),
        report: Mutex::default(),
    });
    let clerks = Arc::new(Semaphore::new(day.clerks.max(1)));
    let mut work = JoinSet::new();
    let pace = &opencrvs.core.pace;
    let opened = tokio::time::Instant::now();
    for click in day.plan(generator) {
        tokio::time::sleep_until(opened + pace.real(click.at)).await;
        let (player, clerks) = (Arc::clone(&player), Arc::clone(&clerks));
        work.spawn(async move { player.click(click, &clerks).await });
        while work.try_join_next().is_some() {}
    }
    while work.join_next().await.is_some() {}
    lock(&player.report).clone()
}

impl Player {
    async fn click(&self, click: Scheduled, clerks: &Semaphore) {
        // A registration whose declaration is still being sent waits; so does a
        // correction of what is not yet registered.
        for _ in 0..=self.day.patience {
            let Ok(desk) = clerks.acquire().await else { return };
            let done = match click.step {
                Step::Declare => self.declare(click.life).await,
                Step::Register => self.register(click.life).await,
                Step::Correct => self.correct(click.life).await,
            };
            drop(desk);
            if done {
                return;
            }
            let pause = self.opencrvs.core.pace.real(self.day.hours / 100);
            tokio::time::sleep(pause.max(Duration::from_millis(5))).await;
        }
        self.count(&format!("{:?}", click.step), "given up");
    }

    async fn declare(&self, index: u64) -> bool {
        let core = &self.opencrvs.core;
        let today = core.now().to_zoned(TimeZone::UTC).date();
        let mut life = self.generator.life(index, today);
        self.infant(&mut life);
        let record = self.opencrvs.create(life.event);
        let mut submission = Submission::new("DECLARE").with(life.declaration.clone());
        submission.annotation = Some(life.annotation.clone());
        let click = self.opencrvs.submit(record, submission).await;
        self.count("DECLARE", word(&click.outcome));
        lock(&self.report).records.insert(index, record);
        lock(&self.lives).insert(index, (record, life));
        true
    }

    async fn register(&self, index: u64) -> bool {
        let Some((record, life)) = lock(&self.lives).get(&index).cloned() else { return false };
        self.opencrvs.assign(record);
        let click = self.opencrvs.submit(record, Submission::new("REGISTER").with(life.on_register)).await;
        // Not declared yet: the registrar finds it later.
        if matches!(click.outcome, Clicked::Conflict { .. }) {
            return false;
        }
        self.count("REGISTER", word(&click.outcome));
        true
    }

    async fn correct(&self, index: u64) -> bool {
        let Some((record, life)) = lock(&self.lives).get(&index).cloned() else { return false };
        let Some(correction) = life.correction else { return true };
        if self.opencrvs.status(record) != Some("REGISTERED") {
            return false;
        }
        self.opencrvs.assign(record);
        let mut request = Submission::new("REQUEST_CORRECTION").with(correction.declaration);
        request.annotation = Some(correction.annotation);
        request.keep_assignment = true;
        let asked = self.opencrvs.submit(record, request).await;
        self.count("REQUEST_CORRECTION", word(&asked.outcome));
        match asked.outcome {
            Clicked::Accepted => {}
            Clicked::Awaiting if self.answered(record).await => self.opencrvs.assign(record),
            _ => return true,
        }
        let mut approve = Submission::new("APPROVE_CORRECTION");
        approve.content = Some(json!({"immediateCorrection": true}));
        let click = self.opencrvs.submit(record, approve).await;
        self.count("APPROVE_CORRECTION", word(&click.outcome));
        true
    }

    /// Waits until nothing of the record is pending; false when that takes longer than any registrar waits.
    async fn answered(&self, record: Uuid) -> bool {
        for _ in 0..600 {
            if self.opencrvs.pending(record).is_empty() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Now and then the deceased is a child that got its VID today.
    fn infant(&self, life: &mut Life) {
        let mut rng = rng(self.generator.seed(), 0x1F_0000_0000 ^ life.index);
        if life.subject.is_none() || !rng.random_bool(self.day.infant_deaths.clamp(0.0, 1.0)) {
            return;
        }
        let born: Vec<Uuid> = {
            let lives = lock(&self.lives);
            let mut births: Vec<_> = lives.values().filter(|(_, life)| life.event == "birth").collect();
            births.sort_by_key(|(_, life)| life.index);
            births.iter().map(|(record, _)| *record).collect()
        };
        let nid = born.iter().rev().take(50).find_map(|record| nid(&self.opencrvs, *record));
        if let Some(nid) = nid {
            life.declaration.insert("deceased.nid".into(), json!(nid));
            life.subject = Some(nid);
        }
    }

    fn count(&self, what: &str, how: &str) {
        *lock(&self.report).clicks.entry(format!("{what} {how}")).or_default() += 1;
    }
}

/// The `child.nid` that a record was given.
fn nid(opencrvs: &OpenCrvs, record: Uuid) -> Option<String> {
    let document = opencrvs.document(record)?;
    let declared =
        |declaration: &Declaration| declaration.get("child.nid").and_then(Value::as_str).map(str::to_owned);
    document.actions.iter().rev().find_map(|action| declared(&action.declaration))
}

fn word(outcome: &Clicked) -> &'static str {
    match outcome {
        Clicked::Accepted => "accepted",
        Clicked::Awaiting => "awaiting",
        Clicked::Rejected => "rejected",
        Clicked::Frozen { .. } => "frozen",
        Clicked::Repeated => "repeated",
        Clicked::Conflict { .. } => "conflict",
        Clicked::Unknown => "unknown",
    }
}
