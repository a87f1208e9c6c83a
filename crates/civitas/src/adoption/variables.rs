//! Every variable of mosip-api, and what becomes of it.

/// What becomes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// The value of this key.
    Key(&'static str),
    /// A file of mode 0600, which this key names: `(key, file)`.
    Secret(&'static str, &'static str),
    /// The path of a file, which this key names.
    File(&'static str),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub becomes: Becomes,
    /// What to know about it.
    pub note: &'static str,
}

const fn of(name: &'static str, becomes: Becomes, note: &'static str) -> Variable {
    Variable { name, becomes, note }
}

const UNUSED: &str = "nothing in mosip-api reads it";

/// The 39 variables of 1.9, and those that 2.x added.
pub const VARIABLES: [Variable; 45] = [
    of("HOST", Becomes::Key("server.listen"), "with PORT; localhost is 127.0.0.1"),
    of("PORT", Becomes::Key("server.listen"), "with HOST; 2024 if not set"),
    of("LOCALE", Becomes::Nothing("the languages are the pack's"), "country.yaml, `languages`"),
    of(
        "SQLITE_DATABASE_PATH",
        Becomes::Nothing("read once, by --sqlite"),
        "its open transactions are taken over",
    ),
    of("CLIENT_APP_URL", Becomes::Key("server.mosip_api.client_app_url"), ""),
    of("OPENCRVS_GATEWAY_URL", Becomes::Key("opencrvs.gateway_url"), ""),
    of(
        "OPENCRVS_PUBLIC_KEY_URL",
        Becomes::Key("opencrvs.public_key_url"),
        "and opencrvs.auth_url, its address without /.well-known",
    ),
    of("MOSIP_AUTH_URL", Becomes::Key("mosip.urls.auth"), "without /authenticate/clientidsecretkey"),
    of("MOSIP_AUTH_CLIENT_APP_ID", Becomes::Key("mosip.app_id"), "admin if not set"),
    of("MOSIP_PACKET_AUTH_CLIENT_ID", Becomes::Key("mosip.client_id"), ""),
    of("MOSIP_PACKET_AUTH_CLIENT_SECRET", Becomes::Secret("mosip.client_secret_file", "mosip.secret"), ""),
    of("MOSIP_WEBSUB_AUTH_CLIENT_ID", Becomes::Key("mosip.websub.client.client_id"), ""),
    of(
        "MOSIP_WEBSUB_AUTH_CLIENT_SECRET",
        Becomes::Secret("mosip.websub.client.client_secret_file", "partner.secret"),
        "",
    ),
    of("MOSIP_WEBSUB_HUB_URL", Becomes::Key("mosip.urls.hub"), ""),
    of(
        "MOSIP_WEBSUB_SECRET",
        Becomes::Secret("mosip.websub.secret_file", "hub.secret"),
        "one of fewer than 32 characters is replaced by a new one, which the hub is told",
    ),
    of("MOSIP_WEBSUB_TOPIC", Becomes::Key("mosip.websub.credential_topic"), ""),
    of(
        "MOSIP_WEBSUB_CALLBACK_URL",
        Becomes::Key("mosip.websub.callback_url"),
        "the path stays /websub/callback",
    ),
    of(
        "MOSIP_VERIFIABLE_CREDENTIAL_ALLOWLIST",
        Becomes::Nothing("not used by mosip-api at run time"),
        "proofs are verified by mosip.signing_certificate_files and mosip.credential_proof",
    ),
    of("MOSIP_BIRTH_WEBHOOK_URL", Becomes::Nothing(UNUSED), ""),
    of("MOSIP_DEATH_WEBHOOK_URL", Becomes::Nothing(UNUSED), ""),
    of("MOSIP_CREATE_PACKET_URL", Becomes::Key("mosip.urls.packet_manager"), "without /createPacket"),
    of(
        "MOSIP_PROCESS_PACKET_URL",
        Becomes::Key("mosip.urls.workflow"),
        "without /workflowmanager/workflowinstance; what is before /registrationprocessor is mosip.gateway_url",
    ),
    of("MOSIP_CENTER_ID", Becomes::Key("mosip.center_id"), ""),
    of("MOSIP_MACHINE_ID", Becomes::Key("mosip.machine_id"), ""),
    of("ESIGNET_USERINFO_URL", Becomes::Key("mosip.esignet.userinfo_url"), ""),
    of("ESIGNET_TOKEN_URL", Becomes::Key("mosip.esignet.url"), ""),
    of(
        "OPENID_PROVIDER_CLAIMS",
        Becomes::Nothing(UNUSED),
        "identity.yaml of the pack says which claims are asked for",
    ),
    of("PARTNER_APIKEY", Becomes::Secret("mosip.id_authentication.api_key_file", "ida-api.key"), ""),
    of(
        "PARTNER_MISP_LK",
        Becomes::Secret("mosip.id_authentication.license_key_file", "misp-licence.key"),
        "",
    ),
    of("PARTNER_ID", Becomes::Key("mosip.id_authentication.partner_id"), ""),
    of(
        "IDA_AUTH_DOMAIN_URI",
        Becomes::Key("mosip.id_authentication.domain_uri"),
        "with the environment Staging, which mosip-api always names",
    ),
    of("IDA_AUTH_URL", Becomes::Key("mosip.id_authentication.url"), ""),
    of(
        "OIDP_CLIENT_PRIVATE_KEY_PATH",
        Becomes::File("mosip.esignet.client_key_file"),
        "the client id comes from --esignet-client",
    ),
    of("ENCRYPT_CERT_PATH", Becomes::File("mosip.id_authentication.certificate_files"), ""),
    of("DECRYPT_P12_FILE_PATH", Becomes::File("mosip.partner.keys"), "credentials are opened with it"),
    of("DECRYPT_P12_FILE_PASSWORD", Becomes::Secret("mosip.partner.keys", "partner.password"), ""),
    of(
        "SIGN_P12_FILE_PATH",
        Becomes::File("mosip.id_authentication.signing_keys"),
        "requests are signed with it",
    ),
    of(
        "SIGN_P12_FILE_PASSWORD",
        Becomes::Secret("mosip.id_authentication.signing_keys", "signing.password"),
        "",
    ),
    of(
        "TRANSACTION_ID_PREFIX",
        Becomes::Nothing("packets are named by centre, machine, and the event itself"),
        "ids that are open keep theirs",
    ),
    of("OPENCRVS_AUTH_URL", Becomes::Key("opencrvs.auth_url"), "2.x"),
    of("OPENCRVS_CLIENT_ID", Becomes::Key("opencrvs.confirmation.client_id"), "2.x"),
    of(
        "OPENCRVS_CLIENT_SECRET",
        Becomes::Secret("opencrvs.confirmation.client_secret_file", "opencrvs.secret"),
        "2.x",
    ),
    of(
        "MOSIP_VERIFIABLE_CREDENTIAL_NATIONAL_ID_KEY",
        Becomes::Nothing("the pack's"),
        "2.x; country.yaml, `national_id.credential_key`: compared, and a difference is said",
    ),
    of("UNSAFE_DEBUG_LOG", Becomes::Nothing("personal data is never logged"), "2.x"),
    of("LOG_LEVEL", Becomes::Key("telemetry.level"), "2.x"),
];

/// The variable of this name.
pub fn find(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// The table of the document, in Markdown.
pub fn table() -> String {
    let mut lines = vec!["| Variable | becomes | |\n|---|---|---|\n".to_owned()];
    for variable in &VARIABLES {
        let becomes = match variable.becomes {
            Becomes::Key(key) => format!("`{key}`"),
            Becomes::Secret(key, file) => format!("`{key}`, a file `{file}` of mode 0600"),
            Becomes::File(key) => format!("`{key}`, by its path"),
            Becomes::Nothing(why) => format!("nothing: {why}"),
        };
        lines.push(format!("| `{}` | {becomes} | {} |\n", variable.name, variable.note));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_1_9_and_2_x_is_there_once() {
        let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        assert_eq!(VARIABLES.iter().filter(|variable| !variable.note.starts_with("2.x")).count(), 39);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }

    #[test]
    fn the_document_has_this_table() {
        let document = include_str!("../../../../docs/migrate-from-mosip-api.md");
        assert!(document.contains(&table()), "put this into docs/migrate-from-mosip-api.md:\n{}", table());
    }
}
