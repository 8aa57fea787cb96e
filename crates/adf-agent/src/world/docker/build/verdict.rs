//! Docker's words for a failed build, sorted.
//!
//! The texts are those of Docker Engine 20.10 to 28 and of the registries behind it; the tests hold what they really
//! said. The rule: what is not recognised is the Dockerfile's own failure, which is not tried again.

use std::time::Duration;

use super::error::BuildProblem;
use crate::log::printable;
use crate::world::Builder;

/// What a command exits with that the kernel killed (128 + SIGKILL).
const KILLED: i64 = 137;

/// BuildKit puts these in front of what happened.
const PREAMBLES: [&str; 3] = [
    "failed to solve: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to create LLB definition: ",
];

pub(super) fn verdict(
    message: &str,
    exit: Option<i64>,
    step: Option<&str>,
    log: &[String],
    builder: Builder,
) -> BuildProblem {
    let said = printable(without_preambles(message));
    let exit = exit.or_else(|| exit_code(&said));
    let lower = said.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if has(SESSION_GONE) {
        return BuildProblem::SessionLost(said);
    }
    if builder == Builder::BuildKit
        && has(&[
            "buildkit not supported",
            "buildkit is not supported",
            "unsupported builder version",
            "invalid version 2",
        ])
    {
        return BuildProblem::NoBuildKit(said);
    }
    if builder == Builder::Classic && has(&["requires buildkit"]) {
        return BuildProblem::NeedsBuildKit(said);
    }
    if exit.is_none()
        && let Some(problem) = registry(&said, &lower, step)
    {
        return problem;
    }
    if has(NO_SPACE) || (exit.is_some() && log.iter().any(|line| no_space(line))) {
        return BuildProblem::DiskFull(said);
    }
    if exit == Some(KILLED) {
        return BuildProblem::OutOfMemory { victim: None, host_ram: None };
    }
    BuildProblem::Dockerfile { message: said, exit }
}

/// Before a step asks, and while it does.
const SESSION_GONE: &[&str] =
    &["no active session", "session not found", "failed to get session", "rpc error: code = unavailable"];

const NO_SPACE: &[&str] = &["no space left on device", "disk quota exceeded"];

fn no_space(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    NO_SPACE.iter().any(|part| lower.contains(part))
}

fn without_preambles(message: &str) -> &str {
    let mut rest = message;
    while let Some(shorter) = PREAMBLES.iter().find_map(|preamble| rest.strip_prefix(preamble)) {
        rest = shorter;
    }
    rest
}

/// BuildKit: `... exit code: 2`; the classic builder: `... returned a non-zero code: 2`.
fn exit_code(message: &str) -> Option<i64> {
    let (_, code) =
        message.rsplit_once("exit code: ").or_else(|| message.rsplit_once("returned a non-zero code: "))?;
    code.trim().parse().ok()
}

/// What a registry did instead of giving a base image.
fn registry(said: &str, lower: &str, step: Option<&str>) -> Option<BuildProblem> {
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let (image, message) = (base_image(said, step), said.to_owned());
    if has(&["toomanyrequests", "too many requests", "rate limit"]) {
        return Some(BuildProblem::RateLimited { wait: retry_after(lower), image, message });
    }
    // Only where an image is being looked up: a Dockerfile's own steps say "not found" too.
    if !looks_up_an_image(lower, step) {
        return None;
    }
    if has(&[
        "denied",
        "unauthorized",
        "authentication required",
        "authorization failed",
        // As a word: a port or a digest may have the same digits.
        " 401",
        "403 forbidden",
        "no basic auth",
        "manifest unknown",
        "name unknown",
        "not found",
        "does not exist",
        "no match for platform",
        "no matching manifest",
    ]) {
        return Some(BuildProblem::BaseImage { image, message });
    }
    if has(&[
        "connection refused",
        "connection reset",
        "i/o timeout",
        "deadline exceeded",
        "tls handshake",
        "no such host",
        "temporary failure",
        "server misbehaving",
        "network is unreachable",
        ": eof",
        "unexpected eof",
        " 500 ",
        " 502 ",
        " 503 ",
        " 504 ",
    ]) {
        return Some(BuildProblem::Registry { image, message });
    }
    None
}

