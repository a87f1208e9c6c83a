//! Tokens, kept until shortly before they end.
//!
//! authmanager bears some sixty calls a second, so that a token is fetched once for all calls that wait for one (a
//! failure is shared in the same way), and anew only when it is about to end or a service no longer accepts it.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Credentials, Mosip};
use crate::{CallError, encoding::from_base64};

/// A token is not used in the last part of its life: clocks differ, and calls take time.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// Life of a token that says nothing of it.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_secs(300);
/// Life of a token that by our clock has ended when it comes.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(10);

/// A token, ready to be sent.
#[derive(Clone)]
pub(crate) struct Token {
    /// `Authorization=<jwt>`, marked as sensitive.
    pub(crate) cookie: HeaderValue,
    /// Tells it from its predecessors.
    pub(crate) generation: u64,
    use_until: Timestamp,
}

/// The tokens of one client.
pub(crate) struct TokenSource {
    pub(super) credentials: Credentials,
    /// Fetches that ended, well or not.
    rounds: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    last_failure: Option<CallError>,
}

impl TokenSource {
    pub(super) fn new(credentials: Credentials) -> Self {
        TokenSource { credentials, rounds: AtomicU64::new(0), state: Mutex::default() }
    }

    /// A token to use now; not the one of the generation that a service `refused`.
    pub(crate) async fn token(
        &self,
        mosip: &Mosip,
        now: Timestamp,
        refused: Option<u64>,
    ) -> Result<Token, CallError> {
        let rounds = self.rounds.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && Some(token.generation) != refused
            && now < token.use_until
        {
            return Ok(token.clone());
        }
        if self.rounds.load(Ordering::Acquire) != rounds
            && let Some(failure) = &state.last_failure
        {
            // Fetched in vain while we waited.
            return Err(failure.clone());
        }
        let fetched = mosip.fetch_token(&self.credentials, now).await;
        let generation = self.rounds.fetch_add(1, Ordering::AcqRel) + 1;
        match fetched {
            Ok(fresh) => {
                let token = Token { cookie: fresh.cookie, generation, use_until: fresh.use_until };
                *state = State { token: Some(token.clone()), last_failure: None };
                Ok(token)
            }
            Err(error) => {
                *state = State { token: None, last_failure: Some(error.clone()) };
                Err(error)
            }
        }
    }
}

impl TokenSource {
    /// Whether a token is at hand; also said while one is being fetched, since that will show.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let Ok(state) = self.state.try_lock() else { return true };
        state.token.as_ref().is_some_and(|token| now < token.use_until)
    }
}

/// A token as authmanager gave it.
pub(super) struct Fresh {
    pub(super) cookie: HeaderValue,
    pub(super) use_until: Timestamp,
}

impl Fresh {
    /// Finds the token in the headers of an answer: the cookie `Authorization` if there is one, else the header.
    pub(super) fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Fresh> {
        let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let by_cookie = cookies.filter_map(read_cookie).next_back();
        let by_header = || {
            let value = headers.get(reqwest::header::AUTHORIZATION)?.to_str().ok()?;
            let value = value
                .strip_prefix("Bearer ")
                .or_else(|| value.strip_prefix("Authorization="))
                .unwrap_or(value);
            Some((usable(value)?, None))
        };
        let (jwt, max_age) = by_cookie.or_else(by_header)?;
        let mut cookie = HeaderValue::from_str(&format!("Authorization={jwt}")).ok()?;
        cookie.set_sensitive(true);
        Some(Fresh { cookie, use_until: use_until(expiry(jwt), max_age, now) })
    }
}

/// The earlier of both ends, less the skew; never later than half of a short life, never in the past.
fn use_until(exp: Option<Timestamp>, max_age: Option<i64>, now: Timestamp) -> Timestamp {
    let by_age = max_age.filter(|age| *age > 0).map(SignedDuration::from_secs);
    let by_exp = exp.map(|exp| exp.duration_since(now));
    let life = [by_age, by_exp].into_iter().flatten().min().unwrap_or(DEFAULT_LIFE);
    let use_for = if life > SKEW * 2 { life - SKEW } else { life / 2 };
    if life <= SignedDuration::ZERO {
        tracing::warn!("a token of authmanager has ended when it comes: our clock and MOSIP's differ");
    }
    now.checked_add(use_for.max(SHORTEST_LIFE)).unwrap_or(now)
}

