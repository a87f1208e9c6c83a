//! The OpenCRVS release line on the other side, for the few places where they differ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An OpenCRVS release line. Written `1.9`, `2.0`, `2.1`; a patch number is accepted and ignored.
///
/// It decides whether the declaration of an accepted correction counts (from 2.0), how tokens are asked for (form
/// body from 2.0) and which confirmation mode can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Version {
    /// 1.9.x: single-record tokens; a correction's own declaration is stored and ignored.
    V1_9,
    /// 2.0.x: token exchange for system clients, `CUSTOM` and `EDIT` actions.
    V2_0,
    /// 2.1 and later: client credentials alone; the exchange is gone.
    V2_1,
}

impl Version {
    /// The written form, `"2.0"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_9 => "1.9",
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Version> for &'static str {
    fn from(version: Version) -> Self {
        version.as_str()
    }
}

/// A version that this crate does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("opencrvs version `{0}` is not supported: write 1.9, 2.0 or 2.1")]
pub struct UnknownVersion(pub String);

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.trim().trim_start_matches('v');
        let mut parts = bare.splitn(3, '.');
        match (parts.next(), parts.next()) {
            (Some("1"), Some("9")) => Ok(Self::V1_9),
            (Some("2"), Some("0")) => Ok(Self::V2_0),
            (Some("2"), Some("1")) => Ok(Self::V2_1),
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = UnknownVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_patch_releases() {
        assert_eq!("1.9".parse(), Ok(Version::V1_9));
        assert_eq!("1.9.15".parse(), Ok(Version::V1_9));
        assert_eq!("v2.0.1".parse(), Ok(Version::V2_0));
        assert_eq!("2.1".parse(), Ok(Version::V2_1));
        assert_eq!(serde_json::to_string(&Version::V2_0).unwrap(), "\"2.0\"");
        assert_eq!(serde_json::from_str::<Version>("\"2.1\"").unwrap(), Version::V2_1);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in ["", "2", "1.8", "3.0", "two"] {
            assert_eq!(text.parse::<Version>(), Err(UnknownVersion(text.to_owned())));
        }
    }

    #[test]
    fn versions_are_ordered() {
        assert!(Version::V1_9 < Version::V2_0 && Version::V2_0 < Version::V2_1);
    }
}
