//! Why a call did not succeed, and what may be done about it.

use std::fmt;
use std::time::Duration;

/// What the caller may do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Surely not applied, or harmless to repeat: call again later.
    Transient,
    /// May have been applied: send the identical call again, or look with [`Client::get`](crate::Client::get); never
    /// assume that nothing happened, never mint another registration number.
    Unknown,
    /// Refused for a reason that repeating does not change: a person's turn.
    Permanent,
    /// The token was refused even after it was renewed once: keep the work, alert, mend the credentials.
    Unauthorised,
}

impl Class {
    /// `transient`, `unknown`, `permanent` or `unauthorised`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Unknown => "unknown",
            Self::Permanent => "permanent",
            Self::Unauthorised => "unauthorised",
        }
    }
}

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal: $what:literal, $advice:literal;)+) => {
        /// What went wrong, as far as the answer tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Cause {
            /// A stable code, `already_rejected`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What happened, in words.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }
        }
    };
}

causes! {
    /// Nobody answered the connection.
    Unreachable = "unreachable": "no connection to opencrvs",
        "check the address and that the service runs";
    /// The connection broke, or time ran out, after the request was on its way.
    Broken = "broken": "the connection to opencrvs broke before the answer",
        "the call is repeated; nothing is to be done by hand";
    /// A 5xx.
    Server = "server_error": "opencrvs failed",
        "look into the log of the opencrvs events service";
    /// A 402 or 429.
    RateLimited = "rate_limited": "opencrvs asked us to slow down",
        "the call is repeated later; lower the rate if it lasts";
    /// A 2xx whose body is not what the procedure answers.
    Unreadable = "unreadable": "the answer of opencrvs could not be read",
        "check that the gateway address leads to opencrvs and nothing rewrites answers";
    /// An error page that no OpenCRVS service wrote, such as a proxy's 404 while a service restarts.
    NotOpencrvs = "not_opencrvs": "something other than opencrvs answered",
        "check the gateway address and the proxy before it";
    /// A redirect.
    Redirected = "redirected": "the address answered with a redirect",
        "configure the address that it redirects to";
    /// The address is no URL.
    BadAddress = "bad_address": "the configured address is not a URL",
        "write it as http://host:port";
    /// The procedure is unknown to this OpenCRVS.
    UnknownProcedure = "unknown_procedure": "opencrvs has no such procedure",
        "check that the configured opencrvs version is the one that runs";
    /// The record does not exist, or not for us.
    RecordNotFound = "record_not_found": "opencrvs does not know the record",
        "check that this opencrvs is the one that sent the event";
    /// The record has no such action.
    ActionNotFound = "action_not_found": "the record has no such action",
        "look at the record in opencrvs; it may have been restored from a backup";
    /// Accepting an action that was rejected.
    AlreadyRejected = "already_rejected": "the action was rejected in opencrvs before",
        "the record must be registered again; resolve the operation by hand";
    /// Rejecting an action that was accepted.
    AlreadyAccepted = "already_accepted": "the action was accepted in opencrvs before",
        "the record is registered; resolve the operation by hand";
    /// OpenCRVS said 200, yet the record that it answered with does not show the answer.
    NotApplied = "not_applied": "opencrvs answered success but the action still waits",
        "look at the record in opencrvs; another client may have used our transaction id";
    /// The input was refused.
    InvalidInput = "invalid_input": "opencrvs refused the input",
        "check that the fields we write exist in the form of this event type";
    /// The input names a file that is not stored.
    FileNotFound = "file_not_found": "a file that the input names is not stored in opencrvs",
        "look at the record's documents in opencrvs";
    /// A 409.
    Conflict = "conflict": "opencrvs found the record in another state",
        "the call is repeated; look at the record if it lasts";
    /// A 413.
    TooLarge = "too_large": "the request was too large",
        "raise the body limit of the gateway";
    /// Another 4xx.
    Refused = "refused": "opencrvs refused the call",
        "look into the log of the opencrvs events service";
    /// The action type cannot be rejected later; only the trigger's own answer can.
    CannotReject = "cannot_reject": "opencrvs cannot reject this type of action after the trigger was answered",
        "accept it without the identity number, and record why";
    /// The action type cannot be answered at all.
    NotConfirmable = "not_confirmable": "actions of this type are not answered by a country",
        "this is a defect of the caller: no such action can be pending";
    /// Something that the procedure needs was not given.
    Incomplete = "incomplete": "the confirmation lacks what this action type needs",
        "a registration needs its number, a correction its request, a custom action its type";
    /// 401: the token or the client's secret was refused.
    Unauthenticated = "unauthenticated": "opencrvs refused the credentials",
        "check the integration's client id and secret; refreshing the secret in opencrvs stops a running integration";
    /// 403: the token lacks a scope.
    Forbidden = "forbidden": "the token lacks the scope for this call",
        "give the integration the scopes that doctor lists";
    /// The trigger's token is past its expiry.
    TokenExpired = "token_expired": "the token that came with the trigger has expired",
        "have the record re-sent, or move to an opencrvs version with system credentials";
    /// No token to call with.
    NoCredentials = "no_credentials": "there is no token for this call",
        "configure an integration client, or the mode that fits this opencrvs version";
    /// The confirmation mode cannot work with the OpenCRVS version.
    WrongMode = "wrong_mode": "this confirmation mode does not exist in the configured opencrvs version",
        "use trigger tokens with 1.9, exchange with 2.0, client credentials from 2.1";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what())
    }
}

/// A call that did not succeed. Holds no personal data and no secret: the texts of answers are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The procedure or endpoint, `event.actions.register.accept`.
    pub call: &'static str,
    /// What the caller may do.
    pub class: Class,
    /// What went wrong.
    pub cause: Cause,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The error code in the answer: `NOT_FOUND` of tRPC, `invalid_client` of the token service.
    pub code: Option<String>,
    /// How long OpenCRVS asked us to wait.
    pub retry_after: Option<Duration>,
}

impl CallError {
    pub(crate) fn new(call: &'static str, class: Class, cause: Cause) -> Self {
        Self { call, class, cause, status: None, code: None, retry_after: None }
    }

    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        self.cause.advice()
    }
}

impl std::error::Error for CallError {}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.cause.what())?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, _) => {}
        }
        write!(f, "; {}", self.cause.advice())
    }
}
