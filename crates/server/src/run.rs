//! Listening, and stopping in order.

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stop`; then takes no new request and gives open ones `drain` to end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let asked = stop.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { asked.cancelled().await });
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        ended = server => ended,
        () = overdue => {
            tracing::warn!("open requests did not end in time; they are cut off");
            Ok(())
        }
    }
}
