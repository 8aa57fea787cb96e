//! What the demo may have left behind, looked for where it would be: Docker, processes, ports.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::processes;
use crate::docker::Engine;
use crate::failure::Result;
use crate::local;

/// On loopback a port answers at once or not at all.
const CONNECT: Duration = Duration::from_millis(300);

/// Everything of the demo that is still there, in words.
pub(super) async fn look(
    engine: &Engine,
    image_prefix: &str,
    folder: &Path,
    ports: &[SocketAddr],
) -> Result<Vec<String>> {
    let mut left = engine.left_by(image_prefix, &instances(folder)).await?;
    left.extend(processes::of(folder).iter().map(ToString::to_string));
    left.extend(ports.iter().filter(|port| answers(**port)).map(|port| format!("port {port}")));
    Ok(left)
}

/// Every instance there ever was: adf-local keeps a folder for each.
fn instances(folder: &Path) -> Vec<String> {
    let folders = fs::read_dir(folder.join(local::INSTANCES)).into_iter().flatten().flatten();
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn answers(port: SocketAddr) -> bool {
    TcpStream::connect_timeout(&port, CONNECT).is_ok()
}
