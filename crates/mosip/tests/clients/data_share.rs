//! Credentials that are fetched: what is, and what is not.

use std::{net::IpAddr, sync::Arc, time::Duration};

use civitas_mosip::{
    Class, Endpoints, Limits, Mosip, Service,
    data_share::{AddressGuard, DataSharePolicy, Lookup, ShareError, ShareRefusal},
};
use serde_json::json;

use crate::stub::{Answer, Asked, Stub, credentials, http, now};

const CONTENT: &str = "VkVSX1Iy-and-so-on";
const PATH: &str = "/v1/datashare/get/p/s/k";

/// Hosts of the stub, over http, on this machine.
fn policy(stub: &Stub) -> DataSharePolicy {
    DataSharePolicy {
        hosts: vec![stub.address.trim_start_matches("http://").parse().unwrap()],
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        plain_http: true,
        ..DataSharePolicy::nothing()
    }
}

/// A client that looks names up like this.
#[expect(clippy::disallowed_methods, reason = "this is where these tests build theirs")]
fn guarded(policy: &DataSharePolicy, lookup: Option<Lookup>) -> reqwest::Client {
    let networks = policy.networks.clone();
    let guard = match lookup {
        Some(lookup) => AddressGuard::with_lookup(networks, lookup),
        None => AddressGuard::new(networks),
    };
    let client = reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(guard));
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn client(stub: &Stub, policy: DataSharePolicy, lookup: Option<Lookup>) -> Mosip {
    let endpoints = Endpoints::behind(&stub.address);
    Mosip::new(http(), endpoints, credentials("c"), &Limits::default())
        .with_partner(credentials("crvs_partner"))
        .with_data_share(guarded(&policy, lookup), policy)
}

async fn fetch(stub: &Stub) -> Result<Vec<u8>, ShareError> {
    fetch_as(stub, policy(stub), &format!("{}{PATH}", stub.address)).await
}

async fn fetch_as(stub: &Stub, policy: DataSharePolicy, address: &str) -> Result<Vec<u8>, ShareError> {
    client(stub, policy, None).fetch_share(address, now()).await.map(|bytes| bytes.to_vec())
}

fn shared(asked: &Asked) -> Answer {
    assert_eq!(asked.method, "GET");
    Answer::text(200, CONTENT)
}

/// Names that lead to these addresses, one look-up after the other; the last one stays.
fn leading_to(answers: &'static [&'static [&'static str]]) -> Lookup {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Arc::new(move |_| {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(answers.len() - 1);
        let found: Vec<IpAddr> = answers[at].iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(std::future::ready(Ok(found)))
    })
}

#[tokio::test]
async fn a_share_is_fetched_with_the_partners_token_and_its_bytes_are_as_they_are() {
    let stub = Stub::start(shared).await;
    assert_eq!(fetch(&stub).await.unwrap(), CONTENT.as_bytes());
    let [asked] = stub.asked(PATH).try_into().unwrap();
    assert_eq!(asked.cookie(), "Authorization=token-1");
    let clients: Vec<_> = stub.asked("/clientidsecretkey").iter().map(Asked::json).collect();
    assert_eq!(clients[0]["request"]["clientId"], "crvs_partner");
}

#[tokio::test]
async fn a_foreign_host_is_not_asked() {
    let stub = Stub::start(shared).await;
    let foreign = Stub::start(shared).await;
    let error = fetch_as(&stub, policy(&stub), &format!("{}{PATH}", foreign.address)).await.unwrap_err();
    assert!(matches!(&error, ShareError::Refused(ShareRefusal::Host { .. })), "{error}");
    assert!(!error.to_string().contains(PATH), "the path is as good as a password: {error}");
    assert!(foreign.asked("").is_empty() && stub.asked("").is_empty(), "not even for a token");
}

