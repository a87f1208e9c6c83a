//! From the merged tree to typed sections.
//!
//! A serde deserializer over [`Node`]: each error gets the place of the value it is about, and unknown keys
//! are collected, all of them, instead of ending the reading at the first.

use std::cell::RefCell;
use std::fmt::{self, Display};
use std::rc::Rc;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::de::{IntoDeserializer, VariantAccess};

use super::problem::{Origin, Problem, probably_meant};
use super::tree::{Entry, Node, Source, Value};

/// The name under which a path type announces itself, so that relative paths are resolved by their layer.
pub(super) const PATH: &str = "civitas::FilePath";

/// An error while reading, with its place once known.
#[derive(Debug)]
pub(super) struct ReadError(pub(super) Box<Problem>);

impl Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: Display>(message: T) -> Self {
        Self(Box::new(Problem::unplaced(message.to_string())))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("`{field}` is missing here"))
    }

    fn unknown_variant(given: &str, expected: &'static [&'static str]) -> Self {
        let problem = Problem::unplaced(format!("`{given}` is not one of {}", list(expected)));
        Self(Box::new(match probably_meant(given, expected.iter().copied()) {
            Some(meant) => problem.help(format!("did you mean `{meant}`?")),
            None => problem,
        }))
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Reads one node as the type that the visitor wants.
pub(super) struct Reader {
    node: Node,
    path: String,
    unknown: Rc<RefCell<Vec<Problem>>>,
}

impl Reader {
    pub(super) fn new(node: Node, path: impl Into<String>, unknown: Rc<RefCell<Vec<Problem>>>) -> Self {
        Self { node, path: path.into(), unknown }
    }

    fn below(&self, key: &str, node: Node) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self::new(node, path, Rc::clone(&self.unknown))
    }

    fn placed<T>(origin: &Origin, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| ReadError(Box::new(error.0.or_at(origin))))
    }

    /// An environment variable set to text where another type is wanted: its YAML reading.
    fn typed(mut self) -> Result<Self, ReadError> {
        if let Value::Raw(text) = &self.node.value {
            let mut parsed = Node::parse(&self.node.origin.source, text)
                .map_err(|problem| ReadError(Box::new(problem)))?;
            parsed.origin = self.node.origin.clone();
            self.node = parsed;
        }
        Ok(self)
    }

    fn wrong(&self, expected: &dyn Expected) -> ReadError {
        let path = &self.path;
        let origin = self.node.origin.clone();
        if matches!(self.node.value, Value::Null) {
            let mut problem = Problem::new(format!("`{path}` is not set; it wants {expected}"), origin);
            problem.unset = true;
            return ReadError(Box::new(problem));
        }
        let found = self.node.value.kind();
        let problem = Problem::new(format!("`{path}` wants {expected}, found {found}"), origin);
        ReadError(Box::new(match self.node.value {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                problem.help("if this is meant as text, put it in quotes")
            }
            _ => problem,
        }))
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let this = self.typed()?;
            match this.node.value {
                Value::Int(value) => Self::placed(&this.node.origin, match u64::try_from(value) {
                    Ok(value) => visitor.visit_u64(value),
                    Err(_) => visitor.visit_i64(value),
                }),
                _ => Err(this.wrong(&visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader {
    type Error = ReadError;

    integers!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
              deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let this = self.typed()?;
        match this.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(ref text) | Value::Raw(ref text) => visitor.visit_str(text),
            Value::List(_) => this.deserialize_seq(visitor),
            Value::Map(_) => this.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let this = self.typed()?;
        match this.node.value {
            Value::Bool(value) => Self::placed(&this.node.origin, visitor.visit_bool(value)),
            _ => Err(this.wrong(&visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    #[expect(clippy::cast_precision_loss, reason = "a configured ratio is far below 2^53")]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let this = self.typed()?;
        match this.node.value {
            Value::Float(value) => Self::placed(&this.node.origin, visitor.visit_f64(value)),
            Value::Int(value) => Self::placed(&this.node.origin, visitor.visit_f64(value as f64)),
            _ => Err(this.wrong(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Text(text) | Value::Raw(text) => Self::placed(&self.node.origin, visitor.visit_str(text)),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            Value::Raw(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == PATH
            && let (Value::Text(text), Source::File { folder, .. }) =
                (&self.node.value, &*self.node.origin.source)
        {
            self.node.value = Value::Text(folder.join(text).to_string_lossy().into_owned());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let mut this = self.typed()?;
        let Value::List(items) = std::mem::replace(&mut this.node.value, Value::Null) else {
            return Err(this.wrong(&visitor));
        };
        let origin = this.node.origin.clone();
        Self::placed(&origin, visitor.visit_seq(Items { items: items.into_iter().enumerate(), parent: this }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let mut this = self.typed()?;
        let Value::Map(entries) = std::mem::replace(&mut this.node.value, Value::Null) else {
            return Err(this.wrong(&visitor));
        };
        let origin = this.node.origin.clone();
        let entries = Entries { rest: entries.into_iter(), value: None, parent: this };
        Self::placed(&origin, visitor.visit_map(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let mut this = self.typed()?;
        if let Value::Map(entries) = &mut this.node.value {
            let (known, unknown): (Vec<Entry>, Vec<Entry>) =
                std::mem::take(entries).into_iter().partition(|entry| fields.contains(&entry.key.as_str()));
            *entries = known;
            let mut problems = this.unknown.borrow_mut();
            problems.extend(unknown.into_iter().map(|entry| unknown_key(&this.path, entry, fields)));
        }
        this.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Text(text) | Value::Raw(text) => {
                Self::placed(&self.node.origin, visitor.visit_enum(Word(text)))
            }
            _ => Err(self.wrong(&"one of its words")),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// An unknown key, with what was probably meant; a secret written out gets its own words.
fn unknown_key(path: &str, entry: Entry, fields: &[&str]) -> Problem {
    let by_file = format!("{}_file", entry.key);
    let files = format!("{by_file}s");
    let shown = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
    for reference in [by_file, files] {
        if fields.contains(&reference.as_str()) {
            return Problem::new(
                format!("`{shown}`: a secret is never written in the configuration"),
                entry.at,
            )
            .help(format!("put it in a file of its own and name that file: `{reference}: …`"))
            .concealed();
        }
    }
    let place = if path.is_empty() { "at the top level".to_owned() } else { format!("in `{path}`") };
    let problem = Problem::new(format!("unknown key `{}` {place}", entry.key), entry.at);
    match probably_meant(&entry.key, fields.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
        None => problem.help(format!("known keys here: {}", list(fields))),
    }
}

struct Items {
    items: std::iter::Enumerate<std::vec::IntoIter<Node>>,
    parent: Reader,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let origin = node.origin.clone();
        let reader =
            Reader::new(node, format!("{}[{index}]", self.parent.path), Rc::clone(&self.parent.unknown));
        Reader::placed(&origin, seed.deserialize(reader)).map(Some)
    }
}

struct Entries {
    rest: std::vec::IntoIter<Entry>,
    value: Option<Entry>,
    parent: Reader,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.rest.next() else { return Ok(None) };
        let key: StrDeserializer<'_, ReadError> = entry.key.as_str().into_deserializer();
        let read = Reader::placed(&entry.at, seed.deserialize(key))?;
        self.value = Some(entry);
        Ok(Some(read))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        let Some(entry) = self.value.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        let origin = entry.node.origin.clone();
        Reader::placed(&origin, seed.deserialize(self.parent.below(&entry.key, entry.node)))
    }
}

struct Word<'a>(&'a str);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = ReadError;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), ReadError> {
        let word: StrDeserializer<'_, ReadError> = self.0.into_deserializer();
        Ok((seed.deserialize(word)?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ReadError> {
        Err(serde::de::Error::custom("expected a single word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(serde::de::Error::custom("expected a single word"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ReadError> {
        Err(serde::de::Error::custom("expected a single word"))
    }
}
