//! Which fields of a form a pack names: for those who read many documents and want no more of them.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::pack::Pack;

/// The fields that a pack names, found when somebody asks.
#[derive(Default)]
pub(crate) struct Reads {
    rules: OnceLock<BTreeSet<String>>,
    all: OnceLock<BTreeSet<String>>,
}

impl Pack {
    /// Ids of the fields that rules, conditions and groups name, and those that receive the national id; over all
    /// events. No decision and no explanation depends on a field that is not among them.
    ///
    /// Taken from the text of the rules, not from their compiled form: what a rule does not name it cannot read, and
    /// a name too many costs little.
    pub fn fields_of_rules(&self) -> &BTreeSet<String> {
        self.reads().rules.get_or_init(|| self.named_in(&["rules.yaml"]))
    }

    /// The same with the fields that packets name: no packet depends on a field that is not among them.
    pub fn fields(&self) -> &BTreeSet<String> {
        self.reads().all.get_or_init(|| self.named_in(&["rules.yaml", "packets.yaml"]))
    }

    fn named_in(&self, files: &[&str]) -> BTreeSet<String> {
        let mut fields: BTreeSet<String> =
            self.country().nid_fields().map(|(_, field)| field.to_owned()).collect();
        // The canonical form is JSON that this crate wrote.
        let canonical: Value = serde_json::from_str(self.canonical()).unwrap_or_default();
        for file in files {
            self.collect(&canonical[file], &mut fields);
        }
        fields
    }

    fn collect(&self, value: &Value, fields: &mut BTreeSet<String>) {
        let mut named = |text: &str| {
            let field = text.split('#').next().unwrap_or(text);
            if self.events().any(|event| self.has_field(event, field)) {
                fields.insert(field.to_owned());
            }
        };
        match value {
            Value::String(text) => named(text),
            Value::Array(items) => {
                for item in items {
                    self.collect(item, fields);
                }
            }
            Value::Object(members) => {
                for key in members.keys() {
                    named(key);
                }
                for member in members.values() {
                    self.collect(member, fields);
                }
            }
            _ => {}
        }
    }
}
