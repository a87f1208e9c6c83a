//! The fold on small histories: how requests, answers, corrections and nulls combine.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod reducers;

use civitas_opencrvs::{EventDocument, EventStatus, Map, Version};
use serde_json::{Value, json};
use uuid::Uuid;

/// An action id from a small number.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A history; each action gets its position as id and as minute.
fn event(actions: &[Value]) -> EventDocument {
    let actions: Vec<Value> = actions
        .iter()
        .enumerate()
        .map(|(index, action)| {
            let mut full = json!({
                "id": id(index as u128),
                "status": "Accepted",
                "createdAt": format!("2026-06-01T08:{index:02}:00.000Z"),
            });
            full.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
            full
        })
        .collect();
    let document = json!({
        "id": id(1000), "type": "birth", "trackingId": "ABC123",
        "createdAt": "2026-06-01T08:00:00.000Z", "updatedAt": "2026-06-01T08:00:00.000Z", "actions": actions,
    });
    EventDocument::parse(document.to_string().as_bytes()).unwrap()
}

fn map(value: &Value) -> Map {
    value.as_object().unwrap().clone()
}

#[track_caller]
fn folds(actions: &[Value], expected: &Value) {
    for version in [Version::V1_9, Version::V2_0] {
        assert_eq!(event(actions).current(version), map(expected), "{version}");
    }
}

#[test]
fn the_request_merges_on_its_own_before_the_answer() {
    folds(
        &[
            json!({"type": "DECLARE", "declaration": {"k": {"x": 1, "y": 2}}}),
            json!({"type": "REGISTER", "status": "Requested", "declaration": {"k": null}}),
            json!({"type": "REGISTER", "originalActionId": id(1), "declaration": {"k": {"z": 3}}}),
        ],
        &json!({"k": {"z": 3}}),
    );
}

#[test]
fn an_answer_adds_to_its_request() {
    folds(
        &[
            json!({"type": "DECLARE", "status": "Requested", "declaration": {"n": {"a": 1, "b": 2}, "o": 1, "l": [1]}}),
            json!({"type": "DECLARE", "originalActionId": id(0), "declaration": {"n": {"b": 3}, "l": [2]}}),
        ],
        &json!({"n": {"a": 1, "b": 3}, "o": 1, "l": [2]}),
    );
}

#[test]
fn requested_and_rejected_actions_do_not_count() {
    folds(
        &[
            json!({"type": "DECLARE", "declaration": {"a": 1}}),
            json!({"type": "REGISTER", "status": "Requested", "declaration": {"a": 2}}),
            json!({"type": "REGISTER", "status": "Rejected", "originalActionId": id(1)}),
        ],
        &json!({"a": 1}),
    );
}

#[test]
fn an_original_that_is_no_request_is_no_request() {
    folds(
        &[
            json!({"type": "DECLARE", "declaration": {"a": 1, "b": 1}}),
            json!({"type": "EDIT", "originalActionId": id(0), "declaration": {"a": 2}}),
            json!({"type": "EDIT", "originalActionId": id(77), "declaration": {"b": 2}}),
        ],
        &json!({"a": 2, "b": 2}),
    );
}

#[test]
fn a_correction_that_is_not_approved_changes_nothing() {
    folds(
        &[
            json!({"type": "DECLARE", "declaration": {"a": 1}}),
            json!({"type": "REQUEST_CORRECTION", "declaration": {"a": 2}}),
            json!({"type": "REJECT_CORRECTION", "requestId": id(1), "declaration": {"a": 3}}),
            json!({"type": "PRINT_CERTIFICATE", "declaration": {"a": 4}}),
        ],
        &json!({"a": 1}),
    );
}

#[test]
fn nulls_erase() {
    folds(
        &[
            json!({"type": "DECLARE", "declaration": {"a": 1, "n": {"x": 1, "y": 2}, "l": [null, 1]}}),
            json!({"type": "EDIT", "declaration": {"a": null, "n": {"x": null}}}),
        ],
        &json!({"n": {"y": 2}, "l": [null, 1]}),
    );
}

