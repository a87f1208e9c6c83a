//! The rule set: swapped whole, archived, and good enough to decide the same again.

use std::collections::{BTreeMap, BTreeSet};

use civitas_journal::{civil_events, rule_sets};
use civitas_opencrvs::{EventDocument, Version};
use civitas_rules::{Facts, Pack};
use civitas_tests::stack::{Stack, VIEWER, VIEWER_TOKEN, pack, pack_files};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::support::*;

/// The shipped pack without its rule on birth registrations.
fn without_births() -> Pack {
    let mut files = pack_files("farajaland");
    let rules = files.0.get_mut("rules.yaml").unwrap();
    *rules = rules.replacen("do: create_uin\n", "do: create_uin\n    mode: evaluate\n", 1);
    Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Decides every civil event again from the archive; the digests that were met.
async fn decide_again(stack: &Stack) -> BTreeSet<(String, String)> {
    let mut reader = stack.journal.read().await.unwrap();
    let mut met = BTreeSet::new();
    for stored in civil_events::page(&mut reader, 0, 10_000).await.unwrap() {
        let event = stored.event;
        let archived = rule_sets::get(&mut reader, &event.ruleset).await.unwrap().expect("archived");
        let pack = Pack::from_canonical(&archived.canonical).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(pack.digest(), event.ruleset);
        let document = EventDocument::parse(event.document.as_bytes()).unwrap();
        let states = document.prospective(event.key.action_id, Version::V2_0).unwrap();
        let facts = Facts {
            event: &event.event_type,
            action: &event.action_type,
            custom_action: event.custom_action.as_deref(),
            before: &states.before,
            after: &states.after,
            at: event.action_at,
        };
        let again = pack.explain(&facts);
        assert_eq!(again.sentence("en"), event.sentence);
        assert_eq!(again.decision().rule, event.rule);
        met.insert((event.ruleset, event.effect));
    }
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_is_whole_of_one_rule_set_while_packs_are_swapped_under_load() {
    let stack = Stack::with(silent()).await;
    let digests = [pack("farajaland").digest().to_owned(), without_births().digest().to_owned()];
    assert_ne!(digests[0], digests[1]);
    let triggers = async {
        let mut statuses = BTreeSet::new();
        for round in 0..12 {
            let documents: Vec<_> =
                (1..=8).map(|number| another("birth-register", round * 8 + number)).collect();
            let replies =
                futures::future::join_all(documents.iter().map(|document| trigger(&stack, document)));
            statuses.extend(replies.await.into_iter().map(|reply| reply.status));
        }
        statuses
    };
    let swaps = async {
        for round in 0.. {
            let next = if round % 2 == 0 { without_births() } else { pack("farajaland") };
            stack.engine.swap_pack(next).await.unwrap();
        }
    };
    let statuses = tokio::select! {
        statuses = triggers => statuses,
        () = swaps => unreachable!("swaps go on"),
    };
    assert!(statuses.is_subset(&BTreeSet::from([200, 202])), "{statuses:?}");
    let expected = BTreeSet::from([
        (digests[0].clone(), "create_uin".to_owned()),
        (digests[1].clone(), "none".to_owned()),
    ]);
    let met = decide_again(&stack).await;
    assert!(met.is_subset(&expected), "{met:?}");
    assert!(witnessed(&stack, "\"kind\":\"ruleset\"").await, "a swap is witnessed");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_of_a_day_can_be_taken_again_from_the_archive() {
    let stack = Stack::start().await;
    for name in ["birth-register", "death-register"] {
        assert!(matches!(trigger(&stack, &sample(name)).await.status, 200 | 202));
    }
    assert_eq!(trigger(&stack, &another("death-eligible", 40)).await.status, 200);
    assert!(matches!(trigger(&stack, &sample("birth-approve-correction")).await.status, 200));
    for (number, form) in [ineligible(), eligible()].into_iter().enumerate() {
        let mut document = another("birth-register", 50 + number as u128);
        document.actions[1].declaration = form;
        trigger(&stack, &document).await;
    }
    let effects: BTreeSet<_> = decide_again(&stack).await.into_iter().map(|(_, effect)| effect).collect();
    let expected = ["create_uin", "flag_deceased", "none", "update_biographics"].map(str::to_owned);
    assert_eq!(effects, BTreeSet::from(expected));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_begun_under_one_rule_set_is_finished_under_it() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let outage = civitas_sandbox::RouteFaults {
        outage: civitas_sandbox::Outage::Unavailable,
        ..civitas_sandbox::RouteFaults::default()
    };
    fault(&stack, "mosip.packetmanager", outage);
    let case = birth(&stack).await;
    troubled(&stack, case).await;
    stack.engine.swap_pack(without_births()).await.unwrap();
    mend(&stack);
    closed_with_vid(&stack, case).await;
    assert_eq!(action(&stack, case).await.ruleset, pack("farajaland").digest());
    stack.stop().await;
}

/// Packs that differ in every part of a decision: the rule, its words, the packet and the registration number. Part of
/// one and part of another would show.
fn marked(mark: &str) -> Pack {
    let mut files = pack_files("farajaland");
    let mut edit = |file: &str, from: &str, to: String| {
        let text = files.0.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replacen(from, &to, 1);
    };
    edit("rules.yaml", "en: UIN requested at birth", format!("en: Asked for by {mark}"));
    edit("packets.yaml", "process: CRVS_NEW", format!("process: CRVS_NEW_{}", mark.to_uppercase()));
    edit("country.yaml", "B{", format!("{}{{", mark.to_uppercase()));
    for text in files.0.values_mut() {
        *text = text.replace("birth-uin-on-registration", &format!("birth-{mark}"));
    }
    Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_decided_under_half_a_rule_set_in_ten_thousand_randomised_swaps() {
    const SWAPS: usize = 10_000;
    const AT_A_TIME: usize = 100;
    let marks = ["kiwi", "lime", "plum", "pear"];
    let packs: Vec<Pack> = marks.iter().map(|mark| marked(mark)).collect();
    let expected: BTreeMap<String, &str> =
        packs.iter().zip(marks).map(|(pack, mark)| (pack.digest().to_owned(), mark)).collect();
    assert_eq!(expected.len(), marks.len());
    let stack = Stack::without_work(silent()).await;
    stack.engine.swap_pack(packs[0].clone()).await.unwrap();
    let swapping = std::sync::atomic::AtomicBool::new(true);
    let swaps = async {
        let mut random = StdRng::seed_from_u64(7);
        // Many at a time, so that they share flushes of the journal; which comes when is up to the scheduler.
        for _ in 0..SWAPS / AT_A_TIME {
            let mut some = tokio::task::JoinSet::new();
            for _ in 0..AT_A_TIME {
                let (engine, next) =
                    (stack.engine.clone(), packs[random.random_range(0..packs.len())].clone());
                some.spawn(async move { engine.swap_pack(next).await });
            }
            assert!(some.join_all().await.iter().all(Result::is_ok));
        }
        swapping.store(false, std::sync::atomic::Ordering::Relaxed);
    };
    let events = async {
        let mut number = 0;
        // Batches and single triggers, as Kafka and OpenCRVS bring them, for as long as packs are swapped.
        while swapping.load(std::sync::atomic::Ordering::Relaxed) {
            let mut next = || {
                number += 1;
                let mut arrival = arrival(&another("birth-register", number));
                arrival.origin = civitas_engine::Origin::Trigger;
                arrival
            };
            let batch: Vec<_> = (0..3).map(|_| next()).collect();
            let single = stack.engine.trigger(next(), std::time::Duration::from_secs(30));
            let (batch, single) = tokio::join!(stack.engine.ingest(batch), single);
            assert!(single.is_ok() && batch.iter().all(Result::is_ok));
        }
        number
    };
    let ((), number) = tokio::join!(swaps, events);

    let mut reader = stack.journal.read().await.unwrap();
    let decided = civil_events::page(&mut reader, 0, 1_000_000).await.unwrap();
    assert_eq!(decided.len() as u128, number);
    let mut met = BTreeSet::new();
    for stored in decided {
        let event = stored.event;
        let mark = expected[&event.ruleset];
        let operation = civitas_journal::operations::get(&mut reader, event.key).await.unwrap().unwrap();
        let packet = operation.packet.unwrap();
        let packet: serde_json::Value = serde_json::from_slice(packet.as_bytes()).unwrap();
        assert_eq!(event.rule.as_deref(), Some(format!("birth-{mark}").as_str()));
        assert!(event.sentence.starts_with(&format!("Asked for by {mark}: ")), "{}", event.sentence);
        let process = format!("CRVS_NEW_{}", mark.to_uppercase());
        assert!(packet.to_string().contains(&process), "the packet of {mark} goes to {process}");
        let minted = event.registration_number.unwrap();
        assert!(minted.starts_with(&mark.to_uppercase()), "{minted} under {mark}");
        met.insert(mark);
    }
    assert_eq!(met.len(), marks.len(), "each rule set decided something");
    drop(reader);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_on_trial_would_have_done_is_on_the_record_and_in_the_audit_log() {
    let stack = Stack::with(silent()).await;
    stack.engine.swap_pack(without_births()).await.unwrap();
    let document = another("birth-register", 70);
    assert_eq!(trigger(&stack, &document).await.status, 200, "a rule on trial asks nothing of MOSIP");
    let action = show(&stack, document.id).await.actions.remove(0);
    assert_eq!((action.rule, action.operation.is_some()), (None, false));
    let tried = civitas_engine::WouldHave {
        effect: "create_uin".to_owned(),
        rule: "birth-uin-on-registration".to_owned(),
    };
    assert_eq!(action.would_have, [tried]);
    let leaf = "\"would_have\":[{\"effect\":\"create_uin\",\"rule\":\"birth-uin-on-registration\"}]";
    assert!(witnessed(&stack, leaf).await);
    let page = stack.http.get(format!("{}/records/{}", stack.url, document.id));
    let page = page.basic_auth(VIEWER, Some(VIEWER_TOKEN)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("birth-uin-on-registration would have decided: create uin"), "{page}");
    stack.stop().await;
}
