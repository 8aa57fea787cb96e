//! What can be chosen about the modelled cloud: its shape, its pace, and the points where AWS's documentation
//! is silent.
//!
//! Neighbours: given to `Model::new` once. A field that ends a sentence of `aws.md` marked UNDOC names the two
//! behaviours it chooses between; everything not listed here has one documented behaviour.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::weather::Weather;

/// The choices, with defaults for a live cloud on one machine: short delays, AWS's semantics.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent choice that AWS's documentation leaves open"
)]
pub struct Settings {
    /// First address of the default VPC's /16.
    pub network: Ipv4Addr,
    /// Prefix length of each zone's subnet. 24 gives `.1.0/24`, `.2.0/24`, ...; 20 gives room for 4,000 instances a zone.
    pub subnet_prefix: u8,
    /// Twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
    /// Full zone names, one subnet each, in order.
    pub zones: Vec<String>,
    /// From `pending` to `running`.
    pub boot_delay: Duration,
    /// A shutting-down instance is `terminated` when the runner says so, and after this at the latest.
    pub halt_limit: Duration,
    /// How long Auto Scaling takes to notice something and act.
    pub asg_reaction: Duration,
    /// How long until Auto Scaling tries again after a launch that failed.
    pub launch_retry: Duration,
    /// How long a group waits before it replaces a member whose status check fails (AWS: minutes).
    pub impaired_wait: Duration,
    /// How often an instance refresh looks at its group.
    pub refresh_pace: Duration,
    /// How long a terminated instance stays visible (AWS: about an hour).
    pub terminated_visible: Duration,
    /// Versions that a launch template may have ("Launch template restrictions" in the EC2 guide).
    pub template_versions: usize,
    /// The image's `HttpTokens` default: the ADF image is built with IMDSv2 required.
    pub http_tokens_required: bool,
    /// The image's IMDS hop limit default (2 for an image that declares IMDS v2.0).
    pub hop_limit: u8,
    /// What AWS does to its callers although nobody did anything wrong.
    pub weather: Weather,
    /// UNDOC §1: a terminating hook runs while targets drain (true) or after they drained (false).
    pub terminating_hook_overlaps_drain: bool,
    /// UNDOC §1: `EnteringStandby` lasts until targets drained (true) or one reaction time (false).
    pub standby_waits_for_drain: bool,
    /// UNDOC §2: what `TerminateInstanceInAutoScalingGroup` does to desired when the instance is in Standby.
    pub standby_termination: StandbyTermination,
    /// UNDOC §2: what `ExitStandby` does when desired would exceed max.
    pub exit_over_max: ExitOverMax,
    /// UNDOC §2: an EC2 `TerminateInstances` on a member still runs the group's terminating hooks.
    pub ec2_termination_runs_hooks: bool,
    /// UNDOC §5: an abandoned launch runs the group's terminating hooks.
    pub abandoned_launch_runs_hooks: bool,
    /// §7 "both": a new target is healthy after one pass (true) or after the threshold (false).
    pub first_pass_is_healthy: bool,
    /// UNDOC: tags of a request join those of its template, the request winning (true), or replace them (false).
    pub request_tags_join_template_tags: bool,
    /// UNDOC §8: a changed request under a used token is refused (true) or answers the original launch (false).
    pub changed_token_is_refused: bool,
    /// UNDOC §7: with no healthy target, `initial` ones are routed to as well.
    pub fail_open_to_initial: bool,
    /// UNDOC §3: an AZ rebalance spares members that are protected from scale-in.
    pub rebalance_respects_protection: bool,
    /// UNDOC §6: the number that a refresh keeps healthy is rounded up (true) or down (false).
    pub refresh_min_rounds_up: bool,
    /// UNDOC §6: the number that a refresh may have at most is rounded up (true) or down (false).
    pub refresh_max_rounds_up: bool,
    /// UNDOC §6: a refresh that launches first may exceed the group's max (true), or waits for room (false).
    pub refresh_may_exceed_max: bool,
    /// UNDOC §6: where the group listens to target groups, a new member counts as healthy once they say so (true), or while
    /// nobody says otherwise (false).
    pub refresh_waits_for_targets: bool,
    /// UNDOC §6: a refresh waits at its last checkpoint, too (true), or ends there at once (false).
    pub refresh_waits_at_last_checkpoint: bool,
    /// UNDOC §3: the hour that a refresh tries without progress runs on while a process it needs is suspended.
    pub suspended_refresh_times_out: bool,
}

/// Choices for terminating a Standby instance through Auto Scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandbyTermination {
    /// The Standby instance was outside desired: desired is kept and nothing is launched.
    OutsideDesired,
    /// As if it were in service: decrement lowers desired (a live instance is cut), no decrement launches one more.
    CountedInDesired,
}

/// Choices for an `ExitStandby` that would raise desired above max.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitOverMax {
    /// Refused with a `ValidationError`.
    Refused,
    /// Desired stays at max, the surplus is cut by the termination policy.
    CutSurplus,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            network: Ipv4Addr::new(127, 77, 0, 0),
            subnet_prefix: 24,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            zones: ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned).to_vec(),
            boot_delay: Duration::from_secs(1),
            halt_limit: Duration::from_secs(30),
            asg_reaction: Duration::from_secs(1),
            launch_retry: Duration::from_secs(30),
            impaired_wait: Duration::from_mins(3),
            refresh_pace: Duration::from_secs(2),
            terminated_visible: Duration::from_hours(1),
            template_versions: 10_000,
            http_tokens_required: true,
            hop_limit: 1,
            weather: Weather::default(),
            terminating_hook_overlaps_drain: true,
            standby_waits_for_drain: true,
            standby_termination: StandbyTermination::OutsideDesired,
            exit_over_max: ExitOverMax::Refused,
            ec2_termination_runs_hooks: false,
            abandoned_launch_runs_hooks: false,
            first_pass_is_healthy: true,
            request_tags_join_template_tags: true,
            changed_token_is_refused: true,
            fail_open_to_initial: false,
            rebalance_respects_protection: true,
            refresh_min_rounds_up: true,
            refresh_max_rounds_up: false,
            refresh_may_exceed_max: true,
            refresh_waits_for_targets: true,
            refresh_waits_at_last_checkpoint: false,
            suspended_refresh_times_out: false,
        }
    }
}
