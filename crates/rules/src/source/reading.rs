//! What a file says, as plain JSON, without places.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};
use serde_saphyr::Error as YamlError;

use super::parse::options;
use crate::limits::{DEPTH, FILE_VALUES, KEY_BYTES, TEXT_BYTES};

/// What is noticed while a file is read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Values and keys, inner ones included.
    pub(super) values: usize,
    /// Whether a key is given twice; the first one counts.
    repeated: bool,
    /// Bytes of a key or text that is too long, and how many may be read.
    pub(super) long: Option<(usize, usize)>,
    depth: usize,
    deepest: usize,
}

impl Reading {
    /// Reads YAML.
    pub(super) fn yaml(text: &str) -> Result<(Value, Self), YamlError> {
        let mut reading = Self::default();
        let value = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
            Seed(&mut reading).deserialize(yaml)
        })?;
        Ok((value, reading))
    }

    /// Reads JSON.
    pub(super) fn json(text: &str) -> serde_json::Result<(Value, Self)> {
        let mut reading = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let value = Seed(&mut reading).deserialize(&mut json)?;
        json.end()?;
        Ok((value, reading))
    }

    /// Whether there is something to be told about the file as it is written.
    pub(super) fn is_odd(&self) -> bool {
        self.repeated || self.long.is_some() || self.is_too_much()
    }

    /// Whether there is more in the file than may be. YAML ends before.
    fn is_too_much(&self) -> bool {
        self.values > FILE_VALUES || self.deepest > DEPTH
    }
}

struct Seed<'r>(&'r mut Reading);

impl Seed<'_> {
    fn measure(&mut self, text: &str, most: usize) -> bool {
        let fits = text.len() <= most;
        if !fits {
            self.0.long = Some((text.len(), most));
        }
        fits
    }

    fn enter(&mut self) {
        self.0.depth += 1;
        self.0.deepest = self.0.deepest.max(self.0.depth);
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.values += 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Value, E> {
        Ok(if self.measure(text, TEXT_BYTES) { text.into() } else { Value::Null })
    }

    fn visit_string<E>(mut self, text: String) -> Result<Value, E> {
        Ok(if self.measure(&text, TEXT_BYTES) { text.into() } else { Value::Null })
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        self.enter();
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Seed(self.0))? {
            items.push(item);
        }
        self.0.depth -= 1;
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        self.enter();
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.values += 1;
            let value = map.next_value_seed(Seed(self.0))?;
            if !self.measure(&key, KEY_BYTES) {
                continue;
            }
            match entries.entry(key) {
                Entry::Vacant(free) => _ = free.insert(value),
                Entry::Occupied(_) => self.0.repeated = true,
            }
        }
        self.0.depth -= 1;
        Ok(Value::Object(entries))
    }
}
