//! A private key and the certificate that MOSIP has of it: from PEM files, from PKCS#12, or in a token.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use openssl::{
    error::ErrorStack,
    pkcs12::Pkcs12,
    pkey::{Id, PKey, Private, Public},
    sha::sha256,
    x509::X509,
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Certificate, CertificateError, PrivateKey, TokenAddress, TokenError, UnwrapError, thumbprint,
    token::TokenKey,
};
use crate::credential::{WRAPPED_KEY, wrap_key};

/// One generation of our partner key.
#[derive(Clone)]
pub struct KeyPair {
    private: PrivateKey,
    public: PKey<Public>,
    thumbprint: [u8; 32],
    certificate: Certificate,
    /// Of the certificate.
    der: Vec<u8>,
}

/// Why a key is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a private key in PEM.
    #[error("it is not a private key in PEM")]
    Key(#[source] ErrorStack),
    /// Locked, and no password was given.
    #[error("the private key is locked with a password, and none is given")]
    PasswordMissing,
    /// Locked with another password.
    #[error("the password does not open it")]
    PasswordWrong,
    /// Not PKCS#12.
    #[error("it is not a PKCS#12 container")]
    Container(#[source] ErrorStack),
    /// Of a cipher that OpenSSL 3 does not open.
    #[error(
        "the PKCS#12 container is encrypted with a cipher that is no longer supported (RC2, as old tools wrote)"
    )]
    ContainerCipher,
    /// Holds certificates only.
    #[error("the PKCS#12 container holds no private key")]
    ContainerWithoutKey,
    /// Holds the key only.
    #[error("the PKCS#12 container holds no certificate")]
    ContainerWithoutCertificate,
    /// Not a certificate in PEM.
    #[error("the certificate is not a certificate in PEM")]
    Certificate(#[source] CertificateError),
    /// The two do not belong together.
    #[error("the private key does not belong to the certificate {thumbprint}")]
    Pair {
        /// Of the certificate.
        thumbprint: String,
    },
    /// MOSIP encrypts to RSA-2048 only.
    #[error("the private key is not RSA of 2048 bits, to which alone MOSIP encrypts credentials")]
    Kind,
    /// In a token, where it only unwraps.
    #[error("the key is in a token, and requests are signed with keys in files only")]
    CannotSign,
    /// The token refuses or lacks it.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl KeyError {
    /// What a person can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            KeyError::Key(_) => {
                "name a file that begins with -----BEGIN PRIVATE KEY----- or BEGIN ENCRYPTED PRIVATE KEY"
            }
            KeyError::PasswordMissing => "put its password in a file and name that: `password_file`",
            KeyError::PasswordWrong => {
                "correct the file that `password_file` names: the password alone, on one line"
            }
            KeyError::Container(_) => {
                "name a .p12 or .pfx file as `pkcs12_file`; a PEM key goes under `key_file` and `certificate_file`"
            }
            KeyError::ContainerCipher => {
                "write it anew with a current cipher: openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW"
            }
            KeyError::ContainerWithoutKey => "export it again, with its private key",
            KeyError::ContainerWithoutCertificate => {
                "name the certificate that MOSIP has of this key beside it: `certificate_file`"
            }
            KeyError::Certificate(_) => "name the certificate that MOSIP has of this key, in PEM",
            KeyError::Pair { .. } => {
                "name the key and the certificate of one pair in each entry: the pair that MOSIP has"
            }
            KeyError::Kind => {
                "make an RSA-2048 key and have its certificate uploaded to MOSIP's partner management"
            }
            KeyError::CannotSign => "give it as `pkcs12_file`, or as `key_file` with `certificate_file`",
            KeyError::Token(error) => error.advice(),
        }
    }
}

impl KeyPair {
    /// A key and a certificate in PEM; the key may be locked with a password.
    pub fn from_pem(
        key_pem: &[u8],
        password: Option<&SecretString>,
        certificate_pem: &[u8],
    ) -> Result<Self, KeyError> {
        Self::in_memory(read_key(key_pem, password)?, &read_certificate(certificate_pem)?)
    }

    /// A PKCS#12 container (DER). Its own certificate is taken unless another is given.
    pub fn from_pkcs12(
        der: &[u8],
        password: Option<&SecretString>,
        certificate_pem: Option<&[u8]>,
    ) -> Result<Self, KeyError> {
        let container = Pkcs12::from_der(der).map_err(KeyError::Container)?;
        let secret = password.map_or("", ExposeSecret::expose_secret);
        let parsed = container.parse2(secret).map_err(|error| {
            let says = |reason: &str| {
                error.errors().iter().any(|error| error.reason().is_some_and(|said| said.contains(reason)))
            };
            if says("unsupported") {
                KeyError::ContainerCipher
            } else if password.is_none() {
                KeyError::PasswordMissing
            } else if says("mac verify failure") || says("bad decrypt") {
                KeyError::PasswordWrong
            } else {
                KeyError::Container(error)
            }
        })?;
        let key = parsed.pkey.ok_or(KeyError::ContainerWithoutKey)?;
        let certificate = match certificate_pem {
            Some(pem) => read_certificate(pem)?,
            None => parsed.cert.ok_or(KeyError::ContainerWithoutCertificate)?,
        };
        Self::in_memory(key, &certificate)
    }

