//! What `minisign -S` writes: Ed25519 over the `BLAKE2b` hash of a file, and over that signature with its comment.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const KEY_ID: [u8; 8] = *b"adf-test";

pub(crate) struct Keys(Ed25519KeyPair);

pub(crate) fn keys() -> Keys {
    Keys(Ed25519KeyPair::generate().expect("random numbers"))
}

impl Keys {
    /// The second line of `minisign.pub`.
    pub(crate) fn public(&self) -> String {
        STANDARD.encode([b"Ed", KEY_ID.as_slice(), self.0.public_key().as_ref()].concat())
    }
}

/// The text of a `.minisig` file.
pub(crate) fn sign(keys: &Keys, archive: &[u8], comment: &str) -> String {
    let hash = blake2b_simd::blake2b(archive);
    let signature = keys.0.sign(hash.as_bytes());
    let both = keys.0.sign(&[signature.as_ref(), comment.as_bytes()].concat());
    format!(
        "untrusted comment: signature\n{}\ntrusted comment: {comment}\n{}\n",
        STANDARD.encode([b"ED", KEY_ID.as_slice(), signature.as_ref()].concat()),
        STANDARD.encode(both.as_ref()),
    )
}
