//! The actions that OpenCRVS asks its country about, and the versions that have them.

use crate::codes::Code;
use crate::files::country::OpencrvsVersion::{self, V1_9, V2_0, V2_1};
use crate::ruleset::RuleCompiler;
use crate::source::Path;
use crate::suggest::nearest;

/// An action type, and when OpenCRVS asks about it.
pub(crate) struct Action {
    pub(crate) name: &'static str,
    /// The first version that has it, and the last.
    pub(crate) versions: (OpencrvsVersion, OpencrvsVersion),
    /// What to write with another version.
    instead: &'static str,
}

const fn always(name: &'static str) -> Action {
    Action { name, versions: (V1_9, V2_1), instead: "" }
}

const fn since(version: OpencrvsVersion, name: &'static str, instead: &'static str) -> Action {
    Action { name, versions: (version, V2_1), instead }
}

/// Everything that OpenCRVS asks about; READ, ASSIGN and the like are never asked.
pub(crate) const ACTIONS: [Action; 13] = [
    always("NOTIFY"),
    always("DECLARE"),
    Action {
        name: "VALIDATE",
        versions: (V1_9, V1_9),
        instead: "from 2.0 on it is `action: CUSTOM` with `custom_action: VALIDATE_DECLARATION`",
    },
    since(V2_0, "EDIT", "OpenCRVS has it from 2.0 on"),
    always("REGISTER"),
    always("REJECT"),
    always("ARCHIVE"),
    since(V2_1, "UNARCHIVE", "OpenCRVS has it from 2.1 on"),
    always("PRINT_CERTIFICATE"),
    always("REQUEST_CORRECTION"),
    always("APPROVE_CORRECTION"),
    always("REJECT_CORRECTION"),
    since(V2_0, "CUSTOM", "OpenCRVS has it from 2.0 on"),
];

/// The action of that name.
pub(crate) fn known(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

/// The names, for suggestions and lists.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().map(|action| action.name)
}

/// What somebody who wrote an action that OpenCRVS never asks about may have meant, and what to write.
pub(crate) fn unknown(name: &str) -> (Option<String>, String) {
    let near = nearest(name, names());
    let known = names().collect::<Vec<_>>().join(", ");
    // REVOKE_REGISTRATION, ESCALATE and the like are actions of a country's own configuration.
    let help = if near.is_none() {
        format!(
            "the actions are {known}; one of your own configuration is `action: CUSTOM, custom_action: {name}`"
        )
    } else {
        format!("the actions are {known}")
    };
    (near, help)
}

impl RuleCompiler<'_> {
    /// Actions come and go with versions of OpenCRVS; a rule for one that is not there is never asked.
    pub(crate) fn version(&mut self, action: &str, on: &Path) {
        let version = self.country.opencrvs;
        let Some(known) = known(action) else { return };
        let (first, last) = known.versions;
        if (first..=last).contains(&version) {
            return;
        }
        self.out.push(
            self.document
                .at_value(
                    Code::R064,
                    &on.key("action"),
                    format!("OpenCRVS {} has no action {action}", version.as_str()),
                )
                .help(known.instead),
        );
    }
}
