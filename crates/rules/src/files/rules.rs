//! `rules.yaml`: when … do ….

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Localised;
use super::lenient::Entries;

/// rules.yaml: which event makes MOSIP do what. File order decides; the first rule that matches is the decision.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RulesFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// Name → fields, for `changed`.
    #[serde(default)]
    pub(crate) groups: BTreeMap<String, Vec<String>>,
    /// Name → condition, to be used by name.
    #[serde(default)]
    pub(crate) conditions: BTreeMap<String, Condition>,
    /// Condition or group → how sentences call it.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, Localised>,
    /// The rules, in the order in which they are tried.
    pub(crate) rules: Entries<RuleEntry>,
}

/// One rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RuleEntry {
    /// Names the rule in decisions and in the audit log: lower case, digits and hyphens.
    pub(crate) id: String,
    /// What the rule is about, by language.
    pub(crate) name: Localised,
    /// The step that the rule is for.
    pub(crate) on: On,
    /// When it applies; without it, always.
    #[serde(rename = "if")]
    pub(crate) condition: Option<Condition>,
    /// What is done.
    #[serde(rename = "do")]
    pub(crate) act: Act,
    /// The packet of packets.yaml that carries the operation.
    pub(crate) send: Option<String>,
    /// Whether the record waits for the answer.
    pub(crate) respond: Option<Respond>,
    /// How long an answer may take before the record is stalled: `14 days`.
    pub(crate) deadline: Option<String>,
    /// What to do when a missing field leaves the condition undecided.
    #[serde(default)]
    pub(crate) if_unknown: IfUnknown,
    /// Whether the rule counts.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Why the action is rejected, by language.
    pub(crate) reason: Option<Localised>,
    /// What the record's history says, by what the rule comes to and by language.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "requested": { "en": "UIN requested" }, "completed": { "en": "UIN issued" } }))]
    pub(crate) audit: BTreeMap<Outcome, Localised>,
    /// Rules further up that are meant to decide where both match: the id of one, or a list. Order
    /// decides in any case; this says that it is no accident.
    pub(crate) after: Option<RuleIds>,
}

/// What a rule comes to, for the record's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The operation is on its way to MOSIP.
    Requested,
    /// MOSIP has carried it out.
    Completed,
    /// MOSIP has refused it, or it cannot be sent.
    Failed,
    /// A person decides (`if_unknown: hold`).
    Held,
    /// The action is rejected (`do: reject`).
    Rejected,
    /// Nothing is done (`do: ignore`).
    Ignored,
}

impl Outcome {
    /// The word of the rules file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Ignored => "ignored",
        }
    }
}

/// One rule or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RuleIds {
    /// One.
    One(String),
    /// Several.
    Many(#[schemars(length(min = 1))] Vec<String>),
}

impl RuleIds {
    /// The ids as written.
    pub(crate) fn ids(&self) -> &[String] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

/// The step that a rule is for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct On {
    /// Event type of the form, for example `birth`.
    pub(crate) event: String,
    /// OpenCRVS action, for example `REGISTER`.
    pub(crate) action: String,
    /// The custom action's type, with `action: CUSTOM`.
    pub(crate) custom_action: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    CreateUin,
    UpdateBiographics,
    FlagDeceased,
    DeactivateId,
    ReactivateId,
    VerifyIdentity,
    /// The action is rejected at once, with a reason.
    Reject,
    /// Nothing is done, and no later rule is asked.
    Ignore,
}

/// Whether the record waits for MOSIP's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Respond {
    /// The record is frozen until the answer is there.
    AwaitExternalValidation,
    /// The record goes on at once.
    Continue,
}

/// What to do when a condition is undecided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IfUnknown {
    /// As if it were false.
    #[default]
    Skip,
    /// The record awaits a person.
    Hold,
}

/// Whether a rule counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It decides.
    #[default]
    Enforce,
    /// It is tried beside the others, and what it would have done is recorded.
    Evaluate,
    /// It is not tried.
    Off,
}

/// A condition: the name of one, or a map with one entry.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Condition(pub(crate) Value);

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<Self>();
        let list = json_schema!({ "type": "array", "minItems": 1, "items": inner });
        json_schema!({
            "description": "A condition: the name of one of `conditions`, or a map with one entry.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {
                        "all": list.clone(),
                        "any": list,
                        "not": inner,
                        "changed": {
                            "description": "A group, a field, or a list of fields: whether any of them is changed by the action.",
                            "anyOf": [{ "type": "string" }, { "type": "array", "minItems": 1, "items": { "type": "string" } }]
                        }
                    },
                    "additionalProperties": predicate()
                }
            ]
        })
    }
}

/// What can be asked of one field.
fn predicate() -> Schema {
    let scalar = json_schema!({ "type": ["string", "number", "boolean"] });
    json_schema!({
        "description": "What is asked of the field.",
        "anyOf": [
            { "enum": ["present", "absent", "changed"] },
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": {
                    "equals": scalar.clone(),
                    "contains": {
                        "description": "For a list: whether an item is this; for uploaded files, whether one of them is of this option.",
                        "type": ["string", "number", "boolean"]
                    },
                    "in": { "type": "array", "minItems": 1, "items": scalar },
                    "matches": { "type": "string", "description": "A regular expression that the whole text fits." },
                    "before": { "type": "string", "description": "A date, YYYY-MM-DD, or `today`." },
                    "after": { "type": "string", "description": "A date, YYYY-MM-DD, or `today`." },
                    "age_below": { "type": "string", "description": "For a date of birth: `10 years`." },
                    "age_at_least": { "type": "string", "description": "For a date of birth: `10 years`." },
                    "less_than": { "type": "number" },
                    "at_least": { "type": "number" }
                }
            }
        ]
    })
}
