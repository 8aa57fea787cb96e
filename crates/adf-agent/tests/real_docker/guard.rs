//! The guard before instance metadata, in network namespaces of its own: a metadata server, a host that routes to
//! it, and a container behind the host.
//!
//! The test runs itself again inside a new user, mount and network namespace: there it is root, whoever started it,
//! and nothing of it reaches this machine's network.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use adf_agent::world::{Guard as _, Nft};

use crate::rig::run;

const INSIDE: &str = "ADF_TEST_INSIDE_NAMESPACES";
const TEST: &str = "guard::attack_a07_neither_address_of_metadata_is_reachable_from_a_container";

/// The current namespace is the host; `app` is a container's and `meta` the hypervisor's.
const NETWORK: &str = "
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
ip link set lo up
ip netns add app
ip netns add meta
ip link add a0 type veth peer name a1 netns app
ip link add m0 type veth peer name m1 netns meta
ip addr add 10.77.0.1/24 dev a0
ip addr add fd77::1/64 dev a0 nodad
ip link set a0 up
ip addr add 10.78.0.1/24 dev m0
ip addr add fd78::1/64 dev m0 nodad
ip link set m0 up
ip -n app addr add 10.77.0.2/24 dev a1
ip -n app addr add fd77::2/64 dev a1 nodad
ip -n app link set a1 up
ip -n app route add default via 10.77.0.1
ip -n app -6 route add default via fd77::1
ip -n meta addr add 10.78.0.2/24 dev m1
ip -n meta addr add fd78::2/64 dev m1 nodad
ip -n meta link set lo up
ip -n meta link set m1 up
ip -n meta addr add 169.254.169.254/32 dev m1
ip -n meta addr add fd00:ec2::254/128 dev m1 nodad
ip -n meta route add default via 10.78.0.1
ip -n meta -6 route add default via fd78::1
ip route add 169.254.169.254/32 via 10.78.0.2
ip -6 route add fd00:ec2::254/128 via fd78::2
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
";

const ADDRESSES: [&str; 2] = ["http://169.254.169.254/", "http://[fd00:ec2::254]/"];

#[tokio::test(flavor = "multi_thread")]
async fn attack_a07_neither_address_of_metadata_is_reachable_from_a_container() {
    if std::env::var_os(INSIDE).is_some() {
        return inside().await;
    }
    let this = std::env::current_exe().expect("a test binary");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--net", "--propagation", "private"])
        .arg(this)
        .args(["--exact", TEST, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare runs");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn inside() {
    shell(NETWORK);
    let _metadata = Metadata::serve();
    assert_eq!((from("app"), from("host")), ([true; 2], [true; 2]), "without the guard everybody reaches it");

    assert_eq!(Nft.holds().await, Ok(false));
    Nft.raise().await.expect("raised");
    assert_eq!(Nft.holds().await, Ok(true));
    assert_eq!(
        (from("app"), from("host")),
        ([false; 2], [true; 2]),
        "the container is kept out, the host is not"
    );

    Nft.raise().await.expect("raised again");
    assert_eq!(Nft.holds().await, Ok(true), "twice is once");

    // What Docker's restart does, and more: it empties the chains of its own tables.
    shell(
        "iptables -F; iptables -t nat -F; iptables -P FORWARD ACCEPT; ip6tables -F; ip6tables -P FORWARD ACCEPT",
    );
    assert_eq!((Nft.holds().await, from("app")), (Ok(true), [false; 2]));

    // A rule of somebody else in front of ours, and a flush of everything: both are noticed and mended.
    shell("nft insert rule inet adf_guard prerouting accept");
    assert_eq!((Nft.holds().await, from("app")), (Ok(false), [true; 2]));
    Nft.raise().await.expect("mended");
    assert_eq!((Nft.holds().await, from("app")), (Ok(true), [false; 2]));
    shell("nft flush ruleset");
    assert_eq!((Nft.holds().await, from("app")), (Ok(false), [true; 2]));
    Nft.raise().await.expect("mended");
    assert_eq!((from("app"), from("host")), ([false; 2], [true; 2]));

    // Addresses are rewritten behind the guard: a detour through the host's own address is none.
    shell(
        "nft add table ip detour; nft 'add chain ip detour pre { type nat hook prerouting priority -100; }'",
    );
    shell("nft add rule ip detour pre ip daddr 169.254.169.254 dnat to 10.78.0.2");
    assert!(!from("app")[0]);
}

/// Whether each address of metadata answers there.
fn from(namespace: &str) -> [bool; 2] {
    ADDRESSES.map(|url| {
        let curl = [
            "curl",
            "--globoff",
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "1",
            "--output",
            "/dev/null",
            url,
        ];
        let done = match namespace {
            "host" => run(curl[0], &curl[1..]),
            _ => run("ip", &[&["netns", "exec", namespace][..], &curl[..]].concat()),
        };
        done.status.success()
    })
}

fn shell(script: &str) {
    let path = format!("/usr/sbin:/sbin:{}", std::env::var("PATH").unwrap_or_default());
    let done = Command::new("sh").args(["-c", script]).env("PATH", path).output().expect("sh runs");
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
}

struct Metadata(Child);

impl Metadata {
    fn serve() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let child = Command::new("ip")
            .args([
                "netns",
                "exec",
                "meta",
                "python3",
                "-m",
                "http.server",
                "80",
                "--bind",
                "::",
                "--directory",
            ])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Self(child);
        let began = Instant::now();
        while !from("host")[0] {
            assert!(began.elapsed() < Duration::from_secs(20), "the metadata server does not answer");
        }
        drop(folder);
        server
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
