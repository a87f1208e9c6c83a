//! Asking IDA.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;
use reqwest::{Method, Url, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Map;

use super::{
    Generation, IdType, Person, RequestEntropy, SealError, Sealed,
    answer::{Refused, Verdict, judge},
    codes::AuthClass,
    request::{Outer, RequestedAuth, plaintext, seal},
};
use crate::{
    CallError, Class, Mosip, Service,
    client::{Body, Call, Effect, Raw, Reply, Role, wire_time},
    credential::{ProofKeys, verify_event_proof},
    keys::SigningKey,
    packet::EncryptionCertificate,
};

/// The header of IDA's own signature, as shipped.
const RESPONSE_SIGNATURE: &str = "response-signature";

/// How often a request that was too old is made anew.
const RESTAMPS: u32 = 2;

/// Fills a buffer with unpredictable bytes.
pub type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// What IDA has of us, and we of it.
#[derive(Clone)]
pub struct IdaSettings {
    /// `https://host/idauthentication/v1`, or the same with `/auth` behind it.
    pub url: String,
    /// Licence key of the MISP by which we come.
    pub license_key: SecretString,
    /// Our id as an authentication partner.
    pub partner_id: String,
    /// API key of our policy.
    pub api_key: SecretString,
    /// Signs what is asked.
    pub signing_key: SigningKey,
    /// IDA's partner certificates: the newest in force is sealed to, its predecessor if that is not the one.
    pub certificates: Vec<EncryptionCertificate>,
    /// What IDA's answers are signed with. Empty: not looked at.
    pub response_keys: ProofKeys,
    /// The form of the request.
    pub generation: Generation,
    /// What kind a number of so many characters is; a number of another length is sent without a kind.
    pub id_types: BTreeMap<usize, IdType>,
    /// `domainUri`, where IDA is to be told one.
    pub domain_uri: Option<String>,
    /// `env`, where IDA is to be told one.
    pub environment: Option<String>,
    /// Language of names and genders: `eng`.
    pub language: String,
    /// Titles that MOSIP's master data has for it.
    pub titles: Vec<String>,
    /// Codes that the country added, and codes that mean something else there.
    pub classes: BTreeMap<String, AuthClass>,
}

impl fmt::Debug for IdaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdaSettings").field("partner_id", &self.partner_id).finish_non_exhaustive()
    }
}

/// Why there is no verdict. Never a finding about the person.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// IDA refused, or its answer says nothing.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer is not IDA's.
    #[error("the answer of id authentication is not signed with one of the configured keys")]
    Untrusted,
    /// None of IDA's certificates is in force.
    #[error("no certificate of id authentication is in force")]
    NoCertificate,
    /// The configured address is none.
    #[error("the configured address of id authentication is not a url")]
    Address,
    /// OpenSSL failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl VerifyError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            VerifyError::Refused(refused) => refused.advice(),
            VerifyError::Call(error) => error.advice,
            VerifyError::Untrusted => {
                "get ID authentication's current signing certificate and list it in \
                 mosip.id_authentication.response_certificate_files"
            }
            VerifyError::NoCertificate => {
                "get ID authentication's current partner certificate and list it in \
                 mosip.id_authentication.certificate_files"
            }
            VerifyError::Address => "correct mosip.id_authentication.url",
            VerifyError::Seal(_) => "report it, with the version of OpenSSL",
        }
    }

    /// Its class, for metrics and the audit log.
    pub fn class(&self) -> AuthClass {
        match self {
            VerifyError::Refused(refused) => refused.class,
            VerifyError::Call(error) => match error.class {
                Class::Permanent | Class::Unauthorised => AuthClass::Config,
                Class::Transient | Class::Parked => AuthClass::Transient,
                Class::Unknown => AuthClass::Unknown,
            },
            VerifyError::Untrusted | VerifyError::NoCertificate | VerifyError::Address => AuthClass::Config,
            VerifyError::Seal(_) => AuthClass::Unknown,
        }
    }
}

