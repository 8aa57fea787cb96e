//! The archive's signature, fetched from beside it: `<RELEASE_URL>.minisig`.

use adf_archive::{PublicKey, Signed};
use futures_util::StreamExt as _;

use super::{ArchiveError, StreamError};
use crate::claim::Order;
use crate::world::{Download, FetchError};

/// What a signature is called after its archive.
pub const SUFFIX: &str = ".minisig";

/// A signature is some 300 bytes; more is something else, most likely a web page.
const MAX_BYTES: usize = 4096;

/// What it means that the signature could not be opened, when it means that there is none.
pub fn missing(error: &FetchError) -> Option<StreamError> {
    match error {
        FetchError::NotFound { url, status: problem, .. } | FetchError::File { path: url, problem } => {
            Some(StreamError::Unsigned { url: url.clone(), problem: problem.clone() })
        }
        _ => None,
    }
}

/// Reads the signature from its opened download, bound to the order's app and release where it has them.
pub async fn read(order: &Order, key: &PublicKey, download: Download) -> Result<Signed, StreamError> {
    let mut body = download.body;
    let mut text = Vec::new();
    while let Some(piece) = body.next().await {
        text.extend_from_slice(&piece?);
        if text.len() > MAX_BYTES {
            return Err(
                ArchiveError::Signature("it is no minisign signature, it is too long".to_owned()).into()
            );
        }
    }
    let release = order.named.then(|| (order.app.clone(), order.release.clone()));
    Ok(Signed::new(key.clone(), &String::from_utf8_lossy(&text), release)?)
}
