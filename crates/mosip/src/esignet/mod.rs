//! Logins by e-Signet: a code that a person's browser brings becomes what e-Signet says of that person, proven.
//!
//! Four things are checked before a claim is believed: the ID token is e-Signet's, for us, of now; the user info is
//! signed with a published key; and both, and the access token, are about the same person. The client id is the
//! configured one, never one that a request names. Codes, assertions, tokens and claims are in no log and no error.

mod client;
mod endpoints;
mod error;
mod id_token;
mod keys;
mod userinfo;

pub use crate::jose::{JweError, JwkError, JwsError, KeySet, KeySetError};
pub use client::{ClientKey, ESignet, ESignetSettings, Login};
pub use endpoints::ESignetEndpoints;
pub use error::{LoginError, LoginFault};
pub use userinfo::UserInfo;
