//! The canonical N-Quads of a credential, in the closed form that MOSIP's credentials have.
//!
//! A credential of MOSIP is two nodes with IRIs, the credential and its subject, and, for values in several languages
//! or of fingers, nodes without a name that hang on the subject and hold literals. For that shape the algorithm
//! (RDF dataset canonicalisation, URDNA2015) ends after its first step: nodes whose statements differ are numbered in
//! the order of their hashes, and equal ones are interchangeable. Everything else, nested nodes, IRIs as values,
//! fractions, keywords, is refused as not covered; so the form is exact where it answers.
//!
//! Why not a JSON-LD library: the general algorithm compiles and runs a language to find, each time, the same six to
//! twenty lines, pulls a tree of dependencies that the whole of Civitas has to build, and costs more per credential
//! than its three RSA operations. And a library that understands more than we read is a way to sign one thing and
//! show another. Against the risk of an own implementation stand the recorded vectors, a published credential, and
//! 200 documents canonicalised by an independent program (`tests/vectors/vc-canonical.json`).

use std::{collections::BTreeMap, fmt::Write as _};

use openssl::sha::sha256;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{
    VcError,
    context::{CREDENTIALS, Kind, Meaning, RDF, SECURITY, Term, Vocabulary, is_iri},
    members::{Members, text},
};

const VERIFIABLE: &str = "VerifiableCredential";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
/// Beyond it, numbers differ from one JSON reader to the next.
const LARGEST: i64 = 1 << 53;

/// How literals are written and lines ordered: they differ for control characters and beyond the basic plane only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the library that MOSIP signs with does.
    Signer,
    /// As the standard says.
    Standard,
}

/// A credential, canonicalised.
pub(super) struct Canonical {
    pub(super) hash: [u8; 32],
    /// Names in the subject whose values became statements.
    pub(super) signed: Vec<String>,
    /// Whether the other spelling would differ.
    pub(super) spelling_matters: bool,
    #[cfg(test)]
    pub(super) quads: String,
}

/// What is canonicalised.
pub(super) struct Parts<'a> {
    pub(super) envelope: &'a Members<'a>,
    pub(super) subject: &'a Members<'a>,
    pub(super) vocabulary: &'a Vocabulary,
}

/// Whether `@context` is exactly the pinned one: another order or another member would give names another meaning.
pub(super) fn context_is(envelope: &Members<'_>, deployment: &str) -> bool {
    let Some(contexts) = envelope.get("@context") else { return false };
    let Ok([first, second, third]) = serde_json::from_str::<[&RawValue; 3]>(contexts.get()) else {
        return false;
    };
    let inline = Members::of(third);
    text(first).as_deref() == Some(CREDENTIALS)
        && text(second).as_deref() == Some(deployment)
        && inline.is_some_and(|inline| inline.len() == 1 && inline.text("sec").as_deref() == Some(SECURITY))
}

/// Canonicalises a credential, its proof left out.
pub(super) fn canonicalise(parts: &Parts<'_>, spelling: Spelling) -> Result<Canonical, VcError> {
    let mut quads = Quads { spelling, lines: Vec::new(), nodes: Vec::new(), spelling_matters: false };
    let subject = named(parts.subject, "id").ok_or(VcError::Form("its subject has no iri"))?;
    quads.envelope(parts, &subject)?;
    let signed = quads.subject(parts, &subject)?;
    let spelling_matters = quads.spelling_matters;
    let lines = quads.finish();
    let mut hash = openssl::sha::Sha256::new();
    lines.iter().for_each(|line| hash.update(line.as_bytes()));
    Ok(Canonical {
        hash: hash.finish(),
        signed,
        spelling_matters,
        #[cfg(test)]
        quads: lines.concat(),
    })
}

fn named(members: &Members<'_>, name: &str) -> Option<String> {
    members.text(name).filter(|iri| is_iri(iri)).map(std::borrow::Cow::into_owned)
}

/// A node without a name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    /// `<subject> <term> `.
    holder: String,
    /// `<term> literal`, each once.
    properties: Vec<String>,
}

struct Quads {
    spelling: Spelling,
    lines: Vec<String>,
    nodes: Vec<Node>,
    spelling_matters: bool,
}

