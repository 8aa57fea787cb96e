//! The memory limit of an app that names none.
//!
//! Without a limit an app that leaks takes the whole host with it, Docker and the agent included, and what the kernel
//! kills then is anybody. With one it is the app's own container, which is started again.

/// What Docker, containerd, the agent and the system need of a small host.
const RESERVE: u64 = 256 << 20;

/// The least that is given, whatever the host has.
const LEAST: u64 = 64 << 20;

/// The host's memory less a tenth, and at least [`RESERVE`].
pub(super) fn default_limit(host: u64) -> i64 {
    let reserve = (host / 10).max(RESERVE);
    i64::try_from(host.saturating_sub(reserve).max(LEAST)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_keeps_a_tenth_and_at_least_256_mib() {
        for (host_mib, limit_mib) in [(16_384, 14_746), (1024, 768), (512, 256), (128, 64)] {
            assert_eq!((default_limit(host_mib << 20) + (1 << 19)) >> 20, limit_mib, "{host_mib}");
        }
    }
}
