//! `adf-local up` as a process of its own, and what it leaves: the rule is nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::failure::{Failure, Result, While};
use crate::process;
use crate::programs::Programs;

/// It binds a port and prints three lines.
const START: Duration = Duration::from_secs(20);

/// It stops its instances, each with the stop grace of its container.
const STOP: Duration = Duration::from_mins(1);

/// The lines that point an AWS tool at it: NAME=VALUE pairs for a shell.
const LINES: usize = 3;

/// Where in the demo's folder it keeps a folder for each instance.
pub(crate) const INSTANCES: &str = "aws/instances";

#[derive(Debug)]
pub(crate) struct Local {
    child: Child,
    /// As a shell would set it.
    pub(crate) lines: Vec<String>,
    log: PathBuf,
}

impl Local {
    pub(crate) async fn start(programs: &Programs, folder: &Path) -> Result<Self> {
        let log = folder.join("adf-local.log");
        let file = File::create(&log).while_(log.display())?;
        let mut command = Command::new(&programs.local);
        command.args(["up", "--port", "0", "--network", &free_network()?]);
        command.arg("--dir").arg(folder.join("aws"));
        command.arg("--agent").arg(&programs.agent);
        // A process group of its own: a Ctrl-C at the terminal reaches it through us, in our order.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).process_group(0);
        let mut child = command.spawn().while_(format_args!("starting {}", programs.local.display()))?;
        let lines = tokio::time::timeout(START, first_lines(&mut child)).await.unwrap_or_default();
        let local = Self { child, lines, log };
        if local.lines.len() == LINES {
            return Ok(local);
        }
        let said = local.log_tail();
        local.stop().await?;
        Err(Failure::new(format!(
            "adf-local did not print its {LINES} lines within {} s{said}",
            START.as_secs()
        )))
    }

    /// The environment that points an AWS tool at it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let words = self.lines.iter().flat_map(|line| line.split_whitespace());
        let pairs = words.filter_map(|word| word.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].iter().copied();
        std::iter::once("").chain(tail).collect::<Vec<_>>().join("\n  adf-local: ")
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let started = Instant::now();
        process::terminate(&self.child);
        let Ok(ended) = tokio::time::timeout(STOP, self.child.wait()).await else {
            self.child.kill().await.while_("killing adf-local")?;
            return Err(Failure::new(format!("adf-local still ran {} s after SIGTERM", STOP.as_secs())));
        };
        let status = ended.while_("waiting for adf-local")?;
        if !status.success() {
            return Err(Failure::new(format!("adf-local ended with {status}{}", self.log_tail())));
        }
        eprintln!("adf-local stopped in {:.1} s", started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Where it answers the AWS API.
    pub(crate) fn endpoint(&self) -> Result<SocketAddr> {
        let environment = self.environment();
        let url = environment.iter().find_map(|(name, value)| (name == "AWS_ENDPOINT_URL").then_some(value));
        let address = url.and_then(|url| url.strip_prefix("http://")?.trim_end_matches('/').parse().ok());
        address.ok_or_else(|| Failure::new(format!("adf-local names no endpoint in {:?}", self.lines)))
    }

    /// How its instances name their images: no other adf-local has its port.
    pub(crate) fn image_prefix(&self) -> Result<String> {
        Ok(format!("adf-local-{}", self.endpoint()?.port()))
    }
}

/// However the demo ends, adf-local stops its instances before it goes.
impl Drop for Local {
    fn drop(&mut self) {
        process::terminate(&self.child);
        let deadline = Instant::now() + STOP;
        while self.child.id().is_some() && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

async fn first_lines(child: &mut Child) -> Vec<String> {
    let stdout = child.stdout.take().expect("it was just piped");
    let mut reader = BufReader::new(stdout).lines();
    let mut lines = Vec::new();
    while let Ok(Some(line)) = reader.next_line().await {
        lines.push(line);
        if lines.len() == LINES {
            // The pipe stays read, so that adf-local never waits for us.
            tokio::spawn(async move { while let Ok(Some(_)) = reader.next_line().await {} });
            break;
        }
    }
    lines
}

/// A loopback network on which nobody listens yet, so that two demos do not meet.
fn free_network() -> Result<String> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").while_("reading /proc/net/tcp")?;
    let taken = loopback_networks(&sockets);
    let free = (77..=255).find(|network| !taken.contains(network));
    let free = free.ok_or_else(|| Failure::new("every loopback network from 127.77.0.0/16 on is in use"))?;
    Ok(format!("127.{free}.0.0/16"))
}

/// The N of each 127.N.x.y that a socket has, from the kernel's table: addresses in hexadecimal, last byte first.
fn loopback_networks(sockets: &str) -> BTreeSet<u8> {
    let addresses = sockets.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)?.get(..8));
    let bytes = addresses.filter_map(|address| Some(u32::from_str_radix(address, 16).ok()?.to_le_bytes()));
    bytes.filter(|bytes| bytes[0] == 127).map(|bytes| bytes[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::loopback_networks;

    #[test]
    fn networks_in_use_are_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st\n   0: 03014D7F:1F40 00000000:0000 0A\n   \
                     1: 0100007F:11D6 00000000:0000 0A\n   2: 00000000:0016 00000000:0000 0A\n";
        assert_eq!(loopback_networks(table).into_iter().collect::<Vec<_>>(), [0, 77]);
    }
}
