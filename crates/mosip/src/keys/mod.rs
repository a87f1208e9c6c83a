//! Keys and certificates: ours as a MOSIP partner, by which credentials are opened, and how long certificates last.
//!
//! A [`KeyPair`] comes from a PEM file, a PKCS#12 container or a token (an HSM behind PKCS#11), and from then on all
//! are the same: a [`KeyRing`] holds several generations, and the thumbprint in a credential chooses. Private keys in
//! memory are wiped by OpenSSL when dropped; those in a token never leave it.

mod algorithm;
mod certificate;
mod pair;
mod private;
mod ring;
mod signing;
mod token;
mod x509;

pub use algorithm::SignatureAlgorithm;
pub use certificate::{Certificate, CertificateError, Standing, standings};
pub use pair::{KeyError, KeyPair};
pub(crate) use private::PrivateKey;
pub use private::UnwrapError;
pub use ring::KeyRing;
pub use signing::SigningKey;
pub use token::{KeyName, TokenAddress, TokenError, TokenName};
pub(crate) use x509::thumbprint;