#[tokio::test]
async fn plain_http_has_to_be_allowed() {
    let stub = Stub::start(shared).await;
    let strict = DataSharePolicy { plain_http: false, ..policy(&stub) };
    let error = fetch_as(&stub, strict, &format!("{}{PATH}", stub.address)).await.unwrap_err();
    assert!(matches!(error, ShareError::Refused(ShareRefusal::Scheme { .. })), "{error}");
    assert!(stub.asked("").is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Stub::start(shared).await;
    let location = format!("{}{PATH}", target.address);
    let stub = Stub::start(move |_| Answer::text(302, "").with("location", &location)).await;
    let error = fetch(&stub).await.unwrap_err();
    assert_eq!(error, ShareError::Refused(ShareRefusal::Redirect { status: 302 }));
    assert!(target.asked("").is_empty());
}

#[tokio::test]
async fn an_address_inside_is_refused_when_its_network_is_not_listed() {
    let stub = Stub::start(shared).await;
    let strict = DataSharePolicy { networks: Vec::new(), ..policy(&stub) };
    let error = fetch_as(&stub, strict, &format!("{}{PATH}", stub.address)).await.unwrap_err();
    assert!(matches!(error, ShareError::Refused(ShareRefusal::Address { .. })), "{error}");
    assert!(stub.asked("").is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_connecting() {
    let stub = Stub::start(shared).await;
    let port = stub.address.rsplit(':').next().unwrap().to_owned();
    let named = |networks: &[&str]| DataSharePolicy {
        hosts: vec![format!("datashare.mosip.example:{port}").parse().unwrap()],
        networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        plain_http: true,
        ..DataSharePolicy::nothing()
    };
    let address = format!("http://datashare.mosip.example:{port}{PATH}");
    let inside: [&'static [&'static [&'static str]]; 4] = [
        &[&["127.0.0.1"]],
        &[&["10.0.0.7"]],
        &[&["169.254.169.254"]],
        // Partly public: a trick all the same.
        &[&["93.184.215.14", "127.0.0.1"]],
    ];
    for answers in inside {
        let client = client(&stub, named(&[]), Some(leading_to(answers)));
        let error = client.fetch_share(&address, now()).await.unwrap_err();
        assert!(matches!(error, ShareError::Refused(ShareRefusal::Address { .. })), "{answers:?}: {error}");
    }
    assert!(stub.asked(PATH).is_empty());
    // The same name, where its network is listed.
    let client = client(&stub, named(&["127.0.0.0/8"]), Some(leading_to(&[&["127.0.0.1"]])));
    assert_eq!(client.fetch_share(&address, now()).await.unwrap().as_slice(), CONTENT.as_bytes());
}

#[tokio::test]
async fn a_name_that_is_turned_between_two_look_ups_gains_nothing() {
    let stub = Stub::start(|_| Answer::text(200, CONTENT).with("connection", "close")).await;
    let port = stub.address.rsplit(':').next().unwrap().to_owned();
    let policy = DataSharePolicy {
        hosts: vec![format!("datashare.mosip.example:{port}").parse().unwrap()],
        networks: vec!["127.0.0.1/32".parse().unwrap()],
        plain_http: true,
        ..DataSharePolicy::nothing()
    };
    let address = format!("http://datashare.mosip.example:{port}{PATH}");
    let client = client(&stub, policy, Some(leading_to(&[&["127.0.0.1"], &["127.0.0.2"]])));
    client.fetch_share(&address, now()).await.unwrap();
    let error = client.fetch_share(&address, now()).await.unwrap_err();
    assert!(matches!(error, ShareError::Refused(ShareRefusal::Address { .. })), "{error}");
}

#[tokio::test]
async fn what_is_too_large_is_not_read_to_its_end() {
    let stub = Stub::start(|_| Answer::text(200, &"x".repeat(3000))).await;
    for (limit, fits) in [(3000, true), (2999, false), (1, false)] {
        let small = DataSharePolicy { max_size: limit, ..policy(&stub) };
        let fetched = fetch_as(&stub, small, &format!("{}{PATH}", stub.address)).await;
        match fetched {
            Ok(bytes) => assert!(fits && bytes.len() == 3000),
            Err(error) => {
                assert_eq!(error, ShareError::Refused(ShareRefusal::TooLarge { limit }));
                assert!(!fits);
            }
        }
    }
}

#[tokio::test]
async fn one_that_is_too_slow_is_tried_again_later() {
    let stub = Stub::start(|_| Answer::never()).await;
    let hasty = DataSharePolicy { timeout: Duration::from_millis(200), ..policy(&stub) };
    let error = fetch_as(&stub, hasty, &format!("{}{PATH}", stub.address)).await.unwrap_err();
    let ShareError::Call(error) = error else { panic!("{error}") };
    assert_eq!((error.service, error.class), (Service::DataShare, Class::Transient));
    assert_eq!(error.code.as_deref(), Some("time-out"));
}

#[tokio::test]
async fn a_share_that_is_used_up_says_so_under_200_and_by_status() {
    let told = |code: &'static str| {
        Stub::start(move |_| {
            Answer::json(
                &json!({ "id": "mosip.data.share", "dataShare": null, "errors": [{ "errorCode": code, "message": "x" }] }),
            )
        })
    };
    for code in ["DAT-SER-006", "DAT-SER-008"] {
        assert_eq!(fetch(&told(code).await).await, Err(ShareError::Gone { code: code.to_owned() }));
    }
    for status in [404, 410] {
        let stub = Stub::start(move |_| Answer::text(status, "")).await;
        assert_eq!(fetch(&stub).await, Err(ShareError::Gone { code: format!("http-{status}") }));
    }
    // Another error of the service is no verdict about the share.
    let ShareError::Call(error) = fetch(&told("DAT-SER-003").await).await.unwrap_err() else { panic!() };
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("DAT-SER-003")));
}

#[tokio::test]
async fn a_failing_service_is_tried_again_and_a_document_in_clear_is_a_share() {
    let stub = Stub::start(|_| Answer::text(503, "").with("retry-after", "17")).await;
    let ShareError::Call(error) = fetch(&stub).await.unwrap_err() else { panic!() };
    assert_eq!((error.class, error.retry_after), (Class::Transient, Some(Duration::from_secs(17))));
    let stub = Stub::start(|_| Answer::text(200, "  \n")).await;
    assert!(matches!(fetch(&stub).await, Err(ShareError::Call(_))), "nothing is no share");
    let document = json!({ "credentialSubject": { "id": "x" }, "errors": [{ "errorCode": "DAT-SER-006" }] });
    let body = document.to_string();
    let stub = Stub::start(move |_| Answer::json(&document)).await;
    assert_eq!(fetch(&stub).await.unwrap(), body.into_bytes());
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_renewed_once() {
    let stub = Stub::start(|asked| match asked.cookie() {
        "Authorization=token-1" => Answer::text(401, ""),
        _ => Answer::text(200, CONTENT),
    })
    .await;
    assert_eq!(fetch(&stub).await.unwrap(), CONTENT.as_bytes());
    let stub = Stub::start(|_| Answer::text(403, "")).await;
    let ShareError::Call(error) = fetch(&stub).await.unwrap_err() else { panic!() };
    assert_eq!(error.class, Class::Unauthorised);
    assert_eq!(stub.asked(PATH).len(), 2);
}

#[tokio::test]
async fn without_a_host_nothing_is_fetched() {
    let stub = Stub::start(shared).await;
    let address = format!("{}{PATH}", stub.address);
    let error = fetch_as(&stub, DataSharePolicy::nothing(), &address).await.unwrap_err();
    assert!(matches!(error, ShareError::Refused(_)), "{error}");
    let ShareError::Call(error) = stub.mosip().fetch_share(&address, now()).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(error.code.as_deref(), Some("data-share-unset"));
}
