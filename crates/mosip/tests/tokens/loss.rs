//! A token that goes away and comes back.

use civitas_mosip::credential::{KeyRing, OpenError, open};
use cryptoki::context::Pkcs11;

use super::*;

/// What a restart of the token's service does to us: every session and login of this process is gone.
fn lose_everything() {
    Pkcs11::new(softhsm()).unwrap().finalize().unwrap();
}

#[test]
fn sessions_that_were_lost_are_opened_anew() {
    alone("tokens::loss::sessions_that_were_lost_are_opened_anew", || {
        make_token("civitas");
        import("civitas", "partner", "01");
        let mut ring = KeyRing::new();
        ring.insert(pair(address("civitas", "partner")));
        for _ in 0..3 {
            opens(&ring);
            lose_everything();
        }
        opens(&ring);
    });
}

#[test]
fn a_token_that_is_away_says_so_and_works_again_when_it_is_back() {
    alone("tokens::loss::a_token_that_is_away_says_so_and_works_again_when_it_is_back", || {
        make_token("civitas");
        import("civitas", "partner", "01");
        let mut ring = KeyRing::new();
        ring.insert(pair(address("civitas", "partner")));
        opens(&ring);
        util(&["--delete-token", "--token", "civitas"]);
        lose_everything();
        let error = open(&ring, &sealed()).unwrap_err();
        let OpenError::Token(why) = &error else { panic!("{error}") };
        assert!(why.may_pass(), "{why}");
        // Back, in another slot as it happens.
        make_token("another");
        make_token("civitas");
        import("civitas", "partner", "01");
        lose_everything();
        opens(&ring);
    });
}

#[test]
fn a_token_that_was_away_at_the_start_is_found_later() {
    alone("tokens::loss::a_token_that_was_away_at_the_start_is_found_later", || {
        let (late, away) = KeyPair::from_token(address("civitas", "partner"), CERTIFICATE).unwrap();
        assert!(matches!(away, Some(TokenError::Missing { .. })), "{away:?}");
        let mut ring = KeyRing::new();
        ring.insert(late);
        assert!(matches!(open(&ring, &sealed()), Err(OpenError::Token(_))));
        make_token("civitas");
        import("civitas", "partner", "01");
        lose_everything();
        opens(&ring);
    });
}

#[test]
fn a_pin_that_is_refused_is_not_tried_again() {
    alone("tokens::loss::a_pin_that_is_refused_is_not_tried_again", || {
        let mut wrong = address("civitas", "partner");
        wrong.pin = "4321".into();
        let (late, away) = KeyPair::from_token(wrong, CERTIFICATE).unwrap();
        assert!(away.is_some(), "there is no token yet");
        let mut ring = KeyRing::new();
        ring.insert(late);
        make_token("civitas");
        import("civitas", "partner", "01");
        lose_everything();
        let pin = |error: OpenError| matches!(error, OpenError::Token(TokenError::Pin { .. }));
        assert!(pin(open(&ring, &sealed()).unwrap_err()));
        // The PIN becomes right, but nobody tries: tokens lock themselves after a few.
        util(&["--delete-token", "--token", "civitas"]);
        util(&["--init-token", "--free", "--label", "civitas", "--so-pin", "5678", "--pin", "4321"]);
        util(&["--import", KEY, "--token", "civitas", "--label", "partner", "--id", "01", "--pin", "4321"]);
        lose_everything();
        assert!(pin(open(&ring, &sealed()).unwrap_err()));
    });
}
