//! `rules.yaml`: when … do ….

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lenient::{Entries, Table};
use super::packets::Mapping;
use super::{Localised, keys_of};

/// rules.yaml: which event makes MOSIP do what. File order decides; the first rule that matches is the decision.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RulesFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// Name → fields, for `changed`.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "biographic": ["child.name", "child.dob"] }]))]
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
    #[schemars(extend("examples" = ["birth-uin-on-registration"]))]
    pub(crate) id: String,
    /// What the rule is about, by language: registrars read it.
    #[schemars(extend("examples" = [{ "en": "UIN requested at birth" }]))]
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
    #[schemars(extend("examples" = ["birth"]))]
    pub(crate) send: Option<String>,
    /// Whether the record waits for the answer.
    pub(crate) respond: Option<Respond>,
    /// How long an answer may take before the record is stalled: `14 days`.
    #[schemars(extend("examples" = ["14 days", "12 hours"]))]
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
    #[schemars(transform = keys_of::<Outcome>)]
    #[schemars(example = serde_json::json!({ "requested": { "en": "UIN requested" }, "completed": { "en": "UIN issued" } }))]
    pub(crate) audit: BTreeMap<Outcome, Localised>,
    /// Field of the form → its value, which is written into the record when the action is accepted: by the answer to the
    /// trigger, or later for a record that waits. What the form of OpenCRVS does not have is left out.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "child.identity": { "constant": "REQUESTED" } }))]
    pub(crate) write: Table<Mapping>,
    /// Rules further up that are meant to decide where both match: the id of one, or a list. Order
    /// decides in any case; this says that it is no accident.
    pub(crate) after: Option<RuleIds>,
    /// What MOSIP keeps for people and this rule does all the same. Without it such a rule is refused.
    #[serde(default)]
    #[schemars(example = serde_json::json!(["automatic_deactivation"]))]
    pub(crate) despite: Vec<Guard>,
}

/// What MOSIP's documentation keeps for people, until a rule says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// An identity is not deactivated because its holder died: it is flagged.
    DeactivationOnDeath,
    /// A death is not taken back automatically.
    ReversalOfDeath,
    /// An identity is not deactivated automatically.
    AutomaticDeactivation,
    /// An identity is not reactivated automatically.
    AutomaticReactivation,
    /// An identity is not updated from the biometric enrolment age on.
    UpdateAfterEnrolment,
    /// A new identity is not asked for from the biometric enrolment age on.
    RegistrationAfterEnrolment,
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
    #[schemars(extend("examples" = ["birth", "death"]))]
    pub(crate) event: String,
    /// OpenCRVS action, for example `REGISTER`.
    #[schemars(extend("examples" = ["REGISTER", "APPROVE_CORRECTION", "CUSTOM"]))]
    pub(crate) action: String,
    /// The custom action's type, with `action: CUSTOM`.
    #[schemars(extend("examples" = ["REVOKE_REGISTRATION"]))]
    pub(crate) custom_action: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// A new identity.
    CreateUin,
    /// New name, date of birth or sex of an identity without biometrics.
    UpdateBiographics,
    /// The mark that the person has died; the identity stays active.
    FlagDeceased,
    /// The identity can no longer be used.
    DeactivateId,
    /// The identity can be used again.
    ReactivateId,
    /// Comparison of typed data with MOSIP’s.
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
        let list = |description: &str| json_schema!({ "description": description, "type": "array", "minItems": 1, "items": inner });
        let mut not = inner.clone();
        not.insert("description".to_owned(), "Holds when the condition does not.".into());
        json_schema!({
            "description": "A condition: the name of one of `conditions`, or a map with one entry.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {
                        "all": list("Every one of these conditions holds."),
                        "any": list("At least one of these conditions holds."),
                        "not": not,
                        "changed": {
                            "description": "A group, a field, or a list of fields: whether any of them is changed by the action.",
                            "examples": ["biographic", ["child.name", "child.dob"]],
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
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    json_schema!({
        "description": "What is asked of the field.",
        "anyOf": [
            {
                "oneOf": [
                    { "const": "present", "description": "The field has a value." },
                    { "const": "absent", "description": "The field has no value; an empty text is none." },
                    { "const": "changed", "description": "The action changes the field." }
                ]
            },
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": {
                    "equals": {
                        "type": scalar["type"],
                        "description": "The field has this value.",
                        "examples": ["female", true, 1]
                    },
                    "contains": {
                        "description": "For a list: whether an item is this; for uploaded files, whether one of them is of this option.",
                        "type": ["string", "number", "boolean"],
                        "examples": ["BIRTH_NOTIFICATION"]
                    },
                    "in": {
                        "type": "array", "minItems": 1, "items": scalar,
                        "description": "The field has one of these values.",
                        "examples": [["verified", "authenticated"]]
                    },
                    "matches": {
                        "type": "string",
                        "description": "The whole text fits this regular expression.",
                        "examples": ["[0-9]{10}"]
                    },
                    "before": {
                        "type": "string",
                        "description": "The date is before this one: YYYY-MM-DD, or `today`, the day of the action.",
                        "examples": ["today", "2020-01-01"]
                    },
                    "after": {
                        "type": "string",
                        "description": "The date is after this one: YYYY-MM-DD, or `today`, the day of the action.",
                        "examples": ["today", "2020-01-01"]
                    },
                    "age_below": {
                        "type": "string",
                        "description": "For a date of birth: on the day of the action the person is younger than this.",
                        "examples": ["10 years", "6 months"]
                    },
                    "age_at_least": {
                        "type": "string",
                        "description": "For a date of birth: on the day of the action the person has reached this age.",
                        "examples": ["18 years"]
                    },
                    "less_than": { "type": "number", "description": "The number is less than this.", "examples": [3] },
                    "at_least": { "type": "number", "description": "The number is this or more.", "examples": [3] }
                }
            }
        ]
    })
}
