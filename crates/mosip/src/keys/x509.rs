//! Certificates by their thumbprint.

use openssl::{error::ErrorStack, sha::sha256, x509::X509Ref};

/// SHA-256 of the certificate's DER: how MOSIP names the certificate it encrypted to.
pub(crate) fn thumbprint(certificate: &X509Ref) -> Result<[u8; 32], ErrorStack> {
    Ok(sha256(&certificate.to_der()?))
}
