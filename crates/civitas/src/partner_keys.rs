//! Our partner keys and MOSIP's signing certificates, from the files and tokens that the configuration names.

use std::fmt;
use std::path::Path;

use civitas_mosip::credential::KeyRing;
use civitas_mosip::keys::{
    Certificate, CertificateError, KeyError, KeyName, KeyPair, TokenAddress, TokenError, TokenName,
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::{Config, Count, FilePath, PartnerKey, TokenKey};
use crate::secrets::{self, SecretError};

const KEYS: &str = "mosip.partner.keys";
const SIGNING: &str = "mosip.signing_certificate_files";
/// Operations that a token is asked for at a time, where nothing is configured.
const SESSIONS: usize = 4;

/// Why a key or certificate cannot be used, and of which file.
#[derive(Debug, thiserror::Error)]
pub enum PartnerKeyError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The key is not what it should be.
    #[error("`{named}` names {place}, which cannot be used: {error}")]
    Key {
        /// Key of the configuration.
        named: &'static str,
        /// The key's file or token.
        place: String,
        /// Why.
        error: KeyError,
    },
    /// The certificate is none.
    #[error("`{SIGNING}` names {}, which cannot be used: {error}", file.display())]
    Certificate {
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        error: CertificateError,
    },
    /// The configuration names no key; `civitas config check` says so with its place.
    #[error("an entry of the configuration's keys names no private key")]
    Nothing,
}

impl PartnerKeyError {
    /// What a person can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            PartnerKeyError::File(_) => {
                "write the file, or correct the path; it must be readable for this user"
            }
            PartnerKeyError::Key { error, .. } => error.advice(),
            PartnerKeyError::Certificate { .. } => {
                "get the certificate of key KERNEL/SIGN from keymanager, in PEM"
            }
            PartnerKeyError::Nothing => "name one: `key_file`, `pkcs12_file` or `pkcs11`",
        }
    }
}

/// A key that was read.
pub struct Loaded {
    /// Key and certificate.
    pub pair: KeyPair,
    /// Why its token cannot be asked at present.
    pub away: Option<TokenError>,
}

/// Where a key is, for people.
pub fn place(key: &PartnerKey) -> String {
    let file = key.key_file.as_ref().or(key.pkcs12_file.as_ref());
    match (file, &key.pkcs11) {
        (Some(file), _) => file.as_path().display().to_string(),
        (None, Some(token)) => {
            let (module, token, key) = (token.module.as_path().display(), token_name(token), key_name(token));
            format!("the key {key} of the token {token} behind {module}")
        }
        (None, None) => "nothing".to_owned(),
    }
}

/// Reads one of our partner keys. Blocks: a token is asked.
pub fn load(key: &PartnerKey) -> Result<Loaded, PartnerKeyError> {
    load_of(KEYS, key)
}

/// Reads one key of the list that the configuration calls so. Blocks: a token is asked.
pub fn load_of(named: &'static str, key: &PartnerKey) -> Result<Loaded, PartnerKeyError> {
    let password = key.password_file.as_ref().map(|file| secrets::text(named, file)).transpose()?;
    let certificate = key.certificate_file.as_ref().map(|file| bytes(named, file)).transpose()?;
    let certificate = certificate.as_ref().map(|pem| pem.as_slice());
    let unusable = |error| PartnerKeyError::Key { named, place: place(key), error };
    let here = |pair| Loaded { pair, away: None };
    if let Some(file) = &key.pkcs12_file {
        let container = bytes(named, file)?;
        return KeyPair::from_pkcs12(&container, password.as_ref(), certificate).map(here).map_err(unusable);
    }
    let certificate = certificate.unwrap_or_default();
    if let Some(file) = &key.key_file {
        let pem = bytes(named, file)?;
        return KeyPair::from_pem(&pem, password.as_ref(), certificate).map(here).map_err(unusable);
    }
    let token = key.pkcs11.as_ref().ok_or(PartnerKeyError::Nothing)?;
    let pin = secrets::text("mosip.partner.keys.pkcs11.pin_file", &token.pin_file)?;
    let (pair, away) = KeyPair::from_token(address(token, pin), certificate).map_err(unusable)?;
    Ok(Loaded { pair, away })
}

