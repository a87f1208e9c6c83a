//! The event documents that a pack's cases start from, read as the engine reads those of the trigger.

use civitas_opencrvs::EventDocument;
use civitas_rules::{GivenDocument, OpencrvsVersion, ReadDocument};

use crate::opencrvs_version;

/// Reads event documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Documents;

impl ReadDocument for Documents {
    fn read(
        &self,
        json: &str,
        action: Option<&str>,
        version: OpencrvsVersion,
    ) -> Result<GivenDocument, String> {
        let document = EventDocument::parse(json.as_bytes()).map_err(|error| error.to_string())?;
        let pending = match action {
            Some(action) => document.pending(action),
            None => document.find_pending(),
        };
        let pending = pending.map_err(|error| error.to_string())?.action;
        let version = opencrvs_version(version);
        let prospective = document.prospective(pending.id, version).map_err(|error| error.to_string())?;
        Ok(GivenDocument {
            event_id: document.id.to_string(),
            tracking_id: document.tracking_id.clone(),
            event: document.kind.clone(),
            action: pending.kind.clone(),
            custom_action: pending.custom_action_type.clone(),
            at: pending.created_at.at(),
            before: (*prospective.before).clone(),
            after: (*prospective.after).clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIRTH: &str = include_str!("../../opencrvs/tests/documents/birth-register.json");

    #[test]
    fn a_document_gives_what_rules_see_of_it() {
        let given = Documents.read(BIRTH, None, OpencrvsVersion::V2_0).unwrap();
        assert_eq!((given.event.as_str(), given.action.as_str()), ("birth", "REGISTER"));
        assert_eq!(given.after["child.dob"], "2026-05-20");
        assert_eq!(given.tracking_id, "7KQ2ZB");
        assert!(!format!("{given:?}").contains("Portgas"));
    }

    #[test]
    fn what_is_wrong_is_said_without_values() {
        let nothing_waits = Documents.read(BIRTH, Some("ARCHIVE"), OpencrvsVersion::V2_0).unwrap_err();
        assert!(nothing_waits.contains("ARCHIVE"), "{nothing_waits}");
        assert!(Documents.read("{}", None, OpencrvsVersion::V2_0).is_err());
    }
}
