//! What systemd is told: the status line of `systemctl status`, that the service is ready, reloading, stopping or
//! alive.
//!
//! Without systemd (no `NOTIFY_SOCKET`) these do nothing. A lost notification must not hurt the app, so
//! errors end in a debug line. Source: `sd_notify(3)`.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
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

/// How long a systemd that does not read may hold up the agent.
const PATIENCE: Duration = Duration::from_millis(100);

fn tell(states: &[NotifyState<'_>]) {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&address, states) {
        tracing::debug!("systemd was not notified: {error}");
    }
}

/// Not `sd_notify::notify`, which waits for ever where nobody reads and the socket is full.
fn send(address: &OsStr, states: &[NotifyState<'_>]) -> io::Result<()> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let lines: Vec<_> = states.iter().map(|state| format!("{state}\n")).collect();
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to_addr(lines.concat().as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn states_are_lines_of_one_datagram_to_a_path_or_an_abstract_name() {
        let states = [NotifyState::Ready, NotifyState::Status("serving web v1")];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        send(path.as_os_str(), &states).expect("sent");
        assert_eq!(received(&socket), "READY=1\nSTATUS=serving web v1\n");

        let name = format!("adf-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("an address");
        let socket = UnixDatagram::bind_addr(&address).expect("bound");
        send(format!("@{name}").as_ref(), &states).expect("sent");
        assert_eq!(received(&socket), "READY=1\nSTATUS=serving web v1\n");
    }

    #[test]
    fn a_systemd_that_does_not_read_is_given_up_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let _unread = UnixDatagram::bind(&path).expect("bound");
        let full = (0..10_000).find_map(|_| send(path.as_os_str(), &[NotifyState::Watchdog]).err());
        assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    }
}