/// The client of ID authentication. Cheap to clone.
#[derive(Clone)]
pub struct Ida {
    mosip: Mosip,
    settings: Arc<IdaSettings>,
    fill: Arc<Fill>,
}

impl fmt::Debug for Ida {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ida").field(&self.settings).finish()
    }
}

impl Ida {
    /// A client that shares gates and HTTP clients with the others.
    pub fn new(mosip: Mosip, settings: IdaSettings, fill: Arc<Fill>) -> Self {
        Ida { mosip, settings: Arc::new(settings), fill }
    }

    /// What it works with.
    pub fn settings(&self) -> &IdaSettings {
        &self.settings
    }

    /// Has a person's data compared. Each call is an event in the person's own history at MOSIP, and MOSIP may tell
    /// the person of it: do not repeat what was answered.
    ///
    /// A request that was too old when it came is made anew, and one that was sealed to a certificate that IDA no
    /// longer has is sealed to the other one.
    pub async fn verify(
        &self,
        person: &Person,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> Result<Verdict, VerifyError> {
        let url = self.address()?;
        let (mut restamps, mut generation) = (0, 0);
        loop {
            let now = clock();
            let certificate = self.certificate(now, generation).ok_or(VerifyError::NoCertificate)?;
            let made = self.made(person, certificate.clone(), now).await?;
            match self.asked(&url, made, now).await {
                Err(VerifyError::Refused(refused))
                    if refused.class == AuthClass::Restamp && restamps < RESTAMPS =>
                {
                    restamps += 1;
                    tracing::warn!(
                        "id authentication took a request for too old or too new: look at the clocks"
                    );
                }
                Err(VerifyError::Refused(refused))
                    if refused.class == AuthClass::Refetch
                        && self.certificate(now, generation + 1).is_some() =>
                {
                    generation += 1;
                    tracing::warn!(
                        "id authentication has another certificate than the newest that is configured"
                    );
                }
                answer => return answer,
            }
        }
    }

    /// The address, each part of it escaped. It holds keys, so that it is in no error.
    fn address(&self) -> Result<Url, VerifyError> {
        let settings = &self.settings;
        let mut url = Url::parse(&auth_address(&settings.url)).map_err(|_| VerifyError::Address)?;
        let keys = [
            settings.license_key.expose_secret(),
            settings.partner_id.as_str(),
            settings.api_key.expose_secret(),
        ];
        url.path_segments_mut().map_err(|()| VerifyError::Address)?.extend(keys);
        Ok(url)
    }

    /// Of IDA's certificates in force, the newest; the one before it, and so on.
    fn certificate(&self, now: Timestamp, generation: usize) -> Option<&EncryptionCertificate> {
        let mut in_force: Vec<&EncryptionCertificate> =
            self.settings.certificates.iter().filter(|certificate| certificate.covers(now)).collect();
        in_force.sort_by_key(|certificate| std::cmp::Reverse(certificate.from()));
        in_force.get(generation).copied()
    }

    /// Seals and signs, off the async workers.
    async fn made(
        &self,
        person: &Person,
        certificate: EncryptionCertificate,
        now: Timestamp,
    ) -> Result<Made, VerifyError> {
        let (settings, fill, person) = (Arc::clone(&self.settings), Arc::clone(&self.fill), person.clone());
        let making = move || make(&settings, &person, &certificate, &*fill, now);
        let made = tokio::task::spawn_blocking(making).await;
        // It does not panic; and the runtime ends tasks only when all ends.
        made.map_err(|_| SealError::from(openssl::error::ErrorStack::get()))?.map_err(VerifyError::Seal)
    }

    async fn asked(&self, url: &Url, made: Made, now: Timestamp) -> Result<Verdict, VerifyError> {
        let call = Call {
            service: Service::IdAuthentication,
            role: Role::Partner,
            // Without an answer it may be in the person's history, and nothing else came of it.
            effect: Effect::Harmless,
            what: "idauthentication/auth",
            method: Method::POST,
            url: url.to_string(),
            body: Body::Raw(Raw {
                content_type: "application/json".to_owned(),
                // Any text will do, and none will not.
                headers: vec![("Authorization", "Authorization".to_owned()), ("Signature", made.signature)],
                bytes: made.body,
            }),
        };
        let reply = self.mosip.call_bare(&call, now).await?;
        let verdict = if reply.is_success() {
            self.trusted(&reply)?;
            judge(&reply.body, &made.transaction, &self.settings.classes)
        } else {
            Err(Refused::ours(AuthClass::Unknown, format!("http-{}", reply.status)))
        };
        let outcome = match &verdict {
            Ok(Verdict::Matched { .. }) => "match",
            Ok(Verdict::NotMatched(why)) => why.class.as_str(),
            Err(refused) => refused.class.as_str(),
        };
        metrics::counter!("civitas_id_authentications_total", "outcome" => outcome).increment(1);
        Ok(verdict?)
    }

    /// Whether the answer is signed by IDA, where it is known with what.
    fn trusted(&self, reply: &Reply) -> Result<(), VerifyError> {
        let keys = &self.settings.response_keys;
        let Some(signature) = signature(&reply.headers) else {
            metrics::counter!("civitas_id_authentication_unsigned_total").increment(1);
            return if keys.is_empty() { Ok(()) } else { Err(VerifyError::Untrusted) };
        };
        if keys.is_empty() {
            return Ok(());
        }
        verify_event_proof(&reply.body, signature, keys).map(drop).map_err(|_| VerifyError::Untrusted)
    }
}

fn signature(headers: &HeaderMap) -> Option<&str> {
    headers.get(RESPONSE_SIGNATURE)?.to_str().ok()
}

/// Settings of different tools end at the version or at `/auth`.
fn auth_address(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.ends_with("/auth") { url.to_owned() } else { format!("{url}/auth") }
}

/// A request as it goes out: exactly these bytes are signed.
struct Made {
    body: Vec<u8>,
    signature: String,
    transaction: String,
}

fn make(
    settings: &IdaSettings,
    person: &Person,
    certificate: &EncryptionCertificate,
    fill: &Fill,
    now: Timestamp,
) -> Result<Made, SealError> {
    let entropy = RequestEntropy::draw(&|buffer| fill(buffer));
    let plain = plaintext(&person.demographics(&settings.language, &settings.titles), now);
    let Sealed { request, session_key, hash, thumbprint } = seal(&plain, certificate, &entropy)?;
    let transaction = entropy.transaction_id();
    let kind = settings.id_types.get(&person.id.chars().count());
    let outer = Outer {
        id: "mosip.identity.auth",
        version: "1.0",
        individual_id: &person.id,
        individual_id_type: kind.map(|kind| kind.as_str()),
        transaction_id: &transaction,
        request_time: &wire_time(now),
        spec_version: "1.0",
        thumbprint: &thumbprint,
        domain_uri: settings.domain_uri.as_deref(),
        env: settings.environment.as_deref(),
        requested_auth: RequestedAuth::of(settings.generation),
        consent_obtained: true,
        request_hmac: &hash,
        request_session_key: &session_key,
        request: &request,
        metadata: Map::new(),
    };
    // Texts and flags are always JSON.
    let body = serde_json::to_vec(&outer).unwrap_or_default();
    let signature = settings.signing_key.sign_detached(&body)?;
    Ok(Made { body, signature, transaction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_setting_lead_to_the_same_address() {
        for url in [
            "http://h/idauthentication/v1",
            "http://h/idauthentication/v1/",
            "http://h/idauthentication/v1/auth/",
        ] {
            assert_eq!(auth_address(url), "http://h/idauthentication/v1/auth");
        }
    }
}
