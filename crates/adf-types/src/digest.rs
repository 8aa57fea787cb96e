//! Digests of a release's archive.
//!
//! `sha256:` is over the archive's bytes. `tree:` is over its content: it survives re-compression, which
//! is what GitHub does to a tarball whenever it changes its compressor.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// `sha256:<64 hex>` or `tree:<64 hex>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Digest {
    /// SHA-256 over the archive as it was downloaded.
    Sha256([u8; 32]),
    /// SHA-256 over the archive's sorted entries, see [`TreeHasher`].
    Tree([u8; 32]),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("digest \"{}\" is not sha256: or tree: followed by 64 hexadecimal digits", .0.escape_debug())]
pub struct DigestError(String);

impl Digest {
    /// The digest of an archive's bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(bytes).into())
    }

    /// The first 12 hexadecimal digits, for tags and tables.
    pub fn short(&self) -> String {
        hex::encode(&self.bytes()[..6])
    }

    fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Sha256(bytes) | Self::Tree(bytes) => bytes,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Sha256(_) => "sha256",
            Self::Tree(_) => "tree",
        };
        write!(f, "{scheme}:{}", hex::encode(self.bytes()))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(s: &str) -> Result<Self, DigestError> {
        let error = || DigestError(s.to_owned());
        let (scheme, digits) = s.split_once(':').ok_or_else(error)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| error())?;
        match scheme {
            "sha256" => Ok(Self::Sha256(bytes)),
            "tree" => Ok(Self::Tree(bytes)),
            _ => Err(error()),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(s: String) -> Result<Self, DigestError> {
        s.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Builds a `tree:` digest.
///
/// For each entry below the archive's top folder: the path, a kind (`f` file, `x` executable file, `l`
/// symbolic link) and the SHA-256 of the content (of the target, for a link). The digest is SHA-256 over
/// `kind SP hex(content) SP path NUL` of all entries, sorted by path. Folders do not count: git has none.
#[derive(Debug, Default)]
pub struct TreeHasher {
    entries: BTreeMap<String, (char, [u8; 32])>,
}

impl TreeHasher {
    pub fn file(&mut self, path: &str, executable: bool, content: [u8; 32]) {
        self.entries.insert(path.to_owned(), (if executable { 'x' } else { 'f' }, content));
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.entries.insert(path.to_owned(), ('l', Sha256::digest(target).into()));
    }

    pub fn finish(&self) -> Digest {
        let mut hasher = Sha256::new();
        for (path, (kind, content)) in &self.entries {
            hasher.update(format!("{kind} {} {path}\0", hex::encode(content)));
        }
        Digest::Tree(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_digest(bytes: [u8; 32], tree: bool) {
            let digest = if tree { Digest::Tree(bytes) } else { Digest::Sha256(bytes) };
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }
    }

    #[test]
    fn a_wrong_scheme_or_length_is_refused() {
        for bad in ["", "sha256:", "md5:00", "sha256:zz", &format!("sha256:{}", "0".repeat(63))] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_tree_does_not_depend_on_order_but_on_mode_and_path() {
        let tree = |entries: &[(&str, bool)]| {
            let mut hasher = TreeHasher::default();
            for (path, executable) in entries {
                hasher.file(path, *executable, [7; 32]);
            }
            hasher.finish()
        };
        assert_eq!(tree(&[("a", false), ("b", true)]), tree(&[("b", true), ("a", false)]));
        assert_ne!(tree(&[("a", false)]), tree(&[("a", true)]));
        assert_ne!(tree(&[("a", false)]), tree(&[("b", false)]));
    }
}
