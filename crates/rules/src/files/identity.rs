//! `identity.yaml`: how people on a form are identified.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys_of;

/// identity.yaml: how people on a form are identified.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdentityFile {
    /// Version of this file's format: 1.
    pub version: u32,
    /// Event → the people on its form who can be identified, by section.
    #[schemars(extend("examples" = [{ "birth": ["mother", "father"] }]))]
    pub persons: BTreeMap<String, Vec<String>>,
    /// Authentication by e-Signet.
    pub esignet: Esignet,
    /// Comparison of typed data with MOSIP's (ID Auth), by event and person. Weaker than authentication; off by default.
    #[serde(default)]
    pub verification: BTreeMap<String, BTreeMap<String, Switch>>,
    /// Scanned identity QR codes.
    pub qr: Qr,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Done.
    On,
    /// Not done.
    #[default]
    Off,
}

/// Authentication by e-Signet.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Esignet {
    /// Claims that must be released.
    pub essential: Vec<Claim>,
    /// Claims that the person may withhold.
    #[serde(default)]
    pub voluntary: Vec<Claim>,
    /// Claim → the form field that it fills, without the section: `dob`.
    #[schemars(transform = keys_of::<Claim>)]
    pub fields: BTreeMap<Claim, String>,
    /// How the claim `name` is split.
    pub name_order: NameOrder,
    /// Words that belong to the surname that follows them.
    #[serde(default)]
    pub particles: Vec<String>,
    /// Value of the claim `gender` → value of the form.
    #[serde(default)]
    pub gender: BTreeMap<String, String>,
}

/// Claims that e-Signet can release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The partner-specific token (PSUT) of the person.
    Sub,
    /// The full name.
    Name,
    /// The given name.
    GivenName,
    /// The middle name.
    MiddleName,
    /// The family name.
    FamilyName,
    /// The date of birth.
    Birthdate,
    /// The sex.
    Gender,
    /// The address.
    Address,
    /// The telephone number.
    PhoneNumber,
    /// The e-mail address.
    Email,
    /// The identity number with which the person signed in.
    IndividualId,
}

/// In which order the parts of a full name come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameOrder {
    /// Given names, then the surname.
    #[default]
    GivenFirst,
    /// The surname, then given names.
    SurnameFirst,
}

/// Scanned identity QR codes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Qr {
    /// The most that a QR can prove: `pending` without, at most `verified` with a trusted signature.
    pub at_most: QrTrust,
    /// Attribute of the QR → the form field that it fills, without the section.
    #[schemars(transform = keys_of::<QrAttribute>)]
    pub fields: BTreeMap<QrAttribute, String>,
}

/// How far a QR is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QrTrust {
    /// The data are pre-filled and remain to be checked.
    #[default]
    Pending,
    /// A valid signature of a configured issuer counts as verification.
    Verified,
}

/// Attributes of a Claim 169 QR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QrAttribute {
    /// The identity number.
    Id,
    /// The full name.
    FullName,
    /// The date of birth.
    DateOfBirth,
    /// The sex.
    Gender,
    /// The address.
    Address,
    /// The telephone number.
    PhoneNumber,
    /// The e-mail address.
    Email,
}
