//! Docker's errors in our words.

use std::net::SocketAddr;

use bollard::errors::Error;

use crate::failure::chain;
use crate::world::DockerError;

/// An answer is a refusal, a missing answer is a Docker that is not there.
pub(super) fn refused(operation: &'static str, error: Error) -> DockerError {
    match error {
        Error::DockerResponseServerError { status_code, message } if status_code < 500 => {
            DockerError::Refused { operation, problem: message }
        }
        Error::DockerResponseServerError { message, .. } => {
            DockerError::Refused { operation, problem: message }
        }
        other => not_answering(&other),
    }
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
