//! The keys of our own packets: the machine's, which signs; MOSIP's, to which is encrypted.

use std::fmt;

use jiff::Timestamp;
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public},
    sign::Signer,
    x509::X509,
};

use crate::{
    credential::WRAPPED_KEY,
    keys::{PrivateKey, SignatureAlgorithm, thumbprint},
};

/// Why a key or certificate is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PacketKeyError {
    /// Not a private key in PEM, or encrypted with a password.
    #[error("the private key is not an unencrypted PEM key")]
    Key(#[source] ErrorStack),
    /// Not a certificate, or public key, in PEM.
    #[error("this is not a PEM certificate or public key")]
    Certificate(#[source] ErrorStack),
    /// Packets are signed and wrapped by RSA-2048 only.
    #[error("the key is not RSA of 2048 bits, which alone MOSIP uses for packets")]
    Kind,
    /// The two do not belong together.
    #[error("the private key does not belong to the certificate {thumbprint}")]
    Pair {
        /// Of the certificate.
        thumbprint: String,
    },
}

fn rsa_2048<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), PacketKeyError> {
    if key.id() == Id::RSA && key.size() == WRAPPED_KEY { Ok(()) } else { Err(PacketKeyError::Kind) }
}

fn private_key(pem: &[u8]) -> Result<PKey<Private>, PacketKeyError> {
    // A callback that gives no password, so that an encrypted key fails instead of asking on the terminal.
    let key = PKey::private_key_from_pem_callback(pem, |_| Ok(0)).map_err(PacketKeyError::Key)?;
    rsa_2048(&key)?;
    Ok(key)
}

/// The key by which the machine signs sub-packets; MOSIP's master data holds its public half as `signPublicKey`.
#[derive(Clone)]
pub struct MachineKey(PKey<Private>);

impl MachineKey {
    /// Reads a private key in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PacketKeyError> {
        private_key(pem).map(MachineKey)
    }

    /// SHA256withRSA, PKCS#1 v1.5: the same message has the same signature.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        signer.sign_oneshot_to_vec(message)
    }

    /// The half that verifies.
    pub fn verifying_key(&self) -> Result<VerifyingKey, ErrorStack> {
        let der = self.0.public_key_to_der()?;
        Ok(VerifyingKey(PKey::public_key_from_der(&der)?))
    }
}

impl fmt::Debug for MachineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineKey { .. }")
    }
}

/// The key by which a machine's signatures are verified.
#[derive(Clone)]
pub struct VerifyingKey(PKey<Public>);

impl VerifyingKey {
    /// Reads a public key or a certificate in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PacketKeyError> {
        let key = PKey::public_key_from_pem(pem)
            .or_else(|_| X509::from_pem(pem).and_then(|certificate| certificate.public_key()))
            .map_err(PacketKeyError::Certificate)?;
        rsa_2048(&key)?;
        Ok(VerifyingKey(key))
    }

    /// Whether this is the machine's signature over the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        SignatureAlgorithm::Rs256.fits(&self.0, message, signature)
    }
}

/// MOSIP's certificate `REGISTRATION/<centre>_<machine>`.
#[derive(Clone)]
pub struct EncryptionCertificate {
    key: PKey<Public>,
    thumbprint: [u8; 32],
    from: Timestamp,
    until: Timestamp,
}

impl EncryptionCertificate {
    /// Reads a certificate in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PacketKeyError> {
        let read = || -> Result<_, ErrorStack> {
            let certificate = X509::from_pem(pem)?;
            let thumbprint = thumbprint(&certificate)?;
            let from = instant(certificate.not_before())?;
            let until = instant(certificate.not_after())?;
            Ok(EncryptionCertificate { key: certificate.public_key()?, thumbprint, from, until })
        };
        let certificate = read().map_err(PacketKeyError::Certificate)?;
        rsa_2048(&certificate.key)?;
        Ok(certificate)
    }

    /// SHA-256 of its DER: how an envelope names it.
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Its first instant.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Its last instant.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether it may be encrypted to now. MOSIP decrypts with an ended one all the same.
    pub fn covers(&self, now: Timestamp) -> bool {
        self.from <= now && now <= self.until
    }

    pub(crate) fn key(&self) -> &PKeyRef<Public> {
        &self.key
    }
}

impl fmt::Debug for EncryptionCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncryptionCertificate").field(&hex::encode(self.thumbprint)).finish()
    }
}

