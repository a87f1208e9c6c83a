//! Action logs out of a seed: the same text here and wherever it is made again, whatever library changes.
//!
//! Not what a well-behaved country would produce, but what the reducers accept: ties and disorder in time, answers without
//! requests, several requests at once, approvals of the wrong correction, nulls at every depth.

use serde_json::{Map, Value, json};

/// SplitMix64: small, and defined by its constants.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).unwrap_or_default()]
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let bits = (u128::from(high) << 64 | u128::from(low)) & !(0xf << 76) & !(0x3 << 62);
        uuid::Uuid::from_u128(bits | 0x4 << 76 | 0x2 << 62).to_string()
    }
}

const KINDS: [&str; 24] = [
    "NOTIFY",
    "DECLARE",
    "DECLARE",
    "DECLARE",
    "EDIT",
    "EDIT",
    "REGISTER",
    "REGISTER",
    "REGISTER",
    "REJECT",
    "ARCHIVE",
    "PRINT_CERTIFICATE",
    "REQUEST_CORRECTION",
    "REQUEST_CORRECTION",
    "APPROVE_CORRECTION",
    "APPROVE_CORRECTION",
    "REJECT_CORRECTION",
    "CUSTOM",
    "DUPLICATE_DETECTED",
    "MARK_AS_DUPLICATE",
    "MARK_AS_NOT_DUPLICATE",
    "READ",
    "ASSIGN",
    "UNASSIGN",
];
/// Types that nobody is asked about.
const UNASKED: [&str; 6] =
    ["DUPLICATE_DETECTED", "MARK_AS_DUPLICATE", "MARK_AS_NOT_DUPLICATE", "READ", "ASSIGN", "UNASSIGN"];
/// Types that 1.9 does not have.
const NEWER: [&str; 2] = ["EDIT", "CUSTOM"];
const FIELDS: [&str; 9] = [
    "child.name",
    "child.dob",
    "child.gender",
    "child.nid",
    "mother.name",
    "mother.address",
    "mother.verified",
    "informant.relation",
    "child.birthLocation.privateHome",
];
const MEMBERS: [&str; 6] = ["firstname", "surname", "middlename", "country", "data", "streetLevelDetails"];
const TEXTS: [&str; 8] =
    ["", "Ace", "D'Arc \"le Roux\"", "back\\slash", "Nguyễn", "امينة", "2026-05-20", "line\nbreak"];

/// One log.
pub(crate) struct Log {
    dice: Dice,
    actions: Vec<Value>,
    at: u64,
    /// Whether types are left out that 1.9 does not have.
    old: bool,
}

/// The event document of a seed.
pub(crate) fn document(seed: u64, old: bool) -> Value {
    let mut log = Log { dice: Dice::new(seed), actions: Vec::new(), at: 1_780_300_800_000, old };
    let id = log.dice.uuid();
    log.push("CREATE", "Accepted", &json!({}), json!({}));
    let steps = 1 + log.dice.below(9);
    for _ in 0..steps {
        log.step();
    }
    log.disorder();
    let created = log.actions[0]["createdAt"].clone();
    json!({
        "id": id, "type": "birth", "trackingId": format!("T{:05}", seed % 100_000),
        "createdAt": created, "updatedAt": created, "actions": log.actions,
    })
}

impl Log {
    fn step(&mut self) {
        let mut kind = *self.dice.of(&KINDS);
        if self.old && NEWER.contains(&kind) {
            kind = "DECLARE";
        }
        // Ties in time are frequent: the request and its answer, two clicks of one browser.
        if !self.dice.once_in(4) {
            self.at += 1 + self.dice.below(90_000);
        }
        let more = self.more(kind);
        let declaration = self.declaration();
        if UNASKED.contains(&kind) {
            self.push(kind, "Accepted", &json!({}), more);
            return;
        }
        match self.dice.below(10) {
            0..=5 => {
                let request = self.push(kind, "Requested", &declaration, more.clone());
                let status = if self.dice.once_in(5) { "Rejected" } else { "Accepted" };
                self.answer(kind, status, &request, more);
            }
            6 | 7 => {
                self.push(kind, "Requested", &declaration, more);
            }
            _ => {
                self.push(kind, "Accepted", &declaration, more);
            }
        }
    }

