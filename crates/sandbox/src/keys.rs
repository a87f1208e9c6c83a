//! The key pairs of the stand-ins: OpenCRVS's token key, MOSIP's `KERNEL/SIGN`
//! key and the partner's key, whose private half belongs to the engine.

use crate::jwt::b64;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// All key pairs. Cheap to clone.
#[derive(Clone)]
pub struct SandboxKeys {
    pub(crate) auth: PKey<Private>,
    pub(crate) kernel: PKey<Private>,
    pub(crate) kernel_certificate: X509,
    pub(crate) partner: PKey<Private>,
    pub(crate) partner_certificate: X509,
    upload: Arc<OnceLock<UploadKeys>>,
    identity: Arc<OnceLock<IdentityKeys>>,
    made_at: Timestamp,
}

/// What packets that others build are signed and encrypted with. Made when first asked for: few sandboxes need them.
pub(crate) struct UploadKeys {
    pub(crate) machine: PKey<Private>,
    pub(crate) registration: PKey<Private>,
    pub(crate) registration_certificate: X509,
}

/// What people are identified with. Made when first asked for.
#[derive(Clone)]
pub(crate) struct IdentityKeys {
    /// ID authentication's own: requests are sealed to it, its answers and e-Signet's user info are signed with it.
    pub(crate) ida: PKey<Private>,
    pub(crate) ida_certificate: X509,
    /// The partner's, by which requests are signed, and to which user info is encrypted.
    pub(crate) client: PKey<Private>,
    pub(crate) client_certificate: X509,
    /// e-Signet's own.
    pub(crate) esignet: PKey<Private>,
    /// The relying party's.
    pub(crate) relying_party: PKey<Private>,
}