impl Quads {
    fn envelope(&mut self, parts: &Parts<'_>, subject: &str) -> Result<(), VcError> {
        let id = named(parts.envelope, "id").ok_or(VcError::Form("it has no iri as its id"))?;
        let mut is_verifiable = false;
        for (name, value) in parts.envelope.iter() {
            match name {
                "@context" | "id" | "proof" => {}
                "type" => {
                    for one in types(value)? {
                        if one == VERIFIABLE {
                            is_verifiable = true;
                            let class = format!("https://www.w3.org/2018/credentials#{VERIFIABLE}");
                            self.lines.push(format!("<{id}> <{RDF}type> <{class}> .\n"));
                        } else if one.contains(':') || parts.vocabulary.is_type(&one) {
                            return Err(VcError::NotCovered("type".to_owned()));
                        }
                    }
                }
                "credentialSubject" | "issuer" | "issuanceDate" => {
                    let Meaning::Term(term) = parts.vocabulary.in_envelope(name) else {
                        return Err(not_covered(name));
                    };
                    let object = match &term.kind {
                        Kind::Iri if name == "credentialSubject" => format!("<{subject}>"),
                        Kind::Iri => {
                            let iri =
                                text(value).filter(|iri| is_iri(iri)).ok_or_else(|| not_covered(name))?;
                            format!("<{iri}>")
                        }
                        _ => self.literal(term, value).ok_or_else(|| not_covered(name))?,
                    };
                    self.lines.push(format!("<{id}> <{}> {object} .\n", term.iri));
                }
                _ => match parts.vocabulary.in_envelope(name) {
                    Meaning::Nothing => {}
                    _ => return Err(not_covered(name)),
                },
            }
        }
        // Only this type gives the names of the envelope their meaning.
        if is_verifiable { Ok(()) } else { Err(VcError::Form("its type is not VerifiableCredential")) }
    }

    fn subject(&mut self, parts: &Parts<'_>, subject: &str) -> Result<Vec<String>, VcError> {
        let mut signed: Vec<String> = Vec::new();
        let mut iris: Vec<&str> = Vec::new();
        for (name, value) in parts.subject.iter().filter(|(name, _)| *name != "id") {
            let term = match parts.vocabulary.in_subject(name) {
                Meaning::Nothing => continue,
                Meaning::Unsupported => return Err(not_covered(name)),
                Meaning::Term(term) => term,
            };
            // Two names of one IRI could exchange their values unnoticed.
            if iris.contains(&term.iri.as_str()) {
                return Err(not_covered(name));
            }
            iris.push(&term.iri);
            let holder = format!("<{subject}> <{}> ", term.iri);
            if self.value(parts.vocabulary, name, term, &holder, value)? {
                signed.push(name.to_owned());
            }
        }
        Ok(signed)
    }

