//! From the environment of mosip-api to a configuration: pure, so that what is shown is what is written.

use std::collections::BTreeSet;

use anyhow::bail;
use civitas_rules::{CredentialKey, OpencrvsVersion};
use zeroize::Zeroizing;

use super::environment::Environment;
use super::variables::{Becomes, find};

/// Least length of a hub secret.
const STRONG: usize = 32;

/// What stands in a deployment besides its environment.
#[derive(Debug, Clone)]
pub struct Rest {
    /// Folder of the country pack.
    pub pack: String,
    /// Address of the journal.
    pub database: String,
    /// The release that the pack states.
    pub release: OpencrvsVersion,
    /// The identifier that the pack stores.
    pub credential_key: CredentialKey,
    /// User id of the MOSIP officer.
    pub officer: Option<String>,
    /// Files with MOSIP's signing certificates.
    pub signing_certificates: Vec<String>,
    /// MOSIP's public host.
    pub host: Option<String>,
    /// Our client id at e-Signet, which mosip-api left to whoever asked.
    pub esignet_client: Option<String>,
}

/// A configuration, with its secrets beside it.
pub struct Translation {
    /// The text of `civitas.yaml`.
    pub yaml: String,
    /// File name in the folder of keys → content.
    pub secrets: Vec<(&'static str, Zeroizing<String>)>,
    /// Whether a new hub secret must be made.
    pub new_hub_secret: bool,
    /// What a person must see to.
    pub remarks: Vec<String>,
}

/// What a mapped variable has no place for.
pub struct Unmapped {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// The variables of a file that have no counterpart, with the reason.
pub fn unmapped(environment: &Environment) -> Vec<Unmapped> {
    let why = |name: &str| match find(name).map(|variable| variable.becomes) {
        None => Some("not a variable of mosip-api".to_owned()),
        Some(Becomes::Nothing(why)) => Some(why.to_owned()),
        Some(_) => None,
    };
    environment.keys().filter_map(|name| Some(Unmapped { name: name.clone(), why: why(name)? })).collect()
}

/// Translates an environment.
#[expect(clippy::too_many_lines, reason = "one key after the other, as the file will have them")]
pub fn translate(environment: &Environment, rest: &Rest) -> anyhow::Result<Translation> {
    let get = |name: &str| environment.get(name).map(|value| value.as_str());
    let needed: BTreeSet<&str> = [
        "OPENCRVS_GATEWAY_URL",
        "MOSIP_AUTH_URL",
        "MOSIP_CREATE_PACKET_URL",
        "MOSIP_PROCESS_PACKET_URL",
        "MOSIP_WEBSUB_HUB_URL",
        "MOSIP_WEBSUB_TOPIC",
        "MOSIP_WEBSUB_CALLBACK_URL",
        "MOSIP_CENTER_ID",
        "MOSIP_MACHINE_ID",
        "MOSIP_PACKET_AUTH_CLIENT_ID",
        "MOSIP_PACKET_AUTH_CLIENT_SECRET",
    ]
    .into();
    let missing: Vec<&str> = needed.iter().copied().filter(|name| get(name).is_none()).collect();
    if !missing.is_empty() {
        bail!("the file lacks {}", missing.join(", "));
    }
    let value = |name: &str| get(name).unwrap_or_default();
    let mut remarks = Vec::new();
    let mut out = Yaml::default();
    out.line(0, "# Written by `civitas migrate mosip-api`. Every other key: `civitas config default`.");
    out.key(0, "pack", &rest.pack);
    out.line(0, "database:");
    out.key(1, "url", &rest.database);
    out.line(1, "sealing_key_files: [keys/sealing.key]");
    out.key(1, "subject_key_file", "keys/subject.key");
    out.line(0, "server:");
    let host = match get("HOST").unwrap_or("0.0.0.0") {
        "localhost" => "127.0.0.1",
        host => host,
    };
    out.key(1, "listen", &format!("{host}:{}", get("PORT").unwrap_or("2024")));
    out.line(1, "mosip_api:");
    out.line(2, "enabled: true");
    out.optional(2, "client_app_url", get("CLIENT_APP_URL"));
    out.line(0, "opencrvs:");
    out.key(1, "gateway_url", value("OPENCRVS_GATEWAY_URL"));
    // A record that waits there is the country configuration's to answer; it asks here.
    out.line(1, "reconcile:");
    out.line(2, "enabled: false");
    let public_key = get("OPENCRVS_PUBLIC_KEY_URL");
    let auth = get("OPENCRVS_AUTH_URL").or_else(|| public_key.map(|url| without(url, "/.well-known")));
    let Some(auth) = auth else {
        bail!("the file lacks OPENCRVS_PUBLIC_KEY_URL (1.9) or OPENCRVS_AUTH_URL (2.x)")
    };
    out.key(1, "auth_url", auth);
    out.optional(1, "public_key_url", public_key);
    let client = get("OPENCRVS_CLIENT_ID");
    let mode = match (rest.release, client) {
        (OpencrvsVersion::V1_9, _) | (OpencrvsVersion::V2_0, None) => "trigger_token",
        (OpencrvsVersion::V2_0, Some(_)) => "exchange",
        (OpencrvsVersion::V2_1, _) => "client_credentials",
    };
    if rest.release == OpencrvsVersion::V2_1 && client.is_none() {
        bail!("OpenCRVS 2.1 is confirmed by an integration client: the file lacks OPENCRVS_CLIENT_ID");
    }
    out.line(1, "confirmation:");
    out.key(2, "mode", mode);
    out.optional(2, "client_id", client);
    let mut secrets = Vec::new();
    let mut secret = |out: &mut Yaml, indent: usize, variable: &str| {
        let Some(Becomes::Secret(key, file)) = find(variable).map(|found| found.becomes) else { return };
        if let Some(value) = environment.get(variable) {
            out.key(indent, key.rsplit('.').next().unwrap_or(key), &format!("keys/{file}"));
            secrets.push((file, value.clone()));
        }
    };
    secret(&mut out, 2, "OPENCRVS_CLIENT_SECRET");
    out.line(0, "mosip:");
    let gateway = value("MOSIP_PROCESS_PACKET_URL")
        .strip_suffix("/registrationprocessor/v1/workflowmanager/workflowinstance");
    match gateway {
        Some(gateway) => out.key(1, "gateway_url", gateway),
        None => remarks.push(
            "MOSIP_PROCESS_PACKET_URL has not MOSIP's usual path, so that the addresses of credential_request, \
             id_repository, registration_status and packet_receiver cannot be told: add them to mosip.urls"
                .to_owned(),
        ),
    }
    out.line(1, "urls:");
    out.key(2, "auth", without(value("MOSIP_AUTH_URL"), "/authenticate/clientidsecretkey"));
    out.key(2, "packet_manager", without(value("MOSIP_CREATE_PACKET_URL"), "/createPacket"));
    out.key(2, "workflow", without(value("MOSIP_PROCESS_PACKET_URL"), "/workflowmanager/workflowinstance"));
    out.key(2, "hub", value("MOSIP_WEBSUB_HUB_URL"));
    out.key(1, "client_id", value("MOSIP_PACKET_AUTH_CLIENT_ID"));
    secret(&mut out, 1, "MOSIP_PACKET_AUTH_CLIENT_SECRET");
    out.key(1, "app_id", get("MOSIP_AUTH_CLIENT_APP_ID").unwrap_or("admin"));
    out.key(1, "center_id", value("MOSIP_CENTER_ID"));
    out.key(1, "machine_id", value("MOSIP_MACHINE_ID"));
    if let Some(officer) = &rest.officer {
        out.key(1, "officer", officer);
    } else {
        out.line(1, "officer: null # the MOSIP user in whose name packets are made");
        remarks.push(
            "mosip-api had the officer from the country configuration: name the user with --officer"
                .to_owned(),
        );
    }
    out.line(1, "websub:");
    if let Some(id) = get("MOSIP_WEBSUB_AUTH_CLIENT_ID") {
        out.line(2, "client:");
        out.key(3, "client_id", id);
        secret(&mut out, 3, "MOSIP_WEBSUB_AUTH_CLIENT_SECRET");
    }
    out.key(2, "credential_topic", value("MOSIP_WEBSUB_TOPIC"));
    out.key(2, "callback_url", value("MOSIP_WEBSUB_CALLBACK_URL"));
    let strong = get("MOSIP_WEBSUB_SECRET").is_some_and(|secret| secret.chars().count() >= STRONG);
    if strong {
        secret(&mut out, 2, "MOSIP_WEBSUB_SECRET");
    } else {
        out.key(2, "secret_file", "keys/hub.secret");
        remarks.push(format!(
            "MOSIP_WEBSUB_SECRET has fewer than {STRONG} characters: a new secret is made, and the hub is subscribed to \
             with it; unsubscribe mosip-api's own subscription before the first start"
        ));
    }
    match (get("DECRYPT_P12_FILE_PATH"), get("DECRYPT_P12_FILE_PASSWORD")) {
        (Some(file), Some(_)) => {
            out.line(1, "partner:");
            out.line(2, "keys:");
            out.key(3, "- pkcs12_file", file);
            out.key(4, "password_file", "keys/partner.password");
            let mut unseen = Yaml::default();
            secret(&mut unseen, 4, "DECRYPT_P12_FILE_PASSWORD");
        }
        _ => remarks
            .push("without DECRYPT_P12_FILE_PATH and its password no credential can be opened".to_owned()),
    }
    if rest.signing_certificates.is_empty() || rest.host.is_none() {
        remarks.push(
            "mosip-api verified no proof; here every credential is put aside until MOSIP's signing certificate and \
             public host are named: --signing-certificate and --mosip-host"
                .to_owned(),
        );
    }
    if !rest.signing_certificates.is_empty() {
        let files: Vec<String> = rest.signing_certificates.iter().map(|file| quoted(file)).collect();
        out.line(1, &format!("signing_certificate_files: [{}]", files.join(", ")));
    }
    if let Some(host) = &rest.host {
        out.line(1, "credential_proof:");
        out.key(2, "host", host);
    }
    id_authentication(environment, &mut out, &mut secret, &mut remarks);
    esignet(environment, rest, &mut out, &mut remarks);
    if let Some(level) = get("LOG_LEVEL") {
        out.line(0, "telemetry:");
        out.key(1, "level", level);
    }
    if let Some(key) = get("MOSIP_VERIFIABLE_CREDENTIAL_NATIONAL_ID_KEY")
        && key != rest.credential_key.as_str()
    {
        remarks.push(format!(
            "mosip-api stored {key}, the pack says {}: records would hold another kind of id from now on",
            rest.credential_key.as_str()
        ));
    }
    Ok(Translation { yaml: out.0, secrets, new_hub_secret: !strong, remarks })
}

/// What /verify needs, if all of it is there.
fn id_authentication(
    environment: &Environment,
    out: &mut Yaml,
    secret: &mut impl FnMut(&mut Yaml, usize, &str),
    remarks: &mut Vec<String>,
) {
    let get = |name: &str| environment.get(name).map(|value| value.as_str());
    let needed = [
        "IDA_AUTH_URL",
        "PARTNER_ID",
        "PARTNER_MISP_LK",
        "PARTNER_APIKEY",
        "ENCRYPT_CERT_PATH",
        "SIGN_P12_FILE_PATH",
        "SIGN_P12_FILE_PASSWORD",
    ];
    let missing: Vec<&str> = needed.into_iter().filter(|name| get(name).is_none()).collect();
    if !missing.is_empty() {
        remarks.push(format!("/verify is not served, since the file lacks {}", missing.join(", ")));
        return;
    }
    let value = |name: &str| get(name).unwrap_or_default();
    out.line(1, "id_authentication:");
    out.key(2, "url", value("IDA_AUTH_URL"));
    out.key(2, "partner_id", value("PARTNER_ID"));
    secret(out, 2, "PARTNER_MISP_LK");
    secret(out, 2, "PARTNER_APIKEY");
    out.line(2, "signing_keys:");
    out.key(3, "- pkcs12_file", value("SIGN_P12_FILE_PATH"));
    out.key(4, "password_file", "keys/signing.password");
    secret(&mut Yaml::default(), 4, "SIGN_P12_FILE_PASSWORD");
    out.line(2, &format!("certificate_files: [{}]", quoted(value("ENCRYPT_CERT_PATH"))));
    if let Some(domain) = get("IDA_AUTH_DOMAIN_URI") {
        out.key(2, "domain_uri", domain);
        out.key(2, "environment", "Staging");
    }
}

/// What /esignet/get-oidp-user-info needs, if all of it is there.
fn esignet(environment: &Environment, rest: &Rest, out: &mut Yaml, remarks: &mut Vec<String>) {
    let get = |name: &str| environment.get(name).map(|value| value.as_str());
    let (Some(token), Some(userinfo), Some(key)) =
        (get("ESIGNET_TOKEN_URL"), get("ESIGNET_USERINFO_URL"), get("OIDP_CLIENT_PRIVATE_KEY_PATH"))
    else {
        remarks.push(
            "/esignet/get-oidp-user-info is not served, since the file lacks ESIGNET_TOKEN_URL, ESIGNET_USERINFO_URL or \
             OIDP_CLIENT_PRIVATE_KEY_PATH"
                .to_owned(),
        );
        return;
    };
    let Some(client) = &rest.esignet_client else {
        remarks.push(
            "mosip-api signed for any client that a request named; here it is configured, so that \
             /esignet/get-oidp-user-info is not served until OPENID_PROVIDER_CLIENT_ID of the country configuration is \
             named: --esignet-client"
                .to_owned(),
        );
        return;
    };
    if get("CLIENT_APP_URL").is_none() {
        remarks.push(
            "name the pages that e-Signet sends people back to in mosip.esignet.redirect_uris".to_owned(),
        );
    }
    let usual =
        ["/oauth/v2/token", "/oauth/token"].iter().any(|end| token.trim_end_matches('/').ends_with(end));
    out.line(1, "esignet:");
    out.key(2, "url", token);
    out.key(2, "userinfo_url", userinfo);
    out.key(2, "client_id", client);
    out.key(2, "client_key_file", key);
    if usual {
        remarks.push(
            "mosip-api verified nothing that e-Signet said; here its keys and its issuer count: compare \
             mosip.esignet.issuer and keys_url with its discovery document (`civitas doctor` does)"
                .to_owned(),
        );
    } else {
        out.line(2, "issuer: null # of e-Signet's discovery document");
        out.line(2, "keys_url: null # its jwks_uri");
        remarks.push(
            "ESIGNET_TOKEN_URL has not e-Signet's usual path: add issuer and keys_url of its discovery document to \
             mosip.esignet"
                .to_owned(),
        );
    }
}

/// Whether a variable's value may be shown.
pub fn is_secret(name: &str) -> bool {
    match find(name).map(|variable| variable.becomes) {
        Some(Becomes::Secret(..)) | None => true,
        Some(_) => ["SECRET", "PASSWORD", "APIKEY", "MISP_LK"].iter().any(|part| name.contains(part)),
    }
}

fn without<'u>(url: &'u str, suffix: &str) -> &'u str {
    url.trim_end_matches('/').strip_suffix(suffix).unwrap_or(url)
}

#[derive(Default)]
struct Yaml(String);

impl Yaml {
    fn line(&mut self, indent: usize, text: &str) {
        self.0.push_str(&"  ".repeat(indent));
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn key(&mut self, indent: usize, key: &str, value: &str) {
        self.line(indent, &format!("{key}: {}", quoted(value)));
    }

    fn optional(&mut self, indent: usize, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(indent, key, value);
        }
    }
}

/// A text as YAML: in quotes, so that `10001` stays one.
fn quoted(text: &str) -> String {
    // JSON's strings are YAML's.
    serde_json::Value::from(text).to_string()
}
