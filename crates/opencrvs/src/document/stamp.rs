//! Instants as OpenCRVS writes them: the text decides the order, the parsed value the age.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 8601 instant that is known to parse, kept with its original text.
///
/// OpenCRVS's reducers compare `createdAt` as strings, so the text is kept for order, and the instant for arithmetic.
/// Dereferences to the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Stamp {
    text: Box<str>,
    at: Timestamp,
}

impl Stamp {
    /// The text as received, `2026-06-01T09:01:00.000Z`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl FromStr for Stamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { at: text.parse()?, text: text.into() })
    }
}

impl From<Timestamp> for Stamp {
    /// Writes the instant as OpenCRVS does: UTC, milliseconds, `Z`.
    fn from(at: Timestamp) -> Self {
        Self { text: format!("{at:.3}").into_boxed_str(), at }
    }
}

impl Deref for Stamp {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Stamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 8601 instant")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Stamp, E> {
                text.parse().map_err(|_| E::custom("not an ISO 8601 instant"))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_and_knows_the_instant() {
        let stamp: Stamp = "2026-06-01T08:10:00.400Z".parse().unwrap();
        assert_eq!(&*stamp, "2026-06-01T08:10:00.400Z");
        assert_eq!(stamp.at().as_millisecond(), 1_780_301_400_400);
        assert_eq!(Stamp::from(stamp.at()), stamp);
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in ["", "2026-06-01", "yesterday", "2026-06-01T08:10:00"] {
            assert!(text.parse::<Stamp>().is_err(), "{text}");
        }
    }
}
