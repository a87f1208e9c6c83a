//! Which address leads where.

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::state::{App, Options, Parts};
use crate::websub::{delivery, intent};
use crate::{api, compat, failsafe, health, metric, pages, reindex, trigger};

/// Largest body of an operator's act.
const ACT_BODY: usize = 16 * 1024;

/// All endpoints.
pub fn router(parts: Parts, options: Options) -> Router {
    let app = App::new(parts, options);
    let as_mosip_api = app.options.mosip_api.is_some();
    let callback = get(intent::intent).post(delivery::delivery);
    let mut router = Router::new()
        .route("/trigger/events/{type}/actions/{action}", post(trigger::trigger))
        .route("/triggers/events/{type}/actions/{action}", post(trigger::trigger))
        .route("/reindex", post(reindex::reindex))
        .route("/websub/callback", callback.clone())
        .route("/websub/callback/", callback)
        .route("/api/v1/overview", get(api::overview::overview))
        .route("/api/v1/queue", get(api::queue::queue))
        .route("/api/v1/records/{id}", get(api::record::record))
        .route("/api/v1/records/{id}/{act}", post(api::act::act).layer(DefaultBodyLimit::max(ACT_BODY)))
        .route("/api/v1/pack", get(api::pack::pack))
        .route("/api/v1/pack/reload", post(api::pack::reload).layer(DefaultBodyLimit::max(ACT_BODY)))
        .route("/api/openapi.json", get(api::openapi::openapi))
        .route("/", get(pages::overview::overview))
        .route("/records/{id}", get(pages::record::record))
        .route("/style.css", get(pages::style::style))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metric::metrics));
    router = if as_mosip_api {
        router.merge(compat::routes(&app)).fallback(compat::no_route)
    } else {
        router.fallback(failsafe::not_found)
    };
    router
        .method_not_allowed_fallback(failsafe::wrong_method)
        .layer(CatchPanicLayer::custom(failsafe::panicked))
        .layer(middleware::from_fn(failsafe::guard))
        .with_state(app)
}
