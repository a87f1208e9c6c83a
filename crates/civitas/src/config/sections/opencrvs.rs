//! OpenCRVS: where it is, how its triggers are believed and its records are answered and looked through.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::{BaseUrl, Count, FilePath, Wait};

/// OpenCRVS.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OpenCrvs {
    /// Gateway.
    pub gateway_url: BaseUrl,
    /// Auth service.
    pub auth_url: BaseUrl,
    /// Public key by address.
    pub public_key_url: Option<BaseUrl>,
    /// Public key by file.
    pub public_key_file: Option<FilePath>,
    /// Whether a trigger's bearer token is checked.
    pub trigger_token: TriggerToken,
    /// Expected audience of trigger tokens.
    pub audience: String,
    /// Country config server.
    pub country_config_url: Option<BaseUrl>,
    /// How to confirm.
    pub confirmation: Confirmation,
    /// How it is looked through.
    pub reconcile: Reconcile,
    /// Time-outs.
    pub timeout: Wait,
}

/// Whether a trigger's bearer token is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerToken {
    /// Signed by OpenCRVS, for us, in force, for this record and action.
    Checked,
    /// Not looked at.
    Ignored,
}

/// How accept and reject are authorised.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Confirmation {
    /// Which flow.
    pub mode: ConfirmationMode,
    /// Integration client.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret_file: Option<FilePath>,
    /// Wait between 202 and accept.
    pub settle: Wait,
}

/// Looking through OpenCRVS for records that wait there and not here, or here and not there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reconcile {
    /// Whether it is done.
    pub enabled: bool,
    /// Types of actions whose triggers come to us.
    pub actions: Vec<String>,
    /// How often OpenCRVS is searched.
    pub every: Wait,
    /// How long a difference must last.
    pub grace: Wait,
    /// Whether records in registrars' hands are looked at.
    pub in_hand: bool,
    /// How often they are searched.
    pub in_hand_every: Wait,
    /// How long one must have stood still.
    pub in_hand_for: Wait,
    /// How far back they are looked for.
    pub in_hand_window: Wait,
    /// Most reads in a minute.
    pub reads_per_minute: Count<1, 600>,
}

/// The flows of the OpenCRVS versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmationMode {
    /// 1.9.
    TriggerToken,
    /// 2.0.
    Exchange,
    /// 2.1.
    ClientCredentials,
}
