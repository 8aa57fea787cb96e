//! What the demo may have left behind, looked for where it would be: Docker, processes, ports.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::docker::{Engine, Left};
use crate::failure::Result;

/// How adf-local's agents name their images.
pub(super) const IMAGE_PREFIX: &str = "adf-local";

/// On loopback a port answers at once or not at all.
const CONNECT: Duration = Duration::from_millis(300);

/// What of ADF's was on this machine before, and is none of the demo's business.
#[derive(Debug)]
pub(super) struct Before(BTreeSet<Left>);

impl Before {
    pub(super) async fn look(engine: &Engine) -> Result<Self> {
        Ok(Self(engine.ours(IMAGE_PREFIX).await?.into_iter().collect()))
    }
}

/// Everything that is there now and was not before, in words.
pub(super) async fn look(
    engine: &Engine,
    before: &Before,
    folder: &Path,
    ports: &[SocketAddr],
) -> Result<Vec<String>> {
    let now = engine.ours(IMAGE_PREFIX).await?;
    let mut left: Vec<_> =
        now.into_iter().filter(|left| !before.0.contains(left)).map(|left| left.to_string()).collect();
    left.extend(processes(folder));
    left.extend(ports.iter().filter(|port| answers(**port)).map(|port| format!("port {port}")));
    Ok(left)
}

/// Every process whose command line names the demo's folder: the agents and the servers of its instances do.
fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (id != std::process::id() && line.contains(&folder))
                .then(|| format!("process {id}: {}", line.trim()))
        })
        .collect()
}

fn answers(port: SocketAddr) -> bool {
    TcpStream::connect_timeout(&port, CONNECT).is_ok()
}
