//! JSON-LD contexts, compiled once: which name of a credential stands for which IRI, and how its value is read.
//!
//! This is the part of JSON-LD 1.1 that credentials of MOSIP and the contexts they name use. What it does not know is
//! refused when the context is given, or, where only some terms need it, when a credential uses such a term: nothing
//! is guessed. Contexts are pinned or configured; none is ever fetched.

use std::collections::HashMap;

use serde_json::{Map, Value};

pub(super) const CREDENTIALS: &str = "https://www.w3.org/2018/credentials/v1";
pub(super) const ODRL: &str = "https://www.w3.org/ns/odrl.jsonld";
pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
pub(super) const SECURITY: &str = "https://w3id.org/security#";

const PINNED: [(&str, &[u8]); 2] = [
    (CREDENTIALS, include_bytes!("../../../contexts/credentials-v1.jsonld")),
    (ODRL, include_bytes!("../../../contexts/odrl.jsonld")),
];

/// Why a context is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// Not JSON, or no `@context` in it.
    #[error("the context is not a json object with `@context`")]
    Form,
    /// It names another context that is not pinned.
    #[error("the context names {0:?}, which is not pinned in this program")]
    Unknown(String),
    /// It uses a part of JSON-LD that is not supported here.
    #[error("the context uses {0}, which this program does not support")]
    Unsupported(String),
    /// A term does not come to an IRI.
    #[error("the term {0:?} of the context does not stand for an iri")]
    NoIri(String),
    /// Terms that the credentials' own context protects must not be given another meaning.
    #[error("the term {0:?} is protected and must not be defined anew")]
    Protected(String),
    /// Not the name of a host.
    #[error("{0:?} is not the name of a host")]
    Host(String),
}

/// How a term's value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A literal, or an object of them.
    Plain,
    /// A text of this data type.
    Typed(String),
    /// An IRI.
    Iri,
    /// Another name of a keyword, `@id` or `@type`.
    Keyword,
    /// By rules that are not supported: a credential that uses it is refused.
    Other,
}

/// A term.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) iri: String,
    pub(super) kind: Kind,
    prefix: bool,
    protected: bool,
    scoped: Option<Value>,
}

/// Terms by name; one that a context takes away is there as nothing.
#[derive(Debug, Clone, Default)]
struct Terms(HashMap<String, Option<Term>>);

/// What a name means.
pub(super) enum Meaning<'a> {
    /// Nothing: its value is no part of what was signed.
    Nothing,
    /// A term.
    Term(&'a Term),
    /// A keyword, a name with a colon in it, or a term that needs what is not supported.
    Unsupported,
}

/// The terms of a credential, by the place where they stand.
#[derive(Debug)]
pub(super) struct Vocabulary {
    everywhere: Terms,
    /// Beside `type: VerifiableCredential`.
    envelope: Terms,
    /// In the value of a term.
    within: HashMap<String, Terms>,
}

impl Vocabulary {
    /// Compiles what `@context: [credentials/v1, <deployment>, {"sec": …}]` says.
    pub(super) fn compile(deployment: &Value) -> Result<Self, ContextError> {
        let mut everywhere = Terms::default();
        let nothing = Terms::default();
        for context in [pinned(CREDENTIALS)?, inner(deployment)?.clone(), inline()] {
            process(&context, &mut everywhere, &nothing, Depth::Outer)?;
        }
        let mut envelope = Terms::default();
        let mut within = HashMap::new();
        for (name, term) in &everywhere.0 {
            let Some(Term { scoped: Some(scoped), kind, .. }) = term else { continue };
            let mut terms = Terms::default();
            if name == "VerifiableCredential" {
                process(scoped, &mut envelope, &everywhere, Depth::Envelope)?;
            } else if *kind == Kind::Plain && process(scoped, &mut terms, &everywhere, Depth::Inner).is_ok() {
                within.insert(name.clone(), terms);
            }
        }
        // A term whose own context is not understood is not understood itself.
        for (name, term) in &mut everywhere.0 {
            if let Some(term) = term
                && term.scoped.is_some()
                && !within.contains_key(name)
            {
                term.kind = Kind::Other;
            }
        }
        Ok(Vocabulary { everywhere, envelope, within })
    }

