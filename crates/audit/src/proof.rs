//! Inclusion and consistency proofs of RFC 6962 §2.1, and their verification as in RFC 9162 §2.1.3–2.1.4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Hash};

/// That a leaf is part of a log: the hashes beside its path to the root, from the leaf upwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InclusionProof {
    /// Place of the leaf.
    pub index: u64,
    /// Size of the log that it is proven for.
    pub size: u64,
    /// Sibling hashes, lowest first.
    pub path: Vec<Hash>,
}

/// That a log is an extension of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsistencyProof {
    /// Size of the earlier log.
    pub old_size: u64,
    /// Size of the later log.
    pub new_size: u64,
    /// Hashes that rebuild both roots.
    pub path: Vec<Hash>,
}

/// A proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The sizes or the number of hashes are impossible.
    #[error("the proof is malformed: its sizes and its number of hashes do not fit together")]
    Malformed,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the witnessed root")]
    Mismatch,
}

/// The largest power of two below `n` (`n` ≥ 2).
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// Root over leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Hash::node(&root(left), &root(right))
        }
    }
}

/// Proves that the leaf at `index` is part of the log of these leaves; `None` past its end.
pub fn inclusion_proof(leaves: &[Hash], index: u64) -> Option<InclusionProof> {
    fn path(leaves: &[Hash], index: usize, out: &mut Vec<Hash>) {
        if leaves.len() < 2 {
            return;
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            path(left, index, out);
            out.push(root(right));
        } else {
            path(right, index - left.len(), out);
            out.push(root(left));
        }
    }
    let at = usize::try_from(index).ok().filter(|at| *at < leaves.len())?;
    let mut out = Vec::new();
    path(leaves, at, &mut out);
    Some(InclusionProof { index, size: leaves.len() as u64, path: out })
}

/// Proves that the log of these leaves extends its own first `old_size` leaves; `None` if there are fewer.
pub fn consistency_proof(leaves: &[Hash], old_size: u64) -> Option<ConsistencyProof> {
    fn path(leaves: &[Hash], old: usize, whole: bool, out: &mut Vec<Hash>) {
        if old == leaves.len() {
            if !whole {
                out.push(root(leaves));
            }
            return;
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            path(left, old, whole, out);
            out.push(root(right));
        } else {
            path(right, old - left.len(), false, out);
            out.push(root(left));
        }
    }
    let old = usize::try_from(old_size).ok().filter(|old| *old <= leaves.len())?;
    let mut out = Vec::new();
    if old > 0 {
        path(leaves, old, true, &mut out);
    }
    Some(ConsistencyProof { old_size, new_size: leaves.len() as u64, path: out })
}

impl InclusionProof {
    /// Checks that a leaf with this hash stands at the stated place of the witnessed log.
    pub fn verify(&self, leaf: Hash, witnessed: &Checkpoint) -> Result<(), ProofError> {
        if self.size != witnessed.size || self.index >= self.size {
            return Err(ProofError::Malformed);
        }
        let (mut node, mut last, mut hash) = (self.index, self.size - 1, leaf);
        for sibling in &self.path {
            if last == 0 {
                return Err(ProofError::Malformed);
            }
            if node & 1 == 1 || node == last {
                hash = Hash::node(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = Hash::node(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(ProofError::Malformed);
        }
        if hash == witnessed.root { Ok(()) } else { Err(ProofError::Mismatch) }
    }
}

impl ConsistencyProof {
    /// Checks that the log witnessed as `new` begins with the one witnessed as `old`.
    pub fn verify(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), ProofError> {
        if self.old_size != old.size || self.new_size != new.size || old.size > new.size {
            return Err(ProofError::Malformed);
        }
        if old.size == 0 || old.size == new.size {
            let same = if old.size == 0 { old.root == Hash::empty() } else { old.root == new.root };
            return match (self.path.is_empty(), same) {
                (false, _) => Err(ProofError::Malformed),
                (true, false) => Err(ProofError::Mismatch),
                (true, true) => Ok(()),
            };
        }
        let mut path = self.path.iter();
        let first = if old.size.is_power_of_two() { Some(&old.root) } else { path.next() };
        let first = *first.ok_or(ProofError::Malformed)?;
        let (mut node, mut last) = (old.size - 1, new.size - 1);
        while node & 1 == 1 {
            node >>= 1;
            last >>= 1;
        }
        let (mut old_root, mut new_root) = (first, first);
        for sibling in path {
            if last == 0 {
                return Err(ProofError::Malformed);
            }
            if node & 1 == 1 || node == last {
                old_root = Hash::node(sibling, &old_root);
                new_root = Hash::node(sibling, &new_root);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new_root = Hash::node(&new_root, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(ProofError::Malformed);
        }
        if old_root == old.root && new_root == new.root { Ok(()) } else { Err(ProofError::Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight leaves and the roots of the certificate-transparency reference tests.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves() -> Vec<Hash> {
        LEAVES.iter().map(|text| Hash::leaf(&hex::decode(text).unwrap())).collect()
    }

    #[test]
    fn roots_are_those_of_the_reference_tests() {
        let leaves = leaves();
        let mut frontier = crate::Frontier::new();
        for (at, expected) in ROOTS.iter().enumerate() {
            frontier.push(leaves[at]);
            assert_eq!(root(&leaves[..=at]).to_string(), *expected);
            assert_eq!(frontier.root().to_string(), *expected);
        }
        assert_eq!(root(&[]), Hash::empty());
    }

    #[test]
    fn proofs_past_the_end_do_not_exist() {
        assert!(inclusion_proof(&leaves(), 8).is_none());
        assert!(consistency_proof(&leaves(), 9).is_none());
    }

    #[test]
    fn sizes_that_do_not_fit_are_malformed() {
        let leaves = leaves();
        let witnessed = Checkpoint { size: 8, root: root(&leaves) };
        let proof = inclusion_proof(&leaves, 3).unwrap();
        let longer =
            InclusionProof { path: [proof.path.clone(), vec![Hash::empty()]].concat(), ..proof.clone() };
        assert_eq!(longer.verify(leaves[3], &witnessed), Err(ProofError::Malformed));
        let shorter = InclusionProof { path: proof.path[..2].to_vec(), ..proof.clone() };
        assert_eq!(shorter.verify(leaves[3], &witnessed), Err(ProofError::Malformed));
        let past = InclusionProof { index: 8, ..proof };
        assert_eq!(past.verify(leaves[3], &witnessed), Err(ProofError::Malformed));
    }
}
