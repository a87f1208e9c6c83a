//! `country.yaml`: who the country is, and the choices that hold for every event.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Localised;

/// country.yaml: who the country is, and the choices that hold for every event.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CountryFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// The country's code as the forms use it, for example `FAR`.
    #[schemars(extend("examples" = ["FAR"]))]
    pub(crate) code: String,
    /// Name of the country by language.
    #[schemars(extend("examples" = [{ "en": "Farajaland" }]))]
    pub(crate) name: Localised,
    /// The languages of texts, the first one being the country's own choice.
    #[schemars(length(min = 1))]
    pub(crate) languages: Vec<Language>,
    /// IANA time zone in which ages and dates are reckoned, for example `Africa/Lusaka`.
    #[schemars(extend("examples" = ["Africa/Lusaka", "Pacific/Chatham"]))]
    pub(crate) time_zone: String,
    /// The OpenCRVS version that is deployed.
    pub(crate) opencrvs: OpencrvsVersion,
    /// On which day somebody born on 29 February has the birthday in other years.
    #[serde(default)]
    pub(crate) leap_birthday: LeapBirthday,
    /// From which age on an identity may have biometrics, so that MOSIP neither makes nor updates one by a packet of
    /// ours: the upper end of its age group INFANT, and a year. As MOSIP ships it, 6 years.
    #[schemars(extend("examples" = ["6 years", "10 years"]))]
    pub(crate) biometric_enrolment_age: Option<String>,
    /// The national id that OpenCRVS keeps.
    pub(crate) national_id: NationalId,
    /// How registration numbers look.
    pub(crate) registration_number: RegistrationNumbers,
    /// Where the record's history in OpenCRVS shows the messages of `audit`; without it they are in the audit log of
    /// Civitas only.
    pub(crate) history: Option<HistoryFile>,
    /// What the places of `locations.csv` are, for a pack that has that file.
    pub(crate) locations: Option<LocationLevels>,
}

/// Where the record's history in OpenCRVS shows the messages of `audit`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "annotation": "civitas.message" }))]
pub(crate) struct HistoryFile {
    /// Key in the annotation of the accepted action that holds the message in the country's first language. An annotation is
    /// no part of the record, so no form needs the field; letters, digits, `.` and `-`, since OpenCRVS rewrites keys with
    /// an underscore.
    #[schemars(extend("examples" = ["civitas.message"]))]
    pub(crate) annotation: String,
    /// Custom action of the event configuration that the engine performs to say what became of an operation that the
    /// record did not wait for: nothing is accepted then whose annotation could say it. From OpenCRVS 2.0 on; no rule is
    /// for it.
    #[schemars(extend("examples" = ["NATIONAL_ID_NOTE"]))]
    pub(crate) custom_action: Option<String>,
}

/// What the places of `locations.csv` are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, example = serde_json::json!({ "levels": ["province", "district"] }))]
pub(crate) struct LocationLevels {
    /// Levels of administrative areas from the top, for example `[province, district]`. The levels `facility` and `office` are there without being listed.
    #[schemars(length(min = 1, max = 20))]
    pub(crate) levels: Vec<String>,
}

/// A language in both spellings that are needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Language {
    /// ISO 639-1, as in texts of the pack: `en`.
    #[schemars(extend("examples" = ["en"]))]
    pub code: String,
    /// ISO 639-3, as MOSIP writes it: `eng`.
    #[schemars(extend("examples" = ["eng"]))]
    pub mosip: String,
}

/// A minor version of OpenCRVS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum OpencrvsVersion {
    /// 1.9.x
    #[serde(rename = "1.9")]
    V1_9,
    /// 2.0.x
    #[serde(rename = "2.0")]
    V2_0,
    /// 2.1.x
    #[serde(rename = "2.1")]
    V2_1,
}

impl OpencrvsVersion {
    /// `1.9`, `2.0` or `2.1`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_9 => "1.9",
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
        }
    }
}

/// The birthday of somebody born on 29 February in a year that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeapBirthday {
    /// 28 February.
    #[default]
    #[serde(rename = "feb_28")]
    February28,
    /// 1 March.
    #[serde(rename = "mar_1")]
    March1,
}

/// The national id that OpenCRVS keeps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct NationalId {
    /// Which identifier of the credential is stored. VID or PSUT are recommended; UIN exposes the permanent number.
    pub(crate) credential_key: CredentialKey,
    /// Event → the form field that receives it when the record is closed.
    #[schemars(extend("examples" = [{ "birth": "child.nid" }]))]
    pub(crate) fields: BTreeMap<String, String>,
}

/// An identifier that a MOSIP credential can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CredentialKey {
    /// Virtual id: revocable, recommended.
    #[serde(rename = "VID")]
    Vid,
    /// The permanent number.
    #[serde(rename = "UIN")]
    Uin,
    /// Partner-specific user token.
    #[serde(rename = "PSUT")]
    Psut,
}

impl CredentialKey {
    /// `VID`, `UIN` or `PSUT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vid => "VID",
            Self::Uin => "UIN",
            Self::Psut => "PSUT",
        }
    }
}

/// How registration numbers look.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RegistrationNumbers {
    /// Fixed characters, `{year}`, `{yy}`, `{code:N}` (letters and digits, N ≥ 10) or `{digits:N}` (N ≥ 12), and a check
    /// character: `{check}` over the code, or by a standard over all that stands before it: `{check:luhn}` (ISO/IEC 7812,
    /// modulo 10 for digits, else 36) or `{check:iso7064}` (MOD 11,10 for digits, else MOD 37,36).
    #[schemars(extend("examples" = ["B{yy}{code:10}{check}", "{yy}{digits:12}{check:luhn}"]))]
    pub(crate) template: String,
    /// Event → its own template.
    #[serde(default)]
    pub(crate) events: BTreeMap<String, String>,
}
