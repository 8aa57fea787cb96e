//! `adf-ctl iam-policy`.

use clap::Args;

use crate::exit::ExitCode;
use crate::policy::{Account, KmsKey, Role};

/// Print the IAM policy that a role of the app needs, and nothing more
///
/// Nothing of AWS is asked, so it needs neither region nor credentials. What is not said stands as * in the policy:
/// the account, the region (--region, or adf.toml) and the KMS key. Without a bucket it holds nothing about S3.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&[ExitCode::Done, ExitCode::Unexpected, ExitCode::Usage]))]
pub struct IamPolicyArgs {
    /// Whose policy
    #[arg(long, value_enum, value_name = "ROLE")]
    pub role: Role,

    /// The AWS account, 12 digits [default: any]
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<Account>,

    /// The KMS key of the app's secrets, its ARN or ID [default: any]
    ///
    /// Under any key, only what was encrypted for this app is opened.
    #[arg(long, value_name = "ARN|ID")]
    pub kms_key: Option<KmsKey>,

    /// The role of the instance profile, which an operator passes on at a launch [default: the app's name]
    #[arg(long, value_name = "NAME")]
    pub instance_role: Option<String>,

    /// The repository in Amazon's registry that agents push images to and pull them from [default: none]
    #[arg(long, value_name = "NAME")]
    pub image_repository: Option<String>,

    /// Let agents have their instance replaced, as `replace_unhealthy_after` in agent.toml asks for
    #[arg(long)]
    pub replace_unhealthy: bool,
}
