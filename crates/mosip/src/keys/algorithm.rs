//! How MOSIP and e-Signet sign: RSA over SHA-256, in one of two paddings.

use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Public},
    rsa::Padding,
    sign::{RsaPssSaltlen, Verifier},
};

/// An algorithm of a signature, by its name in JOSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS with SHA-256, its salt as long as the digest: what MOSIP signs credentials with.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: everything else.
    Rs256,
}

impl SignatureAlgorithm {
    /// The name in a header.
    pub fn name(self) -> &'static str {
        match self {
            SignatureAlgorithm::Ps256 => "PS256",
            SignatureAlgorithm::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs256].into_iter().find(|it| it.name() == name)
    }

    /// Whether this key made the signature over exactly this message.
    pub(crate) fn fits(self, key: &PKey<Public>, message: &[u8], signature: &[u8]) -> bool {
        let fits = self.verify(key, message, signature).unwrap_or(false);
        // What a failed try left behind is not the next caller's.
        let _ = ErrorStack::get();
        fits
    }

    fn verify(self, key: &PKey<Public>, message: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        let mut verifier = Verifier::new(MessageDigest::sha256(), key)?;
        if self == SignatureAlgorithm::Ps256 {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            verifier.set_rsa_mgf1_md(MessageDigest::sha256())?;
        }
        verifier.verify_oneshot(signature, message)
    }
}
