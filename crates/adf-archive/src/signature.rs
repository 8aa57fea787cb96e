//! A detached minisign signature of the archive: over its bytes, and bound to the release by its trusted comment.
//!
//! The comment is signed too. Without it an older archive with its own, still valid signature could be put in the
//! place of a newer one; with `app=web release=v42` in it, a signature is good for that release only.

use std::fmt;

use adf_types::{AppName, ReleaseName};
use minisign_verify::{PublicKey, Signature, StreamVerifier};

use crate::error::ArchiveError;
use crate::path::shown;

/// A signature that must hold for an archive.
#[derive(Clone)]
pub struct Signed {
    key: PublicKey,
    signature: Signature,
    /// What the trusted comment must name; nothing for an instance that was told no app and release.
    release: Option<(AppName, ReleaseName)>,
}

impl Signed {
    /// Reads the text of a `.minisig` file.
    pub fn new(
        key: PublicKey,
        text: &str,
        release: Option<(AppName, ReleaseName)>,
    ) -> Result<Self, ArchiveError> {
        let signature = Signature::decode(text).map_err(|e| ArchiveError::Signature(e.to_string()))?;
        Ok(Self { key, signature, release })
    }

    pub(crate) fn begin(&self) -> Result<StreamVerifier<'_>, ArchiveError> {
        self.key.verify_stream(&self.signature).map_err(|e| ArchiveError::Signature(e.to_string()))
    }

    /// Verifies what `verifier` has seen; returns the trusted comment.
    pub(crate) fn finish(&self, mut verifier: StreamVerifier<'_>) -> Result<String, ArchiveError> {
        verifier.finalize().map_err(|e| ArchiveError::Signature(e.to_string()))?;
        let comment = self.signature.trusted_comment();
        match &self.release {
            Some((app, release))
                if !names(comment, "app=", app.as_str()) || !names(comment, "release=", release.as_str()) =>
            {
                let expected = format!("adf app={app} release={release}");
                Err(ArchiveError::SignedAsAnother { says: shown(comment.as_bytes()), expected })
            }
            _ => Ok(shown(comment.as_bytes())),
        }
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("release", &self.release).finish_non_exhaustive()
    }
}

/// Whether the comment has a word `KEY=value` with this value, and none with another.
fn names(comment: &str, key: &str, value: &str) -> bool {
    let mut named = comment.split_whitespace().filter_map(|word| word.strip_prefix(key)).peekable();
    named.peek().is_some() && named.all(|name| name == value)
}