    /// A name beside `credentialSubject`.
    pub(super) fn in_envelope(&self, name: &str) -> Meaning<'_> {
        self.meaning(Some(&self.envelope), name)
    }

    /// A name in `credentialSubject`.
    pub(super) fn in_subject(&self, name: &str) -> Meaning<'_> {
        self.meaning(None, name)
    }

    /// A name in an object that is the value of `term`.
    pub(super) fn within(&self, term: &str, name: &str) -> Meaning<'_> {
        self.meaning(self.within.get(term), name)
    }

    /// Whether a type stands for an IRI.
    pub(super) fn is_type(&self, name: &str) -> bool {
        !matches!(self.in_subject(name), Meaning::Nothing)
    }

    /// All of it, in a fixed order.
    #[cfg(test)]
    pub(super) fn sorted(&self) -> Vec<String> {
        let of = |place: &str, terms: &Terms| {
            terms.0.iter().map(|(name, term)| format!("{place}/{name}: {term:?}")).collect::<Vec<_>>()
        };
        let within = self.within.iter().flat_map(|(name, terms)| of(name, terms));
        let mut all: Vec<String> =
            of("", &self.everywhere).into_iter().chain(of("VC", &self.envelope)).chain(within).collect();
        all.sort();
        all
    }

    fn meaning<'a>(&'a self, first: Option<&'a Terms>, name: &str) -> Meaning<'a> {
        if name.contains(':') || name.starts_with('@') {
            return Meaning::Unsupported;
        }
        let found = first.and_then(|terms| terms.0.get(name)).or_else(|| self.everywhere.0.get(name));
        match found {
            None | Some(None) => Meaning::Nothing,
            Some(Some(term)) if matches!(term.kind, Kind::Keyword | Kind::Other) => Meaning::Unsupported,
            Some(Some(term)) => Meaning::Term(term),
        }
    }
}

fn inline() -> Value {
    serde_json::json!({ "sec": SECURITY })
}

fn pinned(iri: &str) -> Result<Value, ContextError> {
    let (_, bytes) = PINNED
        .iter()
        .find(|(known, _)| *known == iri)
        .ok_or_else(|| ContextError::Unknown(iri.to_owned()))?;
    let document: Value = serde_json::from_slice(bytes).map_err(|_| ContextError::Form)?;
    inner(&document).cloned()
}

fn inner(document: &Value) -> Result<&Value, ContextError> {
    document.get("@context").ok_or(ContextError::Form)
}

/// Where a context applies.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Outer,
    Envelope,
    /// In a term's value: it may define protected terms anew, and has no deeper contexts.
    Inner,
}

fn process(context: &Value, terms: &mut Terms, base: &Terms, depth: Depth) -> Result<(), ContextError> {
    match context {
        Value::Array(all) => all.iter().try_for_each(|one| process(one, terms, base, depth)),
        Value::String(iri) => process(&pinned(iri)?, terms, base, depth),
        Value::Object(local) => Compiler::new(local, terms, base, depth)?.run(),
        _ => Err(ContextError::Unsupported("a context that takes all terms away".to_owned())),
    }
}

struct Compiler<'c> {
    local: &'c Map<String, Value>,
    terms: &'c mut Terms,
    base: &'c Terms,
    depth: Depth,
    protect: bool,
    /// Terms of this context: true when done, false while being defined.
    defined: HashMap<String, bool>,
}

impl<'c> Compiler<'c> {
    fn new(
        local: &'c Map<String, Value>,
        terms: &'c mut Terms,
        base: &'c Terms,
        depth: Depth,
    ) -> Result<Self, ContextError> {
        for (name, value) in local.iter().filter(|(name, _)| name.starts_with('@')) {
            let known = match name.as_str() {
                "@version" => value.as_f64() == Some(1.1),
                "@protected" => value.is_boolean(),
                _ => false,
            };
            if !known {
                return Err(ContextError::Unsupported(name.clone()));
            }
        }
        let protect = local.get("@protected") == Some(&Value::Bool(true));
        Ok(Compiler { local, terms, base, depth, protect, defined: HashMap::new() })
    }

    fn run(mut self) -> Result<(), ContextError> {
        let local = self.local;
        local.keys().filter(|name| !name.starts_with('@')).try_for_each(|name| self.define(name))
    }

    fn lookup(&self, name: &str) -> Option<&Term> {
        self.terms.0.get(name).or_else(|| self.base.0.get(name))?.as_ref()
    }

    fn define(&mut self, name: &str) -> Result<(), ContextError> {
        match self.defined.get(name) {
            Some(true) => return Ok(()),
            Some(false) => return Err(ContextError::NoIri(name.to_owned())),
            None => {}
        }
        if name.is_empty() || name.contains(':') {
            return Err(ContextError::Unsupported(format!("the term {name:?}")));
        }
        self.defined.insert(name.to_owned(), false);
        let term = match &self.local[name] {
            Value::Null => None,
            Value::String(iri) => Some(self.simple(name, iri)?),
            Value::Object(definition) if definition.get("@id") == Some(&Value::Null) => None,
            Value::Object(definition) => Some(self.expanded(name, definition)?),
            _ => return Err(ContextError::Unsupported(format!("the definition of {name:?}"))),
        };
        if self.depth != Depth::Inner
            && let Some(old) = self.lookup(name).filter(|old| old.protected)
        {
            let same = term
                .as_ref()
                .is_some_and(|new| (&new.iri, &new.kind, &new.scoped) == (&old.iri, &old.kind, &old.scoped));
            if !same {
                return Err(ContextError::Protected(name.to_owned()));
            }
        }
        let keep = self.lookup(name).is_some_and(|old| old.protected);
        let term = term.map(|term| Term { protected: term.protected || keep, ..term });
        self.terms.0.insert(name.to_owned(), term);
        self.defined.insert(name.to_owned(), true);
        Ok(())
    }

