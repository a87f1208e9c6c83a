//! Collections that leave out what cannot be read.
//!
//! The schema check has already reported every value of the wrong shape. Decoding then goes on
//! without the broken entries, so that the rest of the file is checked in the same run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list whose broken items are `None`, so that the others keep their index.
#[derive(Debug)]
pub(crate) struct Entries<T>(pub(crate) Vec<Option<T>>);

impl<T> Entries<T> {
    /// The items that could be read, with their index in the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.0.iter().enumerate().filter_map(|(index, item)| Some((index, item.as_ref()?)))
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match Value::deserialize(deserializer)? {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        Ok(Self(items.into_iter().map(|item| serde_json::from_value(item).ok()).collect()))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

/// A map that remembers the keys of its broken entries.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// The entries that could be read.
    pub(crate) entries: BTreeMap<String, T>,
    /// The keys of the others.
    pub(crate) broken: BTreeSet<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), broken: BTreeSet::new() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        if let Value::Object(map) = Value::deserialize(deserializer)? {
            for (key, value) in map {
                match serde_json::from_value(value) {
                    Ok(entry) => {
                        table.entries.insert(key, entry);
                    }
                    Err(_) => {
                        table.broken.insert(key);
                    }
                }
            }
        }
        Ok(table)
    }
}

impl<T: JsonSchema> JsonSchema for Table<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}
