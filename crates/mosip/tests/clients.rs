//! The clients against a MOSIP that behaves as the real one does, traps included.

#[cfg(test)]
mod clients {
    mod auth;
    mod create_packet;
    mod credential_request;
    mod data_share;
    mod esignet;
    mod hub;
    mod id_repository;
    mod ida;
    mod limits;
    mod status;
    mod transport;
    mod trigger;
    mod upload;
}
#[cfg(test)]
mod interop;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tokens;

/// A credential's bytes, and its text.
#[cfg(test)]
fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[cfg(test)]
fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
