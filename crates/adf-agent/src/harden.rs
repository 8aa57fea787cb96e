//! What keeps config values inside this process: no core dump, no other process reading its memory, and no
//! secret in the message of a panic.

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
        let said = info.to_string();
        let said = redact::text(&said);
        eprintln!("adf-agent: {}; this is a bug, please report it", said.replace(['\n', '\r'], " "));
    }));
}
