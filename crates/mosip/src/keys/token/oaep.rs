//! OAEP taken off on our side, for tokens that do bare RSA only.
//!
//! MOSIP wraps 32-byte keys, so the padding of each is the same but for the seed: a zero, the hash of the empty label,
//! zeros and a one. All of it is compared with what it must be, in one comparison whose time does not depend on where
//! it differs (Manger's attack needs to learn whether the first byte is zero). Another length of message is refused.

use openssl::{memcmp, sha::Sha256};
use zeroize::Zeroizing;

/// Bytes of a block: RSA-2048.
const BLOCK: usize = 256;
/// Bytes of SHA-256.
const HASH: usize = 32;
/// Bytes of a wrapped key.
const MESSAGE: usize = 32;
/// Where the message begins in the unmasked data block.
const START: usize = BLOCK - 1 - HASH - MESSAGE;
/// SHA-256 of nothing: the hash of the empty label.
const EMPTY_LABEL: [u8; HASH] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The message in a block that bare RSA gave, by OAEP with SHA-256 for hash and mask and the empty label. A token may
/// leave leading zeros of the block out.
pub(super) fn unpad(block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut whole = Zeroizing::new([0; BLOCK]);
    whole[BLOCK.checked_sub(block.len())?..].copy_from_slice(block);
    let (first, masked) = whole.split_first()?;
    let (masked_seed, masked_data) = masked.split_at(HASH);
    let mut seed = Zeroizing::new([0; HASH]);
    mask(masked_data, masked_seed, &mut *seed);
    let mut data = Zeroizing::new([0; BLOCK - 1 - HASH]);
    mask(&*seed, masked_data, &mut *data);
    let mut found = Zeroizing::new([0; 1 + START]);
    found[0] = *first;
    found[1..].copy_from_slice(&data[..START]);
    let mut wanted = [0; 1 + START];
    wanted[1..=HASH].copy_from_slice(&EMPTY_LABEL);
    wanted[START] = 1;
    memcmp::eq(&*found, &wanted).then(|| Zeroizing::new(data[START..].to_vec()))
}

/// `masked` XOR MGF1-SHA-256 of `seed`.
fn mask(seed: &[u8], masked: &[u8], out: &mut [u8]) {
    for (counter, (masked, out)) in (0u32..).zip(masked.chunks(HASH).zip(out.chunks_mut(HASH))) {
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update(&counter.to_be_bytes());
        let stream = Zeroizing::new(hash.finish());
        for ((out, masked), stream) in out.iter_mut().zip(masked).zip(stream.iter()) {
            *out = masked ^ stream;
        }
    }
}

#[cfg(test)]
mod tests {
    use openssl::{
        pkey::{PKey, Private},
        rsa::Padding,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::credential::wrap_key;

    fn key() -> PKey<Private> {
        PKey::private_key_from_pem(include_bytes!("../../../tests/vectors/key.pem")).unwrap()
    }

    /// What a token that does bare RSA gives back.
    fn bare(wrapped: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        key().rsa().unwrap().private_decrypt(wrapped, &mut block, Padding::NONE).unwrap();
        block
    }

    #[test]
    fn the_recorded_key_comes_out() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/aes-gcm.json")).unwrap();
        let blob = crate::encoding::from_base64(vector["packet"]["blob_b64"].as_str().unwrap()).unwrap();
        let message = unpad(&bare(&blob[76..332])).unwrap();
        assert_eq!(hex::encode(&*message), vector["aes_key_hex"]);
    }

    #[test]
    fn a_block_with_any_byte_of_its_padding_changed_is_refused() {
        let block = bare(&wrap_key(&key(), &[7; 32]).unwrap());
        assert_eq!(unpad(&block).unwrap().as_slice(), [7; 32]);
        // A byte of the seed or of the mask changes all that follows from it; of the message, only the message.
        for at in (0..BLOCK).filter(|at| *at < BLOCK - MESSAGE) {
            let mut altered = block.clone();
            altered[at] ^= 0x10;
            assert!(unpad(&altered).is_none(), "byte {at}");
        }
    }

    #[test]
    fn leading_zeros_may_be_left_out_and_other_lengths_are_refused() {
        let block = bare(&wrap_key(&key(), &[7; 32]).unwrap());
        assert_eq!(block[0], 0, "OAEP puts it there");
        assert!(unpad(&block[1..]).is_some());
        assert!(unpad(&[&[0], block.as_slice()].concat()).is_none());
        assert!(unpad(&[]).is_none());
        for length in [0, 16, 31, 33, 64] {
            assert!(unpad(&bare(&wrap_key(&key(), &vec![7; length]).unwrap())).is_none(), "{length} bytes");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_agrees_with_openssl(message: [u8; 32]) {
            let block = bare(&wrap_key(&key(), &message).unwrap());
            let unpadded = unpad(&block).unwrap();
            prop_assert_eq!(unpadded.as_slice(), message.as_slice());
        }

        #[test]
        fn chance_is_refused(block in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(unpad(&block).is_none());
        }
    }
}