fn instant(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
    let epoch = Asn1Time::from_unix(0)?;
    let since = epoch.diff(time)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Ok(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

/// What a packet is made with.
#[derive(Debug, Clone)]
pub struct PacketKeys {
    /// Signs.
    pub machine: MachineKey,
    /// MOSIP's certificates, in any order; several while one follows the other.
    pub certificates: Vec<EncryptionCertificate>,
}

impl PacketKeys {
    /// The certificate to encrypt to: of those in force, the one that was issued last.
    pub fn certificate_at(&self, now: Timestamp) -> Option<&EncryptionCertificate> {
        self.certificates.iter().filter(|certificate| certificate.covers(now)).max_by_key(|found| found.from)
    }
}

/// MOSIP's private keys, where they are at hand: in a sandbox, in a test, at MOSIP.
#[derive(Clone, Default)]
pub struct DecryptionKeys(Vec<(Option<[u8; 32]>, PrivateKey)>);

impl DecryptionKeys {
    /// Pairs of private key and certificate; a key without a certificate is tried on every envelope.
    pub fn from_pem<'a>(
        pairs: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<Self, PacketKeyError> {
        let mut keys = Vec::new();
        for (key, certificate) in pairs {
            let key = private_key(key)?;
            let Some(certificate) = certificate else {
                keys.push((None, PrivateKey::Memory(key)));
                continue;
            };
            let certificate = EncryptionCertificate::from_pem(certificate)?;
            if !certificate.key.public_eq(&key) {
                let thumbprint = hex::encode(certificate.thumbprint);
                return Err(PacketKeyError::Pair { thumbprint });
            }
            keys.push((Some(certificate.thumbprint), PrivateKey::Memory(key)));
        }
        Ok(DecryptionKeys(keys))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that an envelope with this thumbprint may be encrypted to.
    pub(super) fn of<'a>(&'a self, named: Option<&'a [u8]>) -> impl Iterator<Item = &'a PrivateKey> {
        let fits = move |of: &Option<[u8; 32]>| match (of, named) {
            (Some(of), Some(named)) => of.as_slice() == named,
            _ => true,
        };
        self.0.iter().filter(move |(of, _)| fits(of)).map(|(_, key)| key)
    }
}

impl fmt::Debug for DecryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKeys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::to_base64;

    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");

    /// The key of the reference's recorded signature, of its primes.
    fn recorded_key() -> MachineKey {
        MachineKey::from_pem(include_bytes!("../../tests/vectors/signing-key.pem")).unwrap()
    }

    #[test]
    fn the_recorded_signature_is_written_and_verified() {
        let recorded = include_str!("../../tests/vectors/signature.txt").trim();
        let signature = recorded_key().sign(b"PK-inner-zip-bytes").unwrap();
        assert_eq!(to_base64(&signature), recorded);
        let verifying = recorded_key().verifying_key().unwrap();
        assert!(verifying.verifies(b"PK-inner-zip-bytes", &signature));
        assert!(!verifying.verifies(b"PK-inner-zip-byteS", &signature));
        assert!(!verifying.verifies(b"PK-inner-zip-bytes", &signature[1..]));
    }

    #[test]
    fn of_the_certificates_in_force_the_newest_is_encrypted_to() {
        let certificate = EncryptionCertificate::from_pem(CERTIFICATE).unwrap();
        let day = jiff::SignedDuration::from_hours(24);
        let mut older = certificate.clone();
        older.from = certificate.from - day;
        older.thumbprint = [1; 32];
        let keys = PacketKeys { machine: recorded_key(), certificates: vec![certificate.clone(), older] };
        let at = |now| keys.certificate_at(now).map(|found| *found.thumbprint());
        assert_eq!(at(certificate.from + day), Some(*certificate.thumbprint()));
        assert_eq!(at(certificate.from - day), Some([1; 32]));
        assert_eq!(at(certificate.until + day), None, "an ended one is never encrypted to");
    }

    #[test]
    fn other_kinds_of_keys_are_refused() {
        let short = openssl::rsa::Rsa::generate(1024).and_then(PKey::from_rsa).unwrap();
        let pem = short.private_key_to_pem_pkcs8().unwrap();
        assert!(matches!(MachineKey::from_pem(&pem), Err(PacketKeyError::Kind)));
        assert!(matches!(MachineKey::from_pem(b"nonsense"), Err(PacketKeyError::Key(_))));
        assert!(matches!(EncryptionCertificate::from_pem(&pem), Err(PacketKeyError::Certificate(_))));
        let key = include_bytes!("../../tests/vectors/signing-key.pem");
        let pair = DecryptionKeys::from_pem([(&key[..], Some(CERTIFICATE))]);
        assert!(matches!(pair, Err(PacketKeyError::Pair { .. })));
    }
}
