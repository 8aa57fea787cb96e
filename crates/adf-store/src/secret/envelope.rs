//! The two forms of a `Secret`.
//!
//! What ADF writes, version 1. Numbers are big-endian:
//!
//! ```text
//! 4  "ADFS"
//! 1  version, 1
//! 2  length k, then k bytes: the ARN of the KMS key, for messages
//! 2  length n, then n bytes: the data key as KMS encrypted it (context App)
//! 12 nonce
//! .. AES-256-GCM of the value, tag last; additional data as in `bound_to`
//! ```
//!
//! Anything that does not begin with `ADFS` is KMS ciphertext as `aws kms encrypt` returns it (context App and
//! Name). In both, App is the item's own attribute: `web`, or `web@v42` in an Overlay. So neither form can be
//! moved to another name, layer or app.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"ADFS";
const VERSION: u8 = 1;
const NONCE: usize = 12;

/// A secret as it is stored. `Debug` shows its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A data key as KMS handed it out.
pub(super) struct DataKey<'a> {
    pub(super) plain: &'a [u8],
    pub(super) encrypted: &'a [u8],
    pub(super) key_arn: &'a str,
}

/// A sealed value, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Envelope(Envelope<'a>),
    Bare(&'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    pub(super) key_arn: &'a str,
    pub(super) data_key: &'a [u8],
    nonce: [u8; NONCE],
    sealed: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("is cut off")]
    Cut,
    #[error("has format version {0}, which this version of ADF cannot read; update it")]
    Version(u8),
    #[error("was changed, or belongs to another name; set it again")]
    Changed,
    #[error("is no text; config is UTF-8")]
    NotText,
    #[error("holds a NUL byte, which no environment variable can")]
    Nul,
}

impl Sealed {
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn seal(key: &DataKey<'_>, app: &str, name: &str, value: &str) -> Result<Self, Damage> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, key.plain).map_err(|_| Damage::Changed)?;
        let mut text = Zeroizing::new(value.as_bytes().to_vec());
        // The tag must not make the plaintext move: what it leaves behind would not be wiped.
        text.reserve_exact(AES_256_GCM.tag_len());
        let nonce = aead
            .seal_in_place_append_tag(Aad::from(bound_to(app, name)), &mut *text)
            .map_err(|_| Damage::Changed)?;
        let mut out = Vec::from(MAGIC);
        out.push(VERSION);
        part(&mut out, key.key_arn.as_bytes())?;
        part(&mut out, key.encrypted)?;
        out.extend_from_slice(nonce.as_ref());
        out.extend_from_slice(&text);
        Ok(Self(out))
    }

    pub(super) fn form(&self) -> Result<Form<'_>, Damage> {
        let Some(rest) = self.0.strip_prefix(MAGIC) else { return Ok(Form::Bare(&self.0)) };
        let (&version, rest) = rest.split_first().ok_or(Damage::Cut)?;
        if version != VERSION {
            return Err(Damage::Version(version));
        }
        let (key_arn, rest) = take_part(rest)?;
        let (data_key, rest) = take_part(rest)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Damage::Cut)?;
        let key_arn = std::str::from_utf8(key_arn).map_err(|_| Damage::NotText)?;
        Ok(Form::Envelope(Envelope { key_arn, data_key, nonce: *nonce, sealed }))
    }
}

impl Envelope<'_> {
    pub(super) fn open(&self, data_key: &[u8], app: &str, name: &str) -> Result<Zeroizing<String>, Damage> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, data_key).map_err(|_| Damage::Changed)?;
        let mut buffer = Zeroizing::new(self.sealed.to_vec());
        let nonce = Nonce::from(&self.nonce);
        let plain = aead
            .open_in_place(nonce, Aad::from(bound_to(app, name)), &mut buffer)
            .map_err(|_| Damage::Changed)?;
        text(plain)
    }
}

/// Decrypted bytes as a value.
pub(super) fn text(plain: &[u8]) -> Result<Zeroizing<String>, Damage> {
    if plain.contains(&0) {
        return Err(Damage::Nul);
    }
    std::str::from_utf8(plain).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Damage::NotText)
}

/// The additional data: format, App and Name, each with its length so that no two pairs look alike.
fn bound_to(app: &str, name: &str) -> Vec<u8> {
    let mut data = Vec::from(MAGIC);
    data.push(VERSION);
    for part in [app, name] {
        data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

fn part(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Damage> {
    out.extend_from_slice(&u16::try_from(bytes.len()).map_err(|_| Damage::Cut)?.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn take_part(bytes: &[u8]) -> Result<(&[u8], &[u8]), Damage> {
    let (length, rest) = bytes.split_first_chunk::<2>().ok_or(Damage::Cut)?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(Damage::Cut)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn seal(app: &str, name: &str, value: &str) -> Sealed {
        let key = DataKey { plain: &KEY, encrypted: b"encrypted", key_arn: "arn:aws:kms:::key/1" };
        Sealed::seal(&key, app, name, value).expect("sealed")
    }

    fn open(sealed: &Sealed, app: &str, name: &str) -> Result<String, Damage> {
        match sealed.form()? {
            Form::Envelope(envelope) => envelope.open(&KEY, app, name).map(|text| text.to_string()),
            Form::Bare(_) => panic!("an envelope"),
        }
    }

    #[test]
    fn a_secret_that_is_moved_to_another_name_or_layer_does_not_open() {
        let sealed = seal("web", "STRIPE", "hunter2");
        assert_eq!(open(&sealed, "web", "STRIPE").as_deref(), Ok("hunter2"));
        for (app, name) in [("web@v1", "STRIPE"), ("web", "STRIP"), ("webS", "TRIPE")] {
            assert_eq!(open(&sealed, app, name), Err(Damage::Changed), "{app} {name}");
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut bytes = seal("web", "A", "x").as_bytes().to_vec();
        bytes[4] = 2;
        assert_eq!(Sealed(bytes).form(), Err(Damage::Version(2)));
    }

    #[test]
    fn what_does_not_begin_with_our_mark_is_kms_ciphertext() {
        assert_eq!(Sealed::new(b"\x01\x02\x02\x00").form(), Ok(Form::Bare(b"\x01\x02\x02\x00")));
    }

    proptest! {
        #[test]
        fn every_value_comes_back_and_no_changed_byte_does(value in "[^\0]{0,80}", at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let sealed = seal("web", "A", &value);
            prop_assert_eq!(open(&sealed, "web", "A"), Ok(value));
            let mut bytes = sealed.as_bytes().to_vec();
            // The key's ARN (after mark and version) is for messages only, and a changed mark is another form.
            let start = 4 + 1 + 2 + "arn:aws:kms:::key/1".len() + 2 + "encrypted".len();
            let at = start + at.index(bytes.len() - start);
            bytes[at] ^= flip;
            prop_assert!(open(&Sealed(bytes), "web", "A").is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), marked: bool) {
            let mut all = if marked { b"ADFS\x01".to_vec() } else { Vec::new() };
            all.extend(bytes);
            if let Ok(Form::Envelope(envelope)) = Sealed(all).form() {
                prop_assert!(envelope.open(&KEY, "web", "A").is_err());
            }
        }
    }
}
