//! Containers, as plain data.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use adf_types::{ConfigName, ConfigValue};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub labels: BTreeMap<String, String>,
    pub running: bool,
}

/// What a container is made of. `Debug` leaves the environment out: its values may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    pub name: String,
    pub image: String,
    pub env: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Published on `bind`, the same number inside and outside.
    pub port: Option<u16>,
    pub bind: IpAddr,
    pub memory_bytes: Option<i64>,
    pub pids: i64,
    /// Whether a small init is process 1 and the app its child.
    pub init: bool,
    pub stop_grace: Duration,
    /// Secrets that are given as files and so are not in `env`.
    pub secrets: Option<SecretFiles>,
}

/// Secrets as files in a folder of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFiles {
    pub folder: PathBuf,
    pub files: Vec<(ConfigName, ConfigValue)>,
}

impl std::fmt::Debug for ContainerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerSpec")
            .field("name", &self.name)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    Running,
    Exited {
        code: i64,
        out_of_memory: bool,
    },
    /// There is no such container any more.
    Gone,
}

/// What Docker says about the HEALTHCHECK of a container's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// The image has none, or `HEALTHCHECK NONE`.
    Absent,
    /// It has not passed yet, and its start period or its retries are not used up.
    Starting,
    Healthy,
    Unhealthy {
        /// What its last run printed, one line.
        last: String,
    },
}
