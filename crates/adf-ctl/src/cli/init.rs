//! `adf-ctl init`.

use clap::Args;

use super::WRITES;
use crate::exit::ExitCode;

/// Create the tables, the bucket, and with --capacity everything else that an app needs
///
/// Looks before it creates: what is there is left as it is. With --capacity also the app's target group,
/// load balancer and listener, launch template and Auto Scaling group, with no instance in it yet.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&WRITES))]
pub struct InitArgs {
    /// Instances that the app's group is to have; the first deploy starts them
    #[arg(long, value_name = "N", requires_all = ["image_id", "subnets"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity: Option<u32>,

    /// The AMI with Docker and the agent
    #[arg(long, value_name = "AMI", requires = "capacity")]
    pub image_id: Option<String>,

    /// A subnet of the instances and the load balancer, which needs two in different zones; repeatable
    #[arg(long = "subnet", value_name = "SUBNET", requires = "capacity")]
    pub subnets: Vec<String>,

    /// A security group of the instances and the load balancer; repeatable [default: the VPC's]
    #[arg(long = "security-group", value_name = "SG", requires = "capacity")]
    pub security_groups: Vec<String>,

    /// The instances' type
    #[arg(long, value_name = "TYPE", default_value = "t3.small")]
    pub instance_type: String,

    /// The port that the load balancer listens on
    #[arg(long, value_name = "PORT", default_value_t = 80)]
    pub listener_port: u16,

    /// The port that the app listens on [default: run.port of adf.toml]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// How long an instance that leaves the load balancer may finish its requests; a deploy waits so long
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub drain: u16,

    /// The instance profile, whose role lets the agent read the tables and the bucket
    #[arg(long, value_name = "NAME")]
    pub instance_profile: Option<String>,
}