    fn simple(&mut self, name: &str, iri: &str) -> Result<Term, ContextError> {
        let iri = self.expand(name, iri)?;
        let keyword = iri.starts_with('@');
        let prefix = iri.ends_with([':', '/', '?', '#', '[', ']', '@']);
        let kind = if keyword { Kind::Keyword } else { Kind::Plain };
        Ok(Term { iri, kind, prefix, protected: self.protect, scoped: None })
    }

    fn expanded(&mut self, name: &str, definition: &Map<String, Value>) -> Result<Term, ContextError> {
        let id = definition.get("@id").and_then(Value::as_str);
        let iri = self.expand(name, id.ok_or_else(|| ContextError::NoIri(name.to_owned()))?)?;
        let mut kind = if iri.starts_with('@') { Kind::Keyword } else { Kind::Plain };
        let (mut protected, mut scoped) = (self.protect, None);
        for (key, value) in definition {
            match (key.as_str(), value) {
                ("@id", _) => {}
                ("@protected", Value::Bool(stated)) => protected = *stated,
                ("@context", context) => scoped = Some(context.clone()),
                ("@container", Value::String(set)) if set == "@set" => {}
                ("@type", Value::String(id)) if id == "@id" && kind == Kind::Plain => kind = Kind::Iri,
                ("@type", Value::String(datatype)) if !datatype.starts_with('@') && kind == Kind::Plain => {
                    kind = Kind::Typed(self.expand(name, datatype)?);
                }
                _ => kind = Kind::Other,
            }
        }
        Ok(Term { iri, kind, prefix: false, protected, scoped })
    }

    /// An IRI, from a keyword, a compact IRI, or another term.
    fn expand(&mut self, of: &str, text: &str) -> Result<String, ContextError> {
        if text.starts_with('@') {
            return Ok(text.to_owned());
        }
        let no_iri = || ContextError::NoIri(of.to_owned());
        let Some((prefix, rest)) = text.split_once(':') else {
            if text != of && self.local.contains_key(text) {
                self.define(text)?;
            }
            let term = self.lookup(text).filter(|_| text != of);
            return term.map(|term| term.iri.clone()).ok_or_else(no_iri);
        };
        if !rest.starts_with("//") {
            if prefix != of && self.local.contains_key(prefix) {
                self.define(prefix)?;
            }
            if let Some(term) = self.lookup(prefix).filter(|term| term.prefix && prefix != of) {
                return Ok(format!("{}{rest}", term.iri));
            }
        }
        if is_iri(text) { Ok(text.to_owned()) } else { Err(no_iri()) }
    }
}

