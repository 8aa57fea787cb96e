//! What systemd is told: the status line of `systemctl status`, that the service is ready, reloading, stopping or
//! alive.
//!
//! Without systemd (no `NOTIFY_SOCKET`) these do nothing. A lost notification must not hurt the app, so
//! errors end in a debug line. Source: `sd_notify(3)`.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::redact;

pub fn status(line: &str) {
    tell(&[NotifyState::Status(&redact::text(line))]);
}

pub fn ready(line: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&redact::text(line))]);
}

/// Followed by [`ready`]; systemd wants the time to tell this reload from an earlier one.
pub fn reloading(line: &str) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, NotifyState::Status(&redact::text(line))]),
        Err(_) => tell(&[NotifyState::Reloading, NotifyState::Status(&redact::text(line))]),
    }
}

pub fn stopping(line: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(&redact::text(line))]);
}

/// How long systemd waits for [`alive`]; nothing when it does not watch this process.
pub fn watchdog_limit() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Whether this process is a systemd service.
pub fn is_service() -> bool {
    std::env::var_os("INVOCATION_ID").is_some()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not notified: {error}");
    }
}
