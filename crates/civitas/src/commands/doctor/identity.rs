//! ID authentication and e-Signet: keys, certificates, and whether they answer. Nobody is verified, and nobody signs in.

use civitas_mosip::Mosip;

use super::{Finding, Patient, finding::chain};
use crate::config::PartnerKey;
use crate::{assembly, clock, identity};

/// What stands behind `/verify` and `/esignet/get-oidp-user-info`.
pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let config = patient.config;
    // What is wrong there is said where MOSIP's own services are looked at.
    let Ok(mosip) = assembly::mosip(config) else { return Vec::new() };
    let mut findings = id_authentication(patient, &mosip).await;
    findings.extend(esignet(patient, &mosip).await);
    findings
}

async fn id_authentication(patient: &Patient<'_>, mosip: &Mosip) -> Vec<Finding> {
    const CHECK: &str = "id authentication";
    const KEY: &str = "id authentication signing key";
    const CERTIFICATES: &str = "id authentication certificates";
    let config = patient.config;
    let ida = &config.mosip.id_authentication;
    let Some(url) = &ida.url else {
        return not_served(patient, CHECK, "/verify", "mosip.id_authentication");
    };
    let now = clock::now();
    let mut findings = Vec::new();
    match identity::id_authentication(config, mosip.clone()) {
        Ok(Some(client)) => {
            let certificate = client.settings().signing_key.certificate();
            let ends = certificate.not_after;
            findings.push(if now >= ends {
                Finding::fail(
                    KEY,
                    format!("the certificate of our signing key ended on {ends}"),
                    "renew it, have it uploaded to MOSIP's partner management, and list it first in signing_keys",
                )
            } else {
                Finding::ok(KEY, format!("{}, until {ends}", certificate.subject))
            });
            let in_force = client.settings().certificates.iter().filter(|one| one.covers(now)).count();
            findings.push(match in_force {
                0 => Finding::fail(
                    CERTIFICATES,
                    "none is in force, so that nothing can be encrypted to it",
                    "get its partner certificate from keymanager (applicationId IDA, referenceId PARTNER) and list it in \
                     mosip.id_authentication.certificate_files",
                ),
                count => Finding::ok(CERTIFICATES, format!("{count} in force")),
            });
        }
        Ok(None) => {}
        Err(error) => findings.push(Finding::fail(
            CHECK,
            format!("{error:#}"),
            "mend mosip.id_authentication: its keys and certificates are what MOSIP has of us, and we of it",
        )),
    }
    findings.extend(open_files(KEY, &ida.signing_keys));
    findings.push(answers(patient, CHECK, url.as_str()).await);
    findings
}

async fn esignet(patient: &Patient<'_>, mosip: &Mosip) -> Vec<Finding> {
    const CHECK: &str = "e-signet";
    let config = patient.config;
    if config.mosip.esignet.url.is_none() {
        return not_served(patient, CHECK, "/esignet/get-oidp-user-info", "mosip.esignet");
    }
    let mut findings = Vec::new();
    match identity::esignet(config, mosip.clone()) {
        Ok(Some(client)) => {
            findings.push(match client.published_keys(clock::now()).await {
                Ok(keys) => Finding::ok(CHECK, format!("it publishes {} keys that can be used", keys.len())),
                Err(error) => Finding::fail(CHECK, chain(&error), error.advice()),
            });
            findings.push(discovery(patient, client.settings().endpoints.clone()).await);
        }
        Ok(None) => {}
        Err(error) => findings.push(Finding::fail(
            CHECK,
            format!("{error:#}"),
            "mend mosip.esignet: client_id and client_key_file are those of our registration at e-Signet",
        )),
    }
    findings.extend(open_files(CHECK, &config.mosip.esignet.keys));
    findings
}

/// Whether the discovery document names what is configured. Not every deployment shows it.
async fn discovery(patient: &Patient<'_>, endpoints: civitas_mosip::esignet::ESignetEndpoints) -> Finding {
    const CHECK: &str = "e-signet discovery";
    let service = endpoints.userinfo.trim_end_matches("/oidc/userinfo");
    let address = format!("{service}/oidc/.well-known/openid-configuration");
    let document: Option<serde_json::Value> = match patient.http.get(&address).send().await {
        Ok(answer) if answer.status().is_success() => answer.json().await.ok(),
        _ => None,
    };
    let Some(document) = document else {
        return Finding::warn(
            CHECK,
            format!("{address} shows no discovery document to compare with"),
            "compare issuer, token endpoint and jwks_uri with e-Signet's operators",
        );
    };
    let named = |name: &str| document[name].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
    let differs: Vec<String> = [
        ("issuer", &endpoints.issuer, "mosip.esignet.issuer"),
        ("jwks_uri", &endpoints.jwks, "mosip.esignet.keys_url"),
        ("userinfo_endpoint", &endpoints.userinfo, "mosip.esignet.userinfo_url"),
    ]
    .into_iter()
    .filter(|(name, ours, _)| !named(name).is_empty() && named(name) != ours.trim_end_matches('/'))
    .map(|(name, ours, key)| format!("{key} is {ours}, the document's {name} is {}", named(name)))
    .collect();
    if differs.is_empty() {
        Finding::ok(CHECK, "issuer and addresses are those of its discovery document")
    } else {
        Finding::warn(
            CHECK,
            differs.join("; "),
            "take over what the document says, unless a gateway is in between",
        )
    }
}

/// Where mosip-api's surface is served, a route that is not is worth a word.
fn not_served(patient: &Patient<'_>, check: &str, route: &str, section: &str) -> Vec<Finding> {
    if !patient.config.server.mosip_api.enabled {
        return Vec::new();
    }
    vec![Finding::warn(
        check,
        format!("not configured: {route} answers that it is not"),
        format!("set {section}, if forms use it"),
    )]
}

/// An address answers if anything comes back: whatever is asked without a signature is refused.
async fn answers(patient: &Patient<'_>, check: &str, url: &str) -> Finding {
    match patient.http.get(url).send().await {
        Ok(answer) if answer.status().as_u16() < 500 => Finding::ok(check, "it answers"),
        Ok(answer) => Finding::fail(
            check,
            format!("it answered {}", answer.status().as_u16()),
            "look at the service, and at the gateway in front of it",
        ),
        Err(_) => {
            Finding::fail(check, "it does not answer", "check mosip.id_authentication.url and the way there")
        }
    }
}

/// The secrets of these keys are for this user only.
fn open_files(check: &str, keys: &[PartnerKey]) -> Vec<Finding> {
    let files = keys.iter().flat_map(|key| [&key.key_file, &key.pkcs12_file, &key.password_file]).flatten();
    let open = files.filter(|file| super::keys::open_to_others(file.as_path()));
    open.map(|file| {
        let shown = file.as_path().display().to_string();
        let found = format!("{shown} can be read by other users of this machine");
        Finding::warn(check, found, format!("chmod 600 {shown}"))
    })
    .collect()
}
