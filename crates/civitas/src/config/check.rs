//! What no single key can tell: keys that need each other, secrets in the wrong place, waits that contradict.

use super::problem::Problem;
use super::tree::Node;
use super::{Config, ConfirmationMode, MosipRoute, PacketsName};

/// Settings of librdkafka that hold secrets.
const SECRET_PROPERTIES: [&str; 6] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.assertion.private.key.pem",
];

/// Everything that is wrong across keys.
pub(super) fn check(config: &Config, tree: &Node) -> Vec<Problem> {
    let mut found = Found { tree, problems: Vec::new() };
    reload(config, &mut found);
    database(config, &mut found);
    server(config, &mut found);
    confirmation(config, &mut found);
    reconcile(config, &mut found);
    mosip(config, &mut found);
    websub(config, &mut found);
    super::check_keys::check(config, &mut found);
    super::check_identity::check(config, &mut found);
    kafka(config, &mut found);
    times(config, &mut found);
    found.problems
}

pub(super) struct Found<'a> {
    tree: &'a Node,
    problems: Vec<Problem>,
}

impl Found<'_> {
    pub(super) fn add(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.placed(path, message).help(help);
        self.problems.push(problem);
    }

    fn conceal(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.placed(path, message).help(help).concealed();
        self.problems.push(problem);
    }

    fn placed(&self, path: &str, message: impl Into<String>) -> Problem {
        let keys: Vec<&str> = path.split('.').collect();
        let origin = (0..=keys.len()).rev().find_map(|depth| self.tree.get(&keys[..depth]));
        let problem = Problem::unplaced(message);
        match origin {
            Some(node) => problem.or_at(&node.origin),
            None => problem,
        }
    }
}

fn reload(config: &Config, found: &mut Found<'_>) {
    let ranges = [
        ("reload.every", config.reload.every, 3_600_000, "1 h"),
        ("reload.settle", config.reload.settle, 600_000, "10 min"),
    ];
    for (path, wait, longest, said) in ranges {
        if !(100..=longest).contains(&wait.0.as_millis()) {
            found.add(path, format!("`{path}` is out of range"), format!("from 100 ms to {said}"));
        }
    }
}

fn database(config: &Config, found: &mut Found<'_>) {
    if config.database.sealing_key_files.is_empty() {
        found.add(
            "database.sealing_key_files",
            "`database.sealing_key_files` is empty: personal data cannot be sealed",
            "write a key with `civitas keys new` and name it here",
        );
    }
    match &config.database.url {
        Some(url) => {
            let known = ["sqlite:", "postgres://", "postgresql://"];
            if !known.iter().any(|scheme| url.starts_with(scheme)) {
                found.conceal(
                    "database.url",
                    "`database.url` names no database that Civitas knows",
                    "write sqlite:<file> or postgres://<user>@<host>:<port>/<database>",
                );
            } else if password_in(url) {
                found.conceal(
                    "database.url",
                    "`database.url` holds a password: a secret is never written in the configuration",
                    "put the whole address in a file and name it: `url_file: …`",
                );
            }
        }
        None if config.database.url_file.is_none() => {
            found.add("database.url", "there is no database", "set `database.url` or `database.url_file`");
        }
        None => {}
    }
}

fn password_in(url: &str) -> bool {
    url.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?']).next())
        .and_then(|authority| authority.rsplit_once('@'))
        .is_some_and(|(user, _)| user.contains(':'))
        || url.split_once('?').is_some_and(|(_, query)| query.contains("password="))
}

fn server(config: &Config, found: &mut Found<'_>) {
    let patience = config.server.trigger_patience.0.as_millis();
    if !(100..=30_000).contains(&patience) {
        found.add(
            "server.trigger_patience",
            "`server.trigger_patience` is out of range",
            "from 100 ms to 30 s: a registrar waits for the answer",
        );
    }
    let mut names: Vec<&str> = Vec::new();
    for operator in &config.server.operators {
        if operator.name.trim().is_empty() {
            found.add("server.operators", "an operator has no name", "the name is what the audit log shows");
        }
        if names.contains(&operator.name.as_str()) {
            found.add(
                "server.operators",
                format!("two operators are named `{}`", operator.name),
                "the audit log could not tell them apart: give each a name of its own",
            );
        }
        names.push(&operator.name);
    }
}

