//! From configuration to the clients that identify people on a form: ID authentication and e-Signet.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use civitas_mosip::Mosip;
use civitas_mosip::credential::{KeyRing, ProofKeys};
use civitas_mosip::esignet::{ClientKey, ESignet, ESignetEndpoints, ESignetSettings};
use civitas_mosip::ida::{Generation, IdType, Ida, IdaSettings};
use civitas_mosip::keys::SigningKey;
use civitas_mosip::packet::EncryptionCertificate;

use civitas_server::{Authentication, Compares, Identification, Verification};

use crate::config::{self, Attribute, BaseUrl, Config, FilePath, IdKind, IdaGeneration};
use crate::{entropy, partner_keys, secrets};

/// The list of keys that sign what ID authentication is asked.
pub const SIGNING_KEYS: &str = "mosip.id_authentication.signing_keys";
/// The list of keys to which e-Signet encrypts.
pub const ESIGNET_KEYS: &str = "mosip.esignet.keys";
const CERTIFICATES: &str = "mosip.id_authentication.certificate_files";
const RESPONSES: &str = "mosip.id_authentication.response_certificate_files";

/// How long a form is kept waiting for e-Signet. It gives up after five seconds.
const FORM_PATIENCE: Duration = Duration::from_millis(4500);

/// How people on a form are identified, where mosip-api's surface is served. Its calls share limits and circuits with
/// the engine's. Blocks where a key is in a token.
pub fn identification(config: &Config, mosip: &Mosip) -> anyhow::Result<Identification> {
    let api = &config.server.mosip_api;
    if !api.enabled {
        return Ok(Identification::default());
    }
    let compares = |attribute| config.mosip.id_authentication.attributes.contains(&attribute);
    let verification = id_authentication(config, mosip.clone())?.map(|ida| Verification {
        ida,
        compares: Compares {
            name: compares(Attribute::Name),
            dob: compares(Attribute::Dob),
            gender: compares(Attribute::Gender),
        },
        per_user: api.verifications_per_user.0,
        per_id: api.verifications_per_id.0,
    });
    let mut redirect_uris = config.mosip.esignet.redirect_uris.clone();
    if let (true, Some(client)) = (redirect_uris.is_empty(), &api.client_app_url) {
        redirect_uris.push(format!("{}/**", client.as_str().trim_end_matches('/')));
    }
    let authentication = esignet(config, mosip.clone())?.map(|esignet| Authentication {
        esignet,
        redirect_uris,
        patience: FORM_PATIENCE,
        fill: Arc::new(entropy::fill),
    });
    Ok(Identification { verification, authentication })
}

/// The client of ID authentication, where it has an address.
pub fn id_authentication(config: &Config, mosip: Mosip) -> anyhow::Result<Option<Ida>> {
    let ida = &config.mosip.id_authentication;
    let Some(url) = &ida.url else { return Ok(None) };
    let secret = |key: &'static str, file: &Option<FilePath>| {
        let file = file.as_ref().ok_or_else(|| anyhow!("`{key}` is not set"))?;
        anyhow::Ok(secrets::text(key, file)?)
    };
    let key = ida.signing_keys.first().ok_or_else(|| anyhow!("`{SIGNING_KEYS}` is empty"))?;
    let pair = partner_keys::load_of(SIGNING_KEYS, key)?.pair;
    let signing_key = SigningKey::of(&pair).map_err(|error| anyhow!("`{SIGNING_KEYS}`: {error}"))?;
    let mut classes = std::collections::BTreeMap::new();
    for (code, class) in &ida.codes {
        let class = class.parse().map_err(|why| anyhow!("`mosip.id_authentication.codes.{code}`: {why}"))?;
        classes.insert(code.clone(), class);
    }
    let kinds = ida.id_types.iter().filter_map(|(length, kind)| {
        let kind = match kind {
            IdKind::Uin => IdType::Uin,
            IdKind::Vid => IdType::Vid,
            IdKind::Handle => IdType::Handle,
        };
        Some((length.parse().ok()?, kind))
    });
    let settings = IdaSettings {
        url: url.as_str().to_owned(),
        license_key: secret("mosip.id_authentication.license_key_file", &ida.license_key_file)?,
        partner_id: ida.partner_id.clone().unwrap_or_default(),
        api_key: secret("mosip.id_authentication.api_key_file", &ida.api_key_file)?,
        signing_key,
        certificates: certificates(config)?,
        response_keys: response_keys(config)?,
        generation: match ida.generation {
            IdaGeneration::V1_1 => Generation::V1_1,
            IdaGeneration::V1_2 => Generation::V1_2,
        },
        id_types: kinds.collect(),
        domain_uri: ida.domain_uri.clone(),
        environment: ida.environment.clone(),
        language: ida.language.clone(),
        titles: ida.titles.clone(),
        classes,
    };
    Ok(Some(Ida::new(mosip, settings, Arc::new(entropy::fill))))
}

/// The certificates to which requests are encrypted.
pub fn certificates(config: &Config) -> anyhow::Result<Vec<EncryptionCertificate>> {
    let mut certificates = Vec::new();
    for file in &config.mosip.id_authentication.certificate_files {
        let pem = secrets::bytes(CERTIFICATES, file.as_path())?;
        let certificate = EncryptionCertificate::from_pem(&pem)
            .with_context(|| format!("`{CERTIFICATES}`: {file:?} cannot be used"))?;
        certificates.push(certificate);
    }
    Ok(certificates)
}

fn response_keys(config: &Config) -> anyhow::Result<ProofKeys> {
    let mut pems = Vec::new();
    for file in &config.mosip.id_authentication.response_certificate_files {
        pems.push(secrets::bytes(RESPONSES, file.as_path())?);
    }
    ProofKeys::from_pem(pems.iter().map(|pem| pem.as_slice()))
        .with_context(|| format!("`{RESPONSES}` cannot be used"))
}

/// The client of e-Signet, where it has an address. Blocks where a key is in a token.
pub fn esignet(config: &Config, mosip: Mosip) -> anyhow::Result<Option<ESignet>> {
    const KEY: &str = "mosip.esignet.client_key_file";
    let esignet = &config.mosip.esignet;
    let Some(url) = &esignet.url else { return Ok(None) };
    let file = esignet.client_key_file.as_ref().ok_or_else(|| anyhow!("`{KEY}` is not set"))?;
    let client_key = ClientKey::read(&secrets::text(KEY, file)?)
        .map_err(|error| anyhow!("`{KEY}` names {file:?}, which cannot be used: {error}"))?;
    let mut keys = KeyRing::new();
    for key in &esignet.keys {
        keys.insert(partner_keys::load_of(ESIGNET_KEYS, key)?.pair);
    }
    let text = |url: &Option<BaseUrl>| url.as_ref().map(config::BaseUrl::as_str).map(str::to_owned);
    let (userinfo, published) = (text(&esignet.userinfo_url), text(&esignet.keys_url));
    let endpoints = ESignetEndpoints::of(
        url.as_str(),
        userinfo.as_deref(),
        published.as_deref(),
        esignet.issuer.as_deref(),
    );
    let settings = ESignetSettings {
        client_id: esignet.client_id.clone().unwrap_or_default(),
        client_key,
        endpoints: endpoints
            .ok_or_else(|| anyhow!("`mosip.esignet.url` does not tell the other addresses"))?,
        keys,
    };
    Ok(Some(ESignet::new(mosip, settings, Arc::new(entropy::fill))))
}
