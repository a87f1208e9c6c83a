//! From configuration to the parts of a running engine. Everything that a file or a service must provide for that is
//! asked for here, so that a start fails early and says why.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use civitas_engine::{
    Backoff, Channel, Clock, Engine, IdRepository, Options, PacketsName, Polling, Ports, Records, Route,
    Subscriptions, UploadRoute, opencrvs_version,
};
use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_kafka::{Batch, DecryptionKey, KafkaConfig, PayloadEncryption, Topics};
use civitas_mosip::credential::{KeyRing, ProofKeys, VcIssuer, VcTrust};
use civitas_mosip::data_share::DataSharePolicy;
use civitas_mosip::keys::{SignatureAlgorithm, standings};
use civitas_mosip::packet::{EncryptionCertificate, MachineKey, PacketKeys};
use civitas_mosip::{Breaking, Credentials, Endpoints, Mosip, Service};
use civitas_opencrvs::{
    Client, ConfirmationAuth, Endpoints as OpenCrvsEndpoints, ISSUER, KeySource, SystemClient, TriggerTokens,
};
use civitas_rules::{OpencrvsVersion, Pack};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{
    self, Config, ConfirmationMode, FilePath, Limit, MosipRoute, OperatorRole, OtherClient, ProofAlgorithm,
    TriggerToken,
};
use crate::{clock, entropy, http, partner_keys, secrets};

/// Least length of a secret that is not somebody else's.
const STRONG: usize = 32;

/// This process's name.
pub fn instance(config: &Config) -> String {
    config.instance.name.clone().unwrap_or_else(|| {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "civitas" } else { host.trim() };
        format!("{host}-{}", std::process::id())
    })
}

/// The journal, opened; its tables may still be missing.
pub async fn open_journal(config: &Config) -> anyhow::Result<Journal> {
    connect_journal(config)
        .await
        .context("the journal cannot be opened; `civitas doctor` looks at it more closely")
}

/// The same, with nothing said about what to do.
pub async fn connect_journal(config: &Config) -> anyhow::Result<Journal> {
    Ok(Journal::open(journal_options(config)?, entropy::entropy()).await?)
}

fn journal_options(config: &Config) -> anyhow::Result<JournalOptions> {
    let database = &config.database;
    let url = match &database.url_file {
        Some(file) => secrets::text("database.url_file", file)?,
        None => SecretString::from(database.url.clone().unwrap_or_default()),
    };
    let mut lines = String::new();
    for file in &database.sealing_key_files {
        lines.push_str(secrets::text("database.sealing_key_files", file)?.expose_secret());
        lines.push('\n');
    }
    let keys = SealingKeys::parse(&SecretString::from(lines))
        .context("`database.sealing_key_files` cannot be used")?;
    let mut options = JournalOptions::new(url.expose_secret(), keys);
    options.max_connections = database.max_connections.0;
    options.writers = database.writers.0;
    options.publish = config.kafka.enabled;
    Ok(options)
}

/// The client of OpenCRVS.
pub fn opencrvs(config: &Config, version: OpencrvsVersion) -> anyhow::Result<Client> {
    let opencrvs = &config.opencrvs;
    let endpoints = OpenCrvsEndpoints {
        gateway: opencrvs.gateway_url.as_str().to_owned(),
        auth: opencrvs.auth_url.as_str().to_owned(),
    };
    let confirmation = &opencrvs.confirmation;
    let system = match (&confirmation.client_id, &confirmation.client_secret_file) {
        (Some(id), Some(file)) => Some(SystemClient {
            id: id.clone(),
            secret: secrets::text("opencrvs.confirmation.client_secret_file", file)?,
        }),
        _ => None,
    };
    let missing = || anyhow!("`opencrvs.confirmation` needs a client for this mode");
    let auth = match confirmation.mode {
        ConfirmationMode::TriggerToken => ConfirmationAuth::TriggerToken,
        ConfirmationMode::Exchange => {
            ConfirmationAuth::Exchange { client: system.clone().ok_or_else(missing)? }
        }
        ConfirmationMode::ClientCredentials => {
            ConfirmationAuth::ClientCredentials { client: system.clone().ok_or_else(missing)? }
        }
    };
    let http = http::client(opencrvs.timeout.0)?;
    let mut client = Client::new(http, endpoints, auth, opencrvs_version(version));
    if let Some(address) = &opencrvs.country_config_url {
        client = client.with_country_config(address.as_str());
    }
    if let (ConfirmationMode::TriggerToken, Some(system)) = (confirmation.mode, system) {
        client = client.with_reader(opencrvs.auth_url.as_str(), system);
    }
    Ok(client)
}

