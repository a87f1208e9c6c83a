//! One listening server and its end.

use super::hangup::{CuttableListener, Hangup};
use axum::Router;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running server.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
}

/// Binds and serves until the token is cancelled; open requests are finished.
pub(crate) async fn serve(addr: SocketAddr, app: Router, stop: CancellationToken) -> io::Result<Served> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        let app = app.into_make_service_with_connect_info::<Hangup>();
        let served =
            axum::serve(CuttableListener(listener), app).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::warn!(%error, "sandbox server ended");
        }
    });
    Ok(Served { addr })
}
