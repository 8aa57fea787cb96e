//! A config's secrets decrypted: one KMS call per data key, whatever the number of secrets, side by side.

use std::collections::BTreeMap;

use adf_types::{AppName, Config, ConfigName, ConfigValue, ReleaseName};
use aws_sdk_kms::primitives::Blob;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use zeroize::Zeroizing;

use super::Sealed;
use super::envelope::{Damage, Form, text};
use super::error::{Attempt, kms_error, nothing_returned};
use crate::Store;
use crate::config::{Entry, Seen};
use crate::error::StoreError;
use crate::keys::layer;

/// KMS calls under way at once. A fleet that boots shares the account's quota, thousands a second; eight are
/// enough to hide the round trips of an old table full of bare ciphertexts.
const AT_ONCE: usize = 8;

/// One KMS call and what it opens.
struct Job<'a> {
    layer: &'a str,
    blob: &'a [u8],
    key_arn: Option<&'a str>,
    secrets: Vec<(&'a ConfigName, &'a Sealed)>,
}

impl Store {
    pub(crate) async fn unseal(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        seen: Vec<Seen>,
    ) -> Result<Config, StoreError> {
        let opened = self.open(app, release, &seen).await?;
        let plain = seen.iter().filter_map(|seen| match &seen.entry {
            Entry::Value(value) => Some((seen.name.clone(), value.clone())),
            Entry::Secret(_) | Entry::Unset => None,
        });
        Ok(plain.chain(opened).collect())
    }

    /// The secrets among `seen`, decrypted.
    pub(crate) async fn open(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        seen: &[Seen],
    ) -> Result<Vec<(ConfigName, ConfigValue)>, StoreError> {
        let layers = [layer(app, None), layer(app, release)];
        let calls: Vec<_> = jobs(&layers, seen)?.into_iter().map(|job| self.run(job).boxed()).collect();
        let opened: Vec<Vec<_>> =
            futures_util::stream::iter(calls).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(opened.into_iter().flatten().collect())
    }

    async fn run(&self, job: Job<'_>) -> Result<Vec<(ConfigName, ConfigValue)>, StoreError> {
        let first = job.secrets[0].0;
        let attempt = Attempt {
            verb: "decrypt",
            right: "kms:Decrypt",
            layer: job.layer,
            name: first,
            key: job.key_arn,
        };
        let call =
            self.kms.decrypt().ciphertext_blob(Blob::new(job.blob)).encryption_context("App", job.layer);
        let call = match job.key_arn {
            Some(arn) => call.key_id(arn),
            None => call.encryption_context("Name", first.as_str()),
        };
        let answer = call.send().await.map_err(|e| kms_error(&attempt, e))?;
        let plain = answer.plaintext.ok_or_else(|| nothing_returned(&attempt))?;
        let plain = Zeroizing::new(plain.into_inner());
        job.secrets.iter().map(|(name, sealed)| open(job.layer, name, sealed, &plain)).collect()
    }
}

/// Secrets by the KMS call they need; a `BTreeMap` so that the calls come in the same order every time.
fn jobs<'a>(layers: &'a [String; 2], seen: &'a [Seen]) -> Result<Vec<Job<'a>>, StoreError> {
    let mut shared: BTreeMap<(&str, &[u8]), Job<'a>> = BTreeMap::new();
    let mut single = Vec::new();
    for Seen { name, entry, overlay } in seen {
        let Entry::Secret(sealed) = entry else { continue };
        let layer = layers[usize::from(*overlay)].as_str();
        match sealed.form().map_err(|damage| damaged(layer, name, damage))? {
            Form::Envelope(envelope) => shared
                .entry((layer, envelope.data_key))
                .or_insert_with(|| Job {
                    layer,
                    blob: envelope.data_key,
                    key_arn: Some(envelope.key_arn),
                    secrets: Vec::new(),
                })
                .secrets
                .push((name, sealed)),
            Form::Bare(blob) => {
                single.push(Job { layer, blob, key_arn: None, secrets: vec![(name, sealed)] });
            }
        }
    }
    Ok(shared.into_values().chain(single).collect())
}

/// `plain` is the data key of an envelope, or the value itself.
fn open(
    layer: &str,
    name: &ConfigName,
    sealed: &Sealed,
    plain: &[u8],
) -> Result<(ConfigName, ConfigValue), StoreError> {
    let value = match sealed.form() {
        Ok(Form::Envelope(envelope)) => envelope.open(plain, layer, name.as_str()),
        Ok(Form::Bare(_)) => text(plain),
        Err(damage) => Err(damage),
    };
    let value = value.map_err(|damage| damaged(layer, name, damage))?;
    Ok((name.clone(), ConfigValue::secret(value.as_str())))
}

fn damaged(layer: &str, name: &ConfigName, damage: Damage) -> StoreError {
    StoreError::Secret { key: format!("{layer}/{name}"), problem: damage.to_string() }
}