/// Where the public key of OpenCRVS's tokens is.
pub fn public_key_source(config: &Config) -> anyhow::Result<KeySource> {
    let opencrvs = &config.opencrvs;
    if let Some(file) = &opencrvs.public_key_file {
        let pem = secrets::text("opencrvs.public_key_file", file)?;
        return KeySource::pem(pem.expose_secret()).context("`opencrvs.public_key_file` cannot be used");
    }
    let url = match &opencrvs.public_key_url {
        Some(url) => url.as_str().to_owned(),
        None => opencrvs.auth_url.join("/.well-known"),
    };
    Ok(KeySource::Url(url))
}

/// The verifier of trigger tokens.
pub fn trigger_tokens(config: &Config) -> anyhow::Result<TriggerTokens> {
    // A trigger waits for the key, and a registrar for the trigger.
    let http = http::client(std::time::Duration::from_secs(1))?;
    Ok(TriggerTokens::new(http, public_key_source(config)?, ISSUER, config.opencrvs.audience.clone()))
}

/// MOSIP's clients.
pub fn mosip(config: &Config) -> anyhow::Result<Mosip> {
    let mosip = &config.mosip;
    let credentials = |id: &str, key: &'static str, file: &FilePath| -> anyhow::Result<Credentials> {
        let secret = secrets::text(key, file)?;
        Ok(Credentials { client_id: id.to_owned(), secret, app_id: mosip.app_id.clone() })
    };
    let other = |other: &OtherClient, key: &'static str| -> anyhow::Result<Option<Credentials>> {
        match (&other.client_id, &other.client_secret_file) {
            (Some(id), Some(file)) => credentials(id, key, file).map(Some),
            _ => Ok(None),
        }
    };
    let main = credentials(&mosip.client_id, "mosip.client_secret_file", &mosip.client_secret_file)?;
    let time_outs = |total: std::time::Duration| http::TimeOuts {
        connect: mosip.connect_timeout.0,
        read: mosip.read_timeout.0,
        total,
    };
    let own = [
        (Service::Auth, mosip.limits.auth),
        (Service::PacketManager, mosip.limits.packet_manager),
        (Service::Workflow, mosip.limits.workflow),
        (Service::RegistrationStatus, mosip.limits.registration_status),
        (Service::PacketReceiver, mosip.limits.packet_receiver),
        (Service::Hub, mosip.limits.hub),
        (Service::CredentialRequest, mosip.limits.credential_request),
        (Service::IdRepository, mosip.limits.id_repository),
        (Service::IdAuthentication, mosip.limits.id_authentication),
        (Service::ESignet, mosip.limits.esignet),
    ];
    let mut of_service = Vec::new();
    for (service, limit) in own {
        if let Some(total) = limit.timeout {
            of_service.push((service, http::client_with(time_outs(total.0))?));
        }
    }
    let http = http::client_with(time_outs(mosip.timeout.0))?;
    let endpoints = mosip_endpoints(config);
    let mut client = Mosip::with_clients(http, of_service, endpoints, main, &limits(config));
    if let Some(partner) = other(&mosip.websub.client, "mosip.websub.client.client_secret_file")? {
        client = client.with_partner(partner);
    }
    let policy = data_share(config)?;
    client =
        client.with_data_share(http::guarded(policy.networks.clone(), time_outs(policy.timeout))?, policy);
    if let Some(status) = other(&mosip.status_client, "mosip.status_client.client_secret_file")? {
        client = client.with_status(status);
    }
    let repository = &mosip.id_repository.client;
    if let Some(identity) = other(repository, "mosip.id_repository.client.client_secret_file")? {
        client = client.with_identity(identity);
    }
    Ok(client)
}

