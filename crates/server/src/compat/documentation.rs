//! `GET /documentation` and `/documentation/json`: what this surface takes and answers, for people and as OpenAPI 3.0.3.
//!
//! mosip-api shows it to whoever has a token (1.9), or to everybody (2.x). Its page is Swagger UI; this one needs neither
//! scripts nor anything from elsewhere.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{Contract, caller, reply};
use crate::state::App;

/// The description.
pub(super) async fn description(State(app): State<App>, headers: HeaderMap) -> Response {
    match admitted(&app, &headers).await {
        Ok(contract) => reply::json_of(StatusCode::OK, &openapi(contract)),
        Err(response) => response,
    }
}

/// The page.
pub(super) async fn page(State(app): State<App>, headers: HeaderMap) -> Response {
    match admitted(&app, &headers).await {
        Ok(contract) => Html(html(&openapi(contract))).into_response(),
        Err(response) => response,
    }
}

async fn admitted(app: &App, headers: &HeaderMap) -> Result<Contract, Response> {
    let contract = super::contract(app);
    if contract == Contract::V1_9 {
        caller::known(app, headers).await?;
    }
    Ok(contract)
}

/// One route: method, path, what it is for, whether it wants a token, and its replies.
type Operation = (&'static str, &'static str, &'static str, bool, Vec<(&'static str, &'static str)>);

fn operations(contract: Contract) -> Vec<Operation> {
    let errors = || {
        vec![
            ("400", "The request cannot be used: `error` says why, `code` and `advice` go with it"),
            ("401", "No token of OpenCRVS"),
            ("403", "A token without a scope for it"),
            ("503", "It could not be made durable, or the token not be checked: send it again"),
        ]
    };
    let asked = |good: (&'static str, &'static str)| std::iter::once(good).chain(errors()).collect();
    let taken = ("202", "Durable: it is sent, retried, and told to OpenCRVS; the same again has no effect");
    let mut operations: Vec<Operation> = vec![(
        "post",
        "/events/registration",
        "Asks for an identity (`birthCertificateNumber`), or tells of a death (`deathCertificateNumber`)",
        true,
        asked(taken),
    )];
    if contract == Contract::V2 {
        operations.push((
            "post",
            "/events/update-biographics",
            "Corrects the identity of the person with this VID",
            true,
            asked(taken),
        ));
    }
    operations.extend([
        (
            "post",
            "/verify",
            "Compares typed data with MOSIP's",
            true,
            asked(("200", "`verified` or `failed`, as text")),
        ),
        (
            "post",
            "/esignet/get-oidp-user-info",
            "Who signed in with e-Signet (`code` and `state` in the query)",
            true,
            asked(("200", "The user info, in the fields of a form")),
        ),
        (
            "get",
            "/websub/callback",
            "MOSIP's hub asks whether a subscription is ours",
            false,
            vec![
                ("200", "The challenge"),
                ("400", "No challenge"),
                ("404", "Nothing of that kind was asked for"),
            ],
        ),
        (
            "post",
            "/websub/callback",
            "MOSIP's hub delivers",
            false,
            vec![("200", "A receipt: the delivery is durable"), ("401", "Not signed with the hub's secret")],
        ),
        ("get", "/debug/transactions", "What waits for MOSIP", true, asked(("200", "Rows, oldest first"))),
        (
            "delete",
            "/debug/transactions/{id}",
            "Lets a record that waits go on without an identifier; never answers a token",
            true,
            asked(("200", "The record is released")),
        ),
    ]);
    operations
}

fn openapi(contract: Contract) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (method, path, summary, secured, replies) in operations(contract) {
        let responses: Map<String, Value> = replies
            .into_iter()
            .map(|(status, text)| (status.to_owned(), json!({ "description": text })))
            .collect();
        let mut operation = json!({ "summary": summary, "responses": responses });
        if secured {
            operation["security"] = json!([{ "opencrvs": [] }]);
        }
        if method == "post" {
            let object = json!({ "application/json": { "schema": { "type": "object" } } });
            operation["requestBody"] = json!({ "required": true, "content": object });
        }
        if path.ends_with("{id}") {
            operation["parameters"] =
                json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
        }
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method] = operation;
    }
    let version = match contract {
        Contract::V1_9 => "1.9",
        Contract::V2 => "2",
    };
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "OpenCRVS–MOSIP API, served by Civitas",
            "version": version,
            "description": "The surface of mosip-api, for a country configuration that was written for it",
        },
        "components": { "securitySchemes": {
            "opencrvs": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        } },
        "paths": paths,
    })
}

/// The description as a page. Everything in it is text of ours.
fn html(openapi: &Value) -> String {
    let title = openapi["info"]["title"].as_str().unwrap_or_default();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>body{{font:16px/1.5 \
         sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}}code{{font-weight:bold}}dt{{float:left;width:4rem}}\
         </style></head><body>\n<h1>{title}</h1>\n<p>{} {}. As OpenAPI: <a href=\"/documentation/json\">/documentation/json</a></p>\n",
        openapi["info"]["description"].as_str().unwrap_or_default(),
        openapi["info"]["version"].as_str().unwrap_or_default(),
    );
    for (path, methods) in openapi["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            let _ = write!(
                page,
                "<h2><code>{} {path}</code></h2>\n<p>{summary}</p>\n<dl>",
                method.to_uppercase()
            );
            for (status, reply) in operation["responses"].as_object().into_iter().flatten() {
                let text = reply["description"].as_str().unwrap_or_default();
                let _ = write!(page, "<dt>{status}</dt><dd>{text}</dd>");
            }
            page.push_str("</dl>\n");
        }
    }
    page.push_str("</body></html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_releases_are_described_whole_and_well_formed() {
        for (contract, paths) in [(Contract::V1_9, 6), (Contract::V2, 7)] {
            let described = openapi(contract);
            assert_eq!(described["openapi"], "3.0.3");
            assert_eq!(described["paths"].as_object().unwrap().len(), paths);
            for methods in described["paths"].as_object().unwrap().values() {
                for operation in methods.as_object().unwrap().values() {
                    assert!(!operation["responses"].as_object().unwrap().is_empty(), "{operation}");
                }
            }
            let page = html(&described);
            assert_eq!(page.matches("<h2>").count(), page.matches("</dl>").count());
            assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        }
    }
}
