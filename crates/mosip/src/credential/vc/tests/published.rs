//! A credential that MOSIP itself issued and published, with its key and its contexts.
//!
//! Runs where `CIVITAS_MOSIP_PUBLISHED` names a folder with files that are not ours to copy: from mosip/vc-verifier
//! (`vc-verifier/kotlin/vcverifier/src/test/resources`) `ldp_vc/PS256SignedMosipVC.json`,
//! `ldp_vc/public_key/idaPublicKey.json` and `contexts/mosip-ida-context.json`, from mosip/mosip-config 1.3.0
//! `mosip-context.json`, without their folders. Elsewhere each test says that it did not run.

use std::{io::Write as _, path::PathBuf};

use super::*;

struct Published(PathBuf);

impl Published {
    fn found(test: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("CIVITAS_MOSIP_PUBLISHED") else {
            // Not by a macro, whose output the harness keeps to itself when a test passes.
            let notice = format!("\nNOT RUN: {test}: CIVITAS_MOSIP_PUBLISHED names no folder\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
            return None;
        };
        Some(Published(folder.into()))
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.file(name)).unwrap()
    }

    fn credential(&self) -> Value {
        self.json("PS256SignedMosipVC.json")
    }

    fn issuer(&self) -> VcIssuer {
        Self::issuer_with(&self.json("mosip-ida-context.json"))
    }

    fn issuer_with(context: &Value) -> VcIssuer {
        let at = |name: &str| format!("https://api.collab.mosip.net/.well-known/{name}");
        VcIssuer::named(
            at("ida-controller.json"),
            at("ida-public-key.json"),
            at("mosip-ida-context.json"),
            context,
        )
        .unwrap()
    }

    fn keys(&self) -> ProofKeys {
        let key = self.json("idaPublicKey.json");
        ProofKeys::from_pem([key["publicKeyPem"].as_str().unwrap().as_bytes()]).unwrap()
    }

    fn trust(&self) -> VcTrust {
        VcTrust::new(vec![self.issuer()], self.keys())
    }
}

#[test]
fn what_mosip_itself_issued_verifies() {
    let Some(published) = Published::found("the credential that MOSIP published") else { return };
    let credential = published.credential();
    let ours = canonical(&credential, &published.issuer().vocabulary, Spelling::Signer).unwrap();
    assert_eq!(hex::encode(ours.hash), "d7b848ff8b8c3643836360b942a6d99dfd36f2dd5be5a58491dd924eb462b720");
    let proof = credential["proof"].to_string();
    let options = Proof::read(&serde_json::from_str(&proof).unwrap()).unwrap().options_hash();
    assert_eq!(hex::encode(options), "cba369e2ae5c1d2f90c051dd9e7fc3a7225c40e01854d5de461139a86851bd20");
    let read = read_by(&published.trust(), &credential).unwrap();
    for name in ["UIN", "phone", "dateOfBirth"] {
        assert_eq!(read.claim(name).map(|claim| claim.cover()), Some(Cover::OwnProof), "{name}");
    }
}

#[test]
fn each_alteration_of_what_mosip_itself_issued_is_refused() {
    let Some(published) = Published::found("alterations of the credential that MOSIP published") else {
        return;
    };
    let (credential, trust) = (published.credential(), published.trust());
    let paths = leaves(&credential);
    assert!(paths.len() > 20, "{}", paths.len());
    for path in paths {
        // The second type is defined by none of its contexts, so that no signature can cover it.
        let unsigned = path == "/type/1";
        let changed = altered(credential.clone(), |c| *c.pointer_mut(&path).unwrap() = json!("x"));
        assert_eq!(read_by(&trust, &changed).is_ok(), unsigned, "{path} changed");
        let (parent, name) = path.rsplit_once('/').unwrap();
        let removed = altered(credential.clone(), |c| match c.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().unwrap())),
            _ => unreachable!(),
        });
        assert_eq!(read_by(&trust, &removed).is_ok(), unsigned, "{path} removed");
    }
    let added = |name: &str| {
        let credential = altered(credential.clone(), |c| c["credentialSubject"][name] = json!("x"));
        read_by(&trust, &credential)
    };
    assert_eq!(added("postalCode").map(drop), Err(VcError::Signature.into()), "a term of the context");
    let unsigned = added("introducerInfoToken").unwrap();
    let cover = unsigned.claim("introducerInfoToken").map(|claim| claim.cover());
    assert_eq!(cover, Some(Cover::EventProof), "no term: not among what MOSIP's proof stands for");
}

