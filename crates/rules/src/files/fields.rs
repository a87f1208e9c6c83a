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
    #[schemars(extend("examples" = ["DATE"]))]
    pub(crate) kind: FieldType,
    /// The values that a choice can have: with SELECT and RADIO_GROUP, and with no other type.
    #[schemars(extend("examples" = [["male", "female"]]))]
    #[serde(default)]
    pub(crate) options: Vec<String>,
    /// What sentences call the field, by language and with its article: `{ en: the child's national ID }`. Without
    /// it, they say its id.
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
    /// A name: `firstname`, `middlename`, `surname`.
    Name,
    /// A date, YYYY-MM-DD.
    Date,
    /// An age in place of a date of birth: `age`, and `asOfDateRef`, the field of its day.
    Age,
    /// A time of day, HH:mm.
    Time,
    /// A number.
    Number,
    /// Yes or no: true or false.
    Checkbox,
    /// A text.
    Text,
    /// A text of several lines.
    Textarea,
    /// An identity number, as a text.
    Id,
    /// A telephone number, as a text.
    Phone,
    /// An e-mail address, as a text.
    Email,
    /// A choice from a list: `options` has its values.
    Select,
    /// A choice from a few buttons: `options` has its values.
    RadioGroup,
    /// A country, as its code.
    Country,
    /// A place, as its id.
    Location,
    /// A health facility, as its id.
    Facility,
    /// A registration office, as its id.
    Office,
    /// An administrative area, as its id.
    AdministrativeArea,
    /// An address: `country`, `addressType`, `administrativeArea` and `streetLevelDetails`.
    Address,
    /// An uploaded file; its content is never in the record.
    File,
    /// A list of uploaded files, each with the kind of document that it is.
    FileWithOptions,
    /// A signature, as a file.
    Signature,
    /// The answer of another system: `loading`, `error`, `data`.
    Http,
    /// What came back in the address line, for example from e-Signet: `data`.
    QueryParamReader,
    /// A scanned QR code: `data`.
    QrReader,
    /// A scanned identity card: `data`.
    IdReader,
    /// A number with its unit: `numericValue`, `unit`.
    NumberWithUnit,
    /// An entry of a long list: `label`, `value`.
    Autocomplete,
    /// Data shown to the registrar: `data`.
    Data,
    /// Several fields under one id.
    FieldGroup,
    /// A button that leads elsewhere.
    LinkButton,
    /// A sign that something is being fetched.
    Loader,
    /// How an identity was verified: authenticated, verified, failed or pending.
    VerificationStatus,
}