    /// A key in a token, with its certificate in PEM.
    ///
    /// The token is asked at once. One that cannot be reached is taken all the same, since it may be back later: then
    /// the second value says why; what will not mend by itself (a wrong PIN, a key that is not there) is an error.
    pub fn from_token(
        address: TokenAddress,
        certificate_pem: &[u8],
    ) -> Result<(Self, Option<TokenError>), KeyError> {
        let certificate = read_certificate(certificate_pem)?;
        let public = certified_key(&certificate)?;
        let key = TokenKey::new(address, public.clone());
        let away = match key.connect() {
            Ok(()) => None,
            Err(error) if error.may_pass() => Some(error),
            Err(TokenError::Pair) => return Err(KeyError::Pair { thumbprint: named(&certificate)? }),
            Err(error) => return Err(KeyError::Token(error)),
        };
        Ok((Self::of(PrivateKey::Token(Arc::new(key)), public, &certificate)?, away))
    }

    fn in_memory(key: PKey<Private>, certificate: &X509) -> Result<Self, KeyError> {
        if key.id() != Id::RSA || key.size() != WRAPPED_KEY {
            return Err(KeyError::Kind);
        }
        let public = certificate.public_key().map_err(unreadable)?;
        if !public.public_eq(&key) {
            return Err(KeyError::Pair { thumbprint: named(certificate)? });
        }
        Self::of(PrivateKey::Memory(key), public, certificate)
    }

    fn of(private: PrivateKey, public: PKey<Public>, certificate: &X509) -> Result<Self, KeyError> {
        let thumbprint = thumbprint(certificate).map_err(unreadable)?;
        let der = certificate.to_der().map_err(unreadable)?;
        let certificate = Certificate::of(certificate).map_err(KeyError::Certificate)?;
        Ok(KeyPair { private, public, thumbprint, certificate, der })
    }

    /// The certificate that MOSIP has of it.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Wraps something for the certificate and has the key unwrap it: whether the pair works, all the way.
    pub fn round_trip(&self) -> Result<(), UnwrapError> {
        let sample = sha256(&self.thumbprint);
        let wrapped = wrap_key(&self.public, &sample).map_err(|_| UnwrapError::Refused)?;
        let plain = self.private.unwrap(&wrapped)?;
        if plain.as_slice() == sample { Ok(()) } else { Err(UnwrapError::Refused) }
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.private
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn into_parts(self) -> ([u8; 32], PrivateKey) {
        (self.thumbprint, self.private)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyPair").field(&self.certificate.thumbprint).finish()
    }
}

fn unreadable(error: ErrorStack) -> KeyError {
    KeyError::Certificate(error.into())
}

fn named(certificate: &X509) -> Result<String, KeyError> {
    thumbprint(certificate).map(hex::encode).map_err(unreadable)
}

fn read_certificate(pem: &[u8]) -> Result<X509, KeyError> {
    X509::from_pem(pem).map_err(unreadable)
}

fn certified_key(certificate: &X509) -> Result<PKey<Public>, KeyError> {
    let public = certificate.public_key().map_err(unreadable)?;
    if public.id() == Id::RSA && public.size() == WRAPPED_KEY { Ok(public) } else { Err(KeyError::Kind) }
}

pub(super) fn read_key(pem: &[u8], password: Option<&SecretString>) -> Result<PKey<Private>, KeyError> {
    // The callback answers instead of OpenSSL asking on the terminal, and tells that it was asked.
    let asked = AtomicBool::new(false);
    let key = PKey::private_key_from_pem_callback(pem, |buffer| {
        asked.store(true, Ordering::Relaxed);
        let Some(password) = password.map(|password| password.expose_secret().as_bytes()) else {
            return Ok(0);
        };
        let Some(place) = buffer.get_mut(..password.len()) else { return Ok(0) };
        place.copy_from_slice(password);
        Ok(password.len())
    });
    key.map_err(|error| match (asked.load(Ordering::Relaxed), password) {
        (false, _) => KeyError::Key(error),
        (true, None) => KeyError::PasswordMissing,
        (true, Some(_)) => KeyError::PasswordWrong,
    })
}

#[cfg(test)]
mod tests {
    use openssl::{rsa::Rsa, symm::Cipher};

    use super::*;
    use crate::encoding::from_base64;

