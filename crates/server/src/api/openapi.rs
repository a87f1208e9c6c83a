//! `GET /api/openapi.json`: the description of this server, generated from its handlers.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::Value;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::api::{act, described, overview, pack, queue, record};
use crate::websub::{delivery, intent};
use crate::{health, metric, reindex, trigger};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Civitas",
        description = "The engine between OpenCRVS and MOSIP. Every error is `{\"error\":{code, message, advice}}`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        trigger::trigger, reindex::reindex, intent::intent, delivery::delivery, overview::overview, queue::queue, record::record,
        act::act, pack::pack, pack::reload, health::live, health::ready, metric::metrics, openapi,
    ),
    tags(
        (name = "OpenCRVS", description = "What OpenCRVS calls"),
        (name = "MOSIP", description = "What MOSIP's hub calls"),
        (name = "Operators", description = "The queue and the records; bearer tokens of server.operators"),
        (name = "Operation", description = "Health and metrics"),
    ),
    modifiers(&Security),
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = |text: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.description = Some(text.to_owned());
            SecurityScheme::Http(http)
        };
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme(
            "opencrvs",
            bearer("The action-confirmation token of OpenCRVS (JWT, RS256)"),
        );
        components.add_security_scheme("operator", bearer("A token of server.operators"));
    }
}

/// The description as JSON text, ending in a line feed.
pub fn openapi_json() -> String {
    // The description is made of plain data, which always serialises.
    let mut description = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(schemas) = description.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(described::schemas());
        schemas.sort_keys();
    }
    format!("{description:#}\n")
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "Operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn openapi() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(openapi_json).as_str();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
