//! How people on a form are identified: by a comparison of their data, or by their own login.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::PartnerKey;
use crate::config::units::{BaseUrl, FilePath};

/// ID authentication.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdAuthentication {
    /// Its address.
    pub url: Option<BaseUrl>,
    /// Our id as an authentication partner.
    pub partner_id: Option<String>,
    /// Licence key of the MISP.
    pub license_key_file: Option<FilePath>,
    /// API key of our policy.
    pub api_key_file: Option<FilePath>,
    /// Our keys, newest first.
    pub signing_keys: Vec<PartnerKey>,
    /// Its certificates.
    pub certificate_files: Vec<FilePath>,
    /// What it signs its answers with.
    pub response_certificate_files: Vec<FilePath>,
    /// The form of requests.
    pub generation: IdaGeneration,
    /// Length of a number → its kind.
    pub id_types: BTreeMap<String, IdKind>,
    /// `domainUri`.
    pub domain_uri: Option<String>,
    /// `env`.
    pub environment: Option<String>,
    /// Language of names.
    pub language: String,
    /// What is compared.
    pub attributes: Vec<Attribute>,
    /// Titles of MOSIP's master data.
    pub titles: Vec<String>,
    /// Code → what it means.
    pub codes: BTreeMap<String, String>,
}

/// Which IDA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum IdaGeneration {
    /// Up to 1.1.5.
    #[serde(rename = "1.1")]
    V1_1,
    /// Later ones.
    #[serde(rename = "1.2")]
    V1_2,
}

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum IdKind {
    /// The permanent number.
    Uin,
    /// A virtual one.
    Vid,
    /// A handle.
    Handle,
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Attribute {
    /// The full name.
    Name,
    /// The date of birth.
    Dob,
    /// The gender.
    Gender,
}

/// e-Signet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ESignet {
    /// Its token endpoint.
    pub url: Option<BaseUrl>,
    /// Our client id.
    pub client_id: Option<String>,
    /// Our private key.
    pub client_key_file: Option<FilePath>,
    /// Its user info endpoint.
    pub userinfo_url: Option<BaseUrl>,
    /// Its published keys.
    pub keys_url: Option<BaseUrl>,
    /// Its name in ID tokens.
    pub issuer: Option<String>,
    /// Where it may send people back to.
    pub redirect_uris: Vec<String>,
    /// Keys to which it encrypts for us.
    pub keys: Vec<PartnerKey>,
}