fn looks_up_an_image(lower: &str, step: Option<&str>) -> bool {
    if ["dockerfile parse error", "target stage", "failed to compute cache key"]
        .iter()
        .any(|other| lower.contains(other))
    {
        return false;
    }
    step.is_some_and(|step| {
        step.starts_with("[internal] load metadata for ")
            || step.contains("resolve image config for")
            || from(step).is_some()
    }) || lower.contains("pulling from host")
        || lower.contains("/manifests/")
        || lower.contains("pull access denied")
}

/// The image of `[1/3] FROM image` or `Step 1/3 : FROM image AS name`.
fn from(step: &str) -> Option<&str> {
    let (_, rest) = step.split_once("FROM ")?;
    let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
    words.next().filter(|image| *image != "scratch")
}

fn base_image(said: &str, step: Option<&str>) -> String {
    let named = step.and_then(|step| {
        from(step).or_else(|| step.rsplit_once("metadata for ").map(|(_, image)| image.trim()))
    });
    let named = named.or_else(|| said.strip_suffix(": not found").and_then(|rest| rest.rsplit(' ').next()));
    let host = || said.split_once("pulling from host ").and_then(|(_, rest)| rest.split_whitespace().next());
    named.or_else(host).unwrap_or("the base image").to_owned()
}

