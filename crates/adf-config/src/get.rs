//! One value.

use adf_store::{Entry, Store};
use adf_types::{AppName, Config, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::known::whole;
use crate::printer::Text;

/// A value as it is: what is printed goes into a variable or a file, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Got {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub name: ConfigName,
    pub value: String,
}

impl Text for Got {
    fn text(&self) -> String {
        format!("{}\n", self.value)
    }
}

/// The value of a name in a config that was read, secret or not.
pub fn of(
    config: &Config,
    app: &AppName,
    release: Option<&ReleaseName>,
    name: &ConfigName,
) -> Result<Got, ConfigError> {
    let no_such_name = || ConfigError::NoSuchName { app: app.clone(), name: name.clone() };
    let of_agent = || name.for_agent().and_then(|name| config.for_agent(name));
    let value = config.get(name).or_else(of_agent).ok_or_else(no_such_name)?.to_owned();
    Ok(Got { app: app.clone(), release: release.cloned(), name: name.clone(), value })
}

/// The value of a name in Base config, or as `release` sees it.
pub async fn get(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    name: &ConfigName,
) -> Result<Got, ConfigError> {
    whole(store, app, release).await?;
    let entry = match release {
        None => store.read_layer(app, None).await?.into_iter().find(|(n, _)| n == name).map(|(_, e)| e),
        Some(release) => {
            store.read_seen(app, release).await?.into_iter().find(|s| s.name == *name).map(|s| s.entry)
        }
    };
    match entry {
        Some(Entry::Value(value)) => Ok(Got {
            app: app.clone(),
            release: release.cloned(),
            name: name.clone(),
            value: value.expose().to_owned(),
        }),
        Some(Entry::Secret(_)) => Err(ConfigError::IsSecret(name.clone())),
        Some(Entry::Unset) | None => Err(ConfigError::NoSuchName { app: app.clone(), name: name.clone() }),
    }
}
