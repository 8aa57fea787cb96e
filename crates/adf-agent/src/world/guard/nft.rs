//! The rules, as a table of our own in nftables.
//!
//! A table of our own, because Docker rewrites only its own: it outlives Docker's restarts and an `iptables -F`. At
//! `prerouting`, before any address is rewritten: that catches what containers send, on whichever bridge, whether it
//! would be forwarded or is meant for an address of this host. What the host itself sends never passes there, except
//! over `lo`, which is left out.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Guard, GuardError};

const TABLE: &str = "adf_guard";

/// Where instance metadata answers: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>.
const RULES: [&str; 2] =
    ["iifname != \"lo\" ip daddr 169.254.169.254 drop", "iifname != \"lo\" ip6 daddr fd00:ec2::254 drop"];

/// nft answers in milliseconds; one that waits for a lock of the kernel has something else wrong.
const LIMIT: Duration = Duration::from_secs(10);

/// systemd's default PATH has these; a shell of a user may not.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Debug, Default)]
pub struct Nft;

#[async_trait]
impl Guard for Nft {
    async fn holds(&self) -> Result<bool, GuardError> {
        let listed = nft(&["list", "table", "inet", TABLE], "").await?;
        Ok(listed.is_ok_and(|text| is_ours(&text)))
    }

    async fn raise(&self) -> Result<(), GuardError> {
        nft(&["-f", "-"], &ruleset()).await?.map(|_| ()).map_err(GuardError)
    }
}

/// One transaction: the table is replaced whole, and there is no moment without it.
fn ruleset() -> String {
    let rules = RULES.join("\n    ");
    format!(
        "table inet {TABLE} {{}}\n\
         delete table inet {TABLE}\n\
         table inet {TABLE} {{\n  chain prerouting {{\n    type filter hook prerouting priority -300; policy accept;\n    \
         {rules}\n  }}\n}}\n"
    )
}

/// Exactly our rules, in a chain at the right place: a rule in front of them could let everything through.
fn is_ours(listing: &str) -> bool {
    let lines: Vec<&str> = listing.lines().map(str::trim).collect();
    let hooked = lines.iter().any(|line| line.starts_with("type filter hook prerouting "));
    let other = |line: &&&str| !line.is_empty() && !line.ends_with(['{', '}']) && !line.starts_with("type ");
    hooked && lines.iter().filter(other).copied().eq(RULES)
}

/// What nft prints, or what it complains of.
async fn nft(args: &[&str], input: &str) -> Result<Result<String, String>, GuardError> {
    let failed = |what: &str, error: std::io::Error| GuardError(format!("{what} nft: {error}"));
    let mut child = Command::new("nft")
        .args(args)
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed("cannot start", e))?;
    let mut stdin = child.stdin.take();
    let run = async move {
        if let Some(stdin) = &mut stdin {
            stdin.write_all(input.as_bytes()).await?;
        }
        drop(stdin);
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(LIMIT, run).await {
        Ok(output) => output.map_err(|e| failed("cannot run", e))?,
        Err(_) => return Err(GuardError(format!("nft did not answer within {} s", LIMIT.as_secs()))),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(rules: &[&str]) -> String {
        let rules = rules.join("\n\t\t");
        format!(
            "table inet adf_guard {{\n\tchain prerouting {{\n\t\ttype filter hook prerouting priority raw; policy accept;\n\t\t{rules}\n\t}}\n}}"
        )
    }

    #[test]
    fn only_exactly_our_rules_are_the_guard() {
        assert!(is_ours(&listing(&RULES)));
        assert!(!is_ours(&listing(&RULES[..1])));
        assert!(
            !is_ours(&listing(&["accept", RULES[0], RULES[1]])),
            "a rule in front lets everything through"
        );
        assert!(!is_ours(&listing(&RULES).replace("prerouting priority", "output priority")));
        assert!(!is_ours(""));
    }
}
