//! Docker's errors in our words.

use std::net::SocketAddr;

use bollard::errors::Error;

use crate::failure::chain;
use crate::world::DockerError;

/// An answer is a refusal, a missing answer is a Docker that is not there.
pub(super) fn refused(operation: &'static str, error: Error) -> DockerError {
    match error {
        Error::DockerResponseServerError { message, .. } => {
            DockerError::Refused { operation, problem: with_hint(message) }
        }
        other => not_answering(&other),
    }
}

/// Some packages of Docker come without its init; Docker's own words do not say what to do then.
fn with_hint(message: String) -> String {
    if !message.contains("docker-init") {
        return message;
    }
    format!("{message}; install Docker's init (tini), or set [run] init = false in adf.toml")
}

pub(super) fn not_answering(error: &Error) -> DockerError {
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "/var/run/docker.sock".to_owned());
    DockerError::NotAnswering { host, problem: chain(error) }
}

pub(super) fn is_missing(error: &Error) -> bool {
    status(error) == Some(404)
}

pub(super) fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// Already stopped, already started.
pub(super) fn is_unchanged(error: &Error) -> bool {
    status(error) == Some(304)
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// The address of a failed publication. Docker says either `Bind for 0.0.0.0:80 failed: port is already
/// allocated` (another container) or `listen tcp4 0.0.0.0:80: bind: address already in use` (a process).
pub(super) fn port_in_use(error: &Error) -> Option<SocketAddr> {
    let Error::DockerResponseServerError { message, .. } = error else { return None };
    if !message.contains("port is already allocated") && !message.contains("address already in use") {
        return None;
    }
    let mut words = message.split_whitespace().map(|w| w.trim_end_matches([':', ',']));
    words.find_map(|word| word.parse::<SocketAddr>().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_docker_without_its_init_is_told_with_what_to_do() {
        let message = "exec: \"docker-init\": executable file not found in $PATH: unknown".to_owned();
        let error = Error::DockerResponseServerError { status_code: 400, message };
        let told = refused("start the container", error).to_string();
        assert!(
            told.ends_with("install Docker's init (tini), or set [run] init = false in adf.toml"),
            "{told}"
        );
    }

    #[test]
    fn both_ways_docker_says_that_a_port_is_taken_are_understood() {
        for message in [
            "driver failed programming external connectivity on endpoint adf-web (4f1): Bind for 127.0.0.9:8080 failed: port is already allocated",
            "driver failed programming external connectivity on endpoint adf-web (4f1): Error starting userland proxy: listen tcp4 127.0.0.9:8080: bind: address already in use",
        ] {
            let error = Error::DockerResponseServerError { status_code: 500, message: message.to_owned() };
            assert_eq!(port_in_use(&error), Some("127.0.0.9:8080".parse().expect("an address")));
        }
    }
}
