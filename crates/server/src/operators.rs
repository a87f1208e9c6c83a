//! Who may read and act: operators with a bearer token and a role.

use openssl::memcmp;
use openssl::sha::sha256;
use secrecy::{ExposeSecret, SecretString};

/// What an operator may do; each role includes the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads the queue, records and the overview.
    Viewer,
    /// Retries, releases and rejects records.
    Integrator,
    /// Everything.
    Admin,
}

impl Role {
    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Integrator => "integrator",
            Self::Admin => "admin",
        }
    }
}

/// One person or program that may use the operator API.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Name in the audit log.
    pub name: String,
    /// What is allowed.
    pub role: Role,
    /// Bearer token.
    pub token: SecretString,
}

/// Everybody who is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operators(Vec<(Operator, [u8; 32])>);

impl Operators {
    pub(crate) fn new(operators: Vec<Operator>) -> Self {
        let digested = |operator: Operator| {
            let digest = sha256(operator.token.expose_secret().as_bytes());
            (operator, digest)
        };
        Self(operators.into_iter().map(digested).collect())
    }

    /// The operator with this token. Digests are compared, all of them, so that neither the time taken nor the
    /// length tells anything about a token.
    pub(crate) fn by_token(&self, token: &str) -> Option<&Operator> {
        let given = sha256(token.as_bytes());
        let mut found = None;
        for (operator, digest) in &self.0 {
            if memcmp::eq(&given, digest) {
                found = Some(operator);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_found_by_the_whole_token_only() {
        let operators = Operators::new(vec![
            Operator { name: "a".into(), role: Role::Viewer, token: "first-token".into() },
            Operator { name: "b".into(), role: Role::Admin, token: "second-token".into() },
        ]);
        assert_eq!(operators.by_token("second-token").map(|operator| operator.name.as_str()), Some("b"));
        assert!(operators.by_token("second-toke").is_none());
        assert!(operators.by_token("").is_none());
        assert!(Role::Viewer < Role::Integrator && Role::Integrator < Role::Admin);
    }
}
