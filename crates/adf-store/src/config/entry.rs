//! One item of the config table.

use adf_types::{ConfigName, ConfigValue};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::StoreError;
use crate::keys::Item;
use crate::query::{flag, string};
use crate::secret::Sealed;

/// What a layer says of a name. `Debug` shows no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Value(ConfigValue),
    /// A secret, as it is stored.
    Secret(Sealed),
    /// An Overlay's tombstone: the release does not see the Base value.
    Unset,
}

pub(super) fn name(layer: &str, item: &Item) -> Result<ConfigName, StoreError> {
    let raw = string(item, "Name").unwrap_or_default();
    raw.parse().map_err(|e: adf_types::ConfigNameError| StoreError::Config {
        key: format!("{layer}/{}", raw.escape_debug()),
        problem: format!(
            "{e}. Whoever wrote it can rename it; this removes it: aws dynamodb delete-item --table-name TABLE --key \
             '{{\"App\": {{\"S\": {layer:?}}}, \"Name\": {{\"S\": {raw:?}}}}}'"
        ),
    })
}

pub(super) fn entry(layer: &str, item: &Item) -> Result<(ConfigName, Entry), StoreError> {
    let name = name(layer, item)?;
    let problem =
        |problem: &str| StoreError::Config { key: format!("{layer}/{name}"), problem: problem.to_owned() };
    if flag(item, "Unset") {
        return Ok((name, Entry::Unset));
    }
    match (item.get("Value"), item.get("Secret")) {
        (Some(_), Some(_)) => Err(problem("the item has both a Value and a Secret; set it again")),
        (Some(AttributeValue::S(value)), _) if value.contains('\0') => {
            Err(problem("the value holds a NUL byte, which no environment variable can"))
        }
        (Some(AttributeValue::S(value) | AttributeValue::N(value)), _) => {
            Ok((name, Entry::Value(ConfigValue::plain(value.clone()))))
        }
        (Some(_), _) => Err(problem("the attribute Value is neither a string nor a number")),
        (None, Some(AttributeValue::B(sealed))) => Ok((name, Entry::Secret(Sealed::new(sealed.as_ref())))),
        (None, Some(_)) => Err(problem("the attribute Secret is not binary")),
        (None, None) => Err(problem("the item has no attribute Value")),
    }
}
