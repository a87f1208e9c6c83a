//! One record: its actions, what follows from them, and what the search index
//! knows of it, which is not always the same.

use super::action::{Document, Status, StoredAction};
use jiff::Timestamp;
use uuid::Uuid;

/// Actions that flags ignore.
const META: [&str; 3] = ["ASSIGN", "UNASSIGN", "READ"];

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) document: Document,
    pub(crate) assigned_to: Option<String>,
    /// An unknown field id was written: search encoding throws from now on.
    pub(crate) corrupt: bool,
    index: Index,
}

/// What search sees: a prefix of the actions. Writes are not version-checked:
/// the last one wins, be it older than what it replaces.
#[derive(Debug, Clone, Default)]
struct Index {
    seen: Option<usize>,
    coming: Vec<(Timestamp, usize)>,
}

impl Record {
    pub(crate) fn new(mut document: Document) -> Self {
        document.actions.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        let assigned_to = document.actions.iter().fold(None, |held, action| match action.kind.as_str() {
            "ASSIGN" => action.assigned_to.clone(),
            "UNASSIGN" => None,
            _ => held,
        });
        Self { document, assigned_to, corrupt: false, index: Index::default() }
    }

    pub(crate) fn find(&self, action: Uuid) -> Option<&StoredAction> {
        self.document.actions.iter().find(|candidate| candidate.id == action)
    }

    /// The Accepted or Rejected action that answers a Requested one.
    pub(crate) fn answer(&self, action: Uuid) -> Option<&StoredAction> {
        self.document.actions.iter().find(|candidate| candidate.original_action_id == Some(action))
    }

    /// Requested actions without an answer: while there is one, the record is frozen.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &StoredAction> {
        self.document
            .actions
            .iter()
            .filter(|action| action.status == Status::Requested && self.answer(action.id).is_none())
    }

    pub(crate) fn registration_number(&self) -> Option<&str> {
        self.document
            .actions
            .iter()
            .rev()
            .filter(|action| action.status == Status::Accepted)
            .find_map(|action| action.registration_number.as_deref())
    }

    /// Writes the first `actions` actions to the search index, visible from `at` on.
    pub(crate) fn index(&mut self, actions: usize, at: Timestamp) {
        self.index.coming.push((at, actions));
    }

    /// The actions that search knows at `now`.
    pub(crate) fn searchable(&mut self, now: Timestamp) -> Option<&[StoredAction]> {
        let index = &mut self.index;
        index.coming.retain(|(at, actions)| {
            let due = *at <= now;
            if due {
                index.seen = Some(*actions);
            }
            !due
        });
        let seen = index.seen?;
        self.document.actions.get(..seen)
    }
}

/// Status fold over Accepted actions.
pub(crate) fn status(actions: &[StoredAction]) -> &'static str {
    actions.iter().filter(|action| action.status == Status::Accepted).fold("CREATED", |status, action| {
        match action.kind.as_str() {
            "CREATE" => "CREATED",
            "NOTIFY" => "NOTIFIED",
            "DECLARE" => "DECLARED",
            "REGISTER" => "REGISTERED",
            "ARCHIVE" => "ARCHIVED",
            _ => status,
        }
    })
}

/// Flags: action status first, then the inherent ones.
pub(crate) fn flags(actions: &[StoredAction]) -> Vec<String> {
    let mut latest: Vec<&StoredAction> = Vec::new();
    for action in actions.iter().filter(|action| !META.contains(&action.kind.as_str())) {
        match latest.iter_mut().find(|seen| seen.kind == action.kind) {
            Some(seen) => *seen = action,
            None => latest.push(action),
        }
    }
    let mut flags: Vec<String> = latest
        .iter()
        .filter(|action| action.status != Status::Accepted)
        .map(|action| {
            let status = if action.status == Status::Requested { "requested" } else { "rejected" };
            format!("{}:{status}", action.kind.to_lowercase())
        })
        .collect();
    flags.extend(inherent(actions).into_iter().map(str::to_owned));
    flags
}

fn inherent(actions: &[StoredAction]) -> Vec<&'static str> {
    const TABLE: [(&str, &[&str], &[&str]); 5] = [
        ("correction-requested", &["REQUEST_CORRECTION"], &["APPROVE_CORRECTION", "REJECT_CORRECTION"]),
        ("incomplete", &["NOTIFY"], &["CREATE", "DECLARE", "REGISTER", "ARCHIVE"]),
        ("rejected", &["REJECT"], &["NOTIFY", "DECLARE", "EDIT", "REGISTER"]),
        ("potential-duplicate", &["DUPLICATE_DETECTED"], &["MARK_AS_DUPLICATE", "MARK_AS_NOT_DUPLICATE"]),
        ("edit-in-progress", &["EDIT"], &[]),
    ];
    let accepted = || actions.iter().filter(|action| action.status == Status::Accepted);
    TABLE
        .iter()
        .filter(|(flag, on, off)| {
            accepted().fold(false, |raised, action| {
                let kind = action.kind.as_str();
                if on.contains(&kind) {
                    true
                } else if *flag == "edit-in-progress" {
                    raised && META.contains(&kind)
                } else {
                    raised && !off.contains(&kind)
                }
            })
        })
        .map(|(flag, ..)| *flag)
        .collect()
}