fn reconcile(config: &Config, found: &mut Found<'_>) {
    const DAY: u128 = 86_400_000;
    let reconcile = &config.opencrvs.reconcile;
    let ranges = [
        ("every", reconcile.every, 1000, DAY, "from 1 s to 1 day"),
        ("grace", reconcile.grace, 0, DAY, "at most 1 day"),
        ("in_hand_every", reconcile.in_hand_every, 1000, 7 * DAY, "from 1 s to 7 days"),
        ("in_hand_for", reconcile.in_hand_for, 1000, 30 * DAY, "from 1 s to 30 days"),
        ("in_hand_window", reconcile.in_hand_window, DAY / 24, 365 * DAY, "from 1 h to 365 days"),
    ];
    for (key, wait, shortest, longest, said) in ranges {
        if !(shortest..=longest).contains(&wait.0.as_millis()) {
            let path = format!("opencrvs.reconcile.{key}");
            found.add(&path, format!("`{path}` is out of range"), said);
        }
    }
    if reconcile.enabled && reconcile.actions.is_empty() {
        found.add(
            "opencrvs.reconcile.actions",
            "`opencrvs.reconcile.actions` is empty: nothing would be looked for",
            "name the types of actions whose triggers come to Civitas, or switch it off",
        );
    }
}

fn confirmation(config: &Config, found: &mut Found<'_>) {
    let confirmation = &config.opencrvs.confirmation;
    if confirmation.mode == ConfirmationMode::TriggerToken {
        return;
    }
    let why = "this confirmation mode works by an integration client";
    if confirmation.client_id.is_none() {
        found.add(
            "opencrvs.confirmation.client_id",
            "`opencrvs.confirmation.client_id` is not set",
            format!("{why}: create one in OpenCRVS and name it here"),
        );
    }
    if confirmation.client_secret_file.is_none() {
        found.add(
            "opencrvs.confirmation.client_secret_file",
            "`opencrvs.confirmation.client_secret_file` is not set",
            format!("{why}: put its secret in a file and name it here"),
        );
    }
}

fn mosip(config: &Config, found: &mut Found<'_>) {
    let urls = &config.mosip.urls;
    let repository = &config.mosip.id_repository;
    let uploads = config.mosip.route == MosipRoute::Upload;
    let mut all = vec![&urls.auth, &urls.workflow, &urls.hub, &urls.credential_request];
    if uploads {
        all.extend([&urls.registration_status, &urls.packet_receiver]);
        upload(config, found);
    } else {
        all.push(&urls.packet_manager);
    }
    let missing = all.iter().any(|url| url.is_none()) || (repository.enabled && urls.id_repository.is_none());
    if config.mosip.gateway_url.is_none() && missing {
        found.add(
            "mosip.gateway_url",
            "`mosip.gateway_url` is not set, and not every address in `mosip.urls` is",
            "set the gateway's address, or those of all services",
        );
    }
    let others = [
        ("mosip.status_client", &config.mosip.status_client),
        ("mosip.websub.client", &config.mosip.websub.client),
        ("mosip.id_repository.client", &repository.client),
    ];
    if !repository.enabled && repository.packets_name == PacketsName::Uin {
        found.add(
            "mosip.id_repository.packets_name",
            "`mosip.id_repository.packets_name` is `uin`, and the ID repository is not used",
            "the number is looked up there: set `mosip.id_repository.enabled: true`, or `packets_name: as_recorded`",
        );
    }
    for (path, other) in others {
        if other.client_id.is_some() != other.client_secret_file.is_some() {
            found.add(
                path,
                format!("`{path}` has a client without a secret, or a secret without a client"),
                "set both `client_id` and `client_secret_file`, or neither",
            );
        }
    }
}

fn upload(config: &Config, found: &mut Found<'_>) {
    let upload = &config.mosip.upload;
    if upload.machine_key_file.is_none() {
        found.add(
            "mosip.upload.machine_key_file",
            "`mosip.route` is `upload`, but there is no key to sign packets with",
            "make an RSA key of 2048 bits, have MOSIP register its public half as the machine's signPublicKey, and name \
             the file",
        );
    }
    if upload.certificate_files.is_empty() {
        found.add(
            "mosip.upload.certificate_files",
            "`mosip.route` is `upload`, but there is no certificate to encrypt packets to",
            "get it from keymanager (getCertificate, REGISTRATION, <centre>_<machine>) and name the file",
        );
    }
    for (process, channel) in &upload.processes {
        let known = channel.split_once('/').is_some_and(|(source, uploaded)| {
            !source.is_empty() && upload.main_processes.iter().any(|main| main == uploaded)
        });
        if !known {
            found.add(
                "mosip.upload.processes",
                format!("`mosip.upload.processes.{process}` is no source and one of `main_processes`"),
                "write it as OPENCRVS/OPENCRVS_NEW",
            );
        }
    }
}

