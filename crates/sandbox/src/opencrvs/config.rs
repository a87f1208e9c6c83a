//! `GET /config/events`: the forms, as the country config serves them and core
//! proxies them.

use super::fields;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Event types that the country has a form for.
pub(crate) const FORMS: [&str; 2] = ["birth", "death"];

/// EventConfig of each event type.
pub(crate) fn events(lacking: &BTreeSet<String>) -> Value {
    json!([
        event(FORMS[0], "child.dob", "child.name", lacking),
        event(FORMS[1], "eventDetails.date", "deceased.name", lacking),
    ])
}

fn event(id: &str, date: &str, name: &str, lacking: &BTreeSet<String>) -> Value {
    json!({
        "id": id,
        "label": text(&format!("event.{id}.label"), id),
        "title": text(&format!("event.{id}.title"), &format!("{{{name}.firstname}} {{{name}.surname}}")),
        "dateOfEvent": {"fieldId": date},
        "summary": {"fields": [{"fieldId": name}, {"fieldId": date}]},
        "declaration": {"label": text(&format!("form.{id}.label"), "Declaration"), "pages": pages(id, lacking)},
        "actions": actions(id, lacking),
        "flags": [{"id": "validated", "label": text("flags.validated", "Validated"), "requiresAction": false}],
        "advancedSearch": [],
    })
}

fn pages(event: &str, lacking: &BTreeSet<String>) -> Value {
    let mut pages: Vec<(String, Vec<Value>)> = Vec::new();
    for (id, kind) in fields::all(event).into_iter().filter(|(id, _)| !lacking.contains(id.as_str())) {
        let page = id.split('.').next().unwrap_or_default().to_owned();
        let field = json!({"id": id, "type": kind, "label": text(&format!("form.{id}.label"), &id)});
        match pages.iter_mut().find(|(known, _)| *known == page) {
            Some((_, fields)) => fields.push(field),
            None => pages.push((page, vec![field])),
        }
    }
    pages
        .into_iter()
        .map(|(page, fields)| json!({"id": page, "type": "FORM", "title": text(&format!("form.{page}.title"), &page), "fields": fields}))
        .collect()
}

/// Custom actions of every event type: the country's own, and the one for notes of clients.
const CUSTOM_ACTIONS: [&str; 4] =
    ["REVOKE_REGISTRATION", "REINSTATE_REVOKE_REGISTRATION", "VALIDATE_DECLARATION", "NATIONAL_ID_NOTE"];

/// Whether an event type has a custom action. Types without a form have any.
pub(crate) fn has_custom_action(event: &str, name: &str, lacking: &BTreeSet<String>) -> bool {
    !FORMS.contains(&event) || (CUSTOM_ACTIONS.contains(&name) && !lacking.contains(name))
}

fn actions(event: &str, lacking: &BTreeSet<String>) -> Value {
    let own =
        ["READ", "DECLARE", "REGISTER", "PRINT_CERTIFICATE", "REQUEST_CORRECTION", "APPROVE_CORRECTION"];
    let label = |kind: &str| text(&format!("actions.{}", kind.to_lowercase()), kind);
    let own = own.iter().map(|kind| json!({"type": kind, "label": label(kind)}));
    let custom = CUSTOM_ACTIONS.iter().filter(|name| has_custom_action(event, name, lacking)).map(|name| {
        json!({
            "type": "CUSTOM", "customActionType": name, "label": label(name), "auditHistoryLabel": label(name),
            "form": [{"id": "civitas.message", "type": "TEXT", "label": text("civitas.message", "Message")}],
        })
    });
    own.chain(custom).collect()
}

fn text(id: &str, message: &str) -> Value {
    json!({"id": id, "defaultMessage": message, "description": message})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_birth_form_has_the_national_id() {
        let configs = events(&BTreeSet::new());
        let fields: Vec<&Value> = configs[0]["declaration"]["pages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|page| page["fields"].as_array().unwrap())
            .collect();
        assert!(fields.iter().any(|field| field["id"] == "child.nid" && field["type"] == "TEXT"));
    }
}
