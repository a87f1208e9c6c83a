//! Where genuine credentials come from: MOSIP at one time, with the keys of that time.

use std::path::Path;

use civitas_mosip::credential::{EventSigner, KeyRing, Recipient, SealEntropy, open, seal, sign_event_proof};
use civitas_sandbox::{Sandbox, SandboxKeys, SandboxOptions};
use civitas_tests::stack::{clock, http};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Map, Value, json};

/// One set of key pairs, and the private halves that only MOSIP has.
#[derive(Clone)]
pub(super) struct Generation {
    pub(super) keys: SandboxKeys,
    pub(super) kernel: EventSigner,
    /// The same key without its certificate.
    pub(super) kernel_bare: EventSigner,
}

impl Generation {
    pub(super) fn make(folder: &Path) -> Self {
        let keys = SandboxKeys::load_or_create(folder, clock()()).unwrap();
        let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let (key, certificate) = (file("kernel-key.pem"), file("kernel-cert.pem"));
        let kernel = EventSigner::from_pem(&key, Some(&certificate)).unwrap();
        Generation { keys, kernel, kernel_bare: EventSigner::from_pem(&key, None).unwrap() }
    }

    pub(super) fn recipient(&self) -> Recipient {
        Recipient::from_pem(&self.keys.partner_certificate_pem().unwrap()).unwrap()
    }
}

/// MOSIP at one time: which generation it signs with, and which it encrypts to.
pub(super) struct Mint {
    sandbox: Sandbox,
    pub(super) signs: Generation,
    pub(super) to: Recipient,
    ring: KeyRing,
}

impl Mint {
    pub(super) async fn new(signs: &Generation, to: &Generation, seed: u64) -> Self {
        let certificate = to.keys.partner_certificate_pem().unwrap();
        let mut options = SandboxOptions::instant(seed);
        options.keys = Some(signs.keys.clone().with_partner_certificate(&certificate).unwrap());
        let client = http(std::time::Duration::from_secs(5));
        let sandbox = Sandbox::start(options, client, clock()).await.unwrap();
        let key = to.keys.partner_private_key_pem().unwrap();
        let ring = KeyRing::from_pem([(&key[..], &certificate[..])]).unwrap();
        Mint { sandbox, signs: signs.clone(), to: to.recipient(), ring }
    }

    /// A genuine credential: its subject has signed claims, plain and by language, and one that no context knows.
    pub(super) async fn issue(&self, aid: &str, vid: &str) -> Genuine {
        let names =
            json!([{"language": "eng", "value": "Asha \"Rao\""}, {"language": "fra", "value": "Asha Râo"}]);
        let claims = Map::from_iter([
            ("VID".to_owned(), json!(vid)),
            ("dateOfBirth".to_owned(), json!("2026/01/01")),
            ("fullName".to_owned(), names),
            ("zone".to_owned(), json!("north")),
        ]);
        let body = self.sandbox.mosip().genuine_credential(aid, claims).await.unwrap();
        let event: Value = serde_json::from_slice(&body).unwrap();
        let data = &event["event"]["data"];
        let plain = open(&self.ring, data["credential"].as_str().unwrap()).unwrap();
        Genuine {
            aid: aid.to_owned(),
            plain: String::from_utf8(plain.to_vec()).unwrap(),
            proof: data["proof"]["signature"].as_str().unwrap().to_owned(),
            event,
        }
    }
}

/// A credential as MOSIP issued it, and what is in it.
#[derive(Clone)]
pub(super) struct Genuine {
    pub(super) aid: String,
    pub(super) event: Value,
    pub(super) plain: String,
    pub(super) proof: String,
}

impl Genuine {
    pub(super) fn credential(&self) -> Value {
        serde_json::from_str(&self.plain).unwrap()
    }
}

/// All that is drawn, from one seed.
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(StdRng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    pub(super) fn entropy(&mut self) -> SealEntropy {
        let mut entropy = SealEntropy::draw(|_| {});
        self.0.fill_bytes(entropy.key.as_mut_slice());
        self.0.fill_bytes(&mut entropy.aad);
        entropy
    }

    pub(super) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// The genuine event under a new id, with other contents: sealed as MOSIP would.
    pub(super) fn event(&mut self, of: &Genuine, plain: &str, proof: &str, to: &Recipient) -> Value {
        let sealed = seal(to, plain.as_bytes(), &self.entropy()).unwrap();
        self.enveloped(of, &sealed, proof)
    }

    /// The same with ciphertext of choice.
    pub(super) fn enveloped(&mut self, of: &Genuine, sealed: &str, proof: &str) -> Value {
        let mut event = of.event.clone();
        event["event"]["id"] = json!(self.uuid());
        event["event"]["data"]["credential"] = json!(sealed);
        event["event"]["data"]["proof"]["signature"] = json!(proof);
        event
    }
}

/// MOSIP's proof of an event over any bytes.
pub(super) fn proof(plain: &str, signer: &EventSigner) -> String {
    sign_event_proof(plain.as_bytes(), signer).unwrap()
}
