//! Recorded decisions, taken again: by the archive, where they must agree, and by another pack.

use civitas::replay::{
    journal::Source,
    judge::Judge,
    pool,
    progress::Progress,
    report::Deny,
    tally::{SAMPLES, Tally},
    verify::{self, Verified},
};
use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_opencrvs::{EventDocument, Version};
use civitas_rules::{Effect, Facts, Pack, PacketContext};
use civitas_sandbox::generator::{Generated, Generator, Mix, Population};
use civitas_tests::{
    postgres::Postgres,
    stack::{Setup, Stack, entropy, pack, pack_files},
};
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::runtime::Runtime;

use crate::support::*;

/// The shipped pack with its rule on birth registrations on trial.
fn without_births() -> Pack {
    let mut files = pack_files("farajaland");
    let rules = files.0.get_mut("rules.yaml").unwrap();
    *rules = rules.replacen("do: create_uin\n", "do: create_uin\n    mode: evaluate\n", 1);
    Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A birth that got its identifier, a death that needed nothing, and a birth under another pack.
async fn day(stack: &Stack) -> Case {
    stack.subscribed().await;
    let case = birth(stack).await;
    closed_with_vid(stack, case).await;
    assert_eq!(trigger(stack, &sample("death-register")).await.status, 200);
    stack.engine.swap_pack(without_births()).await.unwrap();
    assert_eq!(trigger(stack, &another("birth-register", 7)).await.status, 200);
    case
}

/// The journal opened once more, as the command line does, on a thread that may block.
async fn aside<T: Send + 'static>(url: &str, work: impl FnOnce(&Source) -> T + Send + 'static) -> T {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let runtime = Runtime::new().unwrap();
        let options = JournalOptions::new(url, SealingKeys::new([[7; 32]]).unwrap());
        let journal = runtime.block_on(Journal::open(options, entropy())).unwrap();
        let source = Source { runtime, journal };
        let done = work(&source);
        source.close();
        done
    })
    .await
    .unwrap()
}

async fn verified(url: &str) -> Verified {
    aside(url, |source| verify::all(source, 2, &Progress::hidden()).unwrap()).await
}

async fn replayed(url: &str, new: Pack) -> Tally {
    aside(url, move |source| {
        let progress = Progress::hidden();
        let mut judge = Judge::new(&new, None, SAMPLES, &progress);
        judge.sealer = Some(source.sealer());
        let work = |number, item, tally: &mut Tally| judge.judge(number, item, tally);
        pool::run(2, &progress, |to| source.feed(to), work, |whole, part| whole.merge(part, SAMPLES)).unwrap()
    })
    .await
}