#[test]
fn other_keys_contexts_and_algorithms_of_what_mosip_itself_issued_are_refused() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let Some(published) = Published::found("forgeries of the credential that MOSIP published") else {
        return;
    };
    let credential = published.credential();
    let by = |trust: &VcTrust, credential: &Value| read_by(trust, credential).map(drop);
    let genuine = published.trust();
    assert_eq!(by(&genuine, &credential), Ok(()));

    let other_key = VcTrust::new(vec![published.issuer()], keys());
    assert_eq!(by(&other_key, &credential), Err(VcError::Signature.into()));
    // Its context is pinned by content too: with one term elsewhere, other statements come out.
    let mut context = published.json("mosip-ida-context.json");
    let terms = context["@context"].as_array_mut().unwrap();
    terms.push(json!({ "UIN": "https://api.collab.mosip.net/mosip-ida#VID" }));
    let other_context = VcTrust::new(vec![Published::issuer_with(&context)], published.keys());
    assert_eq!(by(&other_context, &credential), Err(VcError::Signature.into()));
    let named = altered(credential.clone(), |c| {
        c["@context"][1] = json!("https://evil.example/.well-known/mosip-ida-context.json");
    });
    assert_eq!(by(&genuine, &named), Err(VcError::Context.into()));
    let defined = altered(credential.clone(), |c| {
        let more = json!({ "PSUT": "https://api.collab.mosip.net/mosip-ida#PSUT" });
        c["@context"].as_array_mut().unwrap().push(more);
    });
    assert_eq!(by(&genuine, &defined), Err(VcError::Context.into()));

    let stripped = altered(credential.clone(), |c| drop(c.as_object_mut().unwrap().remove("proof")));
    assert!(by(&genuine, &stripped).is_err());
    let signature = credential["proof"]["jws"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
    for algorithm in ["none", "HS256", "RS256", "PS384"] {
        let head = json!({ "b64": false, "crit": ["b64"], "alg": algorithm }).to_string();
        for signature in [signature.as_str(), ""] {
            let jws = format!("{}..{signature}", URL_SAFE_NO_PAD.encode(&head));
            let downgraded = altered(credential.clone(), |c| c["proof"]["jws"] = json!(jws));
            assert!(by(&genuine, &downgraded).is_err(), "{algorithm}");
        }
    }
    let only_rs256 = published.trust().allowing(vec![SignatureAlgorithm::Rs256]);
    assert_eq!(by(&only_rs256, &credential), Err(VcError::Algorithm.into()));
}

#[test]
fn the_context_that_mosip_ships_is_the_stock_one() {
    let Some(published) = Published::found("the context that MOSIP ships") else { return };
    let template = published.file("mosip-context.json");
    assert_eq!(
        hex::encode(openssl::sha::sha256(&template)),
        "7189662575e8cfe05ba5954e0b1d4c867cdc7504c216fa266d47e125fbf2b524"
    );
    let document = String::from_utf8(template).unwrap().replace("${mosip.api.public.host}", HOST);
    let shipped = VcIssuer::with_context(HOST, document.as_bytes()).unwrap();
    assert_eq!(
        format!("{:?}", shipped.vocabulary.sorted()),
        format!("{:?}", VcIssuer::stock(HOST).unwrap().vocabulary.sorted())
    );
}
