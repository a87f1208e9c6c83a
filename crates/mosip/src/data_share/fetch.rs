//! Fetching one share.

use std::error::Error as _;

use jiff::Timestamp;
use reqwest::{StatusCode, header::COOKIE};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{AddressRefused, DataSharePolicy, ShareRefusal};
use crate::{
    CallError, Class, Mosip, Service,
    breaker::Health,
    client::{Body, Call, Effect, Reply, Role, not_sent, retry_after, token_refused},
};

/// The codes by which a share that is no more is told, under HTTP 200: used up, not found.
const GONE: [&str; 2] = ["DAT-SER-006", "DAT-SER-008"];

/// Why there is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// It must not be fetched, or its answer not be read.
    #[error(transparent)]
    Refused(#[from] ShareRefusal),
    /// It was fetched before, by whomever, or its time is over: have the credential issued again.
    #[error("the data share is used up or expired ({code})")]
    Gone {
        /// MOSIP's code, or the status.
        code: String,
    },
    /// The call failed; the share may be there still.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What the shares are fetched with.
pub(crate) struct DataShare {
    pub(crate) http: reqwest::Client,
    pub(crate) policy: DataSharePolicy,
}

impl Mosip {
    /// Fetches a share: its bytes as they are. It may be gone afterwards, so keep them before anything else.
    pub async fn fetch_share(&self, address: &str, now: Timestamp) -> Result<Zeroizing<Vec<u8>>, ShareError> {
        let Some(share) = self.data_share() else {
            return Err(CallError::known(
                Service::DataShare,
                "data-share-unset",
                "no data share is configured",
            )
            .into());
        };
        let url = share.policy.admit(address)?;
        let call = share_call(url.into());
        let source = self.source(call.role);
        let token = source.token(self, now, None).await?;
        let mut entry = self.enter(&call, now).await?;
        let mut reply = share.get(&call, Some(&token.cookie), now).await;
        if reply.as_ref().is_ok_and(refuses_token) {
            // It answered: what is the matter is not the service.
            entry.settle(Health::Alive);
            let token = source.token(self, now, Some(token.generation)).await?;
            reply = share.get(&call, Some(&token.cookie), now).await;
        }
        entry.settle(match &reply {
            Err(ShareError::Call(_)) => Health::Failing(None),
            Ok(reply) if reply.status >= 500 => Health::Failing(reply.retry_after),
            _ => Health::Alive,
        });
        drop(entry);
        let reply = reply?;
        if refuses_token(&reply) {
            return Err(token_refused(&call, &reply).into());
        }
        judge(&call, reply)
    }
}

impl Mosip {
    /// Whether each host of shares answers, at an address that may be connected to.
    pub(crate) async fn ping_share_hosts(&self, now: Timestamp) -> Result<(), CallError> {
        let Some(share) = self.data_share() else { return Ok(()) };
        for host in &share.policy.hosts {
            let scheme = if share.policy.plain_http { "http" } else { "https" };
            let call = share_call(format!("{scheme}://{host}/v1/datashare/actuator/health"));
            let refused = |error: &dyn std::error::Error| {
                CallError::known(call.service, "data-share-refused", format!("{host}: {error}"))
            };
            match share.get(&call, None, now).await {
                Err(ShareError::Call(error)) => return Err(error),
                Err(error) => return Err(refused(&error)),
                Ok(reply) if reply.status >= 500 => {
                    let summary = format!("{host} answered {}", reply.status);
                    let code = format!("http-{}", reply.status);
                    return Err(CallError::classed(call.service, Class::Transient, &code, summary));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

fn share_call(url: String) -> Call<'static> {
    Call {
        service: Service::DataShare,
        role: Role::Partner,
        // A fetch that was not answered may have used the share up, which the next one then says.
        effect: Effect::Harmless,
        what: "datashare/get",
        method: reqwest::Method::GET,
        url,
        body: Body::Nothing,
    }
}

impl DataShare {
    async fn get(
        &self,
        call: &Call<'_>,
        cookie: Option<&reqwest::header::HeaderValue>,
        now: Timestamp,
    ) -> Result<Reply, ShareError> {
        let mut request = self.http.get(&call.url).timeout(self.policy.timeout);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let mut response = request.send().await.map_err(|error| failed(call, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            return Err(ShareRefusal::Redirect { status: status.as_u16() }.into());
        }
        let limit = self.policy.max_size;
        let too_large = || ShareError::from(ShareRefusal::TooLarge { limit });
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(call, &error))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let retry_after = retry_after(&headers, now);
        Ok(Reply { status: status.as_u16(), headers, body, retry_after })
    }
}

fn failed(call: &Call<'_>, error: &reqwest::Error) -> ShareError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<AddressRefused>() {
            return ShareRefusal::Address { address: refused.address.to_string() }.into();
        }
        cause = error.source();
    }
    not_sent(call, error).into()
}

/// The codes in MOSIP's envelope of errors, which comes under HTTP 200; none in a share.
fn codes(body: &[u8]) -> Vec<String> {
    // A share is base64, or a credential, which has no errors.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Vec::new();
    }
    let Ok(Value::Object(envelope)) = serde_json::from_slice(body) else { return Vec::new() };
    if envelope.contains_key("credentialSubject") {
        return Vec::new();
    }
    let errors = envelope.get("errors").and_then(Value::as_array);
    let codes = errors.into_iter().flatten().filter_map(|error| error["errorCode"].as_str());
    codes.map(str::to_owned).collect()
}

fn refuses_token(reply: &Reply) -> bool {
    match StatusCode::from_u16(reply.status) {
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => true,
        Ok(status) if status.is_success() => {
            codes(&reply.body).iter().any(|code| code.starts_with("KER-ATH-"))
        }
        _ => false,
    }
}

fn judge(call: &Call<'_>, reply: Reply) -> Result<Zeroizing<Vec<u8>>, ShareError> {
    let service = call.service;
    if matches!(reply.status, 404 | 410) {
        return Err(ShareError::Gone { code: format!("http-{}", reply.status) });
    }
    if !reply.is_success() {
        let summary = format!("{} answered {}", call.what, reply.status);
        let mut error = CallError::known(service, &format!("http-{}", reply.status), summary);
        // Whatever it is now, it is no verdict about the credential.
        error.class = Class::Transient;
        error.retry_after = reply.retry_after;
        return Err(error.into());
    }
    let codes = codes(&reply.body);
    if let Some(code) = codes.iter().find(|code| GONE.contains(&code.as_str())) {
        return Err(ShareError::Gone { code: code.clone() });
    }
    if let Some(code) = codes.first() {
        return Err(CallError::known(service, code, format!("{} answered {code}", call.what)).into());
    }
    if reply.body.trim_ascii().is_empty() {
        let summary = format!("{} answered nothing", call.what);
        return Err(CallError::known(service, "answer-unreadable", summary).into());
    }
    Ok(Zeroizing::new(reply.body))
}
