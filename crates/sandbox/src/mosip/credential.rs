//! What a partner receives: the credential, its proofs, its envelope.

use super::registry::{Identity, Registry};
use super::state::Mosip;
use super::vc_proof;
use super::ver_r2::{self, SealEntropy};
use crate::jwt::{self, b64};
use crate::keys::SandboxKeys;
use crate::options::{MosipOptions, SharedIdentifier, VcProof};
use crate::time::iso;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Everything that an issuance draws before the cryptography starts.
pub(crate) struct Draft {
    pub(crate) aid: String,
    pub(crate) request_id: String,
    pub(crate) claims: Map<String, Value>,
    pub(crate) meta_info: Map<String, Value>,
    pub(crate) credential_id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) pin: String,
    pub(crate) entropy: SealEntropy,
    pub(crate) now: Timestamp,
}

impl Draft {
    /// A draft with the identity's shared identifiers as claims.
    pub(crate) fn new(
        mosip: &Mosip,
        aid: &str,
        claims: Map<String, Value>,
        meta_info: Map<String, Value>,
    ) -> Self {
        let mut entropy = SealEntropy { key: [0; 32], aad: [0; 32] };
        mosip.dice.fill(&mut entropy.key);
        mosip.dice.fill(&mut entropy.aad);
        Self {
            aid: aid.to_owned(),
            request_id: format!("{aid}{}", mosip.options.request_id_suffix),
            claims,
            meta_info,
            credential_id: mosip.dice.uuid(),
            event_id: mosip.dice.uuid(),
            pin: mosip.dice.digits(6),
            entropy,
            now: mosip.pace.now(),
        }
    }
}

/// The claims that the policy shares of an identity.
pub(crate) fn claims(options: &MosipOptions, registry: &Registry, identity: &Identity) -> Map<String, Value> {
    let mut claims = Map::new();
    for shared in &options.shared {
        match shared {
            SharedIdentifier::Vid => {
                claims.insert("VID".to_owned(), json!(registry.lasting_vid(&identity.uin)))
            }
            SharedIdentifier::Uin => claims.insert("UIN".to_owned(), json!(identity.uin)),
            SharedIdentifier::Psut => {
                claims.insert("PSUT".to_owned(), json!(psut(&identity.uin, &options.partner)))
            }
        };
    }
    for name in ["birthCertificateNumber"] {
        if let Some(value) = identity.fields.get(name) {
            claims.insert(name.to_owned(), value.clone());
        }
    }
    claims
}

/// 36 digits that depend on the person and the partner only.
fn psut(uin: &str, partner: &str) -> String {
    let digest = openssl::sha::sha256(format!("{uin}:{partner}").as_bytes());
    digest.iter().chain(digest.iter().rev()).take(36).map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// The plaintext credential.
fn plaintext(options: &MosipOptions, keys: &SandboxKeys, draft: &Draft) -> Result<Vec<u8>, ErrorStack> {
    let host = &options.host;
    if options.vc_proof == VcProof::Absent {
        let mut subject = Map::from_iter([("id".to_owned(), json!(draft.aid))]);
        subject.extend(draft.claims.clone());
        return Ok(json!({
            "id": format!("http://mosip.io/credentials/{}", draft.credential_id),
            "type": ["MOSIPVerifiableCredential"], "issuer": "https://mosip.io/issuers/",
            "issuanceDate": iso(draft.now), "issuedTo": options.partner, "consent": "",
            "credentialSubject": subject, "protectedAttributes": [],
        })
        .to_string()
        .into_bytes());
    }
    let mut subject = Map::from_iter([
        ("id".to_owned(), json!(format!("http://credential.idrepo/credentials/{}", draft.aid))),
        ("vcVer".to_owned(), json!("VC-V1")),
    ]);
    subject.extend(draft.claims.clone());
    let mut credential = json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1", format!("https://{host}/.well-known/mosip-context.json"),
            {"sec": "https://w3id.org/security#"},
        ],
        "id": format!("http://credential.idrepo/credentials/{}", draft.credential_id),
        "type": ["VerifiableCredential", "MOSIPVerifiableCredential"],
        "issuer": format!("https://{host}/.well-known/controller.json"),
        "issuanceDate": iso(draft.now), "credentialSubject": subject,
    });
    // Same instant, cut to seconds.
    let created = format!("{}Z", &iso(draft.now)[..19]);
    let jws = vc_proof::sign(&keys.kernel, &vc_proof::digest(&credential, &created, host))?;
    credential["proof"] = json!({
        "type": "RsaSignature2018", "proofPurpose": "assertionMethod",
        "verificationMethod": format!("https://{host}/.well-known/public-key.json"),
        "created": created, "jws": jws,
    });
    Ok(credential.to_string().into_bytes())
}

