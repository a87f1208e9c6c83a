//! `fields.yaml`: the typed catalogue of form fields per event.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Localised;
use super::lenient::Table;

/// fields.yaml: the typed catalogue of form fields per event.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct FieldsFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// Section of the form (the part of a field id before the first dot) → how sentences call it.
    #[serde(default)]
    pub(crate) sections: BTreeMap<String, Localised>,
    /// Event → its form.
    pub(crate) events: Table<EventEntry>,
}

/// The form of one event.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct EventEntry {
    /// What sentences call the event.
    #[serde(default)]
    pub(crate) label: Localised,
    /// Field id → its type. Ids contain dots; a dot is never nesting.
    pub(crate) fields: Table<FieldEntry>,
}

/// One field of a form.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct FieldEntry {
    /// The field's type, in OpenCRVS's own word.
    #[serde(rename = "type")]
    pub(crate) kind: FieldType,
    /// The values that a choice can have.
    #[serde(default)]
    pub(crate) options: Vec<String>,
    /// What sentences call the field, with its article: `{ en: the child's national ID }`. Without it, its id.
    #[serde(default)]
    pub(crate) label: Localised,
    /// Option → what sentences call it. Without it, the option itself.
    #[serde(default)]
    pub(crate) option_labels: BTreeMap<String, Localised>,
}

/// Field types of OpenCRVS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum FieldType {
    Name,
    Date,
    Age,
    Time,
    Number,
    Checkbox,
    Text,
    Textarea,
    Id,
    Phone,
    Email,
    Select,
    RadioGroup,
    Country,
    Location,
    Facility,
    Office,
    AdministrativeArea,
    Address,
    File,
    FileWithOptions,
    Signature,
    Http,
    QueryParamReader,
    QrReader,
    IdReader,
    NumberWithUnit,
    Autocomplete,
    Data,
    FieldGroup,
    LinkButton,
    Loader,
    VerificationStatus,
}
