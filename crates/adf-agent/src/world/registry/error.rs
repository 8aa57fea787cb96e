//! What can be wrong between Docker and a registry. Docker passes a registry's answers on as text; the words below are
//! those of the registry API and of Docker 20.10 to 29.

use adf_types::{AgentName, ImageRef};

use crate::failure::{Fault, Kind};
use crate::world::DockerError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error("E106 the disk is full, image {image} has no room: {problem}")]
    DiskFull { image: String, problem: String },
    #[error(
        "E109 registry rate limit for {image}: {problem}; use a mirror, or log in with the secret ADF_REGISTRY_AUTH"
    )]
    RateLimited { image: String, problem: String },
    #[error(
        "E110 image {image} was not found, or {host} denied access: {problem}; check the name and the login ({})",
        login(host)
    )]
    Denied { host: String, image: String, problem: String },
    #[error(
        "E110 the secret {name} is not {{\"host\": {{\"username\": \"...\", \"password\": \"...\"}}}} ({place})"
    )]
    Secret { name: AgentName, place: String },
    #[error("E110 no login for {host}: {problem}; the instance's role needs ecr:GetAuthorizationToken")]
    Role { host: String, problem: String },
    #[error("E111 registry {host} did not answer for {image}: {problem}")]
    Unreachable { host: String, image: String, problem: String },
    #[error(transparent)]
    Docker(#[from] DockerError),
}

impl Fault for RegistryError {
    fn kind(&self) -> Kind {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } => Kind::Transient,
            Self::DiskFull { .. } | Self::Denied { .. } | Self::Secret { .. } | Self::Role { .. } => {
                Kind::Permanent
            }
            Self::Docker(error) => error.kind(),
        }
    }
}

/// Said by registries, and by Docker about them, when the same question would get the same answer.
const FINAL: [&str; 13] = [
    "denied",
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
    "incorrect username or password",
    "forbidden",
    "not found",
    "manifest unknown",
    "name unknown",
    "no matching manifest",
    "unsupported",
    "immutable",
    "invalid reference",
];

impl RegistryError {
    /// What Docker's message about `image` means.
    pub(in crate::world) fn from_docker(image: &ImageRef, message: &str) -> Self {
        let problem = crate::log::printable(message);
        let (host, image) = (image.repository().host().to_owned(), image.to_string());
        let lower = problem.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if says(&["toomanyrequests", "too many requests", "rate limit"]) {
            Self::RateLimited { image, problem }
        } else if says(&["no space left on device"]) {
            Self::DiskFull { image, problem }
        } else if says(&["no such host"]) {
            Self::Unreachable { host, image, problem }
        } else if says(&FINAL) {
            Self::Denied { host, image, problem }
        } else {
            Self::Unreachable { host, image, problem }
        }
    }
}

fn login(host: &str) -> &'static str {
    if super::EcrHost::parse(host).is_some() {
        "the instance's role needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer"
    } else {
        "the secret ADF_REGISTRY_AUTH in the config table"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> (String, Kind) {
        let error = RegistryError::from_docker(&"ghcr.io/acme/web:v1".parse().expect("an image"), message);
        (error.to_string(), error.kind())
    }

    #[test]
    fn fault_09_a_rate_limit_is_told_from_a_refusal() {
        let message = "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating";
        let (text, kind) = told(message);
        assert!(
            text.starts_with("E109 registry rate limit for ghcr.io/acme/web:v1: toomanyrequests"),
            "{text}"
        );
        assert!(text.ends_with("use a mirror, or log in with the secret ADF_REGISTRY_AUTH"), "{text}");
        assert_eq!(kind, Kind::Transient);
        let (text, _) = told("error parsing HTTP 429 response body: ... Too Many Requests (HAP429)");
        assert!(text.starts_with("E109 "), "{text}");
    }

    #[test]
    fn fault_10_what_a_registry_refuses_is_final_and_names_host_and_image() {
        for message in [
            "pull access denied for acme/web, repository does not exist or may require 'docker login'",
            "manifest for ghcr.io/acme/web:v1 not found: manifest unknown: manifest unknown",
            "Head \"https://ghcr.io/v2/acme/web/manifests/v1\": unauthorized: authentication required",
            "Get https://ghcr.io/v2/acme/web/manifests/v1: no basic auth credentials",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "tag invalid: The image tag 'v1' already exists and cannot be overwritten because the repository is immutable.",
        ] {
            let (text, kind) = told(message);
            assert!(
                text.starts_with("E110 image ghcr.io/acme/web:v1 was not found, or ghcr.io denied access: "),
                "{text}"
            );
            assert_eq!(kind, Kind::Permanent, "{text}");
        }
    }

    #[test]
    fn a_registry_that_does_not_answer_may_answer_later() {
        for message in [
            "Get https://ghcr.io/v2/: dial tcp 127.0.0.9:5000: connect: connection refused",
            "Get https://ghcr.io/v2/: dial tcp: lookup ghcr.io: no such host",
            "received unexpected HTTP status: 503 Service Unavailable",
            "net/http: TLS handshake timeout",
        ] {
            let (text, kind) = told(message);
            assert!(
                text.starts_with("E111 registry ghcr.io did not answer for ghcr.io/acme/web:v1: "),
                "{text}"
            );
            assert_eq!(kind, Kind::Transient);
        }
        assert!(told("write /var/lib/docker/x: no space left on device").0.starts_with("E106 "));
    }
}