/// Why keys could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// OpenSSL refused.
    #[error("key or certificate could not be made or read")]
    Crypto(#[from] ErrorStack),
    /// The file system refused.
    #[error("key file {path} could not be read or written")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SandboxKeys {
    /// Makes three RSA-2048 pairs; certificates are valid for ten years from `now`.
    /// Takes a few hundred milliseconds.
    pub fn generate(now: Timestamp) -> Result<Self, KeyError> {
        let (auth, kernel, partner) = (pair()?, pair()?, pair()?);
        Ok(Self {
            kernel_certificate: certificate(&kernel, "mosip-kernel-sign", now)?,
            partner_certificate: certificate(&partner, "crvs_partner", now)?,
            auth,
            kernel,
            partner,
            upload: Arc::default(),
            identity: Arc::default(),
            made_at: now,
        })
    }

    /// The keys of ID authentication and e-Signet.
    pub(crate) fn identity(&self) -> Result<&IdentityKeys, KeyError> {
        if let Some(keys) = self.identity.get() {
            return Ok(keys);
        }
        let (ida, client) = (pair()?, pair()?);
        let keys = IdentityKeys {
            ida_certificate: certificate(&ida, "IDA-PARTNER", self.made_at)?,
            client_certificate: certificate(&client, "crvs-partner", self.made_at)?,
            ida,
            client,
            esignet: pair()?,
            relying_party: pair()?,
        };
        // Whoever comes second takes the first one's.
        Ok(self.identity.get_or_init(|| keys))
    }

    pub(crate) fn identity_owned(&self) -> Result<IdentityKeys, KeyError> {
        self.identity().cloned()
    }

    /// ID authentication's partner certificate, PEM: what the engine encrypts requests to.
    pub fn ida_certificate_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.identity()?.ida_certificate.to_pem()?)
    }

    /// The key by which the engine signs requests and opens encrypted user info, PKCS#8 PEM, and its certificate, PEM.
    pub fn identity_client_pem(&self) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        let keys = self.identity()?;
        Ok((keys.client.private_key_to_pem_pkcs8()?, keys.client_certificate.to_pem()?))
    }

    /// The relying party's key as mosip-api has it in its file: the base64 of a JWK.
    pub fn esignet_client_jwk(&self) -> Result<String, KeyError> {
        let rsa = self.identity()?.relying_party.rsa()?;
        let part = |number: Option<&BigNumRef>| number.map(|number| b64(number.to_vec()));
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "n": part(Some(rsa.n())), "e": part(Some(rsa.e())),
            "d": part(Some(rsa.d())), "p": part(rsa.p()), "q": part(rsa.q()), "dp": part(rsa.dmp1()),
            "dq": part(rsa.dmq1()), "qi": part(rsa.iqmp()),
        });
        Ok(STANDARD.encode(jwk.to_string()))
    }

    fn write_identity(&self, folder: &Path) -> Result<(), KeyError> {
        let file = |name: &str| folder.join(name);
        let keys = self.identity()?;
        let (key, certificate) = self.identity_client_pem()?;
        write(&file("ida-key.pem"), &keys.ida.private_key_to_pem_pkcs8()?)?;
        write(&file("ida-cert.pem"), &self.ida_certificate_pem()?)?;
        write(&file("ida-client-key.pem"), &key)?;
        write(&file("ida-client-cert.pem"), &certificate)?;
        write(&file("esignet-key.pem"), &keys.esignet.private_key_to_pem_pkcs8()?)?;
        write(&file("esignet-client-key.pem"), &keys.relying_party.private_key_to_pem_pkcs8()?)?;
        // Last: its presence says that the others are there.
        write(&file("esignet-client.jwk"), self.esignet_client_jwk()?.as_bytes())
    }

    /// The keys of uploaded packets.
    pub(crate) fn upload(&self) -> Result<&UploadKeys, KeyError> {
        if let Some(keys) = self.upload.get() {
            return Ok(keys);
        }
        let (machine, registration) = (pair()?, pair()?);
        let registration_certificate = certificate(&registration, "REGISTRATION-10001_20042", self.made_at)?;
        // Whoever comes second takes the first one's.
        Ok(self.upload.get_or_init(|| UploadKeys { machine, registration, registration_certificate }))
    }

    /// The machine's private key, PKCS#8 PEM: what the engine signs its own packets with.
    pub fn machine_private_key_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.upload()?.machine.private_key_to_pem_pkcs8()?)
    }

    /// The certificate `REGISTRATION/<refId>`, PEM: what the engine encrypts its own packets to.
    pub fn registration_certificate_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.upload()?.registration_certificate.to_pem()?)
    }

    /// Its private key, PKCS#8 PEM, which in life only keymanager has: for looking into packets.
    pub fn registration_private_key_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.upload()?.registration.private_key_to_pem_pkcs8()?)
    }

    /// Reads the keys of a folder, or makes and writes them there first: a
    /// second start then understands what the first one encrypted.
    pub fn load_or_create(folder: &Path, now: Timestamp) -> Result<Self, KeyError> {
        if folder.join("auth-key.pem").exists() {
            return Self::load(folder, now);
        }
        let keys = Self::generate(now)?;
        let file = |name: &str| folder.join(name);
        std::fs::create_dir_all(folder).map_err(|source| KeyError::File { path: folder.into(), source })?;
        write(&file("kernel-key.pem"), &keys.kernel.private_key_to_pem_pkcs8()?)?;
        write(&file("kernel-cert.pem"), &keys.kernel_certificate.to_pem()?)?;
        write(&file("partner-key.pem"), &keys.partner.private_key_to_pem_pkcs8()?)?;
        write(&file("partner-cert.pem"), &keys.partner_certificate.to_pem()?)?;
        keys.write_upload(folder)?;
        keys.write_identity(folder)?;
        write(&file("auth-public.pem"), &keys.auth.public_key_to_pem()?)?;
        // Last: its presence says that the folder is complete.
        write(&file("auth-key.pem"), &keys.auth.private_key_to_pem_pkcs8()?)?;
        Ok(keys)
    }

    fn write_upload(&self, folder: &Path) -> Result<(), KeyError> {
        let file = |name: &str| folder.join(name);
        write(&file("machine-key.pem"), &self.machine_private_key_pem()?)?;
        write(&file("registration-key.pem"), &self.registration_private_key_pem()?)?;
        write(&file("registration-cert.pem"), &self.registration_certificate_pem()?)
    }

    fn load(folder: &Path, now: Timestamp) -> Result<Self, KeyError> {
        let key = |name: &str| -> Result<_, KeyError> {
            Ok(PKey::private_key_from_pem(&read(&folder.join(name))?)?)
        };
        let cert = |name: &str| -> Result<_, KeyError> { Ok(X509::from_pem(&read(&folder.join(name))?)?) };
        let upload = OnceLock::new();
        // A folder of before has none of these.
        if folder.join("registration-cert.pem").exists() {
            let (machine, registration) = (key("machine-key.pem")?, key("registration-key.pem")?);
            let registration_certificate = cert("registration-cert.pem")?;
            upload.get_or_init(|| UploadKeys { machine, registration, registration_certificate });
        }
        let identity = OnceLock::new();
        if folder.join("esignet-client.jwk").exists() {
            let keys = IdentityKeys {
                ida: key("ida-key.pem")?,
                ida_certificate: cert("ida-cert.pem")?,
                client: key("ida-client-key.pem")?,
                client_certificate: cert("ida-client-cert.pem")?,
                esignet: key("esignet-key.pem")?,
                relying_party: key("esignet-client-key.pem")?,
            };
            identity.get_or_init(|| keys);
        }
        let keys = Self {
            auth: key("auth-key.pem")?,
            kernel: key("kernel-key.pem")?,
            kernel_certificate: cert("kernel-cert.pem")?,
            partner: key("partner-key.pem")?,
            partner_certificate: cert("partner-cert.pem")?,
            upload: Arc::new(upload),
            identity: Arc::new(identity),
            made_at: now,
        };
        if keys.upload.get().is_none() {
            keys.write_upload(folder)?;
        }
        if keys.identity.get().is_none() {
            keys.write_identity(folder)?;
        }
        Ok(keys)
    }

    /// Encrypts credentials to another partner certificate than the generated one.
    /// The private half stays with whoever made it.
    pub fn with_partner_certificate(mut self, pem: &[u8]) -> Result<Self, KeyError> {
        self.partner_certificate = X509::from_pem(pem)?;
        Ok(self)
    }

    /// A new generation of the partner key.
    pub(crate) fn with_new_partner(mut self, now: Timestamp) -> Result<Self, KeyError> {
        self.partner = pair()?;
        self.partner_certificate = certificate(&self.partner, "crvs_partner", now)?;
        Ok(self)
    }

    /// A new key of MOSIP's to sign with.
    pub(crate) fn with_new_kernel(mut self, now: Timestamp) -> Result<Self, KeyError> {
        self.kernel = pair()?;
        self.kernel_certificate = certificate(&self.kernel, "mosip-kernel-sign", now)?;
        Ok(self)
    }

    /// The partner's private key, PKCS#8 PEM: what the engine opens credentials with.
    pub fn partner_private_key_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.partner.private_key_to_pem_pkcs8()?)
    }

    /// The partner's certificate, PEM.
    pub fn partner_certificate_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.partner_certificate.to_pem()?)
    }

    /// The certificate of MOSIP's signing key, PEM: what the engine pins.
    pub fn kernel_certificate_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.kernel_certificate.to_pem()?)
    }

    /// The public half of MOSIP's signing key, PEM.
    pub fn kernel_public_key_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.kernel.public_key_to_pem()?)
    }

    /// The public key of OpenCRVS's tokens, PEM.
    pub fn auth_public_key_pem(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.auth.public_key_to_pem()?)
    }
}

