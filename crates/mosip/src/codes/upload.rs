//! Codes of the way of our own packets that depend on how it is gone: the stored bytes are announced and sent again, so
//! that what would be lasting of a packet built anew passes. The others are with the services' codes.

use super::{Known, limited, permanent};

const PROCESS: &str = "have MOSIP list the packet's process in registration.processor.main-processes, or map it to one \
     that it lists (`mosip.upload.processes`); then retry";
const AGAIN: &str = "nothing to do: the same bytes are announced and sent again";

pub(super) const CODES: &[Known] = &[
    limited(
        "sync-null-response",
        5,
        "the announcement was answered with neither a result nor an error, as MOSIP answers one that is invalid",
        PROCESS,
    ),
    limited("sync-refused", 5, "the announcement was not taken, without a code", PROCESS),
    permanent(
        "certificate-unusable",
        "the announcement could not be encrypted to MOSIP's certificate",
        "get MOSIP's current certificate and name it in `mosip.upload.certificate_files`",
    ),
    limited("RPR-PKR-001", 5, "the packet is not announced", AGAIN),
    limited(
        "RPR-PKR-009",
        3,
        "the packet has another hash than the announced one",
        "look for somebody else who announces packets under this centre and machine; the same bytes are announced and \
         sent again",
    ),
    limited(
        "RPR-PKR-013",
        3,
        "the packet has another size than the announced one",
        "look for something between here and MOSIP that changes uploads; the same bytes are announced and sent again",
    ),
];
