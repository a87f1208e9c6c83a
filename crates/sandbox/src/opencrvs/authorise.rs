//! Who may confirm, read and search, under the three regimes.

use super::core::Core;
use super::tokens::Claims;
use super::trpc::{Code, TrpcError};
use crate::options::Regime;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use uuid::Uuid;

/// The bearer of a request; 401 without a good one.
pub(crate) fn bearer(core: &Core, headers: &HeaderMap) -> Result<Claims, TrpcError> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .and_then(|token| core.tokens.check(token, core.now()))
        .ok_or_else(|| TrpcError::new(Code::Unauthorized, "Authentication failed"))
}

/// May this bearer accept or reject this action?
pub(crate) fn confirm(
    core: &Core,
    claims: &Claims,
    kind: &str,
    event: Uuid,
    action: Uuid,
) -> Result<(), TrpcError> {
    let regime = core.tokens.regime;
    if regime == Regime::V2_1 {
        let own = match kind {
            "REQUEST_CORRECTION" | "APPROVE_CORRECTION" | "REJECT_CORRECTION" => "record.correct".to_owned(),
            "PRINT_CERTIFICATE" => "record.print-certified-copies".to_owned(),
            other => format!("record.{}", other.to_lowercase()),
        };
        return if claims.holds(regime, &own) {
            Ok(())
        } else {
            Err(TrpcError::new(Code::Forbidden, "FORBIDDEN"))
        };
    }
    let scopes = ["record.confirm-registration", "record.reject-registration"];
    if !scopes.iter().all(|scope| claims.holds(regime, scope)) {
        return Err(TrpcError::new(Code::Forbidden, "Missing required scopes for action confirmation"));
    }
    if claims.event_id != Some(event) || claims.action_id != Some(action) {
        return Err(TrpcError::new(Code::Forbidden, "Missing required claims for action confirmation"));
    }
    if claims.ghost {
        return Err(TrpcError::internal("exchanged in 1.9: no user has this id"));
    }
    Ok(())
}

/// May this bearer read this record? A single-record token reads its own only, and in 1.9 no client reads any.
pub(crate) fn read(core: &Core, claims: &Claims, event: Uuid) -> Result<(), TrpcError> {
    if core.tokens.regime == Regime::V1_9 && claims.system {
        return Err(TrpcError::new(Code::Forbidden, "FORBIDDEN"));
    }
    let own = claims.event_id.is_none_or(|own| own == event);
    if own && claims.holds(core.tokens.regime, "record.read") {
        return Ok(());
    }
    Err(TrpcError::new(Code::Forbidden, "FORBIDDEN"))
}

/// May this bearer use a scope that is not about one record?
pub(crate) fn scope(core: &Core, claims: &Claims, scope: &str) -> Result<(), TrpcError> {
    if claims.holds(core.tokens.regime, scope) {
        Ok(())
    } else {
        Err(TrpcError::new(Code::Forbidden, "FORBIDDEN"))
    }
}
