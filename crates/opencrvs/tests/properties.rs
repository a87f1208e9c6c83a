//! Laws of the fold, over generated histories.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use civitas_opencrvs::{EventDocument, Map, Version, deep_merge, drop_nulls};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[xyz]", inner), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn declaration() -> impl Strategy<Value = Map> {
    prop::collection::vec(("[abc]\\.[xy]", value()), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// A step of a history: an action asked for, and perhaps answered.
#[derive(Debug, Clone)]
struct Step {
    kind: &'static str,
    requested: Map,
    answer: Option<(bool, Map)>,
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = ["DECLARE", "EDIT", "REGISTER", "REQUEST_CORRECTION", "PRINT_CERTIFICATE", "CUSTOM", "NEWER"];
    let answer = prop_oneof![
        3 => declaration().prop_map(|own| Some((true, own))),
        1 => Just(Some((false, Map::new()))),
    ];
    (prop::sample::select(kinds.to_vec()), declaration(), answer).prop_map(|(kind, requested, answer)| Step {
        kind,
        requested,
        answer,
    })
}

fn action(number: usize, kind: &str, status: &str, declaration: &Map, more: &Value) -> Value {
    let mut action = json!({
        "id": Uuid::from_u128(number as u128), "type": kind, "status": status, "declaration": declaration,
        "createdAt": format!("2026-06-01T{:02}:{:02}:00.000Z", number / 60, number % 60),
    });
    action.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    action
}

/// The actions of a history, two per step.
fn history(steps: &[Step]) -> Vec<Value> {
    let mut actions = Vec::new();
    for step in steps {
        let number = actions.len();
        actions.push(action(number, step.kind, "Requested", &step.requested, &json!({})));
        if let Some((accepted, own)) = &step.answer {
            let status = if *accepted { "Accepted" } else { "Rejected" };
            let original = json!({ "originalActionId": Uuid::from_u128(number as u128) });
            actions.push(action(number + 1, step.kind, status, own, &original));
        }
    }
    actions
}

fn document(actions: &[Value]) -> EventDocument {
    let text = json!({
        "id": Uuid::from_u128(9999), "type": "birth", "trackingId": "ABC123", "actions": actions,
        "createdAt": "2026-06-01T00:00:00.000Z", "updatedAt": "2026-06-01T00:00:00.000Z",
    });
    EventDocument::parse(text.to_string().as_bytes()).unwrap()
}

/// The fold as it is written down, with clones for clarity: two full merges per answered action.
fn plain_fold(document: &EventDocument, version: Version) -> Map {
    let accepted = |id: Option<Uuid>| {
        let action = document.action(id?)?;
        (action.status.as_str() == "Accepted").then_some(action)
    };
    let apply = |state: &Map, action: &civitas_opencrvs::Action| {
        let request = action.original_action_id.and_then(|id| document.action(id));
        match request.filter(|request| request.status.as_str() == "Requested") {
            None => deep_merge(state, &action.declaration),
            Some(request) => {
                let full = deep_merge(&deep_merge(&Map::new(), &request.declaration), &action.declaration);
                deep_merge(&deep_merge(state, &request.declaration), &full)
            }
        }
    };
    let mut state = Map::new();
    for action in document.actions.iter().filter(|action| action.status.as_str() == "Accepted") {
        match action.kind.as_str() {
            "REQUEST_CORRECTION" | "PRINT_CERTIFICATE" | "REJECT_CORRECTION" => {}
            "APPROVE_CORRECTION" => {
                let Some(request) = accepted(action.request_id) else { continue };
                state = apply(&state, request);
                if version != Version::V1_9 {
                    state = apply(&state, action);
                }
            }
            _ => state = apply(&state, action),
        }
    }
    let Value::Object(state) = drop_nulls(&Value::Object(state)) else { unreachable!() };
    state
}

/// A history that ends in an approval of its first accepted correction, if it has one.
fn with_approval(steps: &[Step], own: &Map, accepted: bool) -> Vec<Value> {
    let mut actions = history(steps);
    let correction = actions
        .iter()
        .find(|action| action["type"] == "REQUEST_CORRECTION" && action["status"] == "Accepted")
        .map_or(Value::Null, |action| action["id"].clone());
    let number = actions.len();
    actions.push(action(number, "APPROVE_CORRECTION", "Requested", own, &json!({ "requestId": correction })));
    if accepted {
        let original =
            json!({ "requestId": correction, "originalActionId": Uuid::from_u128(number as u128) });
        actions.push(action(number + 1, "APPROVE_CORRECTION", "Accepted", &Map::new(), &original));
    }
    actions
}

proptest! {
    #[test]
    fn merging_twice_is_merging_once(prev in declaration(), next in declaration()) {
        let once = deep_merge(&prev, &next);
        prop_assert_eq!(&deep_merge(&once, &next), &once);
        prop_assert_eq!(&deep_merge(&next, &next), &next);
        prop_assert_eq!(&deep_merge(&Map::new(), &next), &next);
        prop_assert_eq!(&deep_merge(&prev, &Map::new()), &prev);
    }

    #[test]
    fn dropping_nulls_is_final(value in value()) {
        let dropped = drop_nulls(&value);
        prop_assert_eq!(&drop_nulls(&dropped), &dropped);
    }

    #[test]
    fn the_fold_is_the_one_written_down(steps in prop::collection::vec(step(), 0..8), own in declaration()) {
        for version in [Version::V1_9, Version::V2_0] {
            let event = document(&with_approval(&steps, &own, true));
            prop_assert_eq!(event.current(version), plain_fold(&event, version));
        }
    }

    #[test]
    fn accepting_the_pending_action_makes_its_prospect_current(
        steps in prop::collection::vec(step(), 0..6),
        last in step(),
    ) {
        let mut steps = steps;
        steps.push(Step { answer: None, ..last.clone() });
        let waiting = document(&history(&steps));
        let pending = waiting.find_pending().unwrap().action.id;
        let version = Version::V2_0;
        let prospective = waiting.prospective(pending, version).unwrap();
        prop_assert_eq!(&*prospective.before, &waiting.current(version));

        if let Some(step) = steps.last_mut() {
            step.answer = Some((true, Map::new()));
        }
        let accepted = document(&history(&steps));
        prop_assert_eq!(&*prospective.after, &accepted.current(version));
        prop_assert!(accepted.find_pending().is_err());

        for (id, differs) in prospective.before.keys().chain(prospective.after.keys()).map(|id| {
            (id, prospective.before.get(id) != prospective.after.get(id))
        }) {
            prop_assert_eq!(prospective.changed.contains(id), differs);
        }
    }

    #[test]
    fn accepting_a_pending_approval_makes_its_prospect_current(
        steps in prop::collection::vec(step(), 0..6),
        own in declaration(),
    ) {
        for version in [Version::V1_9, Version::V2_0] {
            let waiting = document(&with_approval(&steps, &own, false));
            let pending = waiting.pending("APPROVE_CORRECTION").unwrap().action.id;
            let prospective = waiting.prospective(pending, version).unwrap();
            let accepted = document(&with_approval(&steps, &own, true));
            prop_assert_eq!(&*prospective.after, &accepted.current(version));
        }
    }

    #[test]
    fn rejecting_the_pending_action_changes_nothing(steps in prop::collection::vec(step(), 1..6)) {
        let mut steps = steps;
        let before = document(&history(&steps[..steps.len() - 1])).current(Version::V2_0);
        if let Some(step) = steps.last_mut() {
            step.answer = Some((false, Map::new()));
        }
        prop_assert_eq!(document(&history(&steps)).current(Version::V2_0), before);
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0..4000_usize) {
        _ = EventDocument::parse(&bytes);
        let mut document = include_bytes!("documents/birth-register.json").to_vec();
        let at = at.min(document.len());
        bytes.truncate(3);
        document.splice(at..(at + bytes.len()).min(document.len()), bytes);
        if let Err(error) = EventDocument::parse(&document) {
            prop_assert!(!error.to_string().contains("Portgas"));
        }
    }
}

proptest! {
    #[test]
    fn what_is_read_of_a_document_is_what_the_whole_says(
        steps in prop::collection::vec(step(), 0..8),
        own in declaration(),
    ) {
        let whole = document(&with_approval(&steps, &own, true));
        let bytes = serde_json::to_vec(&whole).unwrap();
        let wanted = |field: &str| field.starts_with('a');
        let some = EventDocument::parse_only(&bytes, wanted).unwrap();
        let only = |map: &Map| {
            let mut map = map.clone();
            map.retain(|field, _| wanted(field));
            map
        };
        for version in [Version::V1_9, Version::V2_0] {
            prop_assert_eq!(some.current(version), only(&whole.current(version)));
            let (some, whole) = (some.past(version), whole.past(version));
            prop_assert_eq!(some.len(), whole.len());
            for (some, whole) in some.iter().zip(&whole) {
                prop_assert_eq!(&*some.states.before, &only(&whole.states.before));
                prop_assert_eq!(&*some.states.after, &only(&whole.states.after));
            }
        }
    }

    #[test]
    fn a_past_event_is_what_its_trigger_showed(
        steps in prop::collection::vec(step(), 0..8),
        own in declaration(),
    ) {
        for version in [Version::V1_9, Version::V2_0] {
            let whole = document(&with_approval(&steps, &own, true));
            for event in whole.past(version) {
                let mut then = whole.clone();
                let last = then.actions.iter().position(|action| action.id == event.action.id).unwrap();
                then.actions.truncate(last + 1);
                prop_assert_eq!(&event.states, &then.prospective(event.action.id, version).unwrap());
            }
        }
    }

    #[test]
    fn every_value_has_an_origin_and_what_has_none_is_absent(
        steps in prop::collection::vec(step(), 0..8),
        own in declaration(),
    ) {
        let whole = document(&with_approval(&steps, &own, true));
        for version in [Version::V1_9, Version::V2_0] {
            for event in whole.past(version) {
                let origins = whole.origins(event.action.id, version).unwrap();
                for field in ["a.x", "a.y", "b.x", "b.y", "c.x", "c.y"] {
                    let given = origins.of(field, []);
                    let present = event.states.after.contains_key(field);
                    let stands = given.iter().any(|origin| !origin.erased);
                    prop_assert!(!present || !given.is_empty(), "{field} has no origin");
                    prop_assert!(present || !stands, "{field} is absent: {given:?}");
                }
            }
        }
    }
}
