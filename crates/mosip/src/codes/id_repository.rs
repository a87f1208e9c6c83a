//! Codes of the ID repository.

use super::{Known, limited, permanent};

const STORE: &str = "look in the ID repository's log (database, object store, keymanager); then retry";
const FORM: &str = "this version of MOSIP wants another form of request: report it, with MOSIP's release";
const WHO: &str =
    "compare the id in the record with the person's: correct the record, or release it and tell MOSIP";

pub(super) const CODES: &[Known] = &[
    permanent("IDR-IDC-001", "the request lacks a parameter", FORM),
    permanent("IDR-IDC-002", "the request has an invalid parameter", FORM),
    limited("IDR-IDC-003", 5, "the request could not be processed", STORE),
    limited("IDR-IDC-004", 5, "the ID repository failed without saying why", STORE),
    limited("IDR-IDC-005", 5, "the ID repository could not authenticate at another service", STORE),
    limited("IDR-IDC-006", 5, "the ID repository could not ask another service", STORE),
    permanent("IDR-IDC-007", "the ID repository knows no such identity", WHO),
    limited("IDR-IDC-008", 5, "the ID repository could not reach its database", STORE),
    limited("IDR-IDC-009", 5, "the ID repository could not retrieve the identity", STORE),
    limited("IDR-IDC-010", 5, "the ID repository could not encrypt or decrypt", STORE),
    permanent("IDR-IDC-011", "the ID repository does not accept the schema of the identity", FORM),
    permanent(
        "IDR-IDC-012",
        "the record exists in the ID repository",
        "ask the ID repository for its status; then retry",
    ),
    limited("IDR-IDC-013", 5, "the ID repository could not make an id", STORE),
    limited("IDR-IDC-014", 5, "the ID repository could not compute a hash", STORE),
    limited("IDR-IDS-001", 5, "the ID repository could not store a file", STORE),
    limited("IDR-IDS-002", 5, "a file of the identity is missing in the store", STORE),
    limited("IDR-IDS-003", 5, "the ID repository could not retrieve or store the identity", STORE),
    limited("IDR-IDS-004", 5, "the ID repository could not read the identity", STORE),
    limited("IDR-IDS-005", 5, "the identity's hash does not match its data", STORE),
    limited("IDR-IDS-006", 5, "the ID repository could not work on a document", STORE),
    limited("IDR-IDS-007", 5, "the ID repository could not ask for a VID", STORE),
    limited("IDR-IDS-008", 5, "the ID repository could not ask for a credential", STORE),
    limited("IDR-IDS-009", 5, "the ID repository could not extract biometrics", STORE),
    limited("IDR-IDS-010", 5, "the ID repository could not tell of the change", STORE),
    limited("IDR-IDS-011", 5, "the ID repository could not work on the draft", STORE),
    limited("IDR-IDS-012", 5, "the ID repository could not publish the draft", STORE),
    permanent("IDR-VID-001", "the ID repository knows no such VID", WHO),
    permanent(
        "IDR-VID-002",
        "MOSIP's policy does not allow it for this VID",
        "ask MOSIP about its VID policy; then retry",
    ),
    limited("IDR-VID-003", 5, "the ID repository could not make a VID", STORE),
    permanent(
        "IDR-VID-004",
        "the VID, or the identity behind it, is not active",
        "find out who switched it off and why; reactivate the identity at MOSIP, or release the record",
    ),
    limited("IDR-VID-005", 5, "the ID repository could not find the identity of the VID", STORE),
    permanent(
        "IDR-VID-006",
        "the VID has another status than the change needs",
        "ask MOSIP for the VID's status; then retry",
    ),
];
