//! As much of JOSE as logins take: signatures by RSA, key sets, and encryption to an RSA key.
//!
//! Written over OpenSSL rather than with a library, since the keys may be in a token, and what is inflated must have
//! a bound.

mod jwe;
mod jwk;
mod jws;

pub use jwe::JweError;
pub(crate) use jwe::open;
pub(crate) use jwk::private_key;
pub use jwk::{JwkError, KeySet, KeySetError};
pub use jws::JwsError;
pub(crate) use jws::{payload_unverified, sign_rs256, verified};
