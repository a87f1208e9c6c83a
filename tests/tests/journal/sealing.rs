//! Personal data at rest: sealed, bound to its row, readable with old keys and with no other.

use civitas_journal::{JournalError, SealError, SealingKeys, civil_events, confirmations, inbox, operations};
use sqlx::Row;

use crate::both;
use crate::place::Place;
use crate::rows::{advance, archive_rule_set, at, claim, event, ingest, key};

/// Found nowhere but in what a test stores.
const CANARY: &str = "Amina-Nakimera-canary";

both!(
    nothing_sealed_is_readable_in_the_database,
    a_value_moved_to_another_row_does_not_open,
    keys_are_rotated_without_losing_anything,
);

/// Fills every sealed column with the canary.
async fn fill(journal: &civitas_journal::Journal) {
    archive_rule_set(journal).await;
    let rows = [1, 2].map(|n| {
        let mut event = event(key(n, 1));
        event.document = CANARY.into();
        event.token = Some(CANARY.into());
        (
            event,
            (|operation: &mut operations::NewOperation| operation.packet = Some(CANARY.into())) as fn(&mut _),
        )
    });
    ingest(journal, rows.to_vec()).await;
    let claimed = claim(journal, operations::Work::Dispatch, "a", 0, 10).await;
    let issued = claimed.iter().map(|operation| {
        let mut to = operations::Advance::of(operation, at(1));
        to.issued = Some(CANARY.into());
        to
    });
    advance(journal, issued.collect()).await;
    let write = journal.write(|tx| {
        Box::pin(async move {
            let body: civitas_journal::Private = CANARY.into();
            let confirmation = |n| confirmations::NewConfirmation {
                key: key(n, 1),
                verdict: confirmations::Verdict::Accept,
                body: body.clone(),
                next_action_at: at(0),
                created_at: at(0),
            };
            confirmations::insert_many(tx, &[confirmation(1), confirmation(2)]).await?;
            let delivery = |id: &str| inbox::NewDelivery {
                delivery_id: id.into(),
                topic: "t".into(),
                received_at: at(0),
                body: body.clone(),
            };
            inbox::insert_many(tx, &[delivery("one"), delivery("two")]).await
        })
    });
    write.await.unwrap();
}

const SEALED: [(&str, &str, &str); 6] = [
    ("civil_events", "document", "ordinal"),
    ("civil_events", "token", "ordinal"),
    ("operations", "packet", "ordinal"),
    ("operations", "issued", "ordinal"),
    ("confirmations", "body", "event_id"),
    ("inbox", "body", "id"),
];

async fn nothing_sealed_is_readable_in_the_database(place: &Place) {
    let journal = place.open().await;
    fill(&journal).await;
    let mut raw = place.raw().await;
    for (table, column, _) in SEALED {
        let sql = format!("SELECT {column} FROM {table}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut raw).await.unwrap();
        assert_eq!(rows.len(), 2, "{table}");
        for row in rows {
            let blob: Vec<u8> = row.get(0);
            assert_eq!(blob.len(), CANARY.len() + 33, "{table}.{column}");
            assert!(!contains(&blob, CANARY.as_bytes()), "{table}.{column}");
        }
    }
    if let Some(folder) = &place.folder {
        let mut searched = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!contains(&bytes, CANARY.as_bytes()));
            searched += usize::from(contains(&bytes, b"birth-uin-on-registration"));
        }
        assert!(searched > 0, "what is not sealed is found, so the search works");
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn a_value_moved_to_another_row_does_not_open(place: &Place) {
    let journal = place.open().await;
    fill(&journal).await;
    let mut raw = place.raw().await;
    for (table, column, id) in SEALED {
        let sql = format!(
            "UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE {id} = (SELECT MAX({id}) FROM {table})) \
             WHERE {id} = (SELECT MIN({id}) FROM {table})"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await.unwrap();
        let mut reader = journal.read().await.unwrap();
        let error = match table {
            "civil_events" => civil_events::get(&mut reader, key(1, 1)).await.err(),
            "operations" => operations::get(&mut reader, key(1, 1)).await.err(),
            "confirmations" => confirmations::get(&mut reader, key(1, 1)).await.err(),
            _ => inbox::list(&mut reader, inbox::InboxState::New, 0, 10).await.err(),
        };
        assert!(
            matches!(&error, Some(JournalError::Seal(SealError::Forged { place })) if place.starts_with(table)),
            "{table}.{column}: {error:?}"
        );
        // The neighbours are not affected.
        assert!(civil_events::get(&mut reader, key(2, 1)).await.is_ok());
    }
}

async fn keys_are_rotated_without_losing_anything(place: &Place) {
    let old = place.open().await;
    fill(&old).await;
    let with = |keys: Vec<[u8; 32]>| {
        let mut options = place.options();
        options.keys = SealingKeys::new(keys).unwrap();
        place.open_with(options)
    };
    let rotated = with(vec![[2; 32], [1; 32]]).await;
    let mut reader = rotated.read().await.unwrap();
    let opened = civil_events::get(&mut reader, key(1, 1)).await.unwrap().unwrap();
    assert_eq!(opened.event.document.as_text(), Some(CANARY));
    let mut newer = event(key(3, 1));
    newer.document = CANARY.into();
    ingest(&rotated, vec![(newer, crate::rows::unchanged)]).await;

    // Who has only the old key reads the old rows and is told which key the new ones need.
    let mut reader = old.read().await.unwrap();
    assert!(civil_events::get(&mut reader, key(1, 1)).await.is_ok());
    let error = civil_events::get(&mut reader, key(3, 1)).await.unwrap_err();
    let id = SealingKeys::new([[2; 32]]).unwrap().ids().remove(0);
    assert!(
        matches!(&error, JournalError::Seal(SealError::UnknownKey { key_id, .. }) if *key_id == id),
        "{error:?}"
    );

    // Who dropped the old key too early is told so for the old rows, and reads the new ones.
    let hasty = with(vec![[2; 32]]).await;
    let mut reader = hasty.read().await.unwrap();
    let lost = civil_events::get(&mut reader, key(1, 1)).await;
    assert!(matches!(lost, Err(JournalError::Seal(SealError::UnknownKey { .. }))));
    assert!(civil_events::get(&mut reader, key(3, 1)).await.is_ok());
}