/// Whether a text is an absolute IRI that stands unchanged in N-Quads. Narrower than the standard, which also allows
/// letters beyond ASCII: MOSIP issues none, and what is not certain is refused.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme = scheme.as_bytes();
    let letters = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(letters)
        && !rest.is_empty()
        && rest.bytes().all(|c| {
            c.is_ascii_graphic()
                && !matches!(c, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`')
        })
}

#[cfg(test)]
mod tests {
    use openssl::sha::sha256;
    use serde_json::json;

    use super::*;

    fn host() -> Value {
        super::super::stock::document("api.example.org")
    }

    fn with(terms: Value) -> Result<Vocabulary, ContextError> {
        let mut document = host();
        document["@context"].as_array_mut().unwrap().push(terms);
        Vocabulary::compile(&document)
    }

    fn term(vocabulary: &Vocabulary, name: &str) -> Option<(String, Kind)> {
        match vocabulary.in_subject(name) {
            Meaning::Term(term) => Some((term.iri.clone(), term.kind.clone())),
            _ => None,
        }
    }

    #[test]
    fn the_pinned_documents_are_the_recorded_ones() {
        let hashes = PINNED.map(|(_, bytes)| hex::encode(sha256(bytes)));
        assert_eq!(hashes[0], "8524322c2d539564f48540d263faa528a216d3de94f2bcb350a493ca720345f6");
        assert_eq!(hashes[1], "2b9113424a61749ac3b09a9f6d0a2b0a178e1bf031cf1211780d1f8d7d416956");
    }

    #[test]
    fn names_stand_for_iris_and_others_for_nothing() {
        let vocabulary = Vocabulary::compile(&host()).unwrap();
        let plain = |iri: &str| Some((iri.to_owned(), Kind::Plain));
        assert_eq!(term(&vocabulary, "VID"), plain("https://api.example.org/mosip#VID"));
        assert_eq!(term(&vocabulary, "fullName"), plain("https://api.example.org/mosip#fullName"));
        assert_eq!(term(&vocabulary, "language"), plain("http://www.w3.org/ns/odrl/2/language"));
        for name in ["birthCertificateNumber", "PSUT", "zone", "value", "constructor"] {
            assert!(matches!(vocabulary.in_subject(name), Meaning::Nothing), "{name}");
        }
        for name in ["type", "uid", "id", "@id", "mosip:VID", "action", "http://a/b", "proof"] {
            assert!(matches!(vocabulary.in_subject(name), Meaning::Unsupported), "{name}");
        }
        assert!(
            matches!(vocabulary.within("fullName", "value"), Meaning::Term(term) if term.iri == format!("{RDF}value"))
        );
        assert!(matches!(vocabulary.within("phone", "value"), Meaning::Nothing));
        assert!(matches!(vocabulary.within("fullName", "lang"), Meaning::Unsupported));
        let xsd = "http://www.w3.org/2001/XMLSchema#dateTime".to_owned();
        assert!(
            matches!(vocabulary.in_envelope("issuanceDate"), Meaning::Term(term) if term.kind == Kind::Typed(xsd))
        );
        assert!(matches!(vocabulary.in_envelope("issuer"), Meaning::Term(term) if term.kind == Kind::Iri));
        assert!(
            vocabulary.is_type("VerifiableCredential") && !vocabulary.is_type("MOSIPVerifiableCredential")
        );
    }

    #[test]
    fn a_country_adds_terms_of_its_own() {
        let vocabulary = with(json!({
            "zone": "mosip:zone", "born": { "@id": "mosip:born", "@type": "xsd:date" },
            "tags": { "@id": "mosip:tags", "@container": "@set" }, "list": { "@id": "mosip:list", "@container": "@list" },
            "VID": null, "same": "zone", "deep": { "@id": "mosip:deep", "@context": { "@vocab": "http://v/" } },
        }))
        .unwrap();
        assert_eq!(term(&vocabulary, "zone").unwrap().0, "https://api.example.org/mosip#zone");
        assert_eq!(term(&vocabulary, "same").unwrap().0, "https://api.example.org/mosip#zone");
        assert_eq!(
            term(&vocabulary, "born").unwrap().1,
            Kind::Typed("http://www.w3.org/2001/XMLSchema#date".to_owned())
        );
        assert_eq!(term(&vocabulary, "tags").unwrap().1, Kind::Plain);
        assert!(matches!(vocabulary.in_subject("VID"), Meaning::Nothing));
        for name in ["list", "deep"] {
            assert!(matches!(vocabulary.in_subject(name), Meaning::Unsupported), "{name}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_at_once() {
        let refused = |terms: Value| with(terms).unwrap_err();
        assert_eq!(refused(json!({ "@vocab": "http://v/" })), ContextError::Unsupported("@vocab".to_owned()));
        assert_eq!(refused(json!({ "@base": "http://v/" })), ContextError::Unsupported("@base".to_owned()));
        assert_eq!(
            refused(json!("http://elsewhere/c")),
            ContextError::Unknown("http://elsewhere/c".to_owned())
        );
        assert_eq!(refused(json!({ "a": "b", "b": "a" })), ContextError::NoIri("a".to_owned()));
        assert_eq!(refused(json!({ "a": "word" })), ContextError::NoIri("a".to_owned()));
        assert_eq!(refused(json!({ "id": "mosip:id" })), ContextError::Protected("id".to_owned()));
        assert_eq!(
            refused(json!({ "VerifiableCredential": "mosip:x" })),
            ContextError::Protected("VerifiableCredential".to_owned())
        );
        assert!(matches!(refused(json!({ "a:b": "mosip:x" })), ContextError::Unsupported(_)));
        assert!(matches!(refused(json!(null)), ContextError::Unsupported(_)));
        assert!(matches!(Vocabulary::compile(&json!({})), Err(ContextError::Form)));
    }

    #[test]
    fn iris_are_absolute_and_stand_unchanged() {
        for iri in ["http://a/b", "https://a/b#c?d", "urn:uuid:1", "did:jwk:eyJr_-="] {
            assert!(is_iri(iri), "{iri}");
        }
        for text in
            ["", "a", ":", "a:", "1a:b", "http://a b", "http://a>", "http://ä/", "http://a\n", "x{y}:z"]
        {
            assert!(!is_iri(text), "{text}");
        }
    }
}
