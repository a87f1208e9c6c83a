//! Where e-Signet is, by the address of its token endpoint.

/// Addresses of one e-Signet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ESignetEndpoints {
    /// Gives tokens: `…/v1/esignet/oauth/v2/token`. Also the audience of our assertions.
    pub token: String,
    /// Gives claims: `…/v1/esignet/oidc/userinfo`.
    pub userinfo: String,
    /// Its published keys.
    pub jwks: String,
    /// What its ID tokens name as their issuer.
    pub issuer: String,
}

impl ESignetEndpoints {
    /// The addresses that belong to a token endpoint, each replaced by what is given for it. `None` where the token
    /// endpoint is not at its usual path and something is missing.
    pub fn of(
        token: &str,
        userinfo: Option<&str>,
        jwks: Option<&str>,
        issuer: Option<&str>,
    ) -> Option<ESignetEndpoints> {
        let token = token.trim_end_matches('/');
        let service = token.strip_suffix("/oauth/v2/token").or_else(|| token.strip_suffix("/oauth/token"));
        let below = |path: &str| service.map(|service| format!("{service}{path}"));
        let owned = |given: Option<&str>| given.map(str::to_owned);
        Some(ESignetEndpoints {
            userinfo: owned(userinfo).or_else(|| below("/oidc/userinfo"))?,
            jwks: owned(jwks).or_else(|| below("/oauth/.well-known/jwks.json"))?,
            // As shipped, the domain without the service's path.
            issuer: owned(issuer).or_else(|| {
                service.map(|service| service.strip_suffix("/v1/esignet").unwrap_or(service).to_owned())
            })?,
            token: token.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_endpoint_tells_the_others() {
        for token in
            ["https://e.example/v1/esignet/oauth/v2/token", "https://e.example/v1/esignet/oauth/token/"]
        {
            let found = ESignetEndpoints::of(token, None, None, None).unwrap();
            assert_eq!(found.userinfo, "https://e.example/v1/esignet/oidc/userinfo");
            assert_eq!(found.jwks, "https://e.example/v1/esignet/oauth/.well-known/jwks.json");
            assert_eq!(found.issuer, "https://e.example");
            assert_eq!(found.token, token.trim_end_matches('/'));
        }
        let odd = "https://e.example/token";
        assert_eq!(ESignetEndpoints::of(odd, Some("u"), Some("j"), None), None);
        assert!(ESignetEndpoints::of(odd, Some("u"), Some("j"), Some("i")).is_some());
    }
}