fn websub(config: &Config, found: &mut Found<'_>) {
    let renew = config.mosip.websub.renew_every.0.as_secs();
    if !(60..=12 * 3600).contains(&renew) {
        found.add(
            "mosip.websub.renew_every",
            "`mosip.websub.renew_every` is out of range",
            "from 1 min to 12 h; the hub forgets subscribers, so minutes are better than hours",
        );
    }
    let window = config.mosip.websub.replay_window.0.as_secs() / 86_400;
    if !(1..=365).contains(&window) {
        found.add(
            "mosip.websub.replay_window",
            "`mosip.websub.replay_window` is out of range",
            "from 1 day to 365 days; the hub may be days behind",
        );
    }
    if !config.mosip.websub.credential_topic.contains('/') {
        found.add(
            "mosip.websub.credential_topic",
            "`mosip.websub.credential_topic` names no partner",
            "write <partner id>/CREDENTIAL_ISSUED",
        );
    }
}

fn kafka(config: &Config, found: &mut Found<'_>) {
    let kafka = &config.kafka;
    if kafka.enabled && kafka.brokers.is_empty() {
        found.add(
            "kafka.brokers",
            "`kafka.enabled` is true, but `kafka.brokers` is empty",
            "name the brokers as host:port, or set `kafka.enabled: false`",
        );
    }
    if kafka.enabled && kafka.encryption.required && kafka.encryption.keys.is_empty() {
        found.add(
            "kafka.encryption",
            "`kafka.encryption.required` is true, but there is no key to open payloads with",
            "write a pair with `civitas keys new` and name it in `keys`, or set `required: false`",
        );
    }
    for name in kafka.properties.keys().filter(|name| SECRET_PROPERTIES.contains(&name.as_str())) {
        found.conceal(
            "kafka.properties",
            format!("`kafka.properties.{name}`: a secret is never written in the configuration"),
            format!("put it in a file of its own and name that file: `property_files: {{ {name}: … }}`"),
        );
    }
    let topics =
        [&kafka.topics.events, &kafka.topics.audit, &kafka.topics.awaiting, &kafka.topics.dead_letter];
    for (index, topic) in topics.iter().enumerate() {
        if topics[..index].contains(topic) {
            found.add(
                "kafka.topics",
                format!("two topics are named `{topic}`"),
                "each has records of its own kind",
            );
        }
    }
}

fn times(config: &Config, found: &mut Found<'_>) {
    let dispatch = &config.dispatch;
    if dispatch.backoff.first > dispatch.backoff.ceiling {
        found.add(
            "dispatch.backoff.first",
            "`dispatch.backoff.first` is longer than its ceiling",
            "swap them",
        );
    }
    if dispatch.backoff.first.0.is_zero() {
        found.add("dispatch.backoff.first", "`dispatch.backoff.first` is zero", "give it at least 100 ms");
    }
    if dispatch.polling.shortest > dispatch.polling.longest {
        found.add(
            "dispatch.polling.shortest",
            "`dispatch.polling.shortest` is longer than `longest`",
            "swap them",
        );
    }
    if dispatch.idle_poll.0.is_zero() {
        found.add("dispatch.idle_poll", "`dispatch.idle_poll` is zero", "give it at least 100 ms");
    }
    let breaking = config.mosip.breaking;
    if breaking.first > breaking.longest || breaking.first.0.is_zero() {
        found.add(
            "mosip.breaking.first",
            "`mosip.breaking.first` is zero, or longer than `longest`",
            "seconds for the first, a minute or so for the longest",
        );
    }
    let limits = &config.mosip.limits;
    let route = match config.mosip.route {
        MosipRoute::Online => [limits.packet_manager, limits.workflow],
        MosipRoute::Upload => [limits.registration_status, limits.packet_receiver],
    };
    let any_route =
        [limits.auth, limits.hub, limits.credential_request, limits.id_repository, limits.data_share];
    // Those of ID authentication and e-Signet are no operation's calls.
    let longest = route.iter().chain(&any_route).filter_map(|limit| limit.timeout).max();
    let longest = longest.unwrap_or(config.mosip.timeout).max(config.mosip.data_share.timeout);
    let longest_call = config.mosip.timeout.max(config.opencrvs.timeout).max(longest);
    if dispatch.lease <= longest_call {
        found.add(
            "dispatch.lease",
            "`dispatch.lease` is not longer than the longest call",
            "a second process would take over work that the first still waits for: make it at least twice \
             `mosip.timeout`, those in `mosip.limits`, `opencrvs.timeout` and `mosip.data_share.timeout`",
        );
    }
}
