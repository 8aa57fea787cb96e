//! What tells that the app is well, and one look at it.

use std::net::SocketAddr;

use adf_types::{Health, RunSection};

use crate::agent::Agent;
use crate::settings::Settings;
use crate::start::Started;
use crate::world::{Healthcheck, ProbeTarget};

/// From adf.toml's `[run] health` and the port, once both are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The app is asked.
    Asked(ProbeTarget),
    /// Docker runs the image's HEALTHCHECK and is asked how that stands. Its interval, retries and start period are
    /// the image's own; `interval` and `passes` say how often Docker is asked and how often it must say healthy.
    Image,
    /// The container runs: all that can be seen of a worker.
    Running,
}

impl Check {
    /// Without a port there is nobody to ask: a worker is well while it runs, or says so by its HEALTHCHECK.
    pub fn of(run: &RunSection, settings: &Settings, port: Option<u16>) -> Self {
        let address = port.map(|port| SocketAddr::new(settings.probe_address(), port));
        match (&run.health, address) {
            (Health::Docker, _) => Self::Image,
            (Health::Running, _) | (_, None) => Self::Running,
            (Health::Http { path, status }, Some(address)) => {
                Self::Asked(ProbeTarget::Http { address, path: path.clone(), status: status.clone() })
            }
            (Health::Tcp, Some(address)) => Self::Asked(ProbeTarget::Tcp { address }),
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked(target) => target.fmt(f),
            Self::Image => f.write_str("the image's HEALTHCHECK"),
            Self::Running => f.write_str("the container"),
        }
    }
}

/// One look at a running container; the error says what was seen instead of well, such as `503`.
pub async fn probe(agent: &Agent, started: &Started) -> Result<(), String> {
    match &started.check {
        Check::Asked(target) => agent.world.prober.probe(target, started.run.timeout).await,
        Check::Image => match agent.world.docker.healthcheck(&started.container).await {
            Ok(Healthcheck::Healthy) => Ok(()),
            Ok(Healthcheck::Starting) => Err("starting".to_owned()),
            Ok(Healthcheck::Unhealthy { last }) if last.is_empty() => Err("unhealthy".to_owned()),
            Ok(Healthcheck::Unhealthy { last }) => Err(format!("unhealthy ({last})")),
            Ok(Healthcheck::Absent) => Err("nothing, as the image has none".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        Check::Running => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(health: &str, port: Option<u16>) -> String {
        let toml = adf_types::AdfToml::parse(&format!("[run]\nhealth = {health}\n")).expect("valid");
        Check::of(&toml.run, &Settings::default(), port).to_string()
    }

    #[test]
    fn the_check_follows_adf_toml_and_the_port() {
        let http = "{ type = \"http\", path = \"/up\" }";
        assert_eq!(check(http, Some(80)), "http://127.0.0.1:80/up");
        assert_eq!(check(http, None), "the container", "a worker has nobody to ask");
        assert_eq!(check("{ type = \"tcp\" }", Some(80)), "tcp 127.0.0.1:80");
        assert_eq!(check("{ type = \"docker\" }", None), "the image's HEALTHCHECK");
        assert_eq!(check("{ type = \"docker\" }", Some(80)), "the image's HEALTHCHECK");
        assert_eq!(check("{ type = \"running\" }", Some(80)), "the container");
    }
}
