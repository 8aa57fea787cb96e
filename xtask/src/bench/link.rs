//! A slow link: a network namespace whose only way out carries 100 Mbit/s.
//!
//! The kernel's token bucket makes the rate. Not every kernel has a delay discipline (netem), so the distance is
//! added by [`super::server`] to each answer instead.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::apt;
use crate::failure::{Result, While};
use crate::process;

pub(crate) const RATE: &str = "100mbit";
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(20);

/// This machine, as the namespace sees it.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::new(10, 213, 77, 1);
const THERE: &str = "10.213.77.2/30";

/// Removed when dropped.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) namespace: String,
    device: String,
}

impl Link {
    pub(crate) fn create() -> Result<Self> {
        apt::ensure("ip and tc", &["iproute2"], || process::on_path("ip") && process::on_path("tc"))?;
        let id = std::process::id();
        let link = Self { namespace: format!("adf-bench-{id}"), device: format!("adfb{id}") };
        let (namespace, device) = (&link.namespace, &link.device);
        let here = format!("{HERE}/30");
        ip(&["netns", "add", namespace])?;
        ip(&["link", "add", device, "type", "veth", "peer", "name", "up", "netns", namespace])?;
        ip(&["address", "add", &here, "dev", device])?;
        ip(&["link", "set", device, "up"])?;
        ip(&["-n", namespace, "address", "add", THERE, "dev", "up"])?;
        ip(&["-n", namespace, "link", "set", "dev", "up", "up"])?;
        ip(&["-n", namespace, "link", "set", "lo", "up"])?;
        // A queue of 50 ms, as a router has: more would hide the rate from short transfers.
        let shape =
            ["qdisc", "add", "dev", device, "root", "tbf", "rate", RATE, "burst", "128kb", "latency", "50ms"];
        process::run(apt::as_root("tc")?.args(shape))?;
        Ok(link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Both are gone together; an error here has nobody to tell.
        let _ = ip(&["link", "delete", &self.device]);
        let _ = ip(&["netns", "delete", &self.namespace]);
    }
}

/// Makes a local server reachable from the namespace; tells where.
pub(crate) async fn forward(to: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind((HERE, 0)).await.while_("listening on the link")?;
    let address = listener.local_addr().while_("an address")?;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    Ok(address)
}

fn ip(words: &[&str]) -> Result<()> {
    let mut command: Command = apt::as_root("ip")?;
    process::output(command.args(words)).map(drop)
}
