//! Paths of the MOSIP stand-in.

use super::state::Mosip;
use super::{
    auth, esignet, hub, ida, idrepo, issuance, packets, relay, shares, statuses, uploads, wellknown, workflow,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::routing::{get, patch, post, put};
use std::sync::Arc;

pub(crate) fn router(mosip: Arc<Mosip>) -> Router {
    Router::new()
        .route("/v1/authmanager/authenticate/clientidsecretkey", post(auth::authenticate))
        .route("/commons/v1/packetmanager/createPacket", put(packets::create))
        .route("/registrationprocessor/v1/workflowmanager/workflowinstance", post(workflow::trigger))
        .route("/registrationprocessor/v1/workflowmanager/workflow/search", post(statuses::workflows))
        .route("/registrationprocessor/v1/registrationtransaction/search/{aid}", get(statuses::transactions))
        .route("/registrationprocessor/v1/registrationstatus/search", post(statuses::statuses))
        .route("/registrationprocessor/v1/registrationstatus/sync", post(uploads::sync_v1))
        .route("/registrationprocessor/v1/registrationstatus/syncV2", post(uploads::sync_v2))
        .route(
            "/registrationprocessor/v1/registrationstatus/packetexternalstatus",
            post(uploads::packet_status),
        )
        .route("/registrationprocessor/v1/packetreceiver/registrationpackets", post(uploads::receive))
        .route("/idrepository/v1/identity/idvid/{id}", get(idrepo::get_idvid))
        .route("/idrepository/v1/identity/idvid/", post(idrepo::post_idvid))
        .route("/idrepository/v1/identity/", patch(idrepo::patch))
        .route("/idrepository/v1/identity/rid/{id}", get(idrepo::get_rid))
        .route("/idrepository/v1/vid", post(idrepo::create))
        .route("/idrepository/v1/vid/uin/{uin}", get(idrepo::by_uin))
        .route("/idrepository/v1/vid/{vid}/regenerate", post(idrepo::regenerate))
        .route(
            "/idrepository/v1/vid/{vid}",
            get(idrepo::uin_of).patch(idrepo::patch_vid).post(idrepo::switch),
        )
        .route("/v1/credentialrequest/get/{id}", get(issuance::get))
        .route("/v1/credentialrequest/retrigger/{id}", put(issuance::put_retrigger))
        .route("/v1/datashare/get/{policy}/{subscriber}/{key}", get(shares::get))
        .route("/idauthentication/v1/auth/{license}/{partner}/{api_key}", post(ida::authenticate))
        .route("/authorize", get(esignet::authorize))
        .route("/authorize/login", get(esignet::login))
        .route("/v1/esignet/oauth/token", post(esignet::token))
        .route("/v1/esignet/oauth/v2/token", post(esignet::token))
        .route("/v1/esignet/oidc/userinfo", get(esignet::userinfo))
        .route("/v1/esignet/oauth/.well-known/jwks.json", get(esignet::jwks))
        .route("/v1/esignet/oidc/.well-known/openid-configuration", get(esignet::discovery))
        .route("/v1/keymanager/getCertificate", get(wellknown::certificate))
        .route("/hub", post(hub::hub))
        .route("/hub/", post(hub::hub))
        .route("/hub/actuator/health", get(hub::health))
        .route("/v1/authmanager/actuator/health", get(hub::health))
        .route("/commons/v1/packetmanager/actuator/health", get(hub::health))
        .route("/registrationprocessor/v1/workflowmanager/actuator/health", get(hub::health))
        .route("/v1/credentialrequest/actuator/health", get(hub::health))
        .route("/relay/opencrvs-mosip-mock", post(relay::deliver))
        .route("/.well-known/public-key.json", get(wellknown::public_key))
        .route("/.well-known/controller.json", get(wellknown::controller))
        .route("/.well-known/mosip-context.json", get(wellknown::context))
        .layer(DefaultBodyLimit::max(20 * 1024 * 1024))
        .with_state(mosip)
}

/// Where requests go that fail on their own, by the beginning of their path: the first that fits.
const FAULT_NAMES: [(&str, &str); 22] = [
    ("/v1/authmanager/actuator", "mosip.auth.health"),
    ("/v1/authmanager", "mosip.auth"),
    ("/commons/v1/packetmanager/actuator", "mosip.packetmanager.health"),
    ("/commons/v1/packetmanager", "mosip.packetmanager"),
    ("/registrationprocessor/v1/workflowmanager/actuator", "mosip.workflow.health"),
    ("/registrationprocessor/v1/workflowmanager/workflowinstance", "mosip.workflow.instance"),
    ("/registrationprocessor/v1/workflowmanager/workflow/search", "mosip.workflow.search"),
    ("/registrationprocessor/v1/registrationtransaction", "mosip.workflow.transactions"),
    ("/registrationprocessor/v1/registrationstatus/sync", "mosip.sync"),
    ("/registrationprocessor/v1/registrationstatus", "mosip.workflow.status"),
    ("/registrationprocessor/v1/packetreceiver", "mosip.receiver"),
    ("/idauthentication", "mosip.ida"),
    ("/v1/esignet/oauth/.well-known", "mosip.esignet.published"),
    ("/v1/esignet/oidc/.well-known", "mosip.esignet.published"),
    ("/v1/esignet/oauth", "mosip.esignet.token"),
    ("/v1/esignet/oidc", "mosip.esignet.userinfo"),
    ("/idrepository", "mosip.idrepo"),
    ("/v1/credentialrequest", "mosip.credentialrequest"),
    ("/v1/datashare", "mosip.datashare"),
    ("/v1/keymanager", "mosip.keymanager"),
    ("/hub", "mosip.hub"),
    ("/.well-known", "mosip.keymanager"),
];

/// Changing an identity fails on its own.
const CHANGE: &str = "mosip.idrepo.change";

/// Every fault name of MOSIP.
pub(crate) fn fault_names() -> impl Iterator<Item = &'static str> {
    FAULT_NAMES.iter().map(|(_, name)| *name).chain([CHANGE])
}

/// The fault name of a request.
pub(crate) fn fault_name(request: &Request) -> Option<&'static str> {
    let path = request.uri().path();
    if path.starts_with("/idrepository") && request.method() == http::Method::PATCH {
        return Some(CHANGE);
    }
    FAULT_NAMES.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, name)| *name)
}
