//! The tRPC procedures that answer an action, by action type.

/// The two procedures of a confirmable action type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Procedure {
    pub(super) accept: &'static str,
    pub(super) reject: &'static str,
    /// Whether a rejection after the trigger works at all. For three types OpenCRVS inserts a row that its own table
    /// refuses, and answers 500.
    pub(super) rejectable: bool,
}

macro_rules! procedures {
    ($($kind:literal => $path:literal, $rejectable:literal;)+) => {
        /// The procedures for an action type; none if the country is not asked about it.
        pub(super) fn of(action_type: &str) -> Option<Procedure> {
            match action_type {
                $($kind => Some(Procedure {
                    accept: concat!("event.actions.", $path, ".accept"),
                    reject: concat!("event.actions.", $path, ".reject"),
                    rejectable: $rejectable,
                }),)+
                _ => None,
            }
        }
    };
}

procedures! {
    "NOTIFY" => "notify", true;
    "DECLARE" => "declare", true;
    "VALIDATE" => "validate", true;
    "EDIT" => "edit", true;
    "REGISTER" => "register", true;
    "REJECT" => "reject", false;
    "ARCHIVE" => "archive", true;
    // From 2.1 on; the name is inferred from the others.
    "UNARCHIVE" => "unarchive", true;
    "PRINT_CERTIFICATE" => "printCertificate", true;
    "REQUEST_CORRECTION" => "correction.request", true;
    "APPROVE_CORRECTION" => "correction.approve", false;
    "REJECT_CORRECTION" => "correction.reject", false;
    "CUSTOM" => "custom", true;
}
