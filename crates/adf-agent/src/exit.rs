//! The agent's exit codes, as `adf-agent.service` and the README document them.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Stopped on request, or another agent is already running.
    Stopped,
    /// Something outside did not answer before the instance was known; systemd starts the agent again.
    Transient,
    /// Bad command line or agent.toml.
    Usage,
    /// The release cannot run here; `RestartPreventExitStatus=78` keeps systemd from trying again.
    Permanent,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Stopped => 0,
            Exit::Transient => 1,
            Exit::Usage => 2,
            Exit::Permanent => 78,
        })
    }
}
