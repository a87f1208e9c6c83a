//! What every handler shares.

use std::sync::Arc;
use std::time::Duration;

use civitas_engine::Clock;
use civitas_opencrvs::TriggerTokens;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::certificates::WatchedCertificate;
use crate::compat::identity::Remembered;
use crate::compat::{Identification, MosipApi};
use crate::operators::{Operator, Operators};
use crate::port::{Desk, Intake};
use crate::trigger::TokenPolicy;

/// Limits and names.
#[derive(Debug, Clone)]
pub struct Options {
    /// Largest event document, in bytes.
    pub max_event_size: usize,
    /// Largest hub callback, in bytes.
    pub max_callback_size: usize,
    /// How strictly a trigger's bearer is checked.
    pub token_policy: TokenPolicy,
    /// Largest batch of the reindex feed, in bytes, where it is taken.
    pub max_reindex_size: Option<usize>,
    /// The surface of mosip-api, where it is served.
    pub mosip_api: Option<MosipApi>,
    /// Who may use the operator API.
    pub operators: Vec<Operator>,
    /// Address by which people reach the server, for links; without a slash at its end.
    pub public_url: String,
    /// Name of this process, shown on the pages.
    pub instance: String,
    /// Certificates whose end is watched.
    pub certificates: Vec<WatchedCertificate>,
    /// How long before its end one is worth a warning.
    pub certificate_warning: Duration,
}

impl Options {
    /// The shipped limits; nobody may use the operator API.
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            max_event_size: 4 * 1024 * 1024,
            max_callback_size: 8 * 1024 * 1024,
            token_policy: TokenPolicy::Record,
            max_reindex_size: None,
            mosip_api: None,
            operators: Vec::new(),
            public_url: public_url.into(),
            instance: "civitas".to_owned(),
            certificates: Vec::new(),
            certificate_warning: Duration::from_hours(45 * 24),
        }
    }
}

/// What the server works with.
pub struct Parts {
    /// Where events and deliveries go.
    pub intake: Arc<dyn Intake>,
    /// The queue and the records.
    pub desk: Arc<dyn Desk>,
    /// Verifies the bearer of a trigger.
    pub tokens: TriggerTokens,
    /// Time.
    pub clock: Clock,
    /// How people on a form are identified, on mosip-api's surface.
    pub identification: Identification,
    /// What `/metrics` shows; nothing without a recorder.
    pub metrics: Option<PrometheusHandle>,
    /// Told when the process is to stop.
    pub stop: CancellationToken,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) tokens: TriggerTokens,
    pub(crate) operators: Operators,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) identification: Identification,
    pub(crate) remembered: Remembered,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) stop: CancellationToken,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub(crate) fn new(parts: Parts, mut options: Options) -> Self {
        let operators = Operators::new(std::mem::take(&mut options.operators));
        let Parts { intake, desk, tokens, clock, identification, metrics, stop } = parts;
        let remembered = Remembered::new();
        Self(Arc::new(Inner {
            intake,
            desk,
            tokens,
            operators,
            options,
            clock,
            identification,
            remembered,
            metrics,
            stop,
        }))
    }
}