    const KEY: &[u8] = include_bytes!("../../tests/vectors/key.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");
    const CLIENT_KEY: &[u8] = include_bytes!("../../tests/vectors/ida/client-key.pem");
    const CLIENT_CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/ida/client-cert.pem");

    fn container() -> Vec<u8> {
        let text: String =
            include_str!("../../tests/vectors/ida/client-p12.b64").split_whitespace().collect();
        from_base64(&text).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_recorded_container_is_the_recorded_pair() {
        let from_pem = KeyPair::from_pem(CLIENT_KEY, None, CLIENT_CERTIFICATE).unwrap();
        let from_container = KeyPair::from_pkcs12(&container(), Some(&secret("pw123456")), None).unwrap();
        assert_eq!(from_container.certificate(), from_pem.certificate());
        assert_eq!(from_container.certificate().subject, "CN=MTS-CLIENT");
        for pair in [from_pem, from_container] {
            pair.round_trip().unwrap();
        }
    }

    #[test]
    fn a_container_that_does_not_open_says_why() {
        let open = |der: &[u8], password: Option<&str>| {
            KeyPair::from_pkcs12(der, password.map(secret).as_ref(), None).unwrap_err()
        };
        assert!(matches!(open(&container(), Some("pw123457")), KeyError::PasswordWrong));
        assert!(matches!(open(&container(), None), KeyError::PasswordMissing));
        assert!(matches!(open(KEY, Some("pw123456")), KeyError::Container(_)));
        assert!(matches!(open(&container()[..900], Some("pw123456")), KeyError::Container(_)));
    }

    #[test]
    fn a_container_without_its_key_or_certificate_says_so() {
        let key = PKey::private_key_from_pem(CLIENT_KEY).unwrap();
        let certificate = X509::from_pem(CLIENT_CERTIFICATE).unwrap();
        let without_certificate = Pkcs12::builder().pkey(&key).build2("x").unwrap().to_der().unwrap();
        let without_key = Pkcs12::builder().cert(&certificate).build2("x").unwrap().to_der().unwrap();
        let open = |der: &[u8], beside| KeyPair::from_pkcs12(der, Some(&secret("x")), beside);
        let missing = open(&without_certificate, None).unwrap_err();
        assert!(matches!(missing, KeyError::ContainerWithoutCertificate), "{missing}");
        open(&without_certificate, Some(CLIENT_CERTIFICATE)).unwrap().round_trip().unwrap();
        let missing = open(&without_key, None).unwrap_err();
        assert!(matches!(missing, KeyError::ContainerWithoutKey), "{missing}");
        let other = open(&without_certificate, Some(CERTIFICATE)).unwrap_err();
        assert!(matches!(other, KeyError::Pair { .. }), "{other}");
    }

    #[test]
    fn a_locked_key_opens_with_its_password_and_no_other() {
        let cipher = Cipher::aes_256_cbc();
        let key = PKey::private_key_from_pem(KEY).unwrap();
        let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"open sesame").unwrap();
        let open =
            |password: Option<&str>| KeyPair::from_pem(&locked, password.map(secret).as_ref(), CERTIFICATE);
        open(Some("open sesame")).unwrap().round_trip().unwrap();
        assert!(matches!(open(None).unwrap_err(), KeyError::PasswordMissing));
        assert!(matches!(open(Some("open barley")).unwrap_err(), KeyError::PasswordWrong));
        assert!(matches!(open(Some(&"x".repeat(5000))).unwrap_err(), KeyError::PasswordWrong));
    }

    #[test]
    fn a_key_of_another_certificate_names_the_certificate() {
        let error = KeyPair::from_pem(CLIENT_KEY, None, CERTIFICATE).unwrap_err();
        let thumbprint = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd";
        assert!(matches!(&error, KeyError::Pair { thumbprint: named } if named == thumbprint), "{error}");
        assert!(error.advice().contains("one pair"));
    }

    #[test]
    fn other_kinds_of_keys_and_files_are_refused() {
        let short = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap().private_key_to_pem_pkcs8().unwrap();
        let open = |key: &[u8], certificate: &[u8]| KeyPair::from_pem(key, None, certificate).unwrap_err();
        assert!(matches!(open(&short, CERTIFICATE), KeyError::Kind));
        assert!(matches!(open(b"nonsense", CERTIFICATE), KeyError::Key(_)));
        assert!(matches!(open(CERTIFICATE, CERTIFICATE), KeyError::Key(_)));
        assert!(matches!(open(KEY, b"nonsense"), KeyError::Certificate(_)));
    }

    #[test]
    fn debug_shows_no_key() {
        let pair = KeyPair::from_pem(KEY, None, CERTIFICATE).unwrap();
        assert_eq!(format!("{pair:?}"), format!("KeyPair({:?})", pair.certificate().thumbprint));
    }
}
