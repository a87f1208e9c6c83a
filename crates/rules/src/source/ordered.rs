//! Values written so that equal ones have equal texts.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The way to a value, by keys; `*` is every key and every item.
pub(crate) type Way = &'static [&'static str];

/// A value whose maps are written with their keys in order, and whose sets are sorted.
pub(crate) struct Ordered<'v> {
    value: &'v Value,
    /// The ways from here to lists in which order says nothing.
    sets: Vec<Way>,
}

impl<'v> Ordered<'v> {
    /// The value, all of whose lists keep their order.
    pub(crate) fn of(value: &'v Value) -> Self {
        Self { value, sets: Vec::new() }
    }

    /// The same with these lists sorted.
    pub(crate) fn with_sets(self, sets: &[Way]) -> Self {
        Self { sets: sets.to_vec(), ..self }
    }

    /// A value inside this one.
    fn inner(&self, step: &str, value: &'v Value) -> Self {
        let rest = |way: &Way| {
            let (first, rest) = way.split_first()?;
            (*first == "*" || *first == step).then_some(rest)
        };
        Self { value, sets: self.sets.iter().filter_map(rest).collect() }
    }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(map) => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                serializer.collect_map(entries.into_iter().map(|(key, value)| (key, self.inner(key, value))))
            }
            Value::Array(items) => {
                let mut items: Vec<&Value> = items.iter().collect();
                if self.sets.iter().any(|way| way.is_empty()) {
                    items.sort_by_key(|item| item.as_str());
                }
                serializer.collect_seq(items.into_iter().map(|value| self.inner("*", value)))
            }
            plain => plain.serialize(serializer),
        }
    }
}

/// The JSON text.
#[expect(clippy::expect_used, reason = "what was read as JSON can be written as JSON")]
pub(crate) fn text(values: &impl Serialize) -> String {
    serde_json::to_string(values).expect("a text")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_in_order_and_lists_only_where_they_are_sets() {
        let value = json!({ "b": { "x": ["2", "1"], "list": ["2", "1"] }, "a": [{ "set": ["z", "y"], "d": 1, "c": 2.5 }] });
        let plain = r#"{"a":[{"c":2.5,"d":1,"set":["z","y"]}],"b":{"list":["2","1"],"x":["2","1"]}}"#;
        assert_eq!(text(&Ordered::of(&value)), plain);
        let sets: [Way; 2] = [&["a", "*", "set"], &["b", "x"]];
        let sorted = r#"{"a":[{"c":2.5,"d":1,"set":["y","z"]}],"b":{"list":["2","1"],"x":["1","2"]}}"#;
        assert_eq!(text(&Ordered::of(&value).with_sets(&sets)), sorted);
    }
}
