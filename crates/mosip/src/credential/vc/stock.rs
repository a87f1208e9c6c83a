//! The context that MOSIP 1.3.0 ships for its credentials, as a table: the names that are signed, and their kinds.
//!
//! A deployment whose context was edited gives its own document instead. The published document (its hash, before the
//! host is put in: `7189662575e8cfe05ba5954e0b1d4c867cdc7504c216fa266d47e125fbf2b524`) compiles to the same terms,
//! which a test checks wherever it is at hand.

use serde_json::{Map, Value, json};

use super::context::{ODRL, RDF};

/// Plain values.
const PLAIN: [&str; 8] = ["vcVer", "UIN", "VID", "dateOfBirth", "email", "phone", "postalCode", "biometrics"];

/// Values in several languages: objects of `language` and `value`.
const BY_LANGUAGE: [&str; 9] = [
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "city",
    "gender",
    "residenceStatus",
    "fullName",
    "province",
    "region",
];

/// The stock context of a deployment with this public host.
pub(super) fn document(host: &str) -> Value {
    let iri = |term: &str| format!("https://{host}/mosip#{term}");
    let mut terms = Map::new();
    for prefix in [("mosip", iri("")), ("schema", "http://schema.org/".to_owned()), ("rdf", RDF.to_owned())] {
        terms.insert(prefix.0.to_owned(), json!(prefix.1));
    }
    for term in PLAIN {
        terms.insert(term.to_owned(), json!(iri(term)));
    }
    for term in BY_LANGUAGE {
        let scoped = json!({ "value": "rdf:value", "lang": "@language" });
        terms.insert(term.to_owned(), json!({ "@id": iri(term), "@context": scoped }));
    }
    let fingers = json!({ "id": "@id", "type": "@type", "subType": iri("subType"), "rank": iri("rank") });
    terms.insert("bestTwoFingers".to_owned(), json!({ "@id": iri("bestTwoFingers"), "@context": fingers }));
    json!({ "@context": [{ "@version": 1.1 }, ODRL, terms] })
}
