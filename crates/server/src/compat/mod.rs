//! The surface of mosip-api, for a country configuration that was written for it: the same addresses, bodies and
//! replies, so that changing one URL is enough. Off unless configured.
//!
//! What is the same: 202 and `{}`, 401 and `{"error":"Unauthorized"}`, the forms of the hub's receipt and of the debug
//! addresses, trailing slashes, CORS. What is not: an error says what is wrong, under 400, 403, 409 or 503, since the
//! published client treats every status but 2xx alike; and nothing ever hands out a token.

mod caller;
mod claims;
mod cors;
mod documentation;
pub(crate) mod identity;
mod redirect;
mod registration;
mod reply;
mod transactions;
mod update_biographics;
mod userinfo;
mod verify;
pub(crate) mod websub;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};

pub use claims::ClaimPolicy;
pub use identity::{Authentication, Compares, Identification, Verification};
pub(crate) use reply::no_route;

use crate::state::App;

/// Which release's contract is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// mosip-api 1.9.x.
    V1_9,
    /// mosip-api 2.x.
    V2,
}

/// How the surface is served.
#[derive(Debug, Clone)]
pub struct MosipApi {
    /// The release.
    pub contract: Contract,
    /// Origin of the OpenCRVS client, which browsers may call from; none for no browser.
    pub client_app_url: Option<String>,
}

/// The addresses that only this surface has.
pub(crate) fn routes(app: &App) -> Router<App> {
    let registration = post(registration::registration);
    let verify = post(verify::verify);
    let user_info = post(userinfo::user_info);
    let transactions = get(transactions::list);
    let transaction = delete(transactions::remove);
    let mut router = Router::new()
        .route("/events/registration", registration.clone())
        .route("/events/registration/", registration)
        .route("/documentation", get(documentation::page))
        .route("/documentation/", get(documentation::page))
        .route("/documentation/json", get(documentation::description))
        .route("/documentation/json/", get(documentation::description))
        .route("/verify", verify.clone())
        .route("/verify/", verify)
        .route("/esignet/get-oidp-user-info", user_info.clone())
        .route("/esignet/get-oidp-user-info/", user_info)
        .route("/debug/transactions", transactions.clone())
        .route("/debug/transactions/", transactions)
        .route("/debug/transactions/{id}", transaction.clone())
        .route("/debug/transactions/{id}/", transaction);
    if contract(app) == Contract::V2 {
        let update = post(update_biographics::update_biographics);
        router = router
            .route("/events/update-biographics", update.clone())
            .route("/events/update-biographics/", update);
    }
    router.method_not_allowed_fallback(no_route).layer(from_fn_with_state(app.clone(), cors::cors))
}

/// The release whose contract is served.
fn contract(app: &App) -> Contract {
    app.options.mosip_api.as_ref().map_or(Contract::V2, |api| api.contract)
}