/// What somebody does who has the database.
async fn alter(url: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    let altered = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    assert!(altered.rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}

/// What does not agree any more, over all decisions.
async fn wrong(url: &str) -> Vec<(String, &'static str)> {
    let verified = verified(url).await;
    let names = |wrong: &verify::Wrong| wrong.name[2].clone();
    verified.first.iter().flat_map(|wrong| wrong.found.iter().map(|one| (names(wrong), one.what))).collect()
}

async fn a_journal_is_judged_again(journal_url: Option<String>) {
    let stack = Stack::with(Setup { journal_url: journal_url.clone(), ..Setup::default() }).await;
    let url = journal_url.unwrap_or_else(|| format!("sqlite:{}", stack.file.as_ref().unwrap().display()));
    let case = day(&stack).await;

    let agreed = verified(&url).await;
    assert_eq!((agreed.decisions, agreed.wrong), (4, 0), "{:#?}", agreed.first);

    let stricter = replayed(&url, without_births()).await;
    assert_eq!((stricter.judged, stricter.unreadable), (4, 0), "{:?}", stricter.faults);
    assert_eq!((stricter.changed(), stricter.changed_issued()), (1, 1));
    assert!(Deny::IssuedChanged.denies(&stricter));
    let cells = stricter.cells();
    let cell = cells[0];
    assert_eq!(cell.old.as_ref().unwrap().label(), "create_uin, await");
    assert_eq!((cell.new.label().as_str(), cell.samples.as_slice()), ("none", &[case.event][..]));

    let looser = replayed(&url, pack("farajaland")).await;
    assert_eq!((looser.changed(), looser.changed_issued()), (1, 0), "the birth under the other pack");
    assert!(!Deny::IssuedChanged.denies(&looser) && Deny::Changed.denies(&looser));

    alter(&url, "UPDATE civil_events SET effect = 'none', rule = NULL WHERE effect = 'create_uin'").await;
    let found = wrong(&url).await;
    let name = |what| ("REGISTER".to_owned(), what);
    assert_eq!(found, [name("rule"), name("effect")]);
    let leaf = "UPDATE audit_leaves SET body = replace(body, 'create_uin', 'none') \
                WHERE body LIKE '%decided%create_uin%'";
    alter(&url, leaf).await;
    assert!(wrong(&url).await.contains(&name("effect in the audit leaf")));
    alter(&url, "UPDATE operations SET respond = 'continue'").await;
    assert!(wrong(&url).await.contains(&name("respond")));
    let document = "UPDATE civil_events SET document = \
                    (SELECT document FROM civil_events WHERE event_type = 'death') WHERE event_type = 'birth'";
    alter(&url, document).await;
    assert!(wrong(&url).await.contains(&name("document")), "a document of another row does not open");
    let faults = replayed(&url, pack("farajaland")).await;
    assert_eq!(
        (faults.judged, faults.unreadable),
        (1, 3),
        "what does not open is said, and the rest is judged"
    );
    alter(&url, "UPDATE rule_sets SET canonical = replace(canonical, '10 years', '16 years')").await;
    let all = verified(&url).await;
    assert_eq!(all.wrong, 4);
    for one in &all.first {
        assert_eq!(one.found[0].what, "rule set", "{one:?}");
        assert!(one.found[0].found.contains("altered"), "{one:?}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_journal_is_judged_again_and_an_alteration_is_found_out() {
    a_journal_is_judged_again(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_journal_is_judged_again_and_an_alteration_is_found_out() {
    let server = Postgres::shared();
    a_journal_is_judged_again(Some(server.url())).await;
}

/// The generator's documents, in its proportions.
fn documents() -> Vec<Generated> {
    let generator = Generator::new(5, Mix::default(), Population::new(5, 300));
    let at: jiff::Timestamp = "2026-06-01T09:00:00Z".parse().unwrap();
    let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let lives: Vec<_> = (0..300).map(|number| generator.life(number, today)).collect();
    let mut documents: Vec<_> = lives.iter().map(|life| generator.document(life, at, None)).collect();
    let corrected = lives.iter().filter(|life| life.correction.is_some());
    documents.extend(corrected.map(|life| generator.document(life, at, Some("4219876543210987"))));
    documents
}

#[test]
fn what_a_pack_names_of_a_document_is_all_that_it_reads() {
    let pack = pack("farajaland");
    let mut packets = 0;
    for generated in documents() {
        let bytes = generated.body();
        let whole = EventDocument::parse(&bytes).unwrap();
        let some = EventDocument::parse_only(&bytes, |field| pack.fields().contains(field)).unwrap();
        let few = EventDocument::parse_only(&bytes, |field| pack.fields_of_rules().contains(field)).unwrap();
        let decide = |document: &EventDocument| {
            let action = document.pending(generated.action_type).unwrap().action;
            let states = document.prospective(action.id, Version::V2_0).unwrap();
            let facts = Facts {
                event: &document.kind,
                action: &action.kind,
                custom_action: action.custom_action_type.as_deref(),
                before: &states.before,
                after: &states.after,
                at: action.created_at.at(),
            };
            let explanation = pack.explain(&facts);
            let context =
                PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: None };
            let packet = match &explanation.decision().effect {
                Effect::Operate { send, .. } => pack.build_packet(send, &context).ok(),
                _ => None,
            };
            (explanation.sentence("en"), explanation.decision().clone(), packet)
        };
        let expected = decide(&whole);
        packets += usize::from(expected.2.is_some());
        assert_eq!(decide(&some), expected);
        let (sentence, decision, _) = decide(&few);
        assert_eq!((sentence, decision), (expected.0, expected.1));
    }
    assert!(packets > 100, "{packets} packets");
}
