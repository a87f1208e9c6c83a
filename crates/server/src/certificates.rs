//! The certificates that the engine works by, and how long they last.

use civitas_mosip::keys::{Certificate, Standing, standings};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::App;

/// A certificate whose end is watched.
#[derive(Debug, Clone)]
pub struct WatchedCertificate {
    /// Whose it is: `partner` or `mosip_signing`.
    pub purpose: &'static str,
    /// The certificate.
    pub certificate: Certificate,
}

/// A certificate, and how it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CertificateView {
    /// `partner`: ours, to which credentials are sealed. `mosip_signing`: MOSIP's, by which it signs them.
    pub(crate) purpose: &'static str,
    /// Whom it names.
    pub(crate) subject: String,
    /// SHA-256 of its DER, hexadecimal.
    pub(crate) thumbprint: String,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) not_after: Timestamp,
    /// Whole days until then; negative once it is over.
    pub(crate) days_left: i64,
    /// `valid`, `ends_soon`, `ended`, `not_yet`, or `superseded`: over, or soon, and a later generation is there.
    pub(crate) standing: &'static str,
    #[serde(skip)]
    pub(crate) worrying: bool,
}

/// All of them, now.
pub(crate) fn views(app: &App) -> Vec<CertificateView> {
    let now = (app.clock)();
    let watched = &app.options.certificates;
    let view = |watched: &WatchedCertificate, standing: Standing| CertificateView {
        purpose: watched.purpose,
        subject: watched.certificate.subject.clone(),
        thumbprint: watched.certificate.thumbprint.clone(),
        not_after: watched.certificate.not_after,
        days_left: watched.certificate.days_left(now),
        standing: standing.as_str(),
        worrying: standing.is_worrying(),
    };
    let mut views = Vec::new();
    for purpose in ["partner", "mosip_signing"] {
        let generations: Vec<_> = watched.iter().filter(|watched| watched.purpose == purpose).collect();
        let certificates: Vec<_> = generations.iter().map(|watched| &watched.certificate).collect();
        let standings = standings(&certificates, now, app.options.certificate_warning);
        views.extend(
            generations.into_iter().zip(standings).map(|(watched, standing)| view(watched, standing)),
        );
    }
    views
}

/// Sets `civitas_certificate_expires_seconds`, negative once it is over. The thumbprint names a certificate, not a
/// person.
pub(crate) fn measure(app: &App) {
    let now = (app.clock)();
    for watched in &app.options.certificates {
        let certificate = &watched.certificate;
        let short: String = certificate.thumbprint.chars().take(16).collect();
        let gauge = metrics::gauge!(
            "civitas_certificate_expires_seconds", "purpose" => watched.purpose, "thumbprint" => short
        );
        #[expect(
            clippy::cast_precision_loss,
            reason = "a second more or less in three hundred thousand years"
        )]
        gauge.set(certificate.left(now).as_secs() as f64);
    }
}
