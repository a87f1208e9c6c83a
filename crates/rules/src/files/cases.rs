//! `cases/*.yaml`: given … expect …, the pack's own tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Localised;
use super::lenient::{Entries, Table};
use super::packets::OneOrMany;
use super::rules::{Act, Respond};

/// cases/*.yaml: given … expect …, the pack's own tests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CasesFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// Name → form values, for cases to start from.
    #[serde(default)]
    pub(crate) records: Table<RecordEntry>,
    /// The cases.
    #[schemars(length(min = 1))]
    pub(crate) cases: Entries<CaseEntry>,
}

/// Form values for cases to start from.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RecordEntry {
    /// The event whose form it fills.
    pub(crate) event: String,
    /// Field id → value.
    pub(crate) values: Arc<Map<String, Value>>,
}

/// One case.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CaseEntry {
    /// What the case shows.
    pub(crate) name: String,
    /// The event.
    pub(crate) given: CaseGiven,
    /// What must come out.
    pub(crate) expect: Expect,
}

/// The event of a case: an event document of the pack, or form values.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CaseGiven {
    /// An event document of OpenCRVS to start from: `documents/birth.json`.
    pub(crate) document: Option<String>,
    /// A record of this file to start from.
    pub(crate) record: Option<String>,
    /// Event type; that of the record or document if left out.
    pub(crate) event: Option<String>,
    /// The pending action; with a document, the one that waits if left out.
    #[schemars(extend("examples" = ["REGISTER"]))]
    pub(crate) action: Option<String>,
    /// The custom action's type, with `action: CUSTOM`.
    #[schemars(extend("examples" = ["REVOKE_REGISTRATION"]))]
    pub(crate) custom_action: Option<String>,
    /// The instant of the action, RFC 3339; with a document, that of its action if left out.
    #[schemars(extend("examples" = ["2026-06-01T09:01:00Z"]))]
    pub(crate) at: Option<String>,
    /// Values laid over the record or document.
    #[serde(default)]
    pub(crate) with: Map<String, Value>,
    /// Fields taken out of the record or document.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// Values that the pending action changes; null takes a value out.
    #[serde(default)]
    pub(crate) change: Map<String, Value>,
    /// The record's id in OpenCRVS, for packets that carry it.
    pub(crate) event_id: Option<String>,
    /// The record's tracking id, for packets that carry it.
    pub(crate) tracking_id: Option<String>,
    /// The registration number, for packets that carry it.
    pub(crate) registration_number: Option<String>,
}

/// What must come out of a case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Expect {
    /// What is done.
    #[serde(rename = "do")]
    pub(crate) act: ExpectedAct,
    /// The rule that decides; left out with `do: none`.
    pub(crate) rule: Option<String>,
    /// Whether the record waits.
    pub(crate) respond: Option<Respond>,
    /// The deadline of the answer.
    pub(crate) deadline: Option<String>,
    /// With `do: hold`: the fields whose absence leaves the rule undecided.
    pub(crate) missing: Option<Vec<String>>,
    /// Rules in evaluate mode that match; compared where it is given, so that a rule can be tried beside cases that
    /// are not about it.
    pub(crate) would_have: Option<Vec<String>>,
    /// Language → the sentence that says why.
    #[serde(default)]
    pub(crate) sentence: Localised,
    /// Language → what the record's history says at the decision.
    #[serde(default)]
    pub(crate) audit: Localised,
    /// Rule that does not match → the terms because of which: all of them, and no others.
    #[serde(default)]
    pub(crate) because: BTreeMap<String, Because>,
    /// The packet that is sent.
    pub(crate) packet: Option<ExpectedPacket>,
    /// Field of the form → its value: all that is written into the record, and nothing else; `{}` where nothing is.
    pub(crate) write: Option<Map<String, Value>>,
    /// The packet's fields because of which it cannot be built from this record: `gender`, `notification.name`.
    pub(crate) unfit: Option<Vec<String>>,
}

/// Because of which terms a rule does not match: fields, groups, or named conditions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Because {
    /// The terms that are false.
    pub(crate) failed: Option<OneOrMany>,
    /// The terms that are undecided; with `failed` nothing else matters.
    pub(crate) unknown: Option<OneOrMany>,
}

/// What is done, or `none`, or `hold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExpectedAct {
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
    /// The action is rejected at once.
    Reject,
    /// A rule says that nothing is done.
    Ignore,
    /// No rule matches.
    None,
    /// A rule is undecided and says `if_unknown: hold`.
    Hold,
}

impl ExpectedAct {
    /// The word of the file.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CreateUin => "create_uin",
            Self::UpdateBiographics => "update_biographics",
            Self::FlagDeceased => "flag_deceased",
            Self::DeactivateId => "deactivate_id",
            Self::ReactivateId => "reactivate_id",
            Self::VerifyIdentity => "verify_identity",
            Self::Reject => "reject",
            Self::Ignore => "ignore",
            Self::None => "none",
            Self::Hold => "hold",
        }
    }

    /// Whether a packet goes out.
    pub(crate) fn sends(self) -> bool {
        !matches!(self, Self::Reject | Self::Ignore | Self::None | Self::Hold)
    }
}

impl From<Act> for ExpectedAct {
    fn from(act: Act) -> Self {
        match act {
            Act::CreateUin => Self::CreateUin,
            Act::UpdateBiographics => Self::UpdateBiographics,
            Act::FlagDeceased => Self::FlagDeceased,
            Act::DeactivateId => Self::DeactivateId,
            Act::ReactivateId => Self::ReactivateId,
            Act::VerifyIdentity => Self::VerifyIdentity,
            Act::Reject => Self::Reject,
            Act::Ignore => Self::Ignore,
        }
    }
}

/// The packet that must be built: all of its fields, no others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ExpectedPacket {
    /// MOSIP's process.
    pub(crate) process: String,
    /// The id of the person that the packet is about.
    pub(crate) subject: Option<String>,
    /// ID-schema field → value. A list or map is compared with the JSON that is sent.
    pub(crate) fields: BTreeMap<String, Value>,
    /// Label → value, where it matters to the case.
    #[serde(default)]
    pub(crate) meta_info: BTreeMap<String, String>,
    /// `name`, `phone`, `email`, where they matter to the case.
    #[serde(default)]
    pub(crate) notification: BTreeMap<String, String>,
}