#[test]
fn a_lone_accepted_action_counts_as_a_pair_does() {
    folds(&[json!({"type": "DECLARE", "declaration": {"a": 1}})], &json!({"a": 1}));
}

#[test]
fn order_is_by_instant_and_stable() {
    folds(
        &[
            json!({"type": "EDIT", "createdAt": "2026-06-02T00:00:00.000Z", "declaration": {"a": "late"}}),
            json!({"type": "DECLARE", "createdAt": "2026-06-01T00:00:00.000Z", "declaration": {"a": "early", "b": 1}}),
            json!({"type": "EDIT", "createdAt": "2026-06-01T00:00:00.000Z", "declaration": {"b": 2}}),
        ],
        &json!({"a": "late", "b": 2}),
    );
}

fn corrected(own: &Value) -> EventDocument {
    event(&[
        json!({"type": "DECLARE", "declaration": {"name": {"first": "Ace", "middle": "D"}, "gone": 1}}),
        json!({"type": "REQUEST_CORRECTION", "status": "Requested",
               "declaration": {"name": {"first": "Acer", "middle": null}, "gone": null}}),
        json!({"type": "REQUEST_CORRECTION", "originalActionId": id(1)}),
        json!({"type": "APPROVE_CORRECTION", "status": "Requested", "requestId": id(2)}),
        json!({"type": "APPROVE_CORRECTION", "originalActionId": id(3), "requestId": id(2), "declaration": own}),
    ])
}

#[test]
fn an_approved_correction_applies_with_its_request() {
    for version in [Version::V1_9, Version::V2_0] {
        assert_eq!(corrected(&json!({})).current(version), map(&json!({"name": {"first": "Acer"}})));
    }
}

#[test]
fn what_an_approval_writes_itself_counts_from_2_0() {
    let event = corrected(&json!({"child.nid": "8031687218"}));
    assert!(!event.current(Version::V1_9).contains_key("child.nid"));
    assert_eq!(event.current(Version::V2_0)["child.nid"], "8031687218");
    assert_eq!(event.current(Version::V2_1)["child.nid"], "8031687218");
}

#[test]
fn an_approval_of_the_requested_twin_applies_nothing_at_all() {
    let event = event(&[
        json!({"type": "DECLARE", "declaration": {"a": 1}}),
        json!({"type": "REQUEST_CORRECTION", "status": "Requested", "declaration": {"a": 2}}),
        json!({"type": "REQUEST_CORRECTION", "originalActionId": id(1)}),
        json!({"type": "APPROVE_CORRECTION", "requestId": id(1), "declaration": {"child.nid": "1"}}),
    ]);
    assert_eq!(event.current(Version::V2_0), map(&json!({"a": 1})));
}

#[test]
fn a_pending_approval_with_its_own_declaration() {
    let event = event(&[
        json!({"type": "DECLARE", "declaration": {"a": 1}}),
        json!({"type": "REQUEST_CORRECTION", "status": "Requested", "declaration": {"a": 2}}),
        json!({"type": "REQUEST_CORRECTION", "originalActionId": id(1)}),
        json!({"type": "APPROVE_CORRECTION", "status": "Requested", "requestId": id(2), "declaration": {"b": 1}}),
    ]);
    let changed = |version| event.prospective(id(3), version).unwrap().changed;
    assert_eq!(changed(Version::V1_9), ["a"]);
    assert_eq!(changed(Version::V2_0), ["a", "b"]);
}

#[test]
fn edits_made_on_registering_are_in_the_prospect() {
    let event = event(&[
        json!({"type": "DECLARE", "declaration": {"a": 1, "b": 1, "c": null}}),
        json!({"type": "REGISTER", "status": "Requested", "declaration": {"a": 2, "b": null, "c": null, "d": 1}}),
    ]);
    let prospective = event.prospective(id(1), Version::V2_0).unwrap();
    assert_eq!(prospective.changed, ["a", "b", "d"], "erasing what is not there changes nothing");
    assert_eq!(*prospective.before, map(&json!({"a": 1, "b": 1})));
    assert_eq!(*prospective.after, map(&json!({"a": 2, "d": 1})));
}