/// Why core would answer 409 to this action, if it would.
pub(crate) fn unavailable(actions: &[StoredAction], kind: &str) -> Option<String> {
    let flags = flags(actions);
    let has = |flag: &str| flags.iter().any(|raised| raised == flag);
    let filtered = !matches!(kind, "DECLARE" | "NOTIFY");
    if filtered && let Some(requested) = flags.iter().find(|flag| flag.ends_with(":requested")) {
        return Some(requested.clone());
    }
    if has("potential-duplicate") && matches!(kind, "REGISTER" | "EDIT") {
        return Some("potential-duplicate".to_owned());
    }
    if has("correction-requested") && matches!(kind, "PRINT_CERTIFICATE" | "REQUEST_CORRECTION") {
        return Some("correction-requested".to_owned());
    }
    if has("rejected") && !matches!(kind, "NOTIFY" | "CUSTOM" | "EDIT" | "ARCHIVE" | "DECLARE") {
        return Some("rejected".to_owned());
    }
    let status = status(actions);
    let wrong = match kind {
        "DECLARE" | "NOTIFY" => !matches!(status, "CREATED" | "NOTIFIED"),
        "REGISTER" => status != "DECLARED" && !has("edit-in-progress"),
        "REQUEST_CORRECTION" | "APPROVE_CORRECTION" | "REJECT_CORRECTION" | "PRINT_CERTIFICATE" => {
            status != "REGISTERED"
        }
        _ => false,
    };
    let unasked = matches!(kind, "APPROVE_CORRECTION" | "REJECT_CORRECTION") && !has("correction-requested");
    (wrong || unasked).then(|| format!("status {status}"))
}

#[cfg(test)]
mod tests {
    use super::super::action::Actor;
    use super::*;

    fn actions(list: &[(&str, Status)]) -> Vec<StoredAction> {
        let actor = Actor { id: "u".into(), system: false, role: None, office: None };
        list.iter()
            .enumerate()
            .map(|(place, (kind, status))| {
                actor.sign(Uuid::from_u128(place as u128), kind, *status, "t", "2026")
            })
            .collect()
    }

    #[test]
    fn a_requested_registration_freezes_everything_but_declaring() {
        use Status::{Accepted, Requested};
        let log = actions(&[("CREATE", Accepted), ("DECLARE", Accepted), ("REGISTER", Requested)]);
        assert_eq!(status(&log), "DECLARED");
        assert_eq!(flags(&log), ["register:requested"]);
        for kind in ["REGISTER", "ARCHIVE", "PRINT_CERTIFICATE", "REJECT", "CUSTOM", "EDIT"] {
            assert_eq!(unavailable(&log, kind).as_deref(), Some("register:requested"), "{kind}");
        }
    }

    #[test]
    fn a_rejected_registration_may_be_tried_again() {
        use Status::{Accepted, Rejected, Requested};
        let mut log = actions(&[("DECLARE", Accepted), ("REGISTER", Requested), ("REGISTER", Rejected)]);
        assert_eq!(flags(&log), ["register:rejected"]);
        assert_eq!(unavailable(&log, "REGISTER"), None);
        log.extend(actions(&[("REGISTER", Requested), ("REGISTER", Accepted)]));
        assert!(flags(&log).is_empty());
        assert_eq!(unavailable(&log, "REGISTER").as_deref(), Some("status REGISTERED"));
    }

    #[test]
    fn a_waiting_correction_shows_both_flags() {
        use Status::{Accepted, Requested};
        let log = actions(&[
            ("REGISTER", Accepted),
            ("REQUEST_CORRECTION", Requested),
            ("REQUEST_CORRECTION", Accepted),
            ("APPROVE_CORRECTION", Requested),
        ]);
        assert_eq!(flags(&log), ["approve_correction:requested", "correction-requested"]);
    }

    #[test]
    fn a_stale_index_write_wins() {
        let now = Timestamp::UNIX_EPOCH;
        let document = Document {
            id: Uuid::nil(),
            kind: "birth".into(),
            tracking_id: "ABC123".into(),
            created_at: String::new(),
            updated_at: String::new(),
            actions: actions(&[("CREATE", Status::Accepted), ("DECLARE", Status::Accepted)]),
        };
        let mut record = Record::new(document);
        assert!(record.searchable(now).is_none());
        record.index(2, now);
        record.index(1, now);
        assert_eq!(record.searchable(now).unwrap().len(), 1);
    }
}