    /// One value or several; whether there was any.
    fn value(
        &mut self,
        vocabulary: &Vocabulary,
        name: &str,
        term: &Term,
        holder: &str,
        value: &RawValue,
    ) -> Result<bool, VcError> {
        match value.get().as_bytes().first() {
            Some(b'[') => {
                let all: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| not_covered(name))?;
                let mut any = false;
                for one in all {
                    if one.get().starts_with('[') {
                        return Err(not_covered(name));
                    }
                    any |= self.value(vocabulary, name, term, holder, one)?;
                }
                Ok(any)
            }
            Some(b'{') if term.kind == Kind::Plain => {
                let node = self.node(vocabulary, name, holder, value)?;
                self.nodes.push(node);
                Ok(true)
            }
            Some(b'n') => Ok(false),
            _ => {
                let literal = self.literal(term, value).ok_or_else(|| not_covered(name))?;
                self.lines.push(format!("{holder}{literal} .\n"));
                Ok(true)
            }
        }
    }

    /// An object of literals.
    fn node(
        &mut self,
        vocabulary: &Vocabulary,
        term: &str,
        holder: &str,
        value: &RawValue,
    ) -> Result<Node, VcError> {
        let members = Members::of(value).ok_or_else(|| not_covered(term))?;
        let mut properties = Vec::with_capacity(members.len());
        for (name, value) in members.iter() {
            let inner = match vocabulary.within(term, name) {
                Meaning::Nothing => continue,
                Meaning::Unsupported => return Err(not_covered(term)),
                Meaning::Term(inner) => inner,
            };
            match value.get().as_bytes().first() {
                Some(b'n') => {}
                Some(b'[' | b'{') => return Err(not_covered(term)),
                _ => {
                    let literal = self.literal(inner, value).ok_or_else(|| not_covered(term))?;
                    properties.push(format!("<{}> {literal}", inner.iri));
                }
            }
        }
        properties.sort_unstable();
        properties.dedup();
        Ok(Node { holder: holder.to_owned(), properties })
    }

    /// A literal as N-Quads write it; nothing for what has no certain form.
    fn literal(&mut self, term: &Term, value: &RawValue) -> Option<String> {
        let json = value.get();
        if json.starts_with('"') {
            let text = text(value)?;
            return match &term.kind {
                Kind::Plain => Some(format!("\"{}\"", self.escaped(&text))),
                Kind::Typed(datatype) => Some(format!("\"{}\"^^<{datatype}>", self.escaped(&text))),
                _ => None,
            };
        }
        if term.kind != Kind::Plain {
            return None;
        }
        if let "true" | "false" = json {
            return Some(format!("\"{json}\"^^<{XSD}boolean>"));
        }
        let number: i64 = json.parse().ok()?;
        let certain = number.to_string() == json && (-LARGEST..=LARGEST).contains(&number);
        certain.then(|| format!("\"{number}\"^^<{XSD}integer>"))
    }

    fn escaped(&mut self, text: &str) -> String {
        let mut escaped = String::with_capacity(text.len() + 8);
        let signer = self.spelling == Spelling::Signer;
        // Bytes below 0x80 are letters of their own in UTF-8, so that a text is copied between those that matter.
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0xf0 {
                // Beyond the basic plane, UTF-16 orders otherwise than UTF-8.
                self.spelling_matters = true;
            }
            if byte >= 0x20 && !matches!(byte, b'"' | b'\\' | 0x7f) {
                continue;
            }
            let plain = !matches!(byte, b'"' | b'\\' | b'\n' | b'\r');
            self.spelling_matters |= plain;
            if plain && !signer {
                continue;
            }
            escaped.push_str(&text[from..at]);
            from = at + 1;
            match byte {
                b'"' => escaped.push_str("\\\""),
                b'\\' => escaped.push_str("\\\\"),
                b'\n' => escaped.push_str("\\n"),
                b'\r' => escaped.push_str("\\r"),
                b'\t' => escaped.push_str("\\t"),
                0x08 => escaped.push_str("\\b"),
                0x0c => escaped.push_str("\\f"),
                // Writing to a string cannot fail.
                other => drop(write!(escaped, "\\u{other:04x}")),
            }
        }
        escaped.push_str(&text[from..]);
        escaped
    }

    fn sort(&self, lines: &mut [String]) {
        if self.spelling == Spelling::Signer && self.spelling_matters {
            lines.sort_unstable_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
        } else {
            lines.sort_unstable();
        }
    }

    /// All lines, in order, each once; the nodes without names numbered.
    fn finish(mut self) -> Zeroizing<Vec<String>> {
        let mut by_hash: BTreeMap<[u8; 32], Vec<Node>> = BTreeMap::new();
        for node in std::mem::take(&mut self.nodes) {
            let mut own = Zeroizing::new(node.lines("_:a"));
            self.sort(&mut own);
            by_hash.entry(sha256(own.concat().as_bytes())).or_default().push(node);
        }
        // Those that differ from all others come first.
        let (alone, equal): (Vec<_>, Vec<_>) = by_hash.into_values().partition(|nodes| nodes.len() == 1);
        for (number, node) in alone.into_iter().chain(equal).flatten().enumerate() {
            self.lines.extend(node.lines(&format!("_:c14n{number}")));
        }
        let mut lines = Zeroizing::new(std::mem::take(&mut self.lines));
        self.sort(&mut lines);
        lines.dedup();
        lines
    }
}

impl Node {
    fn lines(&self, label: &str) -> Vec<String> {
        let own = self.properties.iter().map(|property| format!("{label} {property} .\n"));
        std::iter::once(format!("{}{label} .\n", self.holder)).chain(own).collect()
    }
}

/// A type or several.
fn types(value: &RawValue) -> Result<Vec<String>, VcError> {
    let one = text(value).map(|one| vec![one.into_owned()]);
    one.or_else(|| serde_json::from_str(value.get()).ok()).ok_or_else(|| not_covered("type"))
}

fn not_covered(name: &str) -> VcError {
    let shown = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | ':');
    VcError::NotCovered(name.chars().filter(|c| shown(*c)).take(40).collect())
}