/// MOSIP's addresses: those behind the gateway, and those that are named.
pub fn mosip_endpoints(config: &Config) -> Endpoints {
    let mosip = &config.mosip;
    let gateway = mosip.gateway_url.as_ref().map_or("", config::BaseUrl::as_str);
    let mut endpoints = Endpoints::behind(gateway);
    let named = [
        (&mut endpoints.auth, &mosip.urls.auth),
        (&mut endpoints.packet_manager, &mosip.urls.packet_manager),
        (&mut endpoints.workflow, &mosip.urls.workflow),
        (&mut endpoints.registration_status, &mosip.urls.registration_status),
        (&mut endpoints.packet_receiver, &mosip.urls.packet_receiver),
        (&mut endpoints.hub, &mosip.urls.hub),
        (&mut endpoints.credential_request, &mosip.urls.credential_request),
        (&mut endpoints.id_repository, &mosip.urls.id_repository),
    ];
    for (address, named) in named {
        if let Some(named) = named {
            named.as_str().clone_into(address);
        }
    }
    endpoints
}

fn limits(config: &Config) -> civitas_mosip::Limits {
    let of = |limit: Limit| civitas_mosip::Limit {
        concurrency: limit.concurrency.as_usize(),
        per_second: NonZeroU32::new(limit.per_second.0),
    };
    let limits = &config.mosip.limits;
    civitas_mosip::Limits {
        auth: of(limits.auth),
        packet_manager: of(limits.packet_manager),
        workflow: of(limits.workflow),
        registration_status: of(limits.registration_status),
        packet_receiver: of(limits.packet_receiver),
        hub: of(limits.hub),
        credential_request: of(limits.credential_request),
        id_repository: of(limits.id_repository),
        data_share: of(limits.data_share),
        id_authentication: of(limits.id_authentication),
        esignet: of(limits.esignet),
        breaking: Breaking {
            failures: config.mosip.breaking.failures.0,
            first: config.mosip.breaking.first.0,
            longest: config.mosip.breaking.longest.0,
        },
    }
}

/// How packets travel, with what that takes.
pub fn route(config: &Config) -> anyhow::Result<Route> {
    let upload = &config.mosip.upload;
    if config.mosip.route == MosipRoute::Online {
        return Ok(Route::Online);
    }
    let mut processes = std::collections::BTreeMap::new();
    for (process, channel) in &upload.processes {
        let (source, uploaded) = channel
            .split_once('/')
            .ok_or_else(|| anyhow!("`mosip.upload.processes.{process}` is not <source>/<process>"))?;
        let channel = Channel { source: source.to_owned(), process: uploaded.to_owned() };
        processes.insert(process.clone(), channel);
    }
    Ok(Route::Upload(Arc::new(UploadRoute {
        keys: packet_keys(config)?,
        processes,
        main_processes: upload.main_processes.iter().cloned().collect(),
        entropy: entropy::entropy(),
    })))
}

/// The keys of our own packets.
pub fn packet_keys(config: &Config) -> anyhow::Result<PacketKeys> {
    const KEY: &str = "mosip.upload.machine_key_file";
    const CERTIFICATES: &str = "mosip.upload.certificate_files";
    let upload = &config.mosip.upload;
    let file = upload.machine_key_file.as_ref().ok_or_else(|| anyhow!("`{KEY}` is not set"))?;
    let machine = MachineKey::from_pem(secrets::text(KEY, file)?.expose_secret().as_bytes())
        .with_context(|| format!("`{KEY}` cannot be used"))?;
    let mut certificates = Vec::new();
    for file in &upload.certificate_files {
        let pem = secrets::text(CERTIFICATES, file)?;
        let certificate = EncryptionCertificate::from_pem(pem.expose_secret().as_bytes())
            .with_context(|| format!("`{CERTIFICATES}`: {file:?} cannot be used"))?;
        certificates.push(certificate);
    }
    Ok(PacketKeys { machine, certificates })
}

