//! Each way in which a packet is not as it has to be, with where.

use std::fmt;

/// A deviation at its place: a file, a sub-packet, a file of a sub-packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `upload file`, `evidence`, `id/ID.json`.
    pub place: String,
    /// What is wrong there.
    pub deviation: Deviation,
}

impl Finding {
    pub(super) fn new(place: impl Into<String>, deviation: Deviation) -> Self {
        Finding { place: place.into(), deviation }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.deviation)
    }
}

/// What is wrong. The texts hold names, lengths and hashes, never values of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Deviation {
    /// Shorter than an envelope.
    #[error("has {length} bytes; the envelope of an encrypted part alone takes 362")]
    TooShort {
        /// Its length.
        length: usize,
    },
    /// Larger than MOSIP takes.
    #[error("is too large: {0}")]
    TooLarge(String),
    /// The splitter is somewhere else, or nowhere.
    #[error("has `#KEY_SPLITTER#` {}, the packet form has it at byte 332", found.map_or("nowhere".to_owned(), |at| format!("at byte {at}")))]
    Splitter {
        /// Where it is.
        found: Option<usize>,
    },
    /// The form of credentials.
    #[error("begins with VER_R2, the form of credentials; a packet's parts begin with a nonce")]
    CredentialForm,
    /// Encrypted to a certificate of which no key was given.
    #[error("is encrypted to the certificate {thumbprint}, of which no private key was given")]
    NoKey {
        /// SHA-256 of the certificate.
        thumbprint: String,
    },
    /// Encrypted to another certificate than the expected one.
    #[error("is encrypted to the certificate {found}, not to {expected}")]
    OtherCertificate {
        /// SHA-256 in the envelope.
        found: String,
        /// SHA-256 of the certificate that was given.
        expected: String,
    },
    /// The wrapped key does not open.
    #[error(
        "holds an AES key that does not unwrap: another RSA key, or a mask by SHA-1 as is the JDK's default"
    )]
    KeyWrap,
    /// The tag does not fit.
    #[error("does not decrypt: the GCM tag does not fit, so that it was altered or cut")]
    Tag,
    /// Not a container that is read.
    #[error("is not a zip file that is read: {0}")]
    NotAZip(String),
    /// A name that leads elsewhere, a folder, a link.
    #[error("holds the entry `{file}`, which is no plain file with a plain name")]
    UnsafeEntry {
        /// Its name.
        file: String,
    },
    /// Twice to MOSIP's readers.
    #[error("holds `{file}` twice, as MOSIP's readers look a file up")]
    Duplicate {
        /// The second one's name.
        file: String,
    },
    /// A sub-packet is not there.
    #[error("lacks the sub-packet `{0}`; MOSIP's readers want all three")]
    MissingSubPacket(&'static str),
    /// A file is not there.
    #[error("lacks `{0}`")]
    MissingFile(String),
    /// A file that does not belong there.
    #[error("holds `{0}`, which belongs to no sub-packet of this packet")]
    Stray(String),
    /// A file that cannot be read as what it is.
    #[error("is not readable: {0}")]
    Unreadable(String),
    /// A value of a sub-packet's own JSON, or of the meta information.
    #[error("says `{field}` is {found}, where it has to be {expected}")]
    Metadata {
        /// Its name.
        field: String,
        /// What it says.
        found: String,
        /// What it has to say.
        expected: String,
    },
    /// `encryptedhash` is not that of the bytes.
    #[error("has the hash {found} of its encrypted bytes, its JSON says {said}")]
    EncryptedHash {
        /// Of the bytes.
        found: String,
        /// What the JSON says.
        said: String,
    },
    /// There is no signature, or it is not base64.
    #[error("has no signature that can be read")]
    NoSignature,
    /// The signature is not the machine's.
    #[error("is signed by another key than the machine's, or was altered after it was signed")]
    Signature,
    /// A hash file is not 64 capital hexadecimal digits.
    #[error("is not 64 capital hexadecimal digits without a line end, which MOSIP compares byte by byte")]
    HashForm,
    /// A hash does not agree with the files.
    #[error("says {said}; the files that its sequence names give {found}")]
    Hash {
        /// In the hash file.
        said: String,
        /// Of the files.
        found: String,
    },
    /// The sequence names a file that is not there.
    #[error("names `{0}` in its hash sequences, which is not there")]
    SequenceNamesNothing(String),
    /// A file that no hash covers.
    #[error("is covered by no hash")]
    NotHashed,
}

impl Deviation {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Deviation::TooShort { .. } => "too_short",
            Deviation::TooLarge(_) => "too_large",
            Deviation::Splitter { .. } => "splitter",
            Deviation::CredentialForm => "credential_form",
            Deviation::NoKey { .. } => "no_key",
            Deviation::OtherCertificate { .. } => "other_certificate",
            Deviation::KeyWrap => "key_wrap",
            Deviation::Tag => "tag",
            Deviation::NotAZip(_) => "not_a_zip",
            Deviation::UnsafeEntry { .. } => "unsafe_entry",
            Deviation::Duplicate { .. } => "duplicate",
            Deviation::MissingSubPacket(_) => "missing_sub_packet",
            Deviation::MissingFile(_) => "missing_file",
            Deviation::Stray(_) => "stray",
            Deviation::Unreadable(_) => "unreadable",
            Deviation::Metadata { .. } => "metadata",
            Deviation::EncryptedHash { .. } => "encrypted_hash",
            Deviation::NoSignature => "no_signature",
            Deviation::Signature => "signature",
            Deviation::HashForm => "hash_form",
            Deviation::Hash { .. } => "hash",
            Deviation::SequenceNamesNothing(_) => "sequence",
            Deviation::NotHashed => "not_hashed",
        }
    }
}
