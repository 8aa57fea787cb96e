//! Reads of metadata with one token: fetched before the first read, renewed once when it is refused.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{Imds, ImdsError};

/// One token for the whole life of the agent; whoever reads first fetches it.
pub struct MetadataSession {
    imds: Arc<dyn Imds>,
    token: Mutex<Option<String>>,
}

impl std::fmt::Debug for MetadataSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetadataSession")
    }
}

impl MetadataSession {
    pub fn new(imds: Arc<dyn Imds>) -> Self {
        Self { imds, token: Mutex::default() }
    }

    /// One read; nothing when the answer is 404. A token that ran out (401) is renewed once and the read repeated;
    /// a fresh token that is refused as well is the error.
    pub async fn get(&self, path: &str) -> Result<Option<Bytes>, ImdsError> {
        let mut token = self.token.lock().await;
        let held = match token.as_ref() {
            Some(held) => held.clone(),
            None => token.insert(self.imds.token().await?).clone(),
        };
        match self.imds.get(path, &held).await {
            Err(ImdsError::TokenExpired) => {
                tracing::debug!(path, "the metadata token ran out; fetching another");
                // Forgotten first: if no other can be had now, the next read asks again.
                *token = None;
                let fresh = token.insert(self.imds.token().await?).clone();
                self.imds.get(path, &fresh).await
            }
            other => other,
        }
    }

    /// As [`get`](Self::get), as trimmed text.
    pub async fn text(&self, path: &str) -> Result<Option<String>, ImdsError> {
        let found = self.get(path).await?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }
}
