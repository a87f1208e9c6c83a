//! Reading a document for the fields that somebody asks about, in one pass and with little copying.
//!
//! Most of a document is never looked at: a pack names a dozen fields of a hundred, and the rest is names of files,
//! signatures and form states. Here a value that nobody asks for is stepped over without being built. What is kept is
//! checked as [`EventDocument::parse`] checks it: ids, types, statuses and instants can be relied on.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Action, ActionStatus, DocumentError, EventDocument, Stamp, diagnose};
use crate::Map;

impl EventDocument {
    /// Reads a document, bare or wrapped as `{"event": …}`, keeping of each declaration only the fields that are
    /// `wanted`; and of each action neither its annotation nor who took it, where and on what transaction.
    ///
    /// Every reducer gives for a wanted field what it gives on the whole document. A wrapped document is kept whole.
    ///
    /// # Errors
    /// As [`EventDocument::parse`]; a fault inside of what is not wanted may pass unnoticed.
    pub fn parse_only(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Self, DocumentError> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let document = reader.deserialize_map(Document { wanted: &wanted });
        document
            .and_then(|document| reader.end().map(|()| document))
            .or_else(|_| diagnose::second_reading(bytes))
    }
}

/// A key or word of ours: borrowed from the bytes unless it is written with escapes.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Words)
    }
}

/// A member that may stand once.
fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    slot: &mut Option<T>,
    members: &mut A,
    name: &'static str,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *slot = Some(members.next_value()?);
    Ok(())
}

fn given<T, E: de::Error>(slot: Option<T>, name: &'static str) -> Result<T, E> {
    slot.ok_or_else(|| E::missing_field(name))
}

struct Document<'w, W> {
    wanted: &'w W,
}

impl<'de, W: Fn(&str) -> bool> Visitor<'de> for Document<'_, W> {
    type Value = EventDocument;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<EventDocument, A::Error> {
        let (mut id, mut kind, mut tracking_id) = (None, None, None);
        let (mut created_at, mut updated_at, mut actions) = (None, None, None);
        while let Some(Text(key)) = members.next_key()? {
            match &*key {
                "id" => once(&mut id, &mut members, "id")?,
                "type" => once(&mut kind, &mut members, "type")?,
                "trackingId" => once(&mut tracking_id, &mut members, "trackingId")?,
                "createdAt" => once(&mut created_at, &mut members, "createdAt")?,
                "updatedAt" => once(&mut updated_at, &mut members, "updatedAt")?,
                "actions" if actions.is_some() => return Err(A::Error::duplicate_field("actions")),
                "actions" => actions = Some(members.next_value_seed(Actions { wanted: self.wanted })?),
                _ => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(EventDocument {
            id: given(id, "id")?,
            kind: given(kind, "type")?,
            tracking_id: given(tracking_id, "trackingId")?,
            created_at: given(created_at, "createdAt")?,
            updated_at: given(updated_at, "updatedAt")?,
            actions: given(actions, "actions")?,
        })
    }
}

struct Actions<'w, W> {
    wanted: &'w W,
}

impl<'de, W: Fn(&str) -> bool> de::DeserializeSeed<'de> for Actions<'_, W> {
    type Value = Vec<Action>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Action>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, W: Fn(&str) -> bool> Visitor<'de> for Actions<'_, W> {
    type Value = Vec<Action>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of actions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Action>, A::Error> {
        let mut actions = Vec::with_capacity(16);
        while let Some(action) = items.next_element_seed(One { wanted: self.wanted })? {
            actions.push(action);
        }
        Ok(actions)
    }
}

struct One<'w, W> {
    wanted: &'w W,
}

impl<'de, W: Fn(&str) -> bool> de::DeserializeSeed<'de> for One<'_, W> {
    type Value = Action;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Action, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, W: Fn(&str) -> bool> Visitor<'de> for One<'_, W> {
    type Value = Action;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an action")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Action, A::Error> {
        let (mut id, mut kind, mut status): (_, _, Option<ActionStatus>) = (None, None, None);
        let mut created_at: Option<Stamp> = None;
        let (mut original_action_id, mut request_id) = (None, None);
        let (mut registration_number, mut custom_action_type) = (None, None);
        let (mut declaration, mut content) = (None, None);
        while let Some(Text(key)) = members.next_key()? {
            match &*key {
                "id" => once(&mut id, &mut members, "id")?,
                "type" => once(&mut kind, &mut members, "type")?,
                "status" => once(&mut status, &mut members, "status")?,
                "createdAt" => once(&mut created_at, &mut members, "createdAt")?,
                "originalActionId" => once(&mut original_action_id, &mut members, "originalActionId")?,
                "requestId" => once(&mut request_id, &mut members, "requestId")?,
                "registrationNumber" => once(&mut registration_number, &mut members, "registrationNumber")?,
                "customActionType" => once(&mut custom_action_type, &mut members, "customActionType")?,
                "content" => once(&mut content, &mut members, "content")?,
                "declaration" if declaration.is_some() => {
                    return Err(A::Error::duplicate_field("declaration"));
                }
                "declaration" => {
                    declaration = Some(members.next_value_seed(Declaration { wanted: self.wanted })?);
                }
                _ => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Action {
            id: given(id, "id")?,
            kind: given(kind, "type")?,
            status: given(status, "status")?,
            created_at: given(created_at, "createdAt")?,
            transaction_id: None,
            created_by: None,
            created_by_user_type: None,
            created_by_role: None,
            created_at_location: None,
            declaration: declaration.unwrap_or_default(),
            annotation: None,
            original_action_id: original_action_id.flatten(),
            request_id: request_id.flatten(),
            registration_number: registration_number.flatten(),
            custom_action_type: custom_action_type.flatten(),
            content: content.flatten(),
            assigned_to: None,
        })
    }
}

struct Declaration<'w, W> {
    wanted: &'w W,
}

impl<'de, W: Fn(&str) -> bool> de::DeserializeSeed<'de> for Declaration<'_, W> {
    type Value = Map;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, W: Fn(&str) -> bool> Visitor<'de> for Declaration<'_, W> {
    type Value = Map;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a declaration")
    }

    fn visit_none<E: de::Error>(self) -> Result<Map, E> {
        Ok(Map::new())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Map, E> {
        Ok(Map::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Map, A::Error> {
        let mut declaration = Map::new();
        while let Some(Text(key)) = fields.next_key()? {
            if (self.wanted)(&key) {
                // Of a key that stands twice the last value counts, as when the whole is read.
                declaration.insert(key.into_owned(), fields.next_value()?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(declaration)
    }
}
