//! One login: the code becomes tokens, the tokens become claims, and the claims are proven.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use openssl::{
    error::ErrorStack,
    pkey::{PKey, Private},
};
use reqwest::{Method, header::WWW_AUTHENTICATE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    ESignetEndpoints, JwkError, KeySet, LoginError, UserInfo, id_token,
    keys::{self, Keys},
};
use crate::{
    CallError, Mosip, Service,
    client::{Body, Call, Effect, Reply, Role},
    ida::Fill,
    jose::{open, private_key, sign_rs256, verified},
    keys::KeyRing,
};

/// How long an assertion is good, in seconds.
const ASSERTION_LIFE: i64 = 60;

/// Largest user info, inflated; a photo may be in it.
const LARGEST: usize = 2 * 1024 * 1024;

/// Longest name of an error that is shown.
const LONGEST_NAME: usize = 64;

/// The key by which e-Signet knows us.
#[derive(Clone)]
pub struct ClientKey(PKey<Private>);

impl ClientKey {
    /// Reads the base64 of a JWK (as mosip-api has it), a JWK, or PEM.
    pub fn read(text: &SecretString) -> Result<Self, JwkError> {
        private_key(text.expose_secret()).map(ClientKey)
    }

    /// Says who we are, once: `jti` is new each time, and the audience is the endpoint that is called.
    fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        jti: Uuid,
        now: Timestamp,
    ) -> Result<String, ErrorStack> {
        let at = now.as_second();
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience, "jti": jti, "iat": at, "exp": at + ASSERTION_LIFE,
        });
        sign_rs256(&json!({ "alg": "RS256", "typ": "JWT" }), &claims, &self.0)
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey")
    }
}

/// What e-Signet has of us, and we of it.
#[derive(Debug, Clone)]
pub struct ESignetSettings {
    /// Our client id.
    pub client_id: String,
    /// Our key.
    pub client_key: ClientKey,
    /// Where it is.
    pub endpoints: ESignetEndpoints,
    /// The keys to which user info is encrypted for us, where it is.
    pub keys: KeyRing,
}

/// Somebody signed in.
#[derive(Clone)]
pub struct Login {
    /// Partner-specific token of the person.
    pub subject: SecretString,
    /// The claims that the person released.
    pub info: UserInfo,
    /// How the person was recognised: `mosip:idp:acr:generated-code`.
    pub acr: Option<String>,
    /// When, in seconds since 1970.
    pub auth_time: Option<i64>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("acr", &self.acr).finish_non_exhaustive()
    }
}

/// The client of e-Signet. Cheap to clone.
#[derive(Clone)]
pub struct ESignet {
    mosip: Mosip,
    settings: Arc<ESignetSettings>,
    published: Arc<Keys>,
    fill: Arc<Fill>,
}

impl fmt::Debug for ESignet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ESignet").field(&self.settings).finish()
    }
}