/// Token and `Max-Age` of one `Set-Cookie` header, if it is the one.
fn read_cookie(header: &str) -> Option<(&str, Option<i64>)> {
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("authorization") {
        return None;
    }
    let max_age = parts.filter_map(|part| part.split_once('=')).find_map(|(name, value)| {
        name.trim().eq_ignore_ascii_case("max-age").then(|| value.trim().parse().ok())?
    });
    Some((usable(value)?, max_age))
}

/// Without quotes; nothing that would end or split the cookie that we send.
fn usable(value: &str) -> Option<&str> {
    let value = value.trim().trim_matches('"');
    let clean = |c: u8| c.is_ascii_graphic() && !matches!(c, b';' | b',' | b'"' | b'\\');
    (!value.is_empty() && value != "null" && value.bytes().all(clean)).then_some(value)
}

/// `exp` of a JWT. It is not verified: it only says when to ask for another.
fn expiry(jwt: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let payload = from_base64(jwt.split('.').nth(1)?)?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Timestamp::from_second(claims.exp).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::to_base64url;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn jwt(life: i64) -> String {
        let claims = format!(r#"{{"exp":{}}}"#, now().as_second() + life);
        format!("e30.{}.sig", to_base64url(claims.as_bytes()))
    }

    fn fresh(cookies: &[String], authorization: Option<&str>) -> Option<(String, i64)> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        if let Some(value) = authorization {
            headers.insert(reqwest::header::AUTHORIZATION, value.parse().unwrap());
        }
        let fresh = Fresh::from_headers(&headers, now())?;
        Some((fresh.cookie.to_str().unwrap().to_owned(), fresh.use_until.duration_since(now()).as_secs()))
    }

    #[test]
    fn a_token_is_used_until_its_exp_less_the_skew() {
        let token = jwt(600);
        let cookie = format!("Authorization={token}; Path=/; Max-Age=1800000; HttpOnly");
        assert_eq!(fresh(&[cookie], None), Some((format!("Authorization={token}"), 570)));
    }

    #[test]
    fn without_exp_it_is_used_until_its_max_age() {
        let cookie = "Authorization=opaque; max-age=120; Path=/".to_owned();
        assert_eq!(fresh(&[cookie], None), Some(("Authorization=opaque".to_owned(), 90)));
        assert_eq!(
            fresh(&["Authorization=opaque".to_owned()], None),
            Some(("Authorization=opaque".to_owned(), 270))
        );
    }

    #[test]
    fn a_short_life_is_used_for_half_of_it_and_one_in_the_past_for_a_moment() {
        assert_eq!(fresh(&[format!("Authorization={}", jwt(40))], None).unwrap().1, 20);
        assert_eq!(fresh(&[format!("Authorization={}", jwt(-500))], None).unwrap().1, 10);
    }

    #[test]
    fn other_cookies_quotes_case_and_order_do_not_matter() {
        let cookies =
            ["JSESSIONID=1; Path=/".to_owned(), "Path; authorization=\"tok\" ; HttpOnly".to_owned()];
        assert_eq!(fresh(&cookies, None), None, "the name comes first");
        let cookies = ["authorization=\"tok\"; HttpOnly".to_owned(), "JSESSIONID=1; Path=/".to_owned()];
        assert_eq!(fresh(&cookies, None).unwrap().0, "Authorization=tok");
    }

    #[test]
    fn the_header_stands_in_for_the_cookie() {
        assert_eq!(fresh(&[], Some("Bearer tok")).unwrap().0, "Authorization=tok");
        assert_eq!(
            fresh(&["Authorization=; Max-Age=0".to_owned()], Some("tok")).unwrap().0,
            "Authorization=tok"
        );
        assert_eq!(fresh(&[], None), None);
    }

    #[test]
    fn what_would_break_the_cookie_is_no_token() {
        assert_eq!(fresh(&["Authorization=a b".to_owned()], None), None);
        assert_eq!(fresh(&["Authorization=null".to_owned()], None), None);
    }
}
