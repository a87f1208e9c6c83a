//! A key in a token does what a key in a file does, and what is wrong is named.

use civitas_mosip::{
    credential::{KeyRing, OpenError, open},
    keys::{KeyError, KeyName, KeyPair, TokenError, TokenName},
};

use super::*;

#[test]
fn a_key_in_a_token_opens_credentials_beside_one_in_a_file() {
    alone("tokens::keys::a_key_in_a_token_opens_credentials_beside_one_in_a_file", || {
        make_token("civitas");
        import("civitas", "partner-2026", "01ab");
        let pair = pair(address("civitas", "partner-2026"));
        pair.round_trip().unwrap();
        let recorded = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd";
        assert_eq!(pair.certificate().thumbprint, recorded);
        let mut ring = KeyRing::new();
        ring.insert(pair);
        let client = (
            include_bytes!("../vectors/ida/client-key.pem"),
            include_bytes!("../vectors/ida/client-cert.pem"),
        );
        ring.add(client.0, client.1).unwrap();
        opens(&ring);
        // Any byte of the wrapped key changed: not ours, and the token goes on working.
        let blob = crate::decoded(&sealed());
        for at in [38, 100, 293] {
            let mut altered = blob.clone();
            altered[at] ^= 1;
            assert_eq!(open(&ring, &crate::encoded(&altered)), Err(OpenError::Key), "byte {at}");
        }
        let mut beyond = blob.clone();
        beyond[38..294].fill(0xff);
        assert_eq!(open(&ring, &crate::encoded(&beyond)), Err(OpenError::Key), "no number of this RSA key");
        opens(&ring);
        // An older server leaves the thumbprint out: each key is tried.
        let mut unnamed = blob;
        unnamed.drain(6..38);
        assert!(open(&ring, &crate::encoded(&unnamed)).is_ok());
    });
}

#[test]
fn more_threads_than_sessions_take_turns() {
    alone("tokens::keys::more_threads_than_sessions_take_turns", || {
        make_token("civitas");
        import("civitas", "partner", "01");
        let mut ring = KeyRing::new();
        ring.insert(pair(address("civitas", "partner")));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10).for_each(|_| opens(&ring)));
            }
        });
    });
}

#[test]
fn several_generations_live_in_one_token() {
    alone("tokens::keys::several_generations_live_in_one_token", || {
        make_token("civitas");
        import("civitas", "old", "01");
        let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/ida/client-key.pem");
        util(&["--import", other, "--token", "civitas", "--label", "new", "--id", "02", "--pin", "1234"]);
        let certificate = include_bytes!("../vectors/ida/client-cert.pem");
        let (new, away) = KeyPair::from_token(address("civitas", "new"), certificate).unwrap();
        assert_eq!(away, None);
        new.round_trip().unwrap();
        let by_id = KeyName { label: None, id: Some(vec![1]) };
        let mut ring = KeyRing::new();
        ring.insert(new);
        ring.insert(pair(TokenAddress { key: by_id, ..address("civitas", "") }));
        opens(&ring);
    });
}

#[test]
fn what_is_wrong_with_a_token_is_named() {
    alone("tokens::keys::what_is_wrong_with_a_token_is_named", || {
        make_token("civitas");
        make_token("twin");
        make_token("twin");
        make_token("pinned");
        import("civitas", "partner", "01");
        import("civitas", "double", "02");
        import("civitas", "double", "03");
        let with = |change: &dyn Fn(&mut TokenAddress)| {
            let mut changed = address("civitas", "partner");
            change(&mut changed);
            changed
        };
        let error = refused(with(&|address| address.module = "/nonexistent/pkcs11.so".into()));
        assert!(
            matches!(&error, TokenError::Module { module, .. } if module == "/nonexistent/pkcs11.so"),
            "{error}"
        );
        let error = refused(with(&|address| address.module = KEY.into()));
        assert!(matches!(error, TokenError::Module { .. }), "{error}");
        let error = refused(with(&|address| address.token = TokenName::Label("twin".to_owned())));
        assert!(matches!(error, TokenError::Ambiguous { .. }), "{error}");
        let error = refused(with(&|address| address.key.label = Some("nobody".to_owned())));
        let TokenError::Key { present, .. } = &error else { panic!("{error}") };
        assert!(present.contains("`partner`") && present.contains("`double`"), "{error}");
        let error = refused(with(&|address| address.key.label = Some("double".to_owned())));
        assert!(matches!(error, TokenError::AmbiguousKey { .. }), "{error}");
        pair(with(&|address| address.key = KeyName { label: Some("double".to_owned()), id: Some(vec![3]) }));
        let other = include_bytes!("../vectors/ida/client-cert.pem");
        let error = KeyPair::from_token(address("civitas", "partner"), other).unwrap_err();
        assert!(matches!(error, KeyError::Pair { .. }), "{error}");
        // A token that is not there may come: taken, with the reason.
        let (_, away) = KeyPair::from_token(
            with(&|address| address.token = TokenName::Label("gone".to_owned())),
            CERTIFICATE,
        )
        .unwrap();
        let away = away.unwrap();
        assert!(
            matches!(&away, TokenError::Missing { present, .. } if present.contains("`civitas`")),
            "{away}"
        );
        assert!(away.may_pass() && away.to_string().contains("labelled `gone`"), "{away}");
        for error in [&away, &error_of_pin()] {
            assert!(!error.advice().is_empty() && !error.to_string().contains("1234"), "{error}");
        }
    });
}

/// A wrong PIN is an error at once, and says that it is not tried again.
fn error_of_pin() -> TokenError {
    let mut wrong = address("pinned", "partner");
    wrong.pin = "4321".into();
    let error = refused(wrong);
    assert!(matches!(error, TokenError::Pin { .. }), "{error}");
    error
}