fn address(token: &TokenKey, pin: SecretString) -> TokenAddress {
    TokenAddress {
        module: token.module.as_path().to_owned(),
        token: token_name(token),
        key: key_name(token),
        pin,
        sessions: token.sessions.map_or(SESSIONS, Count::as_usize),
    }
}

fn token_name(token: &TokenKey) -> TokenName {
    match (&token.serial, token.slot) {
        (Some(serial), _) => TokenName::Serial(serial.clone()),
        (None, Some(slot)) => TokenName::Slot(slot),
        (None, None) => TokenName::Label(token.token.clone().unwrap_or_default()),
    }
}

fn key_name(token: &TokenKey) -> KeyName {
    KeyName { label: token.key.clone(), id: token.key_id.as_deref().and_then(|id| hex::decode(id).ok()) }
}

/// All our keys. One whose token is away is taken: it is asked again when it is needed. Blocks.
pub fn key_ring(config: &Config) -> Result<KeyRing, PartnerKeyError> {
    let mut ring = KeyRing::new();
    for key in &config.mosip.partner.keys {
        let loaded = load(key)?;
        if let Some(away) = loaded.away {
            tracing::warn!(key = place(key), %away, "the token of a partner key cannot be asked, it is tried again");
        }
        ring.insert(loaded.pair);
    }
    Ok(ring)
}

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Ours, to which credentials are sealed.
    Partner,
    /// MOSIP's, by which it signs.
    MosipSigning,
}

impl Purpose {
    /// Its name in metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Partner => "partner",
            Purpose::MosipSigning => "mosip_signing",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Purpose::Partner => "partner certificate",
            Purpose::MosipSigning => "mosip signing certificate",
        })
    }
}

/// A certificate that the configuration names, and where it is.
#[derive(Debug, Clone)]
pub struct Named {
    /// Whose.
    pub purpose: Purpose,
    /// The file.
    pub place: String,
    /// The certificate.
    pub certificate: Certificate,
}

/// MOSIP's signing certificates; bare public keys among the files have none.
pub fn signing_certificates(config: &Config) -> Result<Vec<Named>, PartnerKeyError> {
    let mut found = Vec::new();
    for file in &config.mosip.signing_certificate_files {
        let pem = bytes(SIGNING, file)?;
        if pem.windows(PUBLIC_KEY.len()).any(|window| window == PUBLIC_KEY) {
            continue;
        }
        let certificates = Certificate::all_from_pem(&pem)
            .map_err(|error| PartnerKeyError::Certificate { file: file.as_path().to_owned(), error })?;
        found.extend(certificates.into_iter().map(|certificate| Named {
            purpose: Purpose::MosipSigning,
            place: file.as_path().display().to_string(),
            certificate,
        }));
    }
    Ok(found)
}

const PUBLIC_KEY: &[u8] = b"-----BEGIN PUBLIC KEY-----";

/// The certificates of our keys, without asking any token: those of PKCS#12 containers need their password.
pub fn partner_certificates(config: &Config) -> Result<Vec<Named>, PartnerKeyError> {
    let of = |key: &PartnerKey| {
        let certificate = match &key.certificate_file {
            Some(file) => {
                let unusable = |error| PartnerKeyError::Key {
                    named: KEYS,
                    place: file.as_path().display().to_string(),
                    error: KeyError::Certificate(error),
                };
                let all = Certificate::all_from_pem(&bytes(KEYS, file)?).map_err(unusable)?;
                all.into_iter().next().ok_or(PartnerKeyError::Nothing)?
            }
            None => load(key)?.pair.certificate().clone(),
        };
        let place = key.certificate_file.as_ref().or(key.pkcs12_file.as_ref());
        let place = place.map(|file| file.as_path().display().to_string()).unwrap_or_default();
        Ok(Named { purpose: Purpose::Partner, place, certificate })
    };
    config.mosip.partner.keys.iter().map(of).collect()
}

fn bytes(key: &'static str, file: &FilePath) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    secrets::bytes(key, file.as_path() as &Path)
}