#[test]
fn a_pending_correction_request_changes_nothing_yet() {
    let event = event(&[
        json!({"type": "DECLARE", "declaration": {"a": 1}}),
        json!({"type": "REQUEST_CORRECTION", "status": "Requested", "declaration": {"a": 2}}),
    ]);
    let prospective = event.prospective(id(1), Version::V2_0).unwrap();
    assert!(prospective.changed.is_empty());
    assert_eq!(*prospective.after, map(&json!({"a": 1})));
}

#[test]
fn content_is_inherited_from_the_request() {
    let event = event(&[
        json!({"type": "ARCHIVE", "status": "Requested", "content": {"reason": "twice", "x": 1}}),
        json!({"type": "ARCHIVE", "originalActionId": id(0), "content": {"x": 2}}),
    ]);
    assert_eq!(event.content(&event.actions[1]), map(&json!({"reason": "twice", "x": 2})));
}

#[test]
fn statuses_follow_accepted_actions() {
    let status =
        |kinds: &[&str]| event(&kinds.iter().map(|kind| json!({"type": kind})).collect::<Vec<_>>()).status();
    assert_eq!(status(&[]), EventStatus::Created);
    assert_eq!(status(&["CREATE", "NOTIFY"]), EventStatus::Notified);
    assert_eq!(status(&["CREATE", "DECLARE", "ASSIGN", "READ"]), EventStatus::Declared);
    assert_eq!(status(&["CREATE", "DECLARE", "VALIDATE"]), EventStatus::Validated);
    assert_eq!(status(&["CREATE", "DECLARE", "REGISTER", "PRINT_CERTIFICATE"]), EventStatus::Registered);
    assert_eq!(status(&["DECLARE", "REJECT", "ARCHIVE", "UNKNOWN"]), EventStatus::Archived);
}

#[test]
fn inherent_flags_rise_and_fall() {
    let flags = |kinds: &[&str]| {
        event(&kinds.iter().map(|kind| json!({"type": kind})).collect::<Vec<_>>()).flags().join(" ")
    };
    assert_eq!(flags(&["CREATE", "NOTIFY"]), "incomplete");
    assert_eq!(flags(&["NOTIFY", "DECLARE"]), "");
    assert_eq!(flags(&["DECLARE", "REJECT", "ASSIGN"]), "rejected");
    assert_eq!(flags(&["DECLARE", "REJECT", "EDIT"]), "edit-in-progress");
    assert_eq!(flags(&["DECLARE", "EDIT", "CUSTOM"]), "");
    assert_eq!(flags(&["DECLARE", "DUPLICATE_DETECTED"]), "potential-duplicate");
    assert_eq!(flags(&["DECLARE", "DUPLICATE_DETECTED", "MARK_AS_NOT_DUPLICATE"]), "");
    assert_eq!(flags(&["REGISTER", "REQUEST_CORRECTION", "PRINT_CERTIFICATE"]), "correction-requested");
    assert_eq!(flags(&["REGISTER", "REQUEST_CORRECTION", "APPROVE_CORRECTION"]), "");
    assert_eq!(flags(&["NOTIFY", "REJECT", "DUPLICATE_DETECTED"]), "incomplete rejected potential-duplicate");
}

#[test]
fn the_latest_action_of_a_type_decides_its_status_flag() {
    let event = event(&[
        json!({"type": "DECLARE"}),
        json!({"type": "REGISTER", "status": "Requested"}),
        json!({"type": "REGISTER", "status": "Rejected", "originalActionId": id(1)}),
        json!({"type": "CUSTOM", "status": "Requested", "customActionType": "A"}),
        json!({"type": "CUSTOM", "originalActionId": id(3)}),
        json!({"type": "READ", "status": "Requested"}),
        json!({"type": "PRINT_CERTIFICATE", "status": "Requested"}),
    ]);
    assert_eq!(event.flags(), ["register:rejected", "print_certificate:requested"]);
}
