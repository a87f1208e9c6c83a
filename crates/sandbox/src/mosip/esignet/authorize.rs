//! The page: who one is is asked by number alone, since nobody here has a telephone.

use super::super::state::Mosip;
use super::{Wanted, domain, sign_in};
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// `GET /authorize`.
pub(crate) async fn authorize(
    State(mosip): State<Arc<Mosip>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Err(error) = wanted(&mosip, &query) {
        // Whoever is at fault, nobody is sent anywhere.
        return (StatusCode::BAD_REQUEST, Html(format!("<p>{error}</p>"))).into_response();
    }
    let mut form = String::new();
    for (name, value) in &query {
        let _ = writeln!(form, "<input type=hidden name=\"{}\" value=\"{}\">", escaped(name), escaped(value));
    }
    let page = format!(
        "<!doctype html><title>e-Signet</title><form action=\"/authorize/login\">{form}<label>UIN or VID \
         <input name=individual_id></label><button>Sign in</button></form>"
    );
    Html(page).into_response()
}

/// `GET /authorize/login`: back to where the link said, with a code or with an error.
pub(crate) async fn login(
    State(mosip): State<Arc<Mosip>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let wanted = match wanted(&mosip, &query) {
        Ok(wanted) => wanted,
        Err(error) => return (StatusCode::BAD_REQUEST, Html(format!("<p>{error}</p>"))).into_response(),
    };
    let redirect = query.get("redirect_uri").map(String::as_str).unwrap_or_default();
    let id = query.get("individual_id").map(String::as_str).unwrap_or_default();
    let mut answer = match sign_in(&mosip, id, redirect, wanted) {
        Some(code) => vec![("code", code), ("iss", domain(&mosip))],
        None => vec![("error", "authorization_failed_msg".to_owned())],
    };
    answer.extend(query.get("state").map(|state| ("state", state.clone())));
    match reqwest::Url::parse_with_params(redirect, &answer) {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What a link asks for, or e-Signet's name for what is wrong with it.
fn wanted(mosip: &Mosip, query: &HashMap<String, String>) -> Result<Wanted, &'static str> {
    let options = &mosip.options.esignet;
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    if get("client_id") != options.client_id {
        return Err("invalid_client_id");
    }
    if !options.redirect_uris.iter().any(|pattern| fits(pattern, get("redirect_uri"))) {
        return Err("invalid_redirect_uri");
    }
    if get("response_type") != "code" {
        return Err("invalid_response_type");
    }
    if !get("scope").split(' ').any(|scope| scope == "openid") {
        return Err("invalid_scope");
    }
    let claims = match get("claims") {
        "" => Value::Null,
        // A list of names, as an old form function wrote it, is no JSON.
        text => serde_json::from_str::<Value>(text).map_err(|_| "parsing_error_msg")?,
    };
    let claims =
        claims["userinfo"].as_object().map(|claims| claims.keys().cloned().collect()).unwrap_or_default();
    Ok(Wanted { nonce: query.get("nonce").cloned(), claims })
}

/// One star at its end, as registered patterns have it.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix("**") {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
