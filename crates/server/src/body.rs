//! Reading a request's body up to a limit, in a way that lets the sender read our answer.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use futures::Stream;

/// Bytes past the limit that are still taken from the wire and dropped. Answering while the sender is writing
/// would reset the connection, and the sender would see a network error in place of the answer.
const DISCARDED: usize = 256 * 1024 * 1024;

/// Longest wait for the next part of a body.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than the limit.
    TooLarge,
    /// The sender stopped, or the connection broke.
    Broken,
}

/// The whole body, at most `limit` bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut stream = pin!(body.into_data_stream());
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    loop {
        let next = poll_fn(|context| stream.as_mut().poll_next(context));
        let part = match tokio::time::timeout(PATIENCE, next).await {
            Ok(Some(Ok(part))) => part,
            Ok(None) if seen > limit => return Err(BodyError::TooLarge),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) | Err(_) => {
                return Err(if seen > limit { BodyError::TooLarge } else { BodyError::Broken });
            }
        };
        seen = seen.saturating_add(part.len());
        if seen <= limit {
            bytes.extend_from_slice(&part);
        } else {
            bytes = Vec::new();
            if seen > limit.saturating_add(DISCARDED) {
                return Err(BodyError::TooLarge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
        assert_eq!(read(Body::from(vec![7; 10]), 10).await, Ok(vec![7; 10]));
        assert_eq!(read(Body::from(vec![7; 11]), 10).await, Err(BodyError::TooLarge));
        assert_eq!(read(Body::empty(), 10).await, Ok(Vec::new()));
    }
}
