//! The ID repository: identities and their VIDs. HTTP 200 whatever happened, but for a token that is not good enough.

mod identity;
mod vid;

pub(crate) use identity::{get_idvid, get_rid, patch, post_idvid};
pub(crate) use vid::{by_uin, create, patch_vid, regenerate, switch, uin_of};

use super::auth;
use super::envelope;
use super::state::Mosip;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

/// Who may read identities.
const READERS: [&str; 7] = [
    "REGISTRATION_PROCESSOR",
    "RESIDENT",
    "REGISTRATION_ADMIN",
    "REGISTRATION_SUPERVISOR",
    "REGISTRATION_OFFICER",
    "ID_AUTHENTICATION",
    "ID_REPOSITORY",
];

/// A role is not enough: the client must be in the repository's own list of audiences too.
fn refused(mosip: &Mosip, headers: &HeaderMap, roles: &[&str]) -> Option<Response> {
    match auth::spring(mosip, headers, roles) {
        Ok(grant) if mosip.options.id_repository_audience.contains(&grant.client) => None,
        Ok(_) => Some(envelope::refused(StatusCode::FORBIDDEN)),
        Err(status) => Some(envelope::refused(status)),
    }
}