/// Our partner keys. Tokens are asked, off the async workers.
async fn key_ring(config: &Config) -> anyhow::Result<KeyRing> {
    let config = config.clone();
    let ring = tokio::task::spawn_blocking(move || partner_keys::key_ring(&config)).await?;
    ring.map_err(|error| {
        let advice = error.advice();
        anyhow::Error::new(error).context(advice)
    })
}

/// What data shares may be fetched.
fn data_share(config: &Config) -> anyhow::Result<DataSharePolicy> {
    let share = &config.mosip.data_share;
    let hosts = share.hosts.iter().map(|host| host.parse()).collect::<Result<_, _>>();
    let networks = share.networks.iter().map(|network| network.parse()).collect::<Result<_, _>>();
    Ok(DataSharePolicy {
        hosts: hosts.context("`mosip.data_share.hosts`")?,
        networks: networks.context("`mosip.data_share.networks`")?,
        plain_http: share.plain_http,
        max_size: share.max_size.0,
        timeout: config.mosip.limits.data_share.timeout.unwrap_or(share.timeout).0,
    })
}

/// Says which certificates end soon, or did.
pub fn warn_of_certificates(options: &civitas_server::Options) {
    let now = clock::now();
    for purpose in [partner_keys::Purpose::Partner, partner_keys::Purpose::MosipSigning] {
        let purpose = purpose.as_str();
        let of = options.certificates.iter().filter(|watched| watched.purpose == purpose);
        let generations: Vec<_> = of.map(|watched| &watched.certificate).collect();
        let standings = standings(&generations, now, options.certificate_warning);
        for (certificate, _) in generations.iter().zip(standings).filter(|(_, stands)| stands.is_worrying()) {
            let (subject, ends) = (&certificate.subject, certificate.not_after);
            tracing::warn!(purpose, subject, %ends, "a certificate needs to be seen to; `civitas doctor` says how");
        }
    }
}

/// The certificates whose end is watched.
pub fn watched_certificates(config: &Config) -> anyhow::Result<Vec<civitas_server::WatchedCertificate>> {
    let mut named = partner_keys::partner_certificates(config)?;
    named.extend(partner_keys::signing_certificates(config)?);
    let watched = named.into_iter().map(|named| civitas_server::WatchedCertificate {
        purpose: named.purpose.as_str(),
        certificate: named.certificate,
    });
    Ok(watched.collect())
}

/// MOSIP's signing certificates.
pub fn proof_keys(config: &Config) -> anyhow::Result<ProofKeys> {
    let mut pems = Vec::new();
    for file in &config.mosip.signing_certificate_files {
        pems.push(secrets::text("mosip.signing_certificate_files", file)?);
    }
    ProofKeys::from_pem(pems.iter().map(|pem| pem.expose_secret().as_bytes()))
        .context("`mosip.signing_certificate_files` cannot be used")
}

/// Whose verifiable credentials are believed.
pub fn vc_trust(config: &Config) -> anyhow::Result<VcTrust> {
    let proof = &config.mosip.credential_proof;
    let Some(host) = &proof.host else { return Ok(VcTrust::nobody()) };
    let issuer = match &proof.context_file {
        None => VcIssuer::stock(host).context("`mosip.credential_proof.host` cannot be used")?,
        Some(file) => {
            let document = std::fs::read(file.as_path())
                .with_context(|| format!("`mosip.credential_proof.context_file`: {file:?} cannot be read"))?;
            let hash = hex::encode(openssl::sha::sha256(&document));
            tracing::info!(
                host,
                sha256 = hash,
                "credentials of this host are read by the configured context"
            );
            VcIssuer::with_context(host, &document)
                .with_context(|| format!("`mosip.credential_proof`: {file:?} cannot be used"))?
        }
    };
    let algorithms = proof.algorithms.iter().map(|algorithm| match algorithm {
        ProofAlgorithm::Ps256 => SignatureAlgorithm::Ps256,
        ProofAlgorithm::Rs256 => SignatureAlgorithm::Rs256,
    });
    Ok(VcTrust::new(vec![issuer], proof_keys(config)?).allowing(algorithms.collect()))
}

