//! What keeps config values inside this process: no core dump, no other process reading its memory, and no
//! secret in the message of a panic.
//!
//! A panic ends the process, in whichever task it happens: half an agent would be one that nobody restarts. The app
//! goes on, and the next agent adopts it. The one exception is work that is [`contained`].

use std::cell::Cell;

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
        if !CONTAINED.get() {
            std::process::abort();
        }
    }));
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does work on hostile input, whose panic is an error of that input: the next start would meet it again.
/// To be called on a thread whose panic somebody awaits.
pub fn contained<T>(work: impl FnOnce() -> T) -> T {
    CONTAINED.set(true);
    let done = work();
    CONTAINED.set(false);
    done
}

fn told(panic: &str) -> String {
    format!("adf-agent: {}; this is a bug, please report it", redact::text(panic).replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use adf_types::ConfigValue;

    use super::*;

    #[test]
    fn the_panic_of_contained_work_does_not_end_the_process() {
        harden();
        let ended = std::thread::spawn(|| contained(|| panic!("an archive that nobody thought of"))).join();
        assert!(ended.is_err());
        let _ = std::panic::take_hook();
    }

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