/// Detached RS256 over the plaintext, certificate included.
fn event_proof(keys: &SandboxKeys, signer: &PKey<Private>, plaintext: &[u8]) -> Result<String, ErrorStack> {
    let der = keys.kernel_certificate.to_der()?;
    let thumbprint = openssl::sha::sha256(&der);
    let header = json!({
        "x5c": [STANDARD.encode(&der)], "x5t#S256": b64(thumbprint), "kid": b64(thumbprint), "alg": "RS256",
    });
    let header = b64(header.to_string());
    let input = format!("{header}.{}", b64(plaintext));
    Ok(format!("{header}..{}", b64(jwt::rs256(signer, input.as_bytes())?)))
}

/// The whole CREDENTIAL_ISSUED event. Costs one or two RSA signatures.
pub(crate) fn event(
    mosip: &Mosip,
    keys: &SandboxKeys,
    signer: &PKey<Private>,
    draft: &Draft,
) -> Result<Vec<u8>, ErrorStack> {
    let options = &mosip.options;
    let plaintext = plaintext(options, keys, draft)?;
    let proof = event_proof(keys, signer, &plaintext)?;
    let share = mosip.shares.mode();
    let credential = if share.as_ref().is_some_and(|share| share.plain) {
        String::from_utf8_lossy(&plaintext).into_owned()
    } else {
        ver_r2::seal(&keys.partner_certificate, &plaintext, &draft.entropy)?
    };
    // Exactly one of the two is set.
    let (credential, address) = match &share {
        Some(share) => (None, Some(mosip.shares.put(mosip, share, credential.into_bytes()))),
        None => (Some(credential), None),
    };
    let at = iso(draft.now);
    let mut data = Map::from_iter([
        ("registrationId".to_owned(), json!(draft.aid)),
        ("templateTypeCode".to_owned(), json!("RPR_UIN_CARD_TEMPLATE")),
    ]);
    data.extend(draft.meta_info.clone());
    if let Some(credential) = credential {
        data.insert("credential".to_owned(), json!(credential));
    }
    data.insert("credentialType".to_owned(), json!("vercred"));
    data.insert("protectionKey".to_owned(), json!(draft.pin));
    if options.shared.contains(&SharedIdentifier::Vid) {
        data.insert("ExpiryTimestamp".to_owned(), json!("9999-12-31T23:59:59.999Z"));
        data.insert("TransactionLimit".to_owned(), Value::Null);
    }
    data.insert("proof".to_owned(), json!({"signature": proof}));
    let event = json!({
        "publisher": "CREDENTIAL_SERVICE", "topic": topic(options), "publishedOn": at,
        "event": {
            "id": draft.event_id, "transactionId": draft.request_id,
            "type": {"namespace": "mosip", "name": "mosip"}, "timestamp": at, "dataShareUri": address, "data": data,
        },
    });
    Ok(event.to_string().into_bytes())
}

/// The partner's credential topic.
pub(crate) fn topic(options: &MosipOptions) -> String {
    format!("{}/CREDENTIAL_ISSUED", options.partner)
}