/// How to reach the broker; none without one.
pub fn kafka(config: &Config) -> anyhow::Result<Option<KafkaConfig>> {
    let kafka = &config.kafka;
    if !kafka.enabled {
        return Ok(None);
    }
    let mut made = KafkaConfig::new(kafka.brokers.join(","));
    for (name, value) in &kafka.properties {
        made = made.with_property(name, value);
    }
    for (name, file) in &kafka.property_files {
        made = made.with_property(name, secrets::text("kafka.property_files", file)?.expose_secret());
    }
    made.topics = Topics {
        events: kafka.topics.events.clone(),
        audit: kafka.topics.audit.clone(),
        awaiting: kafka.topics.awaiting.clone(),
        dead_letter: kafka.topics.dead_letter.clone(),
    };
    made.group_id.clone_from(&kafka.group);
    made.source.clone_from(&kafka.source);
    made.batch = Batch { max_messages: kafka.batch.as_usize(), ..Batch::default() };
    if !kafka.encryption.keys.is_empty() {
        let mut keys = Vec::new();
        for key in &kafka.encryption.keys {
            let private_key = secrets::text("kafka.encryption.keys", &key.private_key_file)?;
            keys.push(DecryptionKey { kid: key.kid.clone(), private_key });
        }
        made.payload_encryption = Some(PayloadEncryption { keys, required: kafka.encryption.required });
    }
    Ok(Some(made))
}

/// Names and time scales of the engine.
pub fn engine_options(config: &Config) -> anyhow::Result<Options> {
    let (dispatch, mosip) = (&config.dispatch, &config.mosip);
    let mut secrets_of_hub =
        vec![secrets::strong("mosip.websub.secret_file", &mosip.websub.secret_file, STRONG)?];
    if let Some(file) = &mosip.websub.previous_secret_file {
        secrets_of_hub.push(secrets::strong("mosip.websub.previous_secret_file", file, STRONG)?);
    }
    Ok(Options {
        instance: instance(config),
        center_id: mosip.center_id.0.clone(),
        machine_id: mosip.machine_id.0.clone(),
        route: route(config)?,
        officer: mosip.officer.clone(),
        subject_key: secrets::strong("database.subject_key_file", &config.database.subject_key_file, STRONG)?,
        keep_trigger_tokens: config.opencrvs.confirmation.mode == ConfirmationMode::TriggerToken,
        answer_kafka_events: config.kafka.answers,
        workers: dispatch.workers.as_usize(),
        lease: dispatch.lease.0,
        idle_poll: dispatch.idle_poll.0,
        backoff: Backoff { first: dispatch.backoff.first.0, ceiling: dispatch.backoff.ceiling.0 },
        polling: Polling {
            shortest: dispatch.polling.shortest.0,
            longest: dispatch.polling.longest.0,
            per_second: dispatch.polling.per_second.0,
        },
        unknown_wait: dispatch.unknown_wait.0,
        settle: config.opencrvs.confirmation.settle.0,
        default_deadline: dispatch.default_deadline.0,
        tracking_window: dispatch.tracking_window.0,
        stalled_check: dispatch.stalled_check.0,
        credential_grace: dispatch.credential_grace.0,
        credential_suffix: mosip.credential_request_suffix.clone(),
        id_repository: IdRepository {
            enabled: mosip.id_repository.enabled,
            packets_name: match mosip.id_repository.packets_name {
                config::PacketsName::AsRecorded => PacketsName::AsRecorded,
                config::PacketsName::Uin => PacketsName::Uin,
            },
        },
        parking: dispatch.parking.0,
        plain_shares: mosip.data_share.plain_content,
        subscriptions: Subscriptions {
            credentials: mosip.websub.credential_topic.clone(),
            completed: mosip.websub.completed_topic.clone(),
            callback: mosip.websub.callback_url.as_str().to_owned(),
            secrets: secrets_of_hub,
            renew_every: mosip.websub.renew_every.0,
            silent_after: mosip.websub.silent_after.0,
            replay_window: mosip.websub.replay_window.0,
        },
        records: records(&config.opencrvs.reconcile),
    })
}

