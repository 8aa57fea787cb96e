//! Values encrypted, with one data key for all of a change.

use adf_types::{ConfigName, ConfigValue};
use aws_sdk_kms::types::DataKeySpec;
use zeroize::Zeroizing;

use super::Sealed;
use super::envelope::DataKey;
use super::error::{Attempt, kms_error, nothing_returned};
use crate::Store;
use crate::error::StoreError;

impl Store {
    /// Seals `values` of `layer` with a new data key of the KMS key `key`.
    pub(crate) async fn seal<'a>(
        &self,
        layer: &str,
        key: &str,
        values: &'a [(ConfigName, ConfigValue)],
    ) -> Result<Vec<(&'a ConfigName, Sealed)>, StoreError> {
        let Some((first, _)) = values.first() else { return Ok(Vec::new()) };
        let attempt =
            Attempt { verb: "encrypt", right: "kms:GenerateDataKey", layer, name: first, key: Some(key) };
        let answer = self
            .kms
            .generate_data_key()
            .key_id(key)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("App", layer)
            .send()
            .await
            .map_err(|e| kms_error(&attempt, e))?;
        let (Some(plain), Some(encrypted)) = (answer.plaintext, answer.ciphertext_blob) else {
            return Err(nothing_returned(&attempt));
        };
        let plain = Zeroizing::new(plain.into_inner());
        let key_arn = answer.key_id.unwrap_or_default();
        let key = DataKey { plain: &plain, encrypted: encrypted.as_ref(), key_arn: &key_arn };
        let seal = |(name, value): &'a (ConfigName, ConfigValue)| {
            let sealed = Sealed::seal(&key, layer, name.as_str(), value.expose());
            sealed.map(|sealed| (name, sealed)).map_err(|damage| StoreError::Secret {
                key: format!("{layer}/{name}"),
                problem: damage.to_string(),
            })
        };
        values.iter().map(seal).collect()
    }
}
