//! Codes of the ID repository: common ones (IDR-IDC), of identities (IDR-IDS) and of VIDs (IDR-VID), as its release
//! 1.2 names them.

use super::{Known, limited, permanent, refused, transient};

const IDENTITY: &str = "ask MOSIP for the identity by this AID; change nothing by hand before it answers";
const ID_LOG: &str = "look in the ID repository's log, mend what it names there, then retry";
const ROLE: &str =
    "give the client its role and audience for the ID repository in Keycloak and in MOSIP's configuration";
const ID_FORM: &str =
    "compare the request with the ID repository's release, and the pack's mapping with its ID schema";
const KEYMANAGER: &str = "look in keymanager's log for the key that it could not use; then retry";
const VID: &str =
    "ask MOSIP which VIDs the person has and which of them is active; correct the record, then retry";

pub(super) const CODES: &[Known] = &[
    permanent("IDR-IDC-001", "the request to the ID repository lacks a parameter", ID_FORM),
    permanent("IDR-IDC-002", "a parameter of the request to the ID repository is invalid", ID_FORM),
    permanent("IDR-IDC-003", "the request to the ID repository is invalid", ID_FORM),
    limited("IDR-IDC-004", 5, "the ID repository failed without saying why", ID_LOG),
    permanent(
        "IDR-IDC-005",
        "the identity does not fit the ID schema or a rule of the ID repository",
        ID_FORM,
    ),
    limited("IDR-IDC-006", 10, "the ID repository's database refused or failed", ID_LOG),
    permanent("IDR-IDC-007", "the ID repository has no such record", IDENTITY),
    limited("IDR-IDC-008", 5, "another service refused the ID repository's call", ID_LOG),
    transient("IDR-IDC-009", "another service failed the ID repository", ID_LOG),
    transient("IDR-IDC-010", "another service did not answer the ID repository in time", ID_LOG),
    refused("IDR-IDC-011", "the client lacks the role for this call to the ID repository", ROLE),
    permanent("IDR-IDC-012", "the ID repository has the record already", IDENTITY),
    permanent("IDR-IDC-013", "the attribute was updated as often as is allowed", IDENTITY),
    permanent("IDR-IDC-014", "a handle of the identity belongs to another one", IDENTITY),
    permanent("IDR-IDS-001", "the stored identity does not match its hash", IDENTITY),
    permanent("IDR-IDS-002", "a stored document does not match its hash", IDENTITY),
    limited("IDR-IDS-003", 5, "the ID repository could not encrypt or decrypt", KEYMANAGER),
    limited("IDR-IDS-004", 5, "the ID repository could not reach its object store", ID_LOG),
    limited("IDR-IDS-005", 5, "the ID repository could not check the identity against its schema", ID_FORM),
    limited("IDR-IDS-006", 5, "a file of the identity is missing in the object store", ID_LOG),
    limited("IDR-IDS-007", 5, "the ID repository could not read MOSIP's master data", ID_LOG),
    limited("IDR-IDS-008", 5, "the ID repository could not read the ID schema", ID_LOG),
    limited("IDR-IDS-009", 5, "the ID repository could not extract biometric templates", ID_LOG),
    limited("IDR-IDS-010", 5, "the identity service could not reach the VID service", ID_LOG),
    limited("IDR-IDS-011", 5, "MOSIP could not generate a UIN", ID_LOG),
    refused("IDR-IDS-012", "the ID repository does not accept the token", ROLE),
    permanent("IDR-VID-001", "the VID is not active", VID),
    limited("IDR-VID-002", 5, "MOSIP could not generate a VID", ID_LOG),
    permanent("IDR-VID-003", "the VID policy allows no further VID", VID),
    permanent("IDR-VID-004", "the UIN is not valid or not active", VID),
    limited("IDR-VID-005", 5, "the VID service could not reach the identity service", ID_LOG),
    permanent("IDR-VID-006", "the stored UIN does not match its hash", IDENTITY),
];
