//! `POST /events/events/search` and `event.search`: from + size over an index
//! that lags, inside Elasticsearch's window of 10,000.

use super::action::{Document, Status, StoredAction};
use super::authorise;
use super::core::Core;
use super::record;
use super::tokens::Claims;
use super::trpc::{Code, Outcome, TrpcError};
use civitas_opencrvs::{EventDocument, Version};
use serde_json::{Value, json};

/// Elasticsearch's default `max_result_window`.
const WINDOW: u64 = 10_000;

/// Where the number of a registered record is searched.
const NUMBER: &str = "legalStatuses.REGISTERED.registrationNumber";

/// One index entry: what search returns and filters on.
struct Entry {
    value: Value,
    updated_at: String,
}

pub(crate) fn search(core: &Core, claims: &Claims, input: &Value) -> Outcome {
    let version = Version::from(core.tokens.regime);
    authorise::scope(core, claims, if version == Version::V1_9 { "recordsearch" } else { "record.search" })?;
    let limit = input["limit"].as_u64().unwrap_or(100);
    let offset = input["offset"].as_u64().unwrap_or(0);
    if offset + limit > WINDOW {
        return Err(TrpcError::internal("Result window is too large"));
    }
    let query = &input["query"];
    valid(query, version)?;
    let now = core.now();
    let mut rows = core.store.rows();
    rows.tally.searches += 1;
    let rows = &mut *rows;
    let mut found: Vec<Entry> = rows
        .order
        .iter()
        .filter_map(|id| {
            let record = rows.records.get_mut(id)?;
            let assigned = record.assigned_to.clone();
            let actions = record.searchable(now)?.len();
            let actions = &record.document.actions[..actions];
            let summary = Summary::of(&record.document, actions);
            matches(query, &summary, assigned.as_deref()).then(|| summary.entry(version, assigned.as_deref()))
        })
        .collect();
    sort(&mut found, &input["sort"]);
    let total = found.len();
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let results: Vec<Value> = found.into_iter().skip(skip).take(take).map(|entry| entry.value).collect();
    Ok(json!({"results": results, "total": total}))
}

/// What core's schema and its query builder refuse.
fn valid(query: &Value, version: Version) -> Result<(), TrpcError> {
    let bad = |what: &str| Err(TrpcError::new(Code::BadRequest, &format!("Input validation failed: {what}")));
    let Some(clauses) = query["clauses"].as_array().filter(|clauses| !clauses.is_empty()) else {
        return bad("query.clauses");
    };
    for clause in clauses {
        if clause["clauses"].is_array() {
            valid(clause, version)?;
            continue;
        }
        let Some(fields) = clause.as_object().filter(|fields| !fields.is_empty()) else {
            return bad("at least one query field must be specified");
        };
        for (key, wanted) in fields {
            let range = wanted["type"] == "range";
            match key.as_str() {
                "createdAt" | "updatedAt"
                    if range && (wanted["gte"].is_null() || wanted["lte"].is_null()) =>
                {
                    return bad("a range has both ends");
                }
                "flags" if version == Version::V1_9 && !plain_flags(wanted) => return bad("flags"),
                "id" | "eventType" | "status" | "trackingId" | "assignedTo" | "createdAt" | "updatedAt"
                | "flags" | NUMBER => {}
                // An unknown key passes the schema and is thrown upon.
                other => return Err(TrpcError::internal(&format!("Unsupported query field: {other}"))),
            }
        }
    }
    Ok(())
}

/// 1.9 takes action flags of its own types, its inherent ones, and no other; it knows no `allOf`.
fn plain_flags(wanted: &Value) -> bool {
    const KINDS: [&str; 16] = [
        "delete",
        "create",
        "notify",
        "declare",
        "validate",
        "register",
        "duplicate_detected",
        "reject",
        "mark_as_duplicate",
        "archive",
        "print_certificate",
        "request_correction",
        "reject_correction",
        "approve_correction",
        "read",
        "assign",
    ];
    const INHERENT: [&str; 5] =
        ["incomplete", "rejected", "correction-requested", "potential-duplicate", "pending-certification"];
    let known = |flag: &Value| {
        let flag = flag.as_str().unwrap_or_default();
        INHERENT.contains(&flag)
            || flag.split_once(':').is_some_and(|(kind, status)| {
                KINDS.contains(&kind) && matches!(status, "requested" | "accepted" | "rejected")
            })
    };
    ["anyOf", "noneOf"].iter().all(|how| wanted[how].as_array().is_none_or(|flags| flags.iter().all(known)))
}

struct Summary<'a> {
    document: &'a Document,
    actions: &'a [StoredAction],
    status: &'static str,
    flags: Vec<String>,
    updated: &'a StoredAction,
}

impl<'a> Summary<'a> {
    fn of(document: &'a Document, actions: &'a [StoredAction]) -> Self {
        let meta = |action: &&StoredAction| !matches!(action.kind.as_str(), "READ" | "ASSIGN" | "UNASSIGN");
        let updated = actions
            .iter()
            .rev()
            .filter(meta)
            .find(|action| action.status == Status::Accepted)
            .unwrap_or_else(|| &document.actions[0]);
        Self { document, actions, status: record::status(actions), flags: record::flags(actions), updated }
    }

    /// The requester of an accepted action, not its confirmer.
    fn requester(&self) -> &StoredAction {
        let original = self.updated.original_action_id;
        original.and_then(|id| self.actions.iter().find(|action| action.id == id)).unwrap_or(self.updated)
    }

