//! Collections that leave out what cannot be read.
//!
//! The schema check has already reported every value of the wrong shape. Decoding then goes on
//! without the broken entries, so that the rest of the file is checked in the same run. Where the
//! schema had nothing to report, nothing may be left out: a rule that is not there is a child who
//! gets no identity.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

thread_local! {
    /// Whether what is decoded on this thread leaves broken entries out.
    static FORGIVING: Cell<bool> = const { Cell::new(true) };
}

/// Decodes a file; what is broken in it is left out only where that has been `reported`.
pub(crate) fn decode<T: DeserializeOwned>(value: &Value, reported: bool) -> serde_json::Result<T> {
    FORGIVING.set(reported);
    let decoded = T::deserialize(value);
    FORGIVING.set(true);
    decoded
}

/// A value, or none where it is broken and may be left out.
///
/// What is decoded lies in memory, and whoever reads a list or a map there goes on after a broken value.
struct Lenient<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match T::deserialize(deserializer) {
            Ok(value) => Ok(Self(Some(value))),
            Err(_) if FORGIVING.get() => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Lenient::<Vec<Lenient<T>>>::deserialize(deserializer)?.0.unwrap_or_default();
        Ok(Self(items.into_iter().map(|item| item.0).collect()))
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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Lenient::<BTreeMap<String, Lenient<T>>>::deserialize(deserializer)?.0.unwrap_or_default();
        let mut table = Self::default();
        for (key, row) in rows {
            match row.0 {
                Some(row) => _ = table.entries.insert(key, row),
                None => _ = table.broken.insert(key),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_has_been_reported_is_left_out() {
        let list = json!([1, "two", 3]);
        let found: Entries<u8> = decode(&list, true).expect("a list");
        assert_eq!(found.0, [Some(1), None, Some(3)]);
        assert!(decode::<Entries<u8>>(&list, false).is_err());

        let map = json!({ "one": 1, "two": "2", "three": 3 });
        let found: Table<u8> = decode(&map, true).expect("a map");
        assert_eq!((found.entries.len(), found.broken.len()), (2, 1));
        assert!(decode::<Table<u8>>(&map, false).is_err());
    }

    #[test]
    fn what_is_no_collection_has_no_entries_once_that_has_been_reported() {
        let plain = [json!(null), json!(true), json!(-1), json!(1), json!(0.5), json!("one")];
        for value in plain.iter().chain([&json!({ "one": 1 })]) {
            assert!(decode::<Entries<u8>>(value, true).expect("nothing").0.is_empty());
            assert!(decode::<Entries<u8>>(value, false).is_err());
        }
        for value in plain.iter().chain([&json!([1])]) {
            assert!(decode::<Table<u8>>(value, true).expect("nothing").entries.is_empty());
            assert!(decode::<Table<u8>>(value, false).is_err());
        }
    }
}
