//! OpenCRVS's deep merge of declarations, and its dropping of nulls.
//!
//! An array replaces; an object merges into an object; anything else, `null` included, overwrites. An object that
//! meets an array leaves the array as it is (the original hangs the members on the JavaScript array, where JSON does
//! not see them).

use std::borrow::Cow;

use serde_json::Value;

use crate::Map;

/// `prev ⊕ next`: the merge that every action's declaration goes through.
pub fn deep_merge(prev: &Map, next: &Map) -> Map {
    let mut merged = prev.clone();
    merge_object(&mut merged, next);
    merged
}

/// The value without the null members of its objects, at any depth; nulls that are elements of an array stay.
pub fn drop_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(drop_null_members(map)),
        Value::Array(items) => Value::Array(items.iter().map(drop_nulls).collect()),
        other => other.clone(),
    }
}

/// [`drop_nulls`] in place.
pub(super) fn drop_nulls_in(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls_in);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls_in),
        _ => {}
    }
}

/// [`drop_nulls`] on a whole map.
pub(crate) fn drop_null_members(map: &Map) -> Map {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), drop_nulls(value)))
        .collect()
}

/// `prev ⊕ next` on one value, borrowing whichever side survives whole.
pub(super) fn merge_value<'a>(prev: Cow<'a, Value>, next: Cow<'a, Value>) -> Cow<'a, Value> {
    match (&*prev, &*next) {
        (Value::Array(_), Value::Object(_)) => prev,
        (Value::Object(old), Value::Object(new)) if old == new => prev,
        (Value::Object(_), Value::Object(new)) => {
            let mut merged = prev.into_owned();
            if let Value::Object(old) = &mut merged {
                merge_object(old, new);
            }
            Cow::Owned(merged)
        }
        _ => next,
    }
}

fn merge_object(prev: &mut Map, next: &Map) {
    for (key, new) in next {
        match (prev.get_mut(key), new) {
            (Some(Value::Array(_)), Value::Object(_)) => {}
            (Some(Value::Object(old)), Value::Object(new)) => merge_object(old, new),
            (Some(old), new) => *old = new.clone(),
            (None, new) => {
                prev.insert(key.clone(), new.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn merges(prev: &Value, next: &Value, expected: &Value) {
        let map = |value: &Value| value.as_object().cloned().unwrap();
        assert_eq!(Value::Object(deep_merge(&map(prev), &map(next))), *expected);
        let merged = merge_value(Cow::Borrowed(prev), Cow::Borrowed(next));
        assert_eq!(*merged, *expected, "borrowing merge");
    }

    #[test]
    fn objects_recurse_arrays_replace_nulls_overwrite() {
        merges(
            &json!({"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 1, "d": 5}),
            &json!({"a": {"y": null}, "b": [3], "c": null}),
            &json!({"a": {"x": 1, "y": null}, "b": [3], "c": null, "d": 5}),
        );
    }

    #[test]
    fn an_object_that_meets_an_array_leaves_it() {
        merges(&json!({"a": [1, 2]}), &json!({"a": {"x": 1}}), &json!({"a": [1, 2]}));
        merges(&json!({"a": {"b": [1]}}), &json!({"a": {"b": {"x": 1}}}), &json!({"a": {"b": [1]}}));
    }

    #[test]
    fn anything_else_overwrites() {
        merges(&json!({"a": {"x": 1}}), &json!({"a": [1]}), &json!({"a": [1]}));
        merges(&json!({"a": {"x": 1}}), &json!({"a": "text"}), &json!({"a": "text"}));
        merges(&json!({"a": "text"}), &json!({"a": {"x": 1}}), &json!({"a": {"x": 1}}));
        merges(&json!({"a": null}), &json!({"a": {"x": null}}), &json!({"a": {"x": null}}));
        merges(&json!({"a": {"x": 1}}), &json!({"a": null}), &json!({"a": null}));
    }

    #[test]
    fn a_dot_is_no_nesting() {
        merges(
            &json!({"child.name": {"firstname": "Ace"}}),
            &json!({"child": {"name": 1}}),
            &json!({
                "child.name": {"firstname": "Ace"}, "child": {"name": 1}
            }),
        );
    }

    #[test]
    fn an_address_that_moves_abroad_keeps_its_stale_area_unless_nulled() {
        let home = json!({"a": {"country": "FAR", "addressType": "DOMESTIC", "administrativeArea": "uuid"}});
        let abroad = json!({"a": {"country": "GBR", "addressType": "INTERNATIONAL"}});
        merges(
            &home,
            &abroad,
            &json!({
                "a": {"country": "GBR", "addressType": "INTERNATIONAL", "administrativeArea": "uuid"}
            }),
        );
    }

    #[test]
    fn dropping_nulls_spares_elements_of_arrays() {
        let value = json!({"a": null, "b": {"c": null, "d": [null, {"e": null, "f": 1}]}, "g": {"h": null}});
        assert_eq!(drop_nulls(&value), json!({"b": {"d": [null, {"f": 1}]}, "g": {}}));
    }
}