    /// Who asked for the latest action of this type that is in force, and when it came to be.
    fn legal(&self, kind: &str) -> Option<Value> {
        let latest = |status| {
            let of = |action: &&StoredAction| action.kind == kind && action.status == status;
            self.actions.iter().rfind(of)
        };
        let accepted = latest(Status::Accepted)?;
        let asked = latest(Status::Requested).unwrap_or(accepted);
        let mut legal = json!({
            "createdAt": asked.created_at, "createdBy": asked.created_by,
            "createdByUserType": asked.created_by_user_type, "acceptedAt": accepted.created_at,
        });
        let more = [
            ("createdAtLocation", &asked.created_at_location),
            ("createdByRole", &asked.created_by_role),
            ("registrationNumber", &accepted.registration_number),
        ];
        for (key, text) in more {
            if let Some(text) = text {
                legal[key] = json!(text);
            }
        }
        Some(legal)
    }

    fn entry(&self, version: Version, assigned: Option<&str>) -> Entry {
        let requester = self.requester();
        let first = &self.document.actions[0];
        let mut value = json!({
            "id": self.document.id, "type": self.document.kind, "status": self.status,
            "trackingId": self.document.tracking_id,
            "createdAt": self.document.created_at, "createdBy": first.created_by,
            "createdByUserType": first.created_by_user_type,
            "updatedAt": self.updated.created_at, "updatedBy": requester.created_by,
            "updatedByUserRole": requester.created_by_role, "updatedAtLocation": requester.created_at_location,
            "assignedTo": assigned, "flags": self.flags,
            "potentialDuplicates": [], "legalStatuses": {}, "declaration": declaration(version, self.document, self.actions),
        });
        for (status, kind) in [("DECLARED", "DECLARE"), ("REGISTERED", "REGISTER")] {
            if let Some(legal) = self.legal(kind) {
                value["legalStatuses"][status] = legal;
            }
        }
        Entry { value, updated_at: self.updated.created_at.clone() }
    }
}

/// The current declaration of what the index has seen, nulls dropped.
fn declaration(version: Version, document: &Document, actions: &[StoredAction]) -> Value {
    let seen = Document { actions: actions.to_vec(), ..document.clone() };
    let parsed = serde_json::to_vec(&seen).ok().and_then(|bytes| EventDocument::parse(&bytes).ok());
    parsed.map_or(Value::Null, |event| Value::Object(event.current(version)))
}

fn matches(query: &Value, summary: &Summary<'_>, assigned: Option<&str>) -> bool {
    let Some(clauses) = query["clauses"].as_array() else { return false };
    if query["type"] == "or" {
        return clauses.iter().any(|clause| clause_matches(clause, summary, assigned));
    }
    clauses.iter().all(|clause| clause_matches(clause, summary, assigned))
}

fn clause_matches(clause: &Value, summary: &Summary<'_>, assigned: Option<&str>) -> bool {
    if clause["clauses"].is_array() {
        return matches(clause, summary, assigned);
    }
    let Some(clause) = clause.as_object() else { return false };
    clause.iter().all(|(key, wanted)| match key.as_str() {
        "eventType" => wanted == summary.document.kind.as_str(),
        "id" => term(wanted, &summary.document.id.to_string()),
        "trackingId" => term(wanted, &summary.document.tracking_id),
        "status" => term(wanted, summary.status),
        "assignedTo" => assigned.is_some_and(|assigned| term(wanted, assigned)),
        "updatedAt" => term(wanted, &summary.updated.created_at),
        "createdAt" => term(wanted, &summary.document.created_at),
        NUMBER => {
            let number = summary.actions.iter().find_map(|action| action.registration_number.as_deref());
            number.is_some_and(|number| term(wanted, number))
        }
        "flags" => {
            let has = |flag: &Value| summary.flags.iter().any(|raised| flag == raised.as_str());
            let any = wanted["anyOf"].as_array().is_none_or(|flags| flags.iter().any(has));
            let none = wanted["noneOf"].as_array().is_none_or(|flags| !flags.iter().any(has));
            any && none
        }
        _ => true,
    })
}

/// `"x"`, `{type: exact, term}`, `{type: anyOf, terms}` or `{type: range, gte, lte}`.
fn term(wanted: &Value, value: &str) -> bool {
    if let Some(text) = wanted.as_str() {
        return text == value;
    }
    match wanted["type"].as_str() {
        Some("anyOf") => {
            wanted["terms"].as_array().is_some_and(|terms| terms.iter().any(|term| term == value))
        }
        Some("range") => {
            let above = wanted["gte"].as_str().is_none_or(|from| value >= from);
            above && wanted["lte"].as_str().is_none_or(|until| value <= until)
        }
        _ => wanted["term"] == value,
    }
}

fn sort(found: &mut [Entry], order: &Value) {
    let Some(order) = order.as_array().and_then(|orders| orders.first()) else { return };
    let field = order["field"].as_str().unwrap_or("updatedAt").to_owned();
    let key = |entry: &Entry| match field.as_str() {
        "updatedAt" => entry.updated_at.clone(),
        other => entry.value[other].as_str().unwrap_or_default().to_owned(),
    };
    let descending = order["direction"] == "desc";
    found.sort_by(|a, b| {
        let ascending = key(a).cmp(&key(b));
        if descending { ascending.reverse() } else { ascending }
    });
}
