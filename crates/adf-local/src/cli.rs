//! The command line of `adf-local`.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The AWS that ADF needs, on this machine.
///
/// Answers what ADF, the AWS CLI, boto3 and the SDKs ask of EC2, Auto Scaling, Elastic Load Balancing, `DynamoDB`, KMS, S3, STS and
/// the instance metadata service. Instances are real: the `adf-agent` program and containers of the local Docker Engine.
#[derive(Debug, Parser)]
#[command(name = "adf-local", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the cloud; it is there until Ctrl-C or SIGTERM, and then nothing of it is left.
    ///
    /// Prints three lines that point any AWS tool at it, for `eval` or to paste; everything else goes to stderr.
    ///
    /// Exit codes: 0 it was stopped, 1 it failed, 2 it could not start (bad option, port in use, no Docker, no adf-agent).
    Up(Up),
    /// Become an instance's program, which ends with adf-local.
    #[command(hide = true)]
    Machine(Machine),
}

#[derive(Debug, Args)]
pub struct Up {
    /// Port of 127.0.0.1 that answers the AWS API; 0 takes any free one.
    #[arg(long, default_value_t = 4566)]
    pub port: u16,
    /// Network of the default VPC; instances and load balancers get their addresses from it.
    #[arg(long, default_value = "127.77.0.0/16", value_parser = network)]
    pub network: Ipv4Addr,
    /// Where instances keep their files. Without it, a temporary directory that is removed at the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The `adf-agent` program. Without it, the one beside `adf-local`.
    #[arg(long)]
    pub agent: Option<PathBuf>,
    /// Answer the API without starting any instance's program; needs no Docker.
    #[arg(long)]
    pub no_runner: bool,
}

#[derive(Debug, Args)]
pub struct Machine {
    /// Process id of the adf-local that starts it.
    pub parent: i32,
    pub program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// The base of `127.N.0.0/16`: a loopback network, so that every address works without any set-up.
fn network(text: &str) -> Result<Ipv4Addr, String> {
    let base = text.strip_suffix("/16").and_then(|base| base.parse::<Ipv4Addr>().ok());
    base.filter(|base| matches!(base.octets(), [127, 1..=255, 0, 0]))
        .ok_or_else(|| "write 127.N.0.0/16 with N from 1 to 255, such as 127.77.0.0/16".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_networks_are_taken() {
        assert_eq!(network("127.9.0.0/16"), Ok(Ipv4Addr::new(127, 9, 0, 0)));
        for bad in ["10.0.0.0/16", "127.0.0.0/16", "127.9.0.0/24", "127.9.1.0/16", "127.9.0.0", "", "x/16"] {
            assert!(network(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
