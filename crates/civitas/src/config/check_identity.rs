//! ID authentication and e-Signet: what each needs once it has an address.

use civitas_mosip::esignet::ESignetEndpoints;
use civitas_mosip::ida::AuthClass;

use super::check::Found;
use super::check_keys::partner_key;
use super::{BaseUrl, Config};

/// Everything that is wrong.
pub(super) fn check(config: &Config, found: &mut Found<'_>) {
    id_authentication(config, found);
    esignet(config, found);
}

fn id_authentication(config: &Config, found: &mut Found<'_>) {
    let ida = &config.mosip.id_authentication;
    for (number, key) in (1..).zip(&ida.signing_keys) {
        partner_key("mosip.id_authentication.signing_keys", number, key, found);
    }
    for (code, class) in &ida.codes {
        if let Err(why) = class.parse::<AuthClass>() {
            found.add("mosip.id_authentication.codes", format!("`{code}`: {why}"), "write one of them");
        }
    }
    for length in ida.id_types.keys().filter(|length| length.parse::<usize>().is_err()) {
        found.add(
            "mosip.id_authentication.id_types",
            format!("`{length}` is not the length of a number"),
            "write as \"10\": UIN",
        );
    }
    if ida.language.len() != 3 || !ida.language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        found.add(
            "mosip.id_authentication.language",
            format!("`{}` is not a language of three letters", ida.language),
            "write it as MOSIP does: eng, fra, ara",
        );
    }
    if ida.url.is_none() {
        return;
    }
    if ida.attributes.is_empty() {
        found.add(
            "mosip.id_authentication.attributes",
            "`mosip.id_authentication.attributes` is empty: nothing would be compared",
            "name at least one of name, dob, gender",
        );
    }
    let needed = [
        ("partner_id", ida.partner_id.is_some()),
        ("license_key_file", ida.license_key_file.is_some()),
        ("api_key_file", ida.api_key_file.is_some()),
        ("signing_keys", !ida.signing_keys.is_empty()),
        ("certificate_files", !ida.certificate_files.is_empty()),
    ];
    lacking("mosip.id_authentication", &needed, found);
}

fn esignet(config: &Config, found: &mut Found<'_>) {
    let esignet = &config.mosip.esignet;
    for (number, key) in (1..).zip(&esignet.keys) {
        partner_key("mosip.esignet.keys", number, key, found);
    }
    let Some(url) = &esignet.url else { return };
    let needed =
        [("client_id", esignet.client_id.is_some()), ("client_key_file", esignet.client_key_file.is_some())];
    lacking("mosip.esignet", &needed, found);
    let text = |url: &Option<BaseUrl>| url.as_ref().map(|url| url.as_str().to_owned());
    let (userinfo, keys) = (text(&esignet.userinfo_url), text(&esignet.keys_url));
    let of =
        ESignetEndpoints::of(url.as_str(), userinfo.as_deref(), keys.as_deref(), esignet.issuer.as_deref());
    if of.is_none() {
        found.add(
            "mosip.esignet.url",
            "`mosip.esignet.url` does not end in /oauth/token or /oauth/v2/token, so that it does not tell the others",
            "set `userinfo_url`, `keys_url` and `issuer` too",
        );
    }
    let pages = !esignet.redirect_uris.is_empty() || config.server.mosip_api.client_app_url.is_some();
    if config.server.mosip_api.enabled && !pages {
        found.add(
            "mosip.esignet.redirect_uris",
            "nothing says to which pages e-Signet may send people back",
            "set `server.mosip_api.client_app_url` to the address of OpenCRVS's client, or list the patterns here",
        );
    }
}

fn lacking(section: &str, needed: &[(&str, bool)], found: &mut Found<'_>) {
    for (key, _) in needed.iter().filter(|(_, set)| !set) {
        let path = format!("{section}.{key}");
        found.add(
            &path,
            format!("`{path}` is not set, and `{section}.url` is"),
            "set it, or leave `url` out where it is not used",
        );
    }
}
