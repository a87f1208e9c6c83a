//! Codes of the services around the packet: sync and upload, keymanager, credential requests.

use super::{Known, limited, permanent, transient};

const FORM: &str = "this version of MOSIP wants another form of request: report it, with MOSIP's release";
const PARTNER: &str =
    "compare the partner's entry, policy and certificate in MOSIP with what the setup guide names";
const RID: &str =
    "correct centre and machine in the configuration: the id is made of them and of a time in UTC";
const SIGNER: &str =
    "have MOSIP look at keymanager's KERNEL/SIGN key; a retrigger issues the credential anew";
const KEYMANAGER: &str = "look in keymanager's log for the key that it could not use; then retry";
const DATABASE: &str = "look in the log of that service for its database; it is tried again";
const REBUILT: &str =
    "the stored bytes are sent again as they are; if they were lost, sync the packet anew first";
const CLOCK: &str = "keep the clocks of all machines by NTP, since MOSIP tolerates three hours; else report it, with its release";
const VID: &str =
    "ask MOSIP which VIDs the person has and which of them is active; correct the record, then retry";

pub(super) const CODES: &[Known] = &[
    // Sync of a packet's registration (RPR-RGS); 018, 032, 034 and 037 are with the workflow's codes.
    transient("RPR-RGS-001", "the table of synced registrations is not accessible", DATABASE),
    transient("RPR-RGS-002", "the table of registrations is not accessible", DATABASE),
    permanent(
        "RPR-RGS-003",
        "the process of the packet cannot be synced",
        "use a process of MOSIP's main processes for uploaded packets, or the packet manager's way for CRVS ones",
    ),
    permanent("RPR-RGS-004", "the language code of the sync is invalid", FORM),
    permanent("RPR-RGS-005", "the packet names itself as its parent", RID),
    permanent("RPR-RGS-006", "the sync names no registration id", RID),
    permanent("RPR-RGS-007", "the last 14 digits of the id are no time", RID),
    permanent("RPR-RGS-008", "the registration id is not numeric", RID),
    permanent("RPR-RGS-009", "the registration id has not 29 digits", RID),
    permanent("RPR-RGS-010", "the parent's registration id has the wrong length", RID),
    permanent("RPR-RGS-011", "the parent's registration id is not numeric", RID),
    permanent("RPR-RGS-012", "the time in the parent's registration id is invalid", RID),
    permanent("RPR-RGS-013", "the sync lacks a parameter", FORM),
    permanent("RPR-RGS-014", "a parameter of the sync is invalid", FORM),
    limited("RPR-RGS-015", 5, "the data of the sync could not be worked on", DATABASE),
    permanent("RPR-RGS-016", "the sync is not readable as JSON", FORM),
    permanent("RPR-RGS-017", "the sync's JSON does not fit its form", FORM),
    permanent("RPR-RGS-019", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-020", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-021", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-022", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-023", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-024", "id, version or request time of the sync is missing or invalid", CLOCK),
    permanent("RPR-RGS-025", "the sync lacks a status", FORM),
    permanent("RPR-RGS-026", "the supervisor's status is missing or unknown", FORM),
    permanent("RPR-RGS-027", "the sync lacks the packet's hash", FORM),
    limited("RPR-RGS-028", 5, "the encrypted sync could not be decrypted", KEYMANAGER),
    limited(
        "RPR-RGS-029",
        5,
        "the sync failed without saying why",
        "look in the status service's log, then retry",
    ),
    transient("RPR-RGS-030", "the status service's database failed", DATABASE),
    permanent(
        "RPR-RGS-031",
        "the status service does not know this registration id",
        "sync the packet first, or ask for the workflow instead",
    ),
    transient("RPR-RGS-035", "the status service could not read or write", DATABASE),
    permanent("RPR-RGS-036", "the id of the additional information is invalid", FORM),
    limited(
        "RPR-RGS-038",
        5,
        "the anonymous profile could not be made",
        "look in the status service's log, then retry",
    ),
    // Upload of a packet (RPR-PKR).
    permanent(
        "RPR-PKR-002",
        "the packet is larger than MOSIP takes",
        "raise registration.processor.max.file.size in MOSIP, or send smaller documents",
    ),
    permanent("RPR-PKR-003", "the packet's file name is not of the form that MOSIP takes", FORM),
    permanent("RPR-PKR-004", "the uploaded packet is not valid", FORM),
    transient(
        "RPR-PKR-005",
        "MOSIP has this packet already",
        "nothing to do: an earlier upload was heard, and MOSIP goes on with it",
    ),
    permanent("RPR-PKR-006", "the upload held no packet", FORM),
    limited("RPR-PKR-007", 5, "the packet receiver failed without saying why", "look in its log, then retry"),
    transient(
        "RPR-PKR-008",
        "MOSIP's virus scanner is not available",
        "have MOSIP start its virus scanner; the upload is tried again",
    ),
    permanent(
        "RPR-PKR-010",
        "MOSIP's virus scanner refused the packet",
        "look at the documents of the record; reject it to have them replaced",
    ),
    transient(
        "RPR-PKR-011",
        "another service of MOSIP could not be reached",
        "nothing to do: it is tried again",
    ),
    transient("RPR-PKR-012", "the packet receiver's database failed", DATABASE),
    permanent("RPR-PKR-014", "the packet's hash could not be confirmed", REBUILT),
    permanent(
        "RPR-PKR-015",
        "MOSIP could not decrypt the packet",
        "check that the packet was encrypted with the current certificate of this centre and machine",
    ),
    permanent("RPR-PKR-016", "the id of the additional information is invalid", FORM),
    limited(
        "RPR-RTS-001",
        5,
        "MOSIP has no trail of this packet",
        "ask for the workflow: a packet that was not started has no trail",
    ),
    // Keymanager: encryption (KER-CRY), signatures (KER-JWS, KER-CSS).
    permanent("KER-CRY-001", "keymanager knows no such algorithm", KEYMANAGER),
    permanent("KER-CRY-002", "keymanager could not use the public key", KEYMANAGER),
    permanent("KER-CRY-003", "the data to be decrypted is not of keymanager's form", KEYMANAGER),
    permanent("KER-CRY-004", "the request to keymanager lacks a value", FORM),
    transient("KER-CRY-005", "keymanager's key service could not be reached", KEYMANAGER),
    limited("KER-CRY-006", 5, "keymanager's key service answered with a failure", KEYMANAGER),
    permanent("KER-CRY-007", "the time in the request to keymanager is not of its form", FORM),
    limited("KER-CRY-008", 5, "the answer of keymanager's key service could not be read", KEYMANAGER),
    permanent("KER-CRY-009", "the data for keymanager is not hexadecimal", FORM),
    limited("KER-CRY-010", 5, "keymanager could not make a certificate's thumbprint", KEYMANAGER),
    permanent("KER-CRY-011", "encrypting with a master key is not allowed at keymanager", KEYMANAGER),
    limited("KER-CRY-012", 5, "keymanager could not encrypt or decrypt", KEYMANAGER),
    limited("KER-CRY-013", 5, "keymanager could not encrypt or decrypt", KEYMANAGER),
    limited("KER-CRY-014", 5, "keymanager could not encrypt or decrypt", KEYMANAGER),
    limited("KER-CRY-015", 5, "keymanager could not encrypt or decrypt", KEYMANAGER),
    permanent("KER-JWS-102", "the data to be signed is invalid", SIGNER),
    permanent("KER-JWS-103", "the data to be signed is not JSON", SIGNER),
    limited("KER-JWS-104", 5, "keymanager could not sign", SIGNER),
    permanent("KER-JWS-105", "keymanager could not verify a signature", SIGNER),
    permanent("KER-JWS-106", "the request to verify a signature is invalid", FORM),
    permanent("KER-JWS-107", "the certificate to verify with is not valid", SIGNER),
    permanent("KER-JWS-108", "signing this is not allowed", SIGNER),
    permanent("KER-CSS-101", "keymanager could not verify a signature", SIGNER),
    limited("KER-CSS-102", 5, "keymanager's signing failed without saying why", SIGNER),
    permanent("KER-CSS-999", "the request to keymanager's signing is invalid", FORM),
    // Credential requests: the statuses, and those that partners publish.
    transient(
        "NEW",
        "the credential will be issued in a moment",
        "nothing to do: MOSIP picks it up within seconds",
    ),
    transient(
        "ISSUED",
        "the credential was issued and published",
        "nothing to do if it arrived; if not, it is subscribed anew and retriggered",
    ),
    transient(
        "RETRY",
        "the credential will be issued again",
        "nothing to do: MOSIP picks it up within twenty minutes",
    ),
    permanent("CANCELLED", "somebody cancelled the credential request at MOSIP", PARTNER),
    transient(
        "RECEIVED",
        "a partner confirmed the credential",
        "nothing to do: the partner says that it came",
    ),
    transient("STORED", "a partner stored the credential", "nothing to do: the partner says that it is safe"),
    permanent("ERROR", "a partner could not use the credential", PARTNER),
    // Statuses of a VID.
    transient("ACTIVE", "the VID may be used", "nothing to do: this is how a VID should be"),
    permanent("REVOKED", "the VID was replaced by another one", VID),
    permanent("EXPIRED", "the VID's time is over", VID),
    permanent("USED", "the VID was used as often as is allowed", VID),
    permanent("INVALIDATED", "the VID was invalidated", VID),
    permanent("DEACTIVATED", "the VID or the identity was deactivated", VID),
];
