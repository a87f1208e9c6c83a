//! As much of JOSE as logins take: signatures by RSA, key sets, and encryption to an RSA key.
//!
//! Written over OpenSSL, as the proofs of credentials are, rather than with the library that reads OpenCRVS's tokens:
//! keys may be in a token, the parts of a private one are wiped, base64 comes with and without padding, and what is
//! inflated has a bound.

mod jwe;
mod jwk;
mod jws;

pub use jwe::JweError;
pub(crate) use jwe::open;
pub(crate) use jwk::private_key;
pub use jwk::{JwkError, KeySet, KeySetError};
pub use jws::JwsError;
pub(crate) use jws::{payload_unverified, sign_rs256, verified};
