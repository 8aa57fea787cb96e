//! What an instance knows of itself, so that `adf-config` needs no flags there: its app, from user data or tags, and the
//! tables that its agent reads, from agent.toml.

use std::path::Path;
use std::time::Duration;

use adf_store::Tables;
use adf_types::{AppName, UserData};
use aws_config::imds::Client;
use aws_config::imds::client::error::ImdsError;
use serde::Deserialize;

/// The agent's settings, on an AMI of ADF.
pub const AGENT_TOML: &str = "/etc/adf/agent.toml";

/// The metadata service is one hop away and answers within milliseconds; on a workstation nobody does.
const PATIENCE: Duration = Duration::from_secs(1);

/// What of agent.toml is of use here. Its other keys are the agent's to check.
#[derive(Debug, Default, Deserialize)]
struct AgentToml {
    config_table: Option<String>,
    state_table: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("cannot read {path}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is not what the agent reads")]
    Toml { path: String, source: Box<toml::de::Error> },
}

/// The tables that the agent of this machine reads, or those that every part of ADF uses unless told otherwise.
pub fn tables(agent_toml: &Path) -> Result<Tables, InstanceError> {
    let path = || agent_toml.display().to_string();
    let told = match std::fs::read_to_string(agent_toml) {
        Ok(text) => toml::from_str(&text)
            .map_err(|source| InstanceError::Toml { path: path(), source: Box::new(source) })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => AgentToml::default(),
        Err(source) => return Err(InstanceError::Read { path: path(), source }),
    };
    let default = Tables::default();
    Ok(Tables {
        config: told.config_table.unwrap_or(default.config),
        state: told.state_table.unwrap_or(default.state),
    })
}

/// The app that this instance runs: `APP` of its user data, else of its tags. Nothing on a machine that is no instance,
/// or on one that runs no app by that name.
pub async fn app() -> Option<AppName> {
    // The switch that every tool of AWS knows. The SDK's own client does not look at it.
    if std::env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let client = Client::builder().max_attempts(1).connect_timeout(PATIENCE).read_timeout(PATIENCE).build();
    let data = match client.get("/latest/user-data").await {
        Ok(text) => UserData::parse(String::from(text).as_bytes()).ok()?,
        // There is a metadata service, and no user data.
        Err(ImdsError::ErrorResponse(_)) => UserData::default(),
        Err(_) => return None,
    };
    match data.app {
        Some(app) => Some(app),
        None => String::from(client.get("/latest/meta-data/tags/instance/APP").await.ok()?).parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_agent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agent.toml");
        assert_eq!(tables(&path).expect("no file is no error"), Tables::default());
        std::fs::write(&path, "config_table = \"prod-config\"\nkeep_images = 2\n").expect("written");
        let tables_of = tables(&path).expect("readable");
        assert_eq!((tables_of.config.as_str(), tables_of.state.as_str()), ("prod-config", "adf-state"));
        std::fs::write(&path, "config_table = \n").expect("written");
        assert!(tables(&path).is_err());
    }
}
