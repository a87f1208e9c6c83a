//! The statuses that MOSIP reports: of a workflow, and of a credential request.

use std::fmt;

use crate::codes;

/// Raw status of a workflow, as `workflow/search` and the completed event report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Being worked on.
    Processing,
    /// Done: the identity was made or changed. Terminal.
    Processed,
    /// Refused for good. Terminal.
    Rejected,
    /// Could not be processed. Terminal.
    Failed,
    /// Will be taken up again.
    Reprocess,
    /// Given up after 20 attempts; no event tells of it. Terminal.
    ReprocessFailed,
    /// Waits for MOSIP's scheduler, which looks every three minutes.
    Resumable,
    /// Held back by a person or a rule at MOSIP.
    Paused,
    /// Waits for additional information.
    PausedForAdditionalInfo,
    /// A word that we do not know. Not terminal: asked about again.
    Other,
}

impl Status {
    /// Every status that MOSIP documents.
    pub const KNOWN: [Status; 9] = [
        Status::Processing,
        Status::Processed,
        Status::Rejected,
        Status::Failed,
        Status::Reprocess,
        Status::ReprocessFailed,
        Status::Resumable,
        Status::Paused,
        Status::PausedForAdditionalInfo,
    ];

    /// Reads MOSIP's word, in any case.
    pub fn parse(word: &str) -> Status {
        let word = word.trim();
        Status::KNOWN
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .unwrap_or(Status::Other)
    }

    /// MOSIP's word for it; `OTHER` for one that we do not know.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Processing => "PROCESSING",
            Status::Processed => "PROCESSED",
            Status::Rejected => "REJECTED",
            Status::Failed => "FAILED",
            Status::Reprocess => "REPROCESS",
            Status::ReprocessFailed => "REPROCESS_FAILED",
            Status::Resumable => "RESUMABLE",
            Status::Paused => "PAUSED",
            Status::PausedForAdditionalInfo => "PAUSED_FOR_ADDITIONAL_INFO",
            Status::Other => "OTHER",
        }
    }

    /// Whether it never changes again by itself.
    pub fn terminal(self) -> bool {
        matches!(self, Status::Processed | Status::Rejected | Status::Failed | Status::ReprocessFailed)
    }

    /// Whether it is the good end.
    pub fn succeeded(self) -> bool {
        self == Status::Processed
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        codes::advice(self.as_str()).unwrap_or(codes::UNKNOWN_CODE_ADVICE)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Status of a credential request. A partner may publish others; they are copied in verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestStatus {
    /// Picked up within a second.
    New,
    /// Issued and published: if nothing arrived, the event was lost.
    Issued,
    /// Failed; picked up again every 20 minutes, ten times.
    Failed,
    /// Will be issued again within 20 minutes.
    Retry,
    /// Cancelled.
    Cancelled,
    /// What a partner published as its status.
    Other(String),
}

impl RequestStatus {
    /// Reads MOSIP's word.
    pub fn parse(word: &str) -> RequestStatus {
        match word.trim().to_ascii_uppercase().as_str() {
            "NEW" => RequestStatus::New,
            "ISSUED" => RequestStatus::Issued,
            "FAILED" => RequestStatus::Failed,
            "RETRY" => RequestStatus::Retry,
            "CANCELLED" => RequestStatus::Cancelled,
            _ => RequestStatus::Other(word.trim().to_owned()),
        }
    }

    /// Whether MOSIP itself will still issue it, so that waiting is right.
    pub fn is_pending(&self) -> bool {
        matches!(self, RequestStatus::New | RequestStatus::Retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_and_four_are_terminal() {
        for status in Status::KNOWN {
            assert_eq!(Status::parse(status.as_str()), status);
        }
        let terminal: Vec<_> =
            Status::KNOWN.into_iter().filter(|s| s.terminal()).map(Status::as_str).collect();
        assert_eq!(terminal, ["PROCESSED", "REJECTED", "FAILED", "REPROCESS_FAILED"]);
    }

    #[test]
    fn an_unknown_word_is_no_end() {
        assert_eq!(Status::parse("QUEUED"), Status::Other);
        assert!(!Status::Other.terminal());
        assert_eq!(RequestStatus::parse("served"), RequestStatus::Other("served".to_owned()));
        assert!(RequestStatus::parse("RETRY").is_pending() && !RequestStatus::parse("ISSUED").is_pending());
    }
}
