//! What systemd is told: the status line of `systemctl status`, and that the service is ready.
//!
//! Without systemd (no `NOTIFY_SOCKET`) these do nothing. A lost notification must not hurt the app, so
//! errors end in a debug line.

use sd_notify::NotifyState;

pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

pub fn ready(line: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(line)]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not notified: {error}");
    }
}
