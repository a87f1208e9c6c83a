//! OpenCRVS's public key: given as PEM, or fetched, kept, and fetched again when a signature does not fit.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use josekit::jws::RS256;
use josekit::jws::alg::rsassa::RsassaJwsVerifier;
use tokio::sync::Mutex;

/// A bad signature makes us fetch the key again no more often than this: anybody can send one.
const REFETCH: SignedDuration = SignedDuration::from_secs(60);
/// Without any key we ask more often, since nothing can be checked until there is one.
const FIRST_FETCH: SignedDuration = SignedDuration::from_secs(5);
/// A PEM of a 4096-bit key has 800 bytes; an error page may have any number.
const MAX_PEM: usize = 64 * 1024;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// What was given or fetched is no RSA public key of 2048 bits or more in PEM.
    #[error("not an rsa public key in pem: check that the address serves the key and not a page")]
    NotAKey,
    /// The address answered another status than 200.
    #[error("the key's address answered {0}: check the address of the opencrvs auth service")]
    Status(u16),
    /// The address did not answer.
    #[error("the key's address does not answer: check the address of the opencrvs auth service")]
    Unreachable,
}

/// Where the key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// Fetched, `http://auth:4040/.well-known`: PEM text.
    Url(String),
    /// Mounted, and changed by a restart only. Made by [`KeySource::pem`].
    Pem(PublicKey),
}

impl KeySource {
    /// A key in PEM.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn pem(text: &str) -> Result<Self, KeyError> {
        PublicKey::parse(text).map(Self::Pem)
    }
}

/// An RSA public key, as PEM and ready to verify with.
#[derive(Clone)]
pub struct PublicKey {
    pem: Arc<str>,
    verifier: Arc<RsassaJwsVerifier>,
}

impl PublicKey {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let pem = text.trim();
        let verifier = RS256.verifier_from_pem(pem).map_err(|_| KeyError::NotAKey)?;
        Ok(Self { pem: pem.into(), verifier: Arc::new(verifier) })
    }

    pub(super) fn verifier(&self) -> &RsassaJwsVerifier {
        &self.verifier
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(RS256)")
    }
}

/// The key in use, and when it was last asked for.
pub(super) struct KeyStore {
    http: reqwest::Client,
    url: Option<String>,
    current: RwLock<Option<PublicKey>>,
    /// Held while fetching, so that one trigger fetches and the others wait for it.
    last: Mutex<Option<Fetch>>,
}

#[derive(Clone)]
struct Fetch {
    at: Timestamp,
    failed: Option<KeyError>,
}

impl KeyStore {
    pub(super) fn new(http: reqwest::Client, source: KeySource) -> Self {
        let (url, key) = match source {
            KeySource::Url(url) => (Some(url), None),
            KeySource::Pem(key) => (None, Some(key)),
        };
        Self { http, url, current: RwLock::new(key), last: Mutex::new(None) }
    }

    /// The key in use, fetched if there is none yet.
    pub(super) async fn current(&self, now: Timestamp) -> Result<PublicKey, KeyError> {
        if let Some(key) = self.held() {
            return Ok(key);
        }
        let mut last = self.last.lock().await;
        if let Some(key) = self.held() {
            return Ok(key);
        }
        if let Some(Fetch { at, failed: Some(error) }) = &*last
            && now.duration_since(*at) < FIRST_FETCH
        {
            return Err(error.clone());
        }
        self.fetch(&mut last, now).await
    }

    /// Another key than `old`, if there is one; none if `old` is known to be the current one.
    ///
    /// # Errors
    /// [`KeyError`] if that could not be found out, now or when it was last tried within the minute.
    pub(super) async fn newer_than(
        &self,
        old: &PublicKey,
        now: Timestamp,
    ) -> Result<Option<PublicKey>, KeyError> {
        if self.url.is_none() {
            return Ok(None);
        }
        let mut last = self.last.lock().await;
        let other = |key: &PublicKey| key.pem != old.pem;
        if let Some(key) = self.held().filter(other) {
            return Ok(Some(key));
        }
        match &*last {
            Some(Fetch { at, failed }) if now.duration_since(*at) < REFETCH => match failed {
                Some(error) => Err(error.clone()),
                None => Ok(None),
            },
            _ => Ok(Some(self.fetch(&mut last, now).await?).filter(other)),
        }
    }

    fn held(&self) -> Option<PublicKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the key and takes it into use; a failure leaves the old one.
    async fn fetch(&self, last: &mut Option<Fetch>, now: Timestamp) -> Result<PublicKey, KeyError> {
        let fetched = self.download().await;
        *last = Some(Fetch { at: now, failed: fetched.as_ref().err().cloned() });
        match &fetched {
            Ok(key) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(key.clone()),
            Err(error) => tracing::warn!(%error, "the key of opencrvs could not be fetched"),
        }
        fetched
    }

    async fn download(&self) -> Result<PublicKey, KeyError> {
        let url = self.url.as_deref().ok_or(KeyError::Unreachable)?;
        let mut response = self.http.get(url).send().await.map_err(|_| KeyError::Unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(KeyError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| KeyError::Unreachable)? {
            if body.len() + chunk.len() > MAX_PEM {
                return Err(KeyError::NotAKey);
            }
            body.extend_from_slice(&chunk);
        }
        PublicKey::parse(std::str::from_utf8(&body).map_err(|_| KeyError::NotAKey)?)
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").field("url", &self.url).finish_non_exhaustive()
    }
}
