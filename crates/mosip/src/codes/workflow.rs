//! Codes of the registration processor: starting a workflow, its statuses, its end.

use super::{Known, limited, permanent, transient};

const FORM: &str = "this version of MOSIP wants another form of request: report it, with MOSIP's release";
const READ_THE_TRAIL: &str = "read the packet's trail (registration transactions) for the stage and its reason; correct the record, or release it";
const WAIT: &str = "nothing to do: MOSIP goes on by itself, and is asked again";
const EXTERNAL: &str =
    "this word comes from the external status service, which is not used for decisions; ask for the workflow";

pub(super) const CODES: &[Known] = &[
    permanent("RPR-WIN-000", "the trigger lacks id, version or request time", FORM),
    permanent("RPR-WIN-001", "the trigger is invalid", FORM),
    limited(
        "RPR-WIN-002",
        5,
        "the workflow manager failed without saying why",
        "look in the workflow manager's log, then retry",
    ),
    limited(
        "RPR-WIS-000",
        10,
        "the workflow could not be started, without a reason",
        "check that MOSIP maps this process (additional-process.category-mapping) and that keymanager is up; then retry",
    ),
    Known {
        code: "RPR-WIS-001",
        class: crate::Class::Transient,
        attempts: None,
        cause: "the workflow of this packet was started before",
        advice: "nothing to do: it counts as started",
    },
    permanent(
        "RPR-RGS-018",
        "the status service does not know packets of this process",
        "have MOSIP add the process to its main processes, or ask for the workflow instead",
    ),
    permanent(
        "RPR-RGS-032",
        "too many registrations match the search",
        "narrow the search, or ask by the packet's id",
    ),
    permanent(
        "RPR-RGS-034",
        "the search spans more than 30 days",
        "narrow the search, or ask by the packet's id",
    ),
    permanent(
        "RPR-RGS-037",
        "the status service does not know this packet",
        "ask for the workflow by the packet's id instead",
    ),
    // Statuses of a workflow.
    transient("PROCESSING", "MOSIP is working on it", WAIT),
    transient(
        "PROCESSED",
        "MOSIP processed it",
        "nothing to do, unless a credential was due and did not come: retrigger it",
    ),
    permanent("REJECTED", "MOSIP refused the packet for good", READ_THE_TRAIL),
    permanent("FAILED", "MOSIP could not process the packet", READ_THE_TRAIL),
    transient("REPROCESS", "a stage failed and will be repeated", WAIT),
    permanent(
        "REPROCESS_FAILED",
        "MOSIP repeated a stage 20 times and gave up",
        "have MOSIP mend the stage that its trail names and resume the workflow; a late answer still lands",
    ),
    transient(
        "RESUMABLE",
        "waits for MOSIP's scheduler",
        "nothing to do: the scheduler looks every three minutes",
    ),
    permanent("PAUSED", "held back at MOSIP", "have an operator of MOSIP resume or stop the workflow"),
    permanent(
        "PAUSED_FOR_ADDITIONAL_INFO",
        "MOSIP waits for additional information",
        "provide what MOSIP asks for there, or have an operator of MOSIP stop the workflow",
    ),
    // Error codes of the completed event.
    permanent("PACKET_REJECTED", "MOSIP refused the packet for good", READ_THE_TRAIL),
    permanent("PACKET_FAILED", "MOSIP could not process the packet", READ_THE_TRAIL),
    // External statuses.
    transient("UIN_GENERATED", "MOSIP generated a UIN", EXTERNAL),
    permanent("REREGISTER", "MOSIP wants the person registered anew", EXTERNAL),
    transient("AWAITING_INFORMATION", "MOSIP waits for information", EXTERNAL),
    transient("UPLOAD_PENDING", "MOSIP waits for the packet", EXTERNAL),
];
