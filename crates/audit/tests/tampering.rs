//! Any leaf altered, dropped or re-ordered is found, whatever the log and wherever the leaf.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use civitas_audit::{
    Checkpoint, Frontier, Hash, Leaf, NewLeaf, Tampered, Verifier, consistency_proof, inclusion_proof, root,
};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

fn new_leaf() -> impl Strategy<Value = NewLeaf> {
    let text = proptest::option::of("\\PC{0,12}");
    (any::<u128>(), any::<u128>(), 0i64..4_000_000_000_000_000, "[a-z]{1,10}", text.clone(), text).prop_map(
        |(event, action, micros, kind, reason, to)| {
            let at = Timestamp::from_microsecond(micros).unwrap();
            let mut leaf =
                NewLeaf::new(kind, "engine", at).about(Uuid::from_u128(event), Uuid::from_u128(action));
            leaf.reason = reason;
            leaf.to = to;
            leaf
        },
    )
}

fn log(max: usize) -> impl Strategy<Value = Vec<(String, Hash)>> {
    proptest::collection::vec(new_leaf(), 2..max).prop_map(|leaves| {
        leaves
            .iter()
            .zip(0..)
            .map(|(leaf, index)| {
                let leaf = leaf.at_index(index);
                (leaf.canonical(), leaf.hash())
            })
            .collect()
    })
}

fn verify(log: &[(String, Hash)], witnessed: &Checkpoint) -> Result<(), Tampered> {
    let mut verifier = Verifier::new();
    for (body, hash) in log {
        verifier.push(body, *hash)?;
    }
    verifier.witness(witnessed)
}

fn witness(log: &[(String, Hash)]) -> Checkpoint {
    checkpoint(&log.iter().map(|(_, hash)| *hash).collect::<Vec<_>>())
}

fn checkpoint(hashes: &[Hash]) -> Checkpoint {
    Checkpoint { size: hashes.len() as u64, root: root(hashes) }
}

/// Hashes of so many different leaves.
fn hashes(size: usize) -> Vec<Hash> {
    (0..size).map(|n| Hash::leaf(&n.to_be_bytes())).collect()
}

/// Somebody who writes to the database recomputes what can be recomputed: places and hashes.
fn cover_up(log: &mut [(String, Hash)]) {
    for ((body, hash), index) in log.iter_mut().zip(0..) {
        let mut leaf = Leaf::parse(body).unwrap();
        leaf.index = index;
        *body = leaf.canonical();
        *hash = leaf.hash();
    }
}

proptest! {
    #[test]
    fn an_untouched_log_verifies(log in log(40)) {
        prop_assert!(verify(&log, &witness(&log)).is_ok());
    }

    #[test]
    fn an_altered_byte_is_found(log in log(20), at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let witnessed = witness(&log);
        let witnessed_leaves = log.len();
        let mut log = log;
        let body = &mut log[at.index(witnessed_leaves)].0;
        let mut bytes = body.clone().into_bytes();
        let byte = byte.index(bytes.len());
        bytes[byte] ^= flip;
        *body = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(verify(&log, &witnessed).is_err());
    }

    #[test]
    fn an_altered_leaf_is_found_even_when_hashes_are_recomputed(log in log(20), at in any::<prop::sample::Index>()) {
        let witnessed = witness(&log);
        let mut log = log;
        let at = at.index(log.len());
        let mut leaf = Leaf::parse(&log[at].0).unwrap();
        leaf.actor = "somebody else".into();
        log[at].0 = leaf.canonical();
        prop_assert!(verify(&log, &witnessed).is_err(), "stored hash kept");
        cover_up(&mut log);
        prop_assert!(verify(&log, &witnessed).is_err(), "stored hash recomputed");
    }

    #[test]
    fn a_dropped_leaf_is_found(log in log(20), at in any::<prop::sample::Index>()) {
        let witnessed = witness(&log);
        let mut log = log;
        log.remove(at.index(log.len()));
        prop_assert!(verify(&log, &witnessed).is_err());
        cover_up(&mut log);
        prop_assert!(verify(&log, &witnessed).is_err(), "renumbered");
    }

    #[test]
    fn an_inserted_leaf_is_found(log in log(20), at in any::<prop::sample::Index>()) {
        let witnessed = witness(&log);
        let mut log = log;
        let at = at.index(log.len());
        log.insert(at, log[at].clone());
        prop_assert!(verify(&log, &witnessed).is_err());
        cover_up(&mut log);
        prop_assert!(verify(&log, &witnessed).is_err(), "renumbered");
    }

    #[test]
    fn re_ordered_leaves_are_found(log in log(20), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let witnessed = witness(&log);
        let (a, b) = (a.index(log.len()), b.index(log.len()));
        let mut log = log;
        let mut same = log.clone();
        same.swap(a, b);
        cover_up(&mut same);
        prop_assume!(same != log);
        log.swap(a, b);
        prop_assert!(verify(&log, &witnessed).is_err());
        cover_up(&mut log);
        prop_assert!(verify(&log, &witnessed).is_err(), "renumbered");
    }

    #[test]
    fn every_leaf_is_provably_included_and_no_other(size in 1usize..70, other in any::<usize>()) {
        let hashes = hashes(size);
        let witnessed = checkpoint(&hashes);
        for index in 0..size {
            let proof = inclusion_proof(&hashes, index as u64).unwrap();
            prop_assert!(proof.verify(hashes[index], &witnessed).is_ok());
            prop_assert!(proof.verify(Hash::leaf(b"other"), &witnessed).is_err());
            let wrong = other % size;
            if wrong != index {
                prop_assert!(proof.verify(hashes[wrong], &witnessed).is_err());
            }
        }
    }

    #[test]
    fn a_log_is_consistent_with_its_own_past_and_with_no_other(size in 1usize..70, change in any::<usize>()) {
        let hashes = hashes(size);
        let new = checkpoint(&hashes);
        let mut frontier = Frontier::new();
        for old_size in 0..=size {
            let old = Checkpoint { size: old_size as u64, root: frontier.root() };
            let proof = consistency_proof(&hashes, old.size).unwrap();
            prop_assert_eq!(proof.verify(&old, &new), Ok(()), "{} of {}", old_size, size);
            if old_size > 0 {
                // The same proof, offered for a past in which one leaf was different.
                let mut past = hashes[..old_size].to_vec();
                past[change % old_size] = Hash::leaf(b"other");
                prop_assert!(proof.verify(&checkpoint(&past), &new).is_err());
            }
            if let Some(hash) = hashes.get(old_size) {
                frontier.push(*hash);
            }
        }
    }
}
