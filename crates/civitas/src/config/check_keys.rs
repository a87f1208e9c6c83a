//! Partner keys and data shares: what each entry needs, and what contradicts itself.

use civitas_mosip::data_share::{Network, ShareHost};

use super::Config;
use super::check::Found;
use super::sections::{PartnerKey, TokenKey};

/// Everything that is wrong.
pub(super) fn check(config: &Config, found: &mut Found<'_>) {
    for (number, key) in (1..).zip(&config.mosip.partner.keys) {
        partner_key("mosip.partner.keys", number, key, found);
    }
    let share = &config.mosip.data_share;
    for host in &share.hosts {
        if let Err(error) = host.parse::<ShareHost>() {
            found.add("mosip.data_share.hosts", error.to_string(), "write it as datashare.mosip.example");
        }
    }
    for network in &share.networks {
        if let Err(error) = network.parse::<Network>() {
            found.add(
                "mosip.data_share.networks",
                error.to_string(),
                "write address and length of the network",
            );
        }
    }
    if share.timeout.0.is_zero() {
        found.add("mosip.data_share.timeout", "`mosip.data_share.timeout` is zero", "give it some seconds");
    }
}

/// One entry of a list of keys.
pub(super) fn partner_key(path: &str, number: usize, key: &PartnerKey, found: &mut Found<'_>) {
    let mut wrong = |message: &str, help: &str| {
        found.add(path, format!("entry {number} of `{path}` {message}"), help);
    };
    let kinds = [key.key_file.is_some(), key.pkcs12_file.is_some(), key.pkcs11.is_some()];
    match kinds.iter().filter(|given| **given).count() {
        1 => {}
        0 => wrong("names no private key", "name one: `key_file`, `pkcs12_file` or `pkcs11`"),
        _ => wrong("names more than one private key", "give each key an entry of its own"),
    }
    if key.certificate_file.is_none() && key.pkcs12_file.is_none() {
        wrong("names no certificate", "name the certificate that MOSIP has of it: `certificate_file`");
    }
    if let Some(token) = &key.pkcs11 {
        if key.password_file.is_some() {
            wrong("has a password, which a token has not", "name its PIN in `pkcs11`: `pin_file`");
        }
        token_key(token, &mut wrong);
    }
}

fn token_key(token: &TokenKey, wrong: &mut impl FnMut(&str, &str)) {
    let names = [token.token.is_some(), token.serial.is_some(), token.slot.is_some()];
    if names.iter().filter(|given| **given).count() != 1 {
        wrong("does not name its token", "name it by one of `token` (its label), `serial` and `slot`");
    }
    if token.key.is_none() && token.key_id.is_none() {
        wrong("does not name its key in the token", "name it by `key` (its label) or `key_id`");
    }
    if token.key_id.as_deref().is_some_and(|id| hex::decode(id).is_err() || id.is_empty()) {
        wrong("has a `key_id` that is not hexadecimal", "write it as pkcs11-tool shows it: 01ab");
    }
}