/// How OpenCRVS is looked through.
fn records(reconcile: &config::Reconcile) -> Records {
    Records {
        enabled: reconcile.enabled,
        actions: reconcile.actions.iter().cloned().collect(),
        every: reconcile.every.0,
        grace: reconcile.grace.0,
        sweep_every: reconcile.in_hand.then_some(reconcile.in_hand_every.0),
        still_for: reconcile.in_hand_for.0,
        window: reconcile.in_hand_window.0,
        reads_per_minute: reconcile.reads_per_minute.0,
    }
}

/// The journal, brought up to date.
pub async fn migrated_journal(config: &Config) -> anyhow::Result<Journal> {
    let journal = open_journal(config).await?;
    journal.migrate().await.context("the journal's tables cannot be brought up to date")?;
    Ok(journal)
}

/// The engine over a journal that is up to date.
pub async fn engine(config: &Config, journal: Journal, pack: Pack) -> anyhow::Result<Engine> {
    let options = engine_options(config)?;
    let opencrvs = opencrvs(config, pack.country().opencrvs)?;
    let (mosip, keys) = (mosip(config)?, key_ring(config).await?);
    let (proof_keys, vc_trust) = (proof_keys(config)?, vc_trust(config)?);
    let seed = entropy::seed();
    let ports = Ports { journal, mosip, opencrvs, keys, proof_keys, vc_trust, clock: clock(), seed };
    Engine::new(ports, options, pack).await.context("the engine cannot start on this journal")
}

/// The clock that everything is given.
pub fn clock() -> Clock {
    Arc::new(clock::now)
}

/// What the HTTP server is told; the pack says which release of OpenCRVS calls.
pub fn server_options(config: &Config, release: OpencrvsVersion) -> anyhow::Result<civitas_server::Options> {
    let server = &config.server;
    let public = server
        .public_url
        .as_ref()
        .map_or_else(|| format!("http://{}", server.listen.0), |url| url.as_str().to_owned());
    let mut options = civitas_server::Options::new(public);
    options.max_event_size = server.max_event_size.0;
    options.max_callback_size = server.max_callback_size.0;
    options.instance = instance(config);
    options.certificates = watched_certificates(config)?;
    options.max_reindex_size = server.reindex.enabled.then_some(server.reindex.max_size.0);
    options.mosip_api = server.mosip_api.enabled.then(|| civitas_server::MosipApi {
        contract: match release {
            OpencrvsVersion::V1_9 => civitas_server::Contract::V1_9,
            OpencrvsVersion::V2_0 | OpencrvsVersion::V2_1 => civitas_server::Contract::V2,
        },
        client_app_url: server.mosip_api.client_app_url.as_ref().map(|url| url.as_str().to_owned()),
    });
    options.certificate_warning = config.mosip.certificate_warning.0;
    options.token_policy = match config.opencrvs.trigger_token {
        TriggerToken::Checked => civitas_server::TokenPolicy::Record,
        TriggerToken::Ignored => civitas_server::TokenPolicy::Open,
    };
    for operator in &server.operators {
        options.operators.push(civitas_server::Operator {
            name: operator.name.clone(),
            role: match operator.role {
                OperatorRole::Viewer => civitas_server::Role::Viewer,
                OperatorRole::Integrator => civitas_server::Role::Integrator,
                OperatorRole::Admin => civitas_server::Role::Admin,
            },
            token: secrets::strong("server.operators", &operator.token_file, STRONG)?,
        });
    }
    Ok(options)
}
