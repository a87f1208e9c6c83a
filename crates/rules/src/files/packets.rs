//! `packets.yaml`: what is sent to MOSIP, field by field.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lenient::Table;

/// packets.yaml: what is sent to MOSIP, field by field.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PacketsFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// MOSIP's name for where packets come from: `CRVS1`.
    #[schemars(extend("examples" = ["CRVS1"]))]
    pub(crate) source: String,
    /// Version of the ID schema, as a string of a decimal number: `"0.5"`.
    #[schemars(extend("examples" = ["0.5"]))]
    pub(crate) schema_version: String,
    /// Name → packet.
    pub(crate) packets: Table<PacketEntry>,
}

/// One packet.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PacketEntry {
    /// The event whose fields it reads.
    pub(crate) event: String,
    /// MOSIP's process: `CRVS_NEW`.
    #[schemars(extend("examples" = ["CRVS_NEW"]))]
    pub(crate) process: String,
    /// MOSIP's name for where this packet comes from, where it is not the file's: `RESIDENT` for `DEACTIVATED`.
    pub(crate) source: Option<String>,
    /// MOSIP's list of mandatory attributes for the process; what the ID schema requires and this list names must be sent. `dateOfBirth|age` is one of the two.
    #[serde(default)]
    pub(crate) mandatory: Vec<String>,
    /// The field with the id of the person that the packet is about, where there is one already.
    #[schemars(extend("examples" = ["child.nid"]))]
    pub(crate) subject: Option<String>,
    /// ID-schema field → where its value comes from.
    pub(crate) fields: Table<Mapping>,
    /// Label → value, sent beside the fields; MOSIP can copy it into its answer.
    #[serde(default)]
    pub(crate) meta_info: Table<Mapping>,
    /// Whom MOSIP tells.
    #[serde(default)]
    pub(crate) notification: NotificationEntry,
}

/// Whom MOSIP tells.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct NotificationEntry {
    /// Full name.
    pub(crate) name: Option<Mapping>,
    /// Telephone number.
    pub(crate) phone: Option<Mapping>,
    /// E-mail address.
    pub(crate) email: Option<Mapping>,
}

/// Where a value comes from: exactly one of `from`, `date`, `code`, `location`, `choose`, `text`, `given`, `constant`, `list`, `languages`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// A field, or several of which the first that is present counts. `field#part` is a part of a composite value.
    #[schemars(extend("examples" = ["informant.phoneNo", ["mother.nid", "father.nid"]]))]
    pub(crate) from: Option<OneOrMany>,
    /// A date field; `format` says how it is written. An instant counts as its day in the country's time zone.
    #[schemars(extend("examples" = ["child.dob"]))]
    pub(crate) date: Option<OneOrMany>,
    /// A field whose values `map` translates.
    #[schemars(extend("examples" = ["child.gender"]))]
    pub(crate) code: Option<OneOrMany>,
    /// A field that holds the id of a place of locations.csv; `level` says which place around it is meant.
    pub(crate) location: Option<OneOrMany>,
    /// Which field counts depends on the value of another.
    pub(crate) choose: Option<Choose>,
    /// A template over the values that `with` names.
    #[schemars(extend("examples" = ["{{ [name.firstname, name.surname] | words }}"]))]
    pub(crate) text: Option<String>,
    /// Something that the engine knows.
    pub(crate) given: Option<Given>,
    /// A fixed text.
    #[schemars(extend("examples" = ["Y"]))]
    pub(crate) constant: Option<String>,
    /// Several values, sent as a JSON list; those that have nothing are left out of it.
    #[schemars(length(min = 1))]
    pub(crate) list: Option<Vec<Mapping>>,
    /// MOSIP language → its own source, for a text in several languages or scripts.
    pub(crate) languages: Option<BTreeMap<String, Mapping>>,
    /// With `date` and `given: action_date`: `yyyy`, `MM`, `dd` and separators.
    #[schemars(extend("examples" = ["yyyy/MM/dd"]))]
    pub(crate) format: Option<String>,
    /// With `code`: value of the field → what is sent.
    #[schemars(extend("examples" = [{ "male": "Male", "female": "Female" }]))]
    pub(crate) map: Option<BTreeMap<String, String>>,
    /// With `code`: what is sent for any other value. With `location`: what is sent for a place that the list does not have. Without it, such a value is an error.
    pub(crate) default: Option<String>,
    /// With `location`: the level of the place that is meant, one of country.yaml's or `facility` or `office`.
    pub(crate) level: Option<String>,
    /// With `location`: the place's `name`, in the language that it is wrapped in, or its `code`.
    #[serde(rename = "as")]
    pub(crate) shown: Option<Shown>,
    /// With `text`: name in the template → field.
    #[schemars(extend("examples" = [{ "name": "child.name" }]))]
    pub(crate) with: Option<BTreeMap<String, String>>,
    /// Wrap the text as MOSIP does: `[{"language": …, "value": …}]`.
    #[schemars(extend("examples" = ["eng"]))]
    pub(crate) language: Option<String>,
    /// Leave it out when there is nothing to send; otherwise that is an error.
    #[serde(default)]
    pub(crate) optional: bool,
    /// Leave it out unless the action changed it.
    #[serde(default)]
    pub(crate) only_if_changed: bool,
}

/// Which field counts depends on the value of another.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Choose {
    /// The field that decides.
    pub(crate) by: String,
    /// Its value → the field or fields that count then.
    pub(crate) cases: BTreeMap<String, OneOrMany>,
    /// The field or fields that count for any other value, or when it is missing.
    pub(crate) otherwise: Option<OneOrMany>,
}

/// Something that the engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Given {
    /// The record's id in OpenCRVS.
    EventId,
    /// The record's tracking id.
    TrackingId,
    /// The registration number.
    RegistrationNumber,
    /// The day of the action in the country's time zone; `format` says how it is written.
    ActionDate,
}

/// What of a place is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    /// Its name.
    #[default]
    Name,
    /// Its code in MOSIP's master data.
    Code,
}

/// One field, or several in order of preference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One field.
    One(String),
    /// The first that is present counts.
    Many(#[schemars(length(min = 1))] Vec<String>),
}