    fn answer(&mut self, kind: &str, status: &str, request: &str, mut more: Value) {
        if !self.dice.once_in(3) {
            self.at += self.dice.below(5000);
        }
        more["originalActionId"] = json!(request);
        if kind == "REGISTER" && status == "Accepted" {
            more["registrationNumber"] = json!(format!("B{}", self.dice.below(1 << 40)));
        }
        let declaration = if self.dice.once_in(2) { json!({}) } else { self.declaration() };
        self.push(kind, status, &declaration, more);
    }

    /// What a type carries besides.
    fn more(&mut self, kind: &str) -> Value {
        match kind {
            "APPROVE_CORRECTION" | "REJECT_CORRECTION" => {
                let mut more = json!({"content": {"reason": "said", "immediateCorrection": true}});
                if let Some(request) = self.correction() {
                    more["requestId"] = json!(request);
                }
                more
            }
            "REJECT" | "ARCHIVE" => json!({"content": {"reason": "said"}}),
            "DUPLICATE_DETECTED" => json!({"content": {"duplicates": []}}),
            "CUSTOM" => json!({"customActionType": "VALIDATE_DECLARATION"}),
            "ASSIGN" => json!({"assignedTo": "u"}),
            _ => json!({}),
        }
    }

    /// A request to name: mostly the last that was accepted, at times its twin, another one, or none.
    fn correction(&mut self) -> Option<String> {
        let of = |status: &str| {
            let wanted =
                |action: &&Value| action["type"] == "REQUEST_CORRECTION" && action["status"] == status;
            self.actions.iter().rfind(wanted).and_then(|action| action["id"].as_str()).map(str::to_owned)
        };
        let (accepted, requested) = (of("Accepted"), of("Requested"));
        match self.dice.below(12) {
            0 => requested,
            1 => Some(self.dice.uuid()),
            2 => None,
            _ => accepted,
        }
    }

    fn push(&mut self, kind: &str, status: &str, declaration: &Value, more: Value) -> String {
        let id = self.dice.uuid();
        let mut action = json!({
            "id": id, "transactionId": format!("t{}", self.dice.below(1 << 40)), "type": kind, "status": status,
            "createdAt": instant(self.at), "createdBy": "u", "createdByUserType": "user",
            "createdByRole": "LOCAL_REGISTRAR", "declaration": declaration,
        });
        if let Value::Object(more) = more {
            for (key, value) in more {
                action[key] = value;
            }
        }
        self.actions.push(action);
        id
    }

    /// A few actions change places: OpenCRVS sends CREATE first and the rest by time, and its reducers sort again.
    fn disorder(&mut self) {
        let count = self.actions.len();
        if count > 3 && self.dice.once_in(4) {
            let place = 1 + usize::try_from(self.dice.below(count as u64 - 2)).unwrap_or_default();
            self.actions.swap(place, place + 1);
        }
    }

    fn declaration(&mut self) -> Value {
        let fields = self.dice.below(4);
        let mut declaration = Map::new();
        for _ in 0..fields {
            let field = *self.dice.of(&FIELDS);
            let value = self.value(0);
            declaration.insert(field.to_owned(), value);
        }
        Value::Object(declaration)
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.dice.below(if depth < 3 { 12 } else { 7 }) {
            0 | 1 => Value::Null,
            2 => json!(self.dice.once_in(2)),
            3 => json!(self.dice.below(200)),
            // A fraction that both sides write alike.
            4 => json!(f64::from(u32::try_from(self.dice.below(400)).unwrap_or_default()) + 0.5),
            5 | 6 => json!(self.dice.of(&TEXTS)),
            7 | 8 => {
                let items = self.dice.below(3);
                Value::Array((0..items).map(|_| self.value(depth + 1)).collect())
            }
            _ => {
                let members = self.dice.below(4);
                let mut object = Map::new();
                for _ in 0..members {
                    let member = *self.dice.of(&MEMBERS);
                    let value = self.value(depth + 1);
                    object.insert(member.to_owned(), value);
                }
                Value::Object(object)
            }
        }
    }
}

/// As OpenCRVS writes instants.
fn instant(milliseconds: u64) -> String {
    let at =
        jiff::Timestamp::from_millisecond(milliseconds.try_into().unwrap_or_default()).unwrap_or_default();
    format!("{at:.3}")
}
