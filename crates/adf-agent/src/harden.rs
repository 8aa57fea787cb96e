//! What keeps config values inside this process: no core dump, no other process reading its memory, and no
//! secret in the message of a panic.
//!
//! A panic ends the process, in whichever task it happens: half an agent would be one that nobody restarts. The app
//! goes on, and the next agent adopts it.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};

use crate::redact;

/// Applies all of it; to be called before anything is read. What the kernel refuses is only told: a container
/// or a sandbox may forbid it, and then has its own way.
pub fn harden() {
    // Both: a core pattern that is a pipe ignores the limit, and the limit survives an exec.
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!("core dumps could not be switched off: {error}");
    }
    if let Err(error) = set_dumpable(false) {
        tracing::warn!("this process could not be made undumpable: {error}");
    }
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{}", told(&info.to_string()));
        std::process::abort();
    }));
}

fn told(panic: &str) -> String {
    format!("adf-agent: {}; this is a bug, please report it", redact::text(panic).replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use adf_types::ConfigValue;

    use super::*;

    #[test]
    fn attack_a08_a_panic_shows_no_secret() {
        let secret = ("SENTINEL".parse().expect("a name"), ConfigValue::secret("sentinel-of-a-panic"));
        redact::learn(&[secret].into_iter().collect());
        let shown = told("thread 'main' panicked at src/x.rs:1:\ncannot use \"sentinel-of-a-panic\"");
        assert_eq!(
            shown,
            "adf-agent: thread 'main' panicked at src/x.rs:1: cannot use \"[redacted]\"; this is a bug, please report it"
        );
    }
}
