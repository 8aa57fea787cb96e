//! `adf-local machine`: becomes an instance's program and asks the kernel to end it when adf-local ends.
//!
//! However adf-local dies, its agents get SIGTERM and stop their containers. The kernel keeps the request across
//! `exec`, so this leaves no process between adf-local and the agent.

use std::convert::Infallible;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use crate::cli::Machine;

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error("the end of adf-local could not be tied to this process")]
    Tie(#[source] nix::Error),
    #[error("adf-local is gone already")]
    Orphaned,
    #[error("{program} could not be started")]
    Start { program: String, source: io::Error },
}

/// Returns only if the program could not be started.
pub fn become_program(machine: &Machine) -> Result<Infallible, MachineError> {
    prctl::set_pdeathsig(Signal::SIGTERM).map_err(MachineError::Tie)?;
    // It may have died between starting this process and the line above.
    if getppid().as_raw() != machine.parent {
        return Err(MachineError::Orphaned);
    }
    let source = Command::new(&machine.program).args(&machine.args).exec();
    Err(MachineError::Start { program: machine.program.display().to_string(), source })
}
