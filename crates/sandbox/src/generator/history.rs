//! Whole event documents with their past, about ten actions and 3 to 30 kB:
//! what a trigger posts, without a store behind it.

use super::life::{Correction, Expected, Life};
use super::{Generator, names, places, tracking_id};
use crate::entropy::{rng, uuid};
use crate::opencrvs::{Actor, Declaration, Document, OFFICE, REGISTRAR, Status, StoredAction};
use crate::time::iso;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;
use uuid::Uuid;

/// A document with a pending action.
#[derive(Debug, Clone)]
pub struct Generated {
    /// As it would be posted.
    pub document: Document,
    /// The pending action.
    pub action_id: Uuid,
    /// Type of the pending action.
    pub action_type: &'static str,
    /// What should come of it.
    pub expected: Expected,
}

impl Generated {
    /// The bytes of the trigger's body.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&self.document).unwrap_or_default()
    }
}

/// The review form, signature included.
pub(crate) fn review(rng: &mut StdRng) -> Declaration {
    Declaration::from_iter([
        (
            "review.comment".to_owned(),
            json!(names::pick(rng, &["ok", "checked \"twice\"", "সব ঠিক আছে", "vu et approuvé"])),
        ),
        ("review.signature".to_owned(), places::file(rng, "signature-review")),
    ])
}

/// Appends actions with their own ids, transactions and times.
struct Writer<'a> {
    rng: &'a mut StdRng,
    actor: Actor,
    at: Timestamp,
    actions: Vec<StoredAction>,
}

impl Writer<'_> {
    fn step(&mut self, seconds: i64) -> String {
        self.at = self.at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.at);
        iso(self.at)
    }

    fn action(&mut self, kind: &str, status: Status, transaction: Uuid, pause: i64) -> StoredAction {
        let at = self.step(pause);
        self.actor.sign(uuid(self.rng), kind, status, &transaction.to_string(), &at)
    }

    fn plain(&mut self, kind: &str) {
        let transaction = uuid(self.rng);
        let pause = self.rng.random_range(1..900);
        let mut action = self.action(kind, Status::Accepted, transaction, pause);
        if kind == "ASSIGN" {
            action.assigned_to = Some(self.actor.id.clone());
        }
        self.actions.push(action);
    }

    /// Requested, Accepted and UNASSIGN; the id of the Accepted one.
    fn pair(&mut self, kind: &str, declaration: Declaration, annotation: Declaration) -> Uuid {
        let transaction = uuid(self.rng);
        let mut asked = self.action(kind, Status::Requested, transaction, 60);
        asked.declaration = declaration;
        asked.annotation = Some(annotation);
        if kind == "CUSTOM" {
            asked.custom_action_type = Some("VALIDATE_DECLARATION".to_owned());
        }
        let mut accepted = self.action(kind, Status::Accepted, transaction, 1);
        accepted.original_action_id = Some(asked.id);
        accepted.custom_action_type.clone_from(&asked.custom_action_type);
        let id = accepted.id;
        let unassign = self.action("UNASSIGN", Status::Accepted, transaction, 0);
        self.actions.extend([asked, accepted, unassign]);
        id
    }
}

impl Generator {
    /// The document of a life at its registration, or, for a corrected birth
    /// with `nid`, at the approval of its correction; the pending action was
    /// created at `at`.
    pub fn document(&self, life: &Life, at: Timestamp, nid: Option<&str>) -> Generated {
        let mut rng = rng(self.seed(), 0x0D0C_0000_0000_0000 ^ life.index ^ (u64::from(nid.is_some()) << 40));
        let start = at.saturating_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(at);
        let actor = Actor {
            id: REGISTRAR.to_owned(),
            system: false,
            role: Some("LOCAL_REGISTRAR".to_owned()),
            office: Some(OFFICE.to_owned()),
        };
        let id = uuid(&mut rng);
        let mut writer = Writer { rng: &mut rng, actor, at: start, actions: Vec::new() };
        declare(&mut writer, life);
        let (pending, kind, expected) = match (&life.correction, nid) {
            (Some(correction), Some(nid)) => {
                (approve(&mut writer, life, correction, nid), "APPROVE_CORRECTION", correction.expected)
            }
            _ => (ask(&mut writer, "REGISTER", life.on_register.clone()), "REGISTER", life.expected),
        };
        let Writer { mut actions, .. } = writer;
        if let Some(last) = actions.last_mut() {
            last.created_at = iso(at);
        }
        let document = Document {
            id,
            kind: life.event.to_owned(),
            tracking_id: tracking_id(life.index * 2 + u64::from(nid.is_some())),
            created_at: iso(start),
            updated_at: iso(start),
            actions,
        };
        Generated { document, action_id: pending, action_type: kind, expected }
    }
}

fn declare(writer: &mut Writer<'_>, life: &Life) {
    writer.plain("CREATE");
    writer.plain("ASSIGN");
    if writer.rng.random_bool(0.2) {
        let part = life.declaration.iter().take(6).map(|(field, value)| (field.clone(), value.clone()));
        writer.pair("NOTIFY", part.collect(), Declaration::new());
        writer.plain("ASSIGN");
    }
    writer.pair("DECLARE", life.declaration.clone(), life.annotation.clone());
    // Some are edited over and over: the long tail of sizes.
    let edits = if writer.rng.random_bool(0.15) { writer.rng.random_range(1..5) } else { 0 };
    for _ in 0..edits {
        writer.plain("ASSIGN");
        writer.pair("EDIT", life.declaration.clone(), Declaration::new());
    }
    writer.plain("ASSIGN");
    if writer.rng.random_bool(0.4) {
        writer.pair("CUSTOM", Declaration::new(), Declaration::new());
        writer.plain("ASSIGN");
    }
    for _ in 0..writer.rng.random_range(0..3) {
        writer.plain("READ");
    }
}

fn ask(writer: &mut Writer<'_>, kind: &str, declaration: Declaration) -> Uuid {
    let transaction = uuid(writer.rng);
    let mut action = writer.action(kind, Status::Requested, transaction, 30);
    action.declaration = declaration;
    action.annotation = Some(Declaration::new());
    let id = action.id;
    writer.actions.push(action);
    id
}

/// Registered under its number, then corrected; the approval is pending.
fn approve(writer: &mut Writer<'_>, life: &Life, correction: &Correction, nid: &str) -> Uuid {
    writer.pair("REGISTER", life.on_register.clone(), Declaration::new());
    let number = format!("B{}", &uuid(writer.rng).simple().to_string()[..11].to_uppercase());
    let registered = writer.actions.iter_mut().rev().find(|action| action.kind == "REGISTER");
    if let Some(registered) = registered.filter(|action| action.status == Status::Accepted) {
        registered.registration_number = Some(number);
        if !nid.is_empty() {
            registered.declaration.insert("child.nid".into(), json!(nid));
        }
    }
    writer.plain("ASSIGN");
    let request =
        writer.pair("REQUEST_CORRECTION", correction.declaration.clone(), correction.annotation.clone());
    writer.plain("ASSIGN");
    let id = ask(writer, "APPROVE_CORRECTION", Declaration::new());
    if let Some(last) = writer.actions.last_mut() {
        last.request_id = Some(request);
        last.content = Some(json!({"immediateCorrection": true}));
    }
    id
}
