//! Codes of the packet manager: `KER-KPM` from writing packets, `KER-PUT` from its store and reader.

use super::{Known, limited, permanent, transient};

const STORE: &str =
    "check that packet manager and object store are up and reachable from each other; it is tried again";
const PACK: &str =
    "compare the pack's mapping and id-schema.json with the ID schema in MOSIP, correct them, then retry";
const PACKET: &str =
    "the stored packet is not as written: have MOSIP look at this packet, then resend it under a new id";
const KEYS: &str = "check that keymanager is up and the machine's key is known; it is tried again";
const TAGS: &str = "tags are not used here: look who else writes tags of this packet";

pub(super) const CODES: &[Known] = &[
    limited("KER-KPM-001", 10, "the packet could not be encrypted", KEYS),
    permanent("KER-KPM-002", "a value that has to be JSON is not", PACK),
    limited("KER-KPM-003", 5, "an entry of the packet's zip could not be written", STORE),
    permanent("KER-KPM-004", "biometrics could not be turned into XML", PACK),
    limited("KER-KPM-005", 5, "an object of the packet could not be serialised", PACK),
    limited("KER-KPM-006", 5, "the packet's zip could not be written", STORE),
    permanent("KER-KPM-007", "an input of the packet is invalid", PACK),
    permanent(
        "KER-KPM-008",
        "the packet has no audit entry",
        "this version of MOSIP wants another form of audits: report it",
    ),
    limited("KER-KPM-009", 10, "the packet writer is not initialised", STORE),
    limited("KER-KPM-010", 5, "the packet is not in the store", STORE),
    limited("KER-PUT-001", 5, "a resource of the packet manager is unknown", STORE),
    limited("KER-PUT-002", 5, "a file of the packet was not found", STORE),
    limited("KER-PUT-003", 10, "the packet could not be decrypted", KEYS),
    limited("KER-PUT-004", 5, "a file of the packet could not be read or written", STORE),
    transient("KER-PUT-005", "another service of MOSIP could not be reached", STORE),
    permanent(
        "KER-PUT-006",
        "no provider is configured in MOSIP for this source and process",
        "use source CRVS1 and a process that provider.packetwriter lists, or have MOSIP list it; then retry",
    ),
    permanent("KER-PUT-007", "a biometric field is missing", PACK),
    permanent("KER-PUT-008", "the packet's meta information is not readable", PACK),
    permanent("KER-PUT-009", "the packet's zip is not readable", PACKET),
    permanent(
        "KER-PUT-010",
        "the packet's signature is not valid",
        "register the key of keymanager's tpmsigning/publickey call as the machine's signPublicKey in MOSIP, then resend",
    ),
    permanent("KER-PUT-011", "a document of the packet is not readable", PACK),
    permanent("KER-PUT-012", "the biometrics of the packet are not readable", PACK),
    permanent("KER-PUT-013", "no object store adapter is configured", STORE),
    transient("KER-PUT-014", "the object store did not give the packet", STORE),
    transient("KER-PUT-015", "the object store did not take the packet", STORE),
    transient("KER-PUT-016", "the object store did not give the packet's meta data", STORE),
    permanent("KER-PUT-017", "the packet failed its integrity check", PACKET),
    permanent("KER-PUT-018", "no crypto provider is configured in the packet manager", KEYS),
    permanent("KER-PUT-019", "the packet's hash does not match its content", PACKET),
    permanent(
        "KER-PUT-020",
        "the packet does not fit the ID schema or the mandatory attributes of its process",
        "compare the pack's mapping with MOSIP's ID schema and its mandatory attributes for this process, then retry",
    ),
    limited("KER-PUT-021", 5, "tags could not be written", TAGS),
    permanent("KER-PUT-022", "the tag is there already", TAGS),
    limited("KER-PUT-023", 5, "tags could not be read", TAGS),
    permanent("KER-PUT-024", "the tag is not there", TAGS),
    permanent(
        "KER-PUT-025",
        "source and process of the packet are not in the reader's priority list",
        "have MOSIP list this source and process in packetmanager.default.priority; then retry",
    ),
    limited("KER-PUT-026", 5, "tags could not be deleted", TAGS),
    limited("KER-PUT-027", 5, "an object of the packet is missing in the store", STORE),
    limited("KER-PUT-028", 5, "the packet manager failed without saying why", STORE),
];
