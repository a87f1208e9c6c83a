//! What stands before several engines in a deployment: connections go to one that answers.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A balancer. Dropping it closes its port.
pub struct Balancer {
    /// `http://…`
    pub url: String,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Forwards each connection to the first of `behind` that takes it, beginning with another one each time.
    pub async fn start(behind: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let behind: Arc<[SocketAddr]> = behind.into();
        let task = tokio::spawn(async move {
            let mut turn = 0;
            while let Ok((mut caller, _)) = listener.accept().await {
                turn += 1;
                let behind = Arc::clone(&behind);
                tokio::spawn(async move {
                    for place in 0..behind.len() {
                        let address = behind[(turn + place) % behind.len()];
                        if let Ok(mut engine) = TcpStream::connect(address).await {
                            // A connection that breaks is the caller's to notice.
                            let _ = copy_bidirectional(&mut caller, &mut engine).await;
                            return;
                        }
                    }
                });
            }
        });
        Balancer { url, task }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