fn pair() -> Result<PKey<Private>, ErrorStack> {
    Rsa::generate(2048).and_then(PKey::from_rsa)
}

fn certificate(key: &PKey<Private>, name: &str, now: Timestamp) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = BigNum::from_u32(1)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    let (from, until) = (now.as_second() - 86_400, now.as_second() + 10 * 365 * 86_400);
    builder.set_not_before(Asn1Time::from_unix(from)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(until)?.as_ref())?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|source| KeyError::File { path: path.into(), source })
}

/// Private keys are for their owner only, as a real deployment must have them.
fn write(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    written
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| KeyError::File { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_reads_the_keys_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let first = SandboxKeys::load_or_create(folder.path(), now).unwrap();
        let second = SandboxKeys::load_or_create(folder.path(), now).unwrap();
        assert_eq!(first.auth_public_key_pem().unwrap(), second.auth_public_key_pem().unwrap());
        assert_eq!(first.partner_private_key_pem().unwrap(), second.partner_private_key_pem().unwrap());
        assert_eq!(first.kernel_certificate_pem().unwrap(), second.kernel_certificate_pem().unwrap());
        assert_eq!(first.machine_private_key_pem().unwrap(), second.machine_private_key_pem().unwrap());
        assert_eq!(
            first.registration_certificate_pem().unwrap(),
            second.registration_certificate_pem().unwrap()
        );
    }
}