/// Registries that say it in words: `toomanyrequests: retry-after: 7.5s, allowed: 44000/minute`.
fn retry_after(lower: &str) -> Option<Duration> {
    let (_, rest) = lower.split_once("retry-after: ")?;
    let text: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | 'µ')).collect();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let parsed: jiff::SignedDuration = text.parse().ok()?;
    parsed.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a message of one builder, in a step, is taken for.
    fn sorted(message: &str, step: Option<&str>, builder: Builder) -> BuildProblem {
        verdict(message, None, step, &[], builder)
    }

    const LLB: &str = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: ";

    #[test]
    fn fault_09_a_registrys_rate_limit_is_known_in_the_words_of_both_builders() {
        let kit = format!(
            "{LLB}pulling from host 127.0.0.55:5055 failed with status code [manifests 1]: 429 Too Many Requests"
        );
        let step = "[internal] load metadata for 127.0.0.55:5055/limited:1";
        let BuildProblem::RateLimited { image, wait, .. } = sorted(&kit, Some(step), Builder::BuildKit)
        else {
            panic!("not a rate limit")
        };
        assert_eq!((image.as_str(), wait), ("127.0.0.55:5055/limited:1", None));
        let classic = "toomanyrequests: retry-after: 7.5s, allowed: 44000/minute";
        let BuildProblem::RateLimited { image, wait, .. } =
            sorted(classic, Some("Step 1/1 : FROM ghcr.io/a/b:1 AS base"), Builder::Classic)
        else {
            panic!("not a rate limit")
        };
        assert_eq!((image.as_str(), wait), ("ghcr.io/a/b:1", Some(Duration::from_millis(7500))));
        let hub = "toomanyrequests: You have reached your pull rate limit.";
        assert!(matches!(
            sorted(hub, Some("Step 1/1 : FROM node:22"), Builder::Classic),
            BuildProblem::RateLimited { wait: None, .. }
        ));
    }

    #[test]
    fn fault_10_a_missing_or_denied_base_image_is_known_in_the_words_of_both_builders() {
        let step = Some("[internal] load metadata for 127.0.0.55:5055/x:1");
        for said in [
            "127.0.0.55:5055/x:1: not found",
            "pulling from host 127.0.0.55:5055 failed with status code [manifests 1]: 403 Forbidden",
            "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            "unexpected status from HEAD request to https://ghcr.io/v2/a/manifests/1: 401 Unauthorized",
        ] {
            let problem = sorted(&format!("{LLB}{said}"), step, Builder::BuildKit);
            let BuildProblem::BaseImage { image, message } = problem else { panic!("{said}: {problem:?}") };
            assert_eq!((image.as_str(), message.as_str()), ("127.0.0.55:5055/x:1", said));
        }
        for said in ["manifest unknown", "name unknown", "unauthorized", "denied"] {
            let problem = sorted(said, Some("Step 1/1 : FROM 127.0.0.55:5055/x:1"), Builder::Classic);
            assert!(matches!(problem, BuildProblem::BaseImage { .. }), "{said}: {problem:?}");
        }
    }

    #[test]
    fn a_registry_that_is_down_is_not_the_dockerfiles_fault() {
        for said in [
            "failed to do request: Head \"http://127.0.0.56:5055/v2/x/manifests/1\": dial tcp 127.0.0.56:5055: connect: connection refused",
            "pulling from host 127.0.0.55:5055 failed with status code [manifests 1]: 503 Service Unavailable",
        ] {
            let problem =
                sorted(said, Some("[internal] load metadata for 127.0.0.56:5055/x:1"), Builder::BuildKit);
            assert!(matches!(problem, BuildProblem::Registry { .. }), "{said}: {problem:?}");
        }
    }

    #[test]
    fn fault_08_what_the_dockerfile_does_wrong_is_its_own_fault() {
        for (said, step) in [
            (format!("{LLB}dockerfile parse error line 2: unknown instruction: NONSENSE"), None),
            (format!("{LLB}target stage nostage could not be found"), None),
            (
                "failed to compute cache key: \"/nope\" not found: not found".to_owned(),
                Some("[1/1] COPY nope /x"),
            ),
            (
                "executor failed running [/bin/sh -c curl x]: exit code: 22".to_owned(),
                Some("[2/2] RUN curl x"),
            ),
        ] {
            let problem = sorted(&said, step, Builder::BuildKit);
            let BuildProblem::Dockerfile { message, .. } = problem else { panic!("{said}: {problem:?}") };
            assert!(!message.starts_with("failed to solve"), "{message}");
        }
    }

    #[test]
    fn fault_07_a_killed_command_ran_out_of_memory() {
        for said in [
            "executor failed running [/bin/sh -c make]: exit code: 137",
            "process \"/bin/sh -c make\" did not complete successfully: exit code: 137",
            "The command '/bin/sh -c make' returned a non-zero code: 137",
        ] {
            let problem = sorted(said, Some("[2/2] RUN make"), Builder::BuildKit);
            assert!(matches!(problem, BuildProblem::OutOfMemory { .. }), "{said}: {problem:?}");
        }
    }

    #[test]
    fn fault_06_no_space_is_known_from_the_error_and_from_the_commands_last_lines() {
        let direct = sorted("write /var/lib/docker/tmp/x: no space left on device", None, Builder::Classic);
        assert!(matches!(direct, BuildProblem::DiskFull(_)), "{direct:?}");
        let log = ["tar: write error: No space left on device".to_owned()];
        let said = "process \"/bin/sh -c tar\" did not complete successfully: exit code: 1";
        let inside = verdict(said, None, Some("[2/2] RUN tar"), &log, Builder::BuildKit);
        assert!(matches!(inside, BuildProblem::DiskFull(_)), "{inside:?}");
    }

    #[test]
    fn fault_04_a_lost_session_is_not_a_registrys_fault() {
        for said in [
            "no active sessions",
            "no active session for x: context deadline exceeded",
            "rpc error: code = Unavailable desc = connection closed",
        ] {
            let problem = sorted(
                &format!("{LLB}{said}"),
                Some("[internal] load metadata for node:22"),
                Builder::BuildKit,
            );
            assert!(matches!(problem, BuildProblem::SessionLost(_)), "{said}: {problem:?}");
        }
    }

    #[test]
    fn the_classic_builder_says_when_it_cannot() {
        let said = "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/";
        let problem = sorted(said, Some("Step 4/4 : RUN --mount=type=cache"), Builder::Classic);
        assert!(matches!(problem, BuildProblem::NeedsBuildKit(_)), "{problem:?}");
    }

    #[test]
    fn fault_09_digits_of_a_port_or_a_name_are_no_status() {
        let step = Some("[internal] load metadata for 127.0.0.1:40107/geofence/base:1");
        let head = "failed to do request: Head \"http://127.0.0.1:40107/v2/geofence/base/manifests/1\": ";
        let refused = format!("{head}dial tcp 127.0.0.1:40107: connect: connection refused");
        assert!(matches!(sorted(&refused, step, Builder::BuildKit), BuildProblem::Registry { .. }));
        let cut = format!("{head}EOF");
        assert!(matches!(sorted(&cut, step, Builder::BuildKit), BuildProblem::Registry { .. }));
        let status = "failed to solve: unexpected status from HEAD request: 401 Unauthorized";
        assert!(matches!(sorted(status, step, Builder::BuildKit), BuildProblem::BaseImage { .. }));
        let gateway = "unexpected status from HEAD request to http://127.0.0.1:40107/v2/: 502 Bad Gateway";
        assert!(matches!(sorted(gateway, step, Builder::BuildKit), BuildProblem::Registry { .. }));
    }
}
