//! Failures of a call as such: our own names for them, and the codes that every MOSIP service may answer.

use super::{Known, limited, permanent, refused, transient, unknown};

pub(super) const CODES: &[Known] = &[
    // Ours.
    transient(
        "circuit-open",
        "the service failed several times in a row, so that nothing is sent to it for a while",
        "see `civitas doctor` for what is the matter with it; everything goes on by itself, oldest first, when it answers",
    ),
    transient(
        "unreachable",
        "no connection to the service",
        "check the configured address and that the service is up; nothing was sent, it is tried again",
    ),
    unknown(
        "time-out",
        "no answer in time",
        "nothing to do: whether the call was applied is found out by asking or by repeating it identically",
    ),
    unknown(
        "answer-broken-off",
        "the connection ended before the answer was complete",
        "nothing to do: whether the call was applied is found out by asking or by repeating it identically",
    ),
    permanent(
        "address-invalid",
        "the configured address is not a URL",
        "correct the service's address in the configuration",
    ),
    limited(
        "answer-unreadable",
        5,
        "the answer is not the JSON that this service answers with",
        "check that the configured address leads to the service itself and not to a proxy's page",
    ),
    limited(
        "null-response",
        10,
        "the packet manager answered 200 with no response, which hides any failure inside it",
        "the identical packet is sent again; if it goes on, look in the packet manager's log (keymanager, object \
         store, ID schema)",
    ),
    limited(
        "sub-packet-missing",
        5,
        "the packet manager did not report all sub-packets that the ID schema has",
        "compare the pack's ID schema with the one in MOSIP; the identical packet is sent again",
    ),
    permanent(
        "data-share-unset",
        "a credential came by data share, and no host is configured that shares may be fetched from",
        "list the host of MOSIP's data share in mosip.data_share.hosts, and its network if it is not public",
    ),
    permanent(
        "data-share-refused",
        "the data share's host is not one that may be connected to",
        "correct mosip.data_share.hosts or mosip.data_share.networks",
    ),
    permanent(
        "schema-unreadable",
        "the ID schema of the packet is not a JSON schema with identity properties",
        "correct the pack's id-schema.json",
    ),
    refused(
        "auth-refused",
        "authmanager refused client id and secret",
        "check client id, secret and application id of this client in the configuration and in Keycloak",
    ),
    limited(
        "auth-failed",
        20,
        "authmanager could not check client id and secret",
        "check that authmanager reaches Keycloak; it is tried again",
    ),
    limited(
        "auth-no-token",
        5,
        "authmanager answered success without a token",
        "check that no proxy strips the Set-Cookie header of authmanager's answers",
    ),
    refused(
        "token-refused",
        "the service refused a fresh token",
        "check that the client's id is in this service's allowed audiences and that its clock agrees with MOSIP's",
    ),
    permanent(
        "secret-missing",
        "a subscription without a secret was not sent, since the hub fails on it",
        "configure a secret of at least 32 random bytes for the hub",
    ),
    // HTTP.
    permanent(
        "http-3xx",
        "the service redirects",
        "configure the service's own address, scheme and host as it names them",
    ),
    permanent(
        "http-404",
        "the service knows no such address",
        "check the configured base address of this service, and that its release has this call",
    ),
    transient("http-408", "the service gave up waiting for the request", "nothing to do: it is sent again"),
    permanent(
        "http-413",
        "the request is too large for the service or a proxy before it",
        "raise the body limit before MOSIP, or send smaller documents",
    ),
    transient("http-425", "the service asks to be called later", "nothing to do: it is sent again"),
    transient("http-429", "too many calls", "lower the limits of this service in the configuration"),
    permanent(
        "http-4xx",
        "the service refuses the request",
        "look in the service's log for why, mend it, then retry",
    ),
    transient(
        "http-503",
        "the service is not available",
        "nothing to do: it is tried again until the service is back",
    ),
    unknown(
        "http-5xx",
        "the service failed",
        "look in the service's log; the outcome is found out before a repetition",
    ),
    // Any MOSIP service.
    refused(
        "KER-ATH-401",
        "the token is not accepted",
        "check that the client's id is in this service's allowed audiences and that its clock agrees with MOSIP's",
    ),
    refused(
        "KER-ATH-403",
        "the client lacks the role for this call",
        "give the client the role that this call needs in Keycloak",
    ),
];
