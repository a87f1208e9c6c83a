//! The clients against a MOSIP that behaves as the real one does, traps included.

#[cfg(test)]
mod clients {
    mod auth;
    mod create_packet;
    mod credential_request;
    mod hub;
    mod id_repository;
    mod limits;
    mod status;
    mod transport;
    mod trigger;
}
#[cfg(test)]
mod stub;
