//! Logs to standard error, traces to a collector, metrics for `/metrics`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{LogFormat, Telemetry};

/// Keeps telemetry going; what is buffered is sent when it is dropped.
#[derive(Debug)]
#[must_use = "traces end when this is dropped"]
pub struct Guard(Option<SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            eprintln!("the last traces could not be sent: {error}");
        }
    }
}

/// Starts logs and traces. Call it before the asynchronous runtime: the exporter's client is a blocking one.
pub fn start(telemetry: &Telemetry, instance: &str) -> anyhow::Result<Guard> {
    let filter = EnvFilter::try_new(&telemetry.level)
        .with_context(|| format!("`telemetry.level` cannot be read: {}", telemetry.level))?;
    let colours = std::io::stderr().is_terminal();
    started(telemetry, instance, filter, std::io::stderr, colours)
}

/// The same with log lines appended to a file, for a command that needs the terminal for itself.
pub fn to_file(telemetry: &Telemetry, instance: &str, file: &Path) -> anyhow::Result<Guard> {
    let filter = EnvFilter::try_new(&telemetry.level)
        .with_context(|| format!("`telemetry.level` cannot be read: {}", telemetry.level))?;
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    started(telemetry, instance, filter, Arc::new(log), false)
}

fn started<W>(
    telemetry: &Telemetry,
    instance: &str,
    filter: EnvFilter,
    writer: W,
    colours: bool,
) -> anyhow::Result<Guard>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = match telemetry.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Pretty => lines.with_target(false).compact().boxed(),
    };
    let provider = telemetry.otlp_endpoint.as_ref().map(|endpoint| {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.join("/v1/traces"))
            .build()
            .context("the exporter of `telemetry.otlp_endpoint` cannot be made")?;
        let resource = Resource::builder()
            .with_service_name("civitas")
            .with_attribute(opentelemetry::KeyValue::new("service.instance.id", instance.to_owned()))
            .build();
        anyhow::Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
    });
    let provider = provider.transpose()?;
    let spans = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("civitas")));
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(spans)
        .try_init()
        .context("logging was started twice")?;
    Ok(Guard(provider))
}
