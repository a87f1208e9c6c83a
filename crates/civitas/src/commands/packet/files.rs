//! The files that these commands name: packets, keys, certificates.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use civitas_mosip::packet::{DecryptionKeys, EncryptionCertificate};
use clap::Args;
use zeroize::Zeroizing;

/// Larger than any packet that MOSIP takes, and than its sample with photos.
const LARGEST: u64 = 64 << 20;

/// By what an encrypted packet is opened.
#[derive(Debug, Args)]
pub(super) struct Opening {
    /// The packet: an upload file, encrypted or not
    pub(super) file: PathBuf,
    /// Private key that the packet is encrypted to (PEM); in production only MOSIP's keymanager has it. May be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Certificate that the packet has to be encrypted to (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Opening {
    pub(super) fn packet(&self) -> anyhow::Result<Vec<u8>> {
        read(&self.file)
    }

    pub(super) fn keys(&self) -> anyhow::Result<DecryptionKeys> {
        let mut pems = Vec::new();
        for file in &self.key {
            pems.push(Zeroizing::new(read(file)?));
        }
        DecryptionKeys::from_pem(pems.iter().map(|pem| (pem.as_slice(), None)))
            .context("a file named by `--key` cannot be used")
    }

    pub(super) fn certificate(&self) -> anyhow::Result<Option<EncryptionCertificate>> {
        self.certificate.as_deref().map(certificate).transpose()
    }
}

/// A certificate of MOSIP's.
pub(super) fn certificate(file: &Path) -> anyhow::Result<EncryptionCertificate> {
    EncryptionCertificate::from_pem(&read(file)?)
        .with_context(|| format!("{} cannot be used", file.display()))
}

/// A whole file.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    if size > LARGEST {
        bail!("{} has {size} bytes, and no packet has more than {LARGEST}", file.display());
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
