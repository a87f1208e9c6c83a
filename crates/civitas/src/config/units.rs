//! Values with a unit or a range, checked as they are read: a mistake is reported at its line.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};

use super::read::PATH;

/// Reads a type from its text, with the words that say what is expected.
macro_rules! from_text {
    ($type:ty, $expecting:literal, $parse:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str($expecting)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        let parse: fn(&str) -> Result<$type, String> = $parse;
                        parse(text).map_err(|why| E::custom(format!("expected {}: {why}", $expecting)))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $expecting })
            }
        }
    };
}

/// A span of time such as `30 s`, `5 min`, `14 days`; a day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait(pub Duration);

from_text!(Wait, "a span of time with its unit, such as `30 s`, `5 min` or `14 days`", |text| {
    let span: Span = text.parse().map_err(|_| "it cannot be read, or its unit is missing".to_owned())?;
    let wait = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "months and years have no fixed length".to_owned())?;
    Duration::try_from(wait).map(Wait).map_err(|_| "it is negative".to_owned())
});

/// A number of bytes such as `4 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub usize);

from_text!(Size, "a size between 1 KiB and 256 MiB with its unit, such as `4 MiB`", |text| {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return Err("the unit is KiB or MiB".to_owned()),
    };
    let bytes = digits.trim().parse::<usize>().ok().and_then(|count| count.checked_mul(unit));
    match bytes {
        Some(bytes) if (1024..=256 * 1024 * 1024).contains(&bytes) => Ok(Size(bytes)),
        _ => Err("it is out of range".to_owned()),
    }
});

/// The base address of a service, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(reqwest::Url);

impl BaseUrl {
    /// The address as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The address of something below it; `path` starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }
}

from_text!(BaseUrl, "an http or https address, such as `https://api.mosip.example`", |text| {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it starts with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name or password is never part of an address here".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it ends before any ? or #".to_owned());
    }
    Ok(BaseUrl(url))
});

/// Where to listen: address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub std::net::SocketAddr);

from_text!(Listen, "an IP address and a port, such as `127.0.0.1:7080`", |text| {
    text.parse().map(Listen).map_err(|_| "it cannot be read".to_owned())
});

/// A file or folder. A relative path starts from the folder of the configuration file that names it; in the
/// environment, from the working folder.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePath(PathBuf);

impl FilePath {
    /// The resolved path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for FilePath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Resolved;
        impl<'de> Visitor<'de> for Resolved {
            type Value = FilePath;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a path")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<FilePath, D::Error> {
                inner.deserialize_str(self)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FilePath, E> {
                if text.contains("-----BEGIN") {
                    return Err(E::custom("expected the path of a file, found a key itself"));
                }
                Ok(FilePath(PathBuf::from(text)))
            }
        }
        deserializer.deserialize_newtype_struct(PATH, Resolved)
    }
}

impl JsonSchema for FilePath {
    fn schema_name() -> Cow<'static, str> {
        "FilePath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "a path; relative paths start from this file's folder" })
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> Count<MIN, MAX> {
    /// The number as a size.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Within<const MIN: u32, const MAX: u32>;
        impl<const MIN: u32, const MAX: u32> Visitor<'_> for Within<MIN, MAX> {
            type Value = Count<MIN, MAX>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a whole number from {MIN} to {MAX}")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Count<MIN, MAX>, E> {
                match u32::try_from(value) {
                    Ok(value) if (MIN..=MAX).contains(&value) => Ok(Count(value)),
                    _ => Err(E::custom(format!("{value} is out of range: from {MIN} to {MAX}"))),
                }
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Count<MIN, MAX>, E> {
                Err(E::custom(format!("{value} is out of range: from {MIN} to {MAX}")))
            }
        }
        deserializer.deserialize_u64(Within::<MIN, MAX>)
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Count<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Count{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// Five digits, in quotes since they may start with a zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiveDigits(pub String);

from_text!(FiveDigits, "five digits in quotes, such as \"10001\"", |text| {
    if text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(FiveDigits(text.to_owned()))
    } else {
        Err("it has other characters or another length".to_owned())
    }
});