#[derive(Deserialize)]
struct Tokens {
    access_token: SecretString,
    #[serde(default)]
    id_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl ESignet {
    /// A client that shares gates and HTTP clients with the others.
    pub fn new(mosip: Mosip, settings: ESignetSettings, fill: Arc<Fill>) -> Self {
        ESignet { mosip, settings: Arc::new(settings), published: Arc::default(), fill }
    }

    /// What it works with.
    pub fn settings(&self) -> &ESignetSettings {
        &self.settings
    }

    /// The keys that e-Signet publishes, fetched now: for the doctor.
    pub async fn published_keys(&self, now: Timestamp) -> Result<KeySet, LoginError> {
        keys::fetch(&self.mosip, &self.settings.endpoints.jwks, now).await.map(|(set, _)| set)
    }

    /// What e-Signet says of whoever brought this code. The code is spent by it, whatever comes of it: never call this
    /// twice with the same one.
    ///
    /// `redirect_uri` must be to the letter the one to which the code was sent.
    pub async fn login(&self, code: &str, redirect_uri: &str, now: Timestamp) -> Result<Login, LoginError> {
        let login = self.proven(code, redirect_uri, now).await;
        let outcome = match &login {
            Ok(_) => "authenticated",
            Err(error) => error.fault().as_str(),
        };
        metrics::counter!("civitas_esignet_logins_total", "outcome" => outcome).increment(1);
        login
    }

    async fn proven(&self, code: &str, redirect_uri: &str, now: Timestamp) -> Result<Login, LoginError> {
        let tokens = self.tokens(code, redirect_uri, now).await?;
        let Some(id_token) = &tokens.id_token else {
            return Err(LoginError::Answer("it holds no id token, so that nothing says who signed in"));
        };
        let access = tokens.access_token.expose_secret();
        let (issuer, client_id) = (&self.settings.endpoints.issuer, &self.settings.client_id);
        let check =
            |keys: &KeySet| id_token::verify(id_token.expose_secret(), access, keys, issuer, client_id, now);
        let said = self.by_published(now, check).await?;
        let answer = self.userinfo(access, now).await?;
        let signed = self.opened(answer).await?;
        let read = |keys: &KeySet| verified(&signed, keys, now).map_err(LoginError::Signature);
        let info = UserInfo::new(self.by_published(now, read).await?);
        if info.subject() != Some(said.subject.as_str()) {
            return Err(LoginError::Subject);
        }
        let subject = SecretString::from(said.subject);
        Ok(Login { subject, info, acr: said.acr, auth_time: said.auth_time })
    }

    /// Checks with the published keys, and once more with newer ones where a key was not there.
    async fn by_published<T>(
        &self,
        now: Timestamp,
        check: impl Fn(&KeySet) -> Result<T, LoginError>,
    ) -> Result<T, LoginError> {
        let address = &self.settings.endpoints.jwks;
        let keys = self.published.get(&self.mosip, address, false, now).await?;
        match check(&keys) {
            Err(error) if id_token::wants_newer_keys(&error) => {
                let newer = self.published.get(&self.mosip, address, true, now).await?;
                check(&newer)
            }
            checked => checked,
        }
    }

    async fn tokens(&self, code: &str, redirect_uri: &str, now: Timestamp) -> Result<Tokens, LoginError> {
        let settings = &self.settings;
        let mut random = [0; 16];
        (self.fill)(&mut random);
        let jti = uuid::Builder::from_random_bytes(random).into_uuid();
        let (audience, client_id) = (&settings.endpoints.token, &settings.client_id);
        let assertion =
            settings.client_key.assertion(client_id, audience, jti, now).map_err(LoginError::Assertion)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let call = call("oauth/token", Method::POST, audience, Effect::Change, Body::Form(&form));
        let reply = self.mosip.call_bare(&call, now).await?;
        if !reply.is_success() {
            return Err(refused(&call, &reply));
        }
        serde_json::from_slice(&reply.body).map_err(|_| LoginError::Answer("it holds no access token"))
    }

    async fn userinfo(&self, access_token: &str, now: Timestamp) -> Result<String, LoginError> {
        let address = &self.settings.endpoints.userinfo;
        let body = Body::Bearer(access_token);
        let call = call("oidc/userinfo", Method::GET, address, Effect::Harmless, body);
        let reply = self.mosip.call_bare(&call, now).await?;
        if !reply.is_success() {
            // Without a body: the header says why.
            let header = reply.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
            let named = header.and_then(|header| header.split("error=\"").nth(1)?.split('"').next());
            let error = named.and_then(name).unwrap_or_else(|| format!("http-{}", reply.status));
            return Err(LoginError::UserInfo { error });
        }
        String::from_utf8(reply.body).map_err(|_| LoginError::Answer("its user info is no text"))
    }

    /// The signed token: as it came, or out of an encrypted one, off the async workers.
    async fn opened(&self, answer: String) -> Result<String, LoginError> {
        match answer.trim().split('.').count() {
            3 => Ok(answer),
            5 => {
                let settings = Arc::clone(&self.settings);
                let opening = move || open(&answer, &settings.keys, LARGEST);
                let opened = tokio::task::spawn_blocking(opening).await;
                let opened = opened.map_err(|_| LoginError::Answer("opening it was ended"))?;
                opened.map(|text| text.to_string()).map_err(LoginError::Encryption)
            }
            _ => Err(LoginError::Answer("its user info is neither signed nor encrypted")),
        }
    }
}

fn call<'a>(what: &'static str, method: Method, url: &str, effect: Effect, body: Body<'a>) -> Call<'a> {
    Call { service: Service::ESignet, role: Role::Partner, effect, what, method, url: url.to_owned(), body }
}

/// `{"error","error_description"}`, or a failure of the service.
fn refused(call: &Call<'_>, reply: &Reply) -> LoginError {
    let said: Option<Refusal> = serde_json::from_slice(&reply.body).ok();
    let named = said.and_then(|said| Some((name(&said.error)?, said.error_description)));
    if let Some((error, description)) = named.filter(|_| reply.status < 500) {
        return LoginError::Refused { error, detail: description.as_deref().and_then(name) };
    }
    let code = format!("http-{}", reply.status);
    let mut error = CallError::known(call.service, &code, format!("{} answered {}", call.what, reply.status));
    error.retry_after = reply.retry_after;
    LoginError::Call(error)
}

/// A text that is the name of an error and nothing else.
fn name(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (!text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_recorded_assertion_is_made_byte_for_byte() {
        let key = SecretString::from(include_str!("../../tests/vectors/ida/client-key.pem"));
        let vector: Value =
            serde_json::from_str(include_str!("../../tests/vectors/esignet/userinfo.json")).unwrap();
        let recorded = &vector["client_assertion"];
        let claims = &recorded["claims"];
        let at = Timestamp::from_second(claims["iat"].as_i64().unwrap()).unwrap();
        let jti = claims["jti"].as_str().unwrap().parse().unwrap();
        let audience = claims["aud"].as_str().unwrap();
        let made = ClientKey::read(&key).unwrap().assertion("client-1", audience, jti, at).unwrap();
        assert_eq!(made, recorded["rs256"]);
    }

    #[test]
    fn only_names_of_errors_are_repeated() {
        assert_eq!(name("invalid_grant").as_deref(), Some("invalid_grant"));
        assert_eq!(name("IDA-MLC-002").as_deref(), Some("IDA-MLC-002"));
        assert_eq!(name("no such user: Asha Rao"), None);
        assert_eq!(name(&"x".repeat(65)), None);
    }
}
