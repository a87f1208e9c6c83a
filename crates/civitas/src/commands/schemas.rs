//! `civitas schemas`: JSON Schemas of what other systems and editors read and write.

use std::path::PathBuf;

use civitas_engine::QueueEntry;
use clap::Args;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::generated::write_or_check;
use crate::config::Config;

/// Write the JSON Schemas of topics, pack files and configuration to schemas/.
#[derive(Debug, Args)]
pub struct Schemas {
    /// Folder to write into
    #[arg(long, default_value = "schemas")]
    folder: PathBuf,
    /// Only check that the files are up to date
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(command: &Schemas) -> anyhow::Result<()> {
    write_or_check(&command.folder, &all(), command.check, "civitas schemas")
}

/// Every schema: file name and text.
fn all() -> Vec<(String, String)> {
    let mut files = vec![
        text("audit-record", "Value of topic civitas.audit", of::<civitas_audit::Leaf>()),
        text(
            "queue-entry",
            "Value of topic civitas.awaiting-external-validation; a tombstone when the record leaves",
            of::<QueueEntry>(),
        ),
        text("event-envelope", "Value of topic crvs.events, structured", envelope()),
        text("civitas", "civitas.yaml", without_required(of::<Config>())),
    ];
    let pack = civitas_rules::schemas().into_iter().map(|(name, text)| (name.to_owned(), text));
    files.extend(pack);
    files
}

fn of<T: JsonSchema>() -> Value {
    let schema: Schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    Value::from(schema)
}

fn text(name: &str, title: &str, mut schema: Value) -> (String, String) {
    schema["title"] = json!(title);
    (format!("{name}.schema.json"), format!("{schema:#}\n"))
}

/// A configuration file holds only what differs from the default: nothing in it is required.
fn without_required(mut schema: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                // A property may be named `required`; the keyword is a list.
                if map.get("required").is_some_and(Value::is_array) {
                    map.remove("required");
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut schema);
    schema
}

/// CloudEvents 1.0 as the consumer reads it in structured mode.
fn envelope() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "description": "A CloudEvent in structured mode (content-type application/cloudevents+json). In binary mode the \
            same attributes are headers with the prefix ce_ and the value is the data alone. The message key is the \
            record's id.",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "const": "1.0", "description": "Version of CloudEvents" },
            "id": { "type": "string", "format": "uuid", "description": "Id of the pending action" },
            "source": { "type": "string", "format": "uri-reference", "minLength": 1, "description": "Who emits the event" },
            "type": { "const": "org.opencrvs.action.requested", "description": "What happened: an action waits for an answer" },
            "subject": { "type": "string", "description": "Id of the record" },
            "time": { "type": "string", "format": "date-time", "description": "When the action was requested" },
            "datacontenttype": {
                "enum": ["application/json", "application/jose"],
                "description": "Form of the data; application/jose: the data is a compact JWE of the document"
            },
            "dataencryption": { "const": "jwe", "description": "Says the same as application/jose" },
            "traceparent": { "type": "string", "description": "W3C trace context" },
            "data": {
                "description": "The OpenCRVS event document, or a compact JWE of it (RSA-OAEP-256, A256GCM)",
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["id", "type", "trackingId", "actions"],
                        "properties": {
                            "id": { "type": "string", "format": "uuid", "description": "Id of the record" },
                            "type": { "type": "string", "description": "Event type, for example birth" },
                            "trackingId": { "type": "string", "description": "What people call the record" },
                            "actions": {
                                "type": "array",
                                "items": { "type": "object" },
                                "description": "The whole history of the record, the pending action in it"
                            }
                        }
                    },
                    { "type": "string", "description": "Compact JWE" }
                ]
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_is_named_once_and_is_an_object_with_a_title() {
        let files = all();
        for (index, (name, text)) in files.iter().enumerate() {
            assert!(!files[..index].iter().any(|(other, _)| other == name), "{name} is written twice");
            let schema: Value = serde_json::from_str(text).unwrap();
            assert!(schema["title"].is_string(), "{name}");
        }
    }

    #[test]
    fn the_schemas_in_the_tree_are_those_of_the_types() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        let mut files = all();
        files.push(("openapi.json".to_owned(), civitas_server::openapi_json()));
        if let Err(error) = write_or_check(&folder, &files, true, "civitas schemas && civitas openapi") {
            panic!("{error}");
        }
    }

    #[test]
    fn nothing_is_required_of_a_configuration_file() {
        let (_, text) = all().into_iter().find(|(name, _)| name == "civitas.schema.json").unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert!(schema.get("required").is_none());
        assert!(schema["properties"]["server"].is_object());
        assert!(text.contains("\"required\": {"), "the key kafka.encryption.required is still described");
    }
}
