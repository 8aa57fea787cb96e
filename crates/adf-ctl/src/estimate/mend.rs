//! What breaks a deadline, and what mends it: a command to paste, or a line of adf.toml. Pure.

use std::time::Duration;

use adf_types::Strategy;
use serde::Serialize;

use super::facts::{Balancer, Facts, Image};
use super::path::{BUILD, LAUNCH_OF_MANY, LAUNCH_OF_ONE, PULL, Who, start};

/// A fact that costs time or a deploy, and how to change it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mend {
    pub why: String,
    pub mend: String,
    /// What the deploy is shorter by, up to the promise.
    pub saves_seconds: f64,
}

/// What `adf-ctl init` sets, and what the five minutes are made of.
const DRAIN: Duration = Duration::from_secs(30);
const CHECKS: Duration = Duration::from_secs(10);
const BAKE: Duration = Duration::from_mins(1);

/// What a pull saves of a build, where nothing was measured.
const BUILD_LESS_PULL: Duration = BUILD.saturating_sub(PULL);

/// Of everything that is slower than it has to be, as much as brings the deploy below its deadline; settings of AWS
/// first, because they cost nothing. Where that is not enough, the deadline itself.
pub(super) fn mends(facts: &Facts, over: Duration) -> Vec<Mend> {
    let mut left = over;
    let mut mends = Vec::new();
    for (saves, why, mend) in candidates(facts) {
        if left.is_zero() {
            return mends;
        }
        mends.push(Mend { why, mend, saves_seconds: saves.as_secs_f64() });
        left = left.saturating_sub(saves);
    }
    if !left.is_zero() {
        let minutes = (facts.policy.deadline + left).as_secs().div_ceil(60);
        let why = match mends.len() {
            0 => {
                format!("it takes {} s more than the deadline, and nothing of it can be set", over.as_secs())
            }
            _ => format!("with all of this it takes {} s more than the deadline", left.as_secs()),
        };
        mends.push(Mend {
            why,
            mend: format!("adf.toml: [deploy] deadline = \"{minutes}m\""),
            saves_seconds: 0.0,
        });
    }
    mends
}

type Candidate = (Duration, String, String);

fn candidates(facts: &Facts) -> Vec<Candidate> {
    let balancer = facts.balancer.as_ref();
    let drain = balancer.filter(|_| facts.refreshes()).and_then(|balancer| drain(facts, balancer));
    let checks = balancer.and_then(|balancer| checks(facts, balancer));
    let mut all: Vec<Candidate> = drain.into_iter().chain(checks).collect();
    // The sort is stable: of two that save the same, the drain comes first.
    all.sort_by_key(|(saves, ..)| std::cmp::Reverse(*saves));
    all.extend(build_once(facts));
    all.extend(at_once(facts));
    all.extend(bake(facts));
    all.extend(checkpoints(facts));
    all
}

/// Batches one after the other cost a start each.
fn at_once(facts: &Facts) -> Option<Candidate> {
    let batches = facts.batches();
    // With all of the fleet at a time there would still be one for each checkpoint.
    let spared = batches.saturating_sub(facts.checkpoints() + 1);
    (spared > 0).then(|| {
        let why = format!(
            "{} of {} instances start at a time, in {batches} batches",
            facts.batch(),
            facts.capacity
        );
        (one_start(facts).saturating_mul(spared), why, "adf.toml: [deploy] surge = \"100%\"".to_owned())
    })
}

fn one_start(facts: &Facts) -> Duration {
    start(facts, Who::Fleet).0 + facts.balancer.as_ref().map_or(Duration::ZERO, once)
}

/// Last, because they are what finds a release bad that was good on its canary.
fn checkpoints(facts: &Facts) -> Option<Candidate> {
    let number = facts.checkpoints();
    let each = one_start(facts) + facts.policy.checkpoint_delay;
    (number > 0).then(|| {
        let plural = if number == 1 { "" } else { "s" };
        let why = format!(
            "the refresh stands still at {number} checkpoint{plural} for {} s, and starts the next part after that",
            facts.policy.checkpoint_delay.as_secs()
        );
        (each.saturating_mul(number), why, "adf.toml: [deploy] checkpoints = []".to_owned())
    })
}

fn drain(facts: &Facts, balancer: &Balancer) -> Option<Candidate> {
    let delay = balancer.pace.drain;
    let saves = delay.checked_sub(DRAIN).filter(|saves| !saves.is_zero())?;
    Some((saves, costs(facts, "deregistration delay", delay), shorter_drain(balancer)))
}

fn shorter_drain(balancer: &Balancer) -> String {
    format!(
        "aws elbv2 modify-target-group-attributes --target-group-arn {} \
         --attributes Key=deregistration_delay.timeout_seconds,Value={}",
        balancer.check.arn,
        DRAIN.as_secs()
    )
}

/// The canary passes them, and then each batch of the fleet.
fn checks(facts: &Facts, balancer: &Balancer) -> Option<Candidate> {
    let check = &balancer.check;
    let once = once(balancer);
    let times = facts.batches() + u32::from(facts.has_canary());
    let saves = once.checked_sub(CHECKS).filter(|saves| !saves.is_zero())?.saturating_mul(times);
    let mend = format!(
        "aws elbv2 modify-target-group --target-group-arn {} --health-check-interval-seconds 5 \
         --health-check-timeout-seconds 2 --healthy-threshold-count 2",
        check.arn
    );
    let what = format!("{} health checks {} s apart,", check.passes, check.interval.as_secs());
    Some((saves, costs(facts, &what, once), mend))
}

fn costs(facts: &Facts, what: &str, took: Duration) -> String {
    let (seconds, deadline) = (took.as_secs(), facts.policy.deadline.as_secs());
    if took >= facts.policy.deadline {
        return format!("{what} {seconds} s alone breaks the deadline of {deadline} s");
    }
    format!("{what} {seconds} s of the {deadline} s")
}

/// A build that was measured to be quick has little to save.
fn build_once(facts: &Facts) -> Option<Candidate> {
    let beyond_pull = start(facts, Who::Fleet).0.saturating_sub(LAUNCH_OF_ONE + PULL);
    let saves = BUILD_LESS_PULL.min(beyond_pull);
    let builds_again = facts.image == Image::BuiltEach && facts.has_canary();
    (builds_again && !saves.is_zero()).then(|| {
        let why = "each instance builds the image, after the canary has built it already".to_owned();
        let mend =
            "agent.toml of the AMI: image_repository = \"REPOSITORY\"; the fleet then pulls what the canary \
                    built"
                .to_owned();
        (saves, why, mend)
    })
}

fn bake(facts: &Facts) -> Option<Candidate> {
    let saves = facts.policy.bake.checked_sub(BAKE).filter(|saves| facts.has_canary() && !saves.is_zero())?;
    let why = format!("the canary is observed for {} s", facts.policy.bake.as_secs());
    Some((saves, why, format!("adf.toml: [deploy] bake = \"{}s\"", BAKE.as_secs())))
}

/// What makes a deploy fail or surprises people although its time is enough.
pub(super) fn warnings(facts: &Facts) -> Vec<Mend> {
    let all = [
        first_by_refresh(facts),
        boot_timeout(facts),
        room(facts),
        way_back(facts),
        grace(facts),
        slow_start(facts),
    ];
    let all = all.into_iter().flatten();
    let warnings = all.chain(hooks(facts));
    warnings.map(|(why, mend)| Mend { why, mend, saves_seconds: 0.0 }).collect()
}

/// What `deploy` makes of it by itself; said, because it is not what was asked for.
fn first_by_refresh(facts: &Facts) -> Option<(String, String)> {
    (facts.is_first() && facts.policy.strategy == Strategy::Refresh).then(|| {
        let why = format!(
            "group {} is empty, so there is nothing to refresh: this first deploy starts its instances all at once, as a \
             surge does, without checkpoints",
            facts.group
        );
        (why, "nothing to do: the next deploy is an instance refresh".to_owned())
    })
}

fn boot_timeout(facts: &Facts) -> Option<(String, String)> {
    let limit = facts.policy.boot_timeout;
    let needed = one_start(facts);
    (needed > limit).then(|| {
        let why = format!(
            "deploy.boot_timeout is {} s, and instances take about {} s to be healthy: the deploy would turn back",
            limit.as_secs(),
            needed.as_secs()
        );
        (why, format!("adf.toml: [deploy] boot_timeout = \"{}s\"", 2 * needed.as_secs()))
    })
}

/// A deploy makes room by itself; whoever else sets the maximum should know.
fn room(facts: &Facts) -> Option<(String, String)> {
    let needed = facts.old + facts.batch();
    let max = facts.max.filter(|max| *max < needed && facts.policy.strategy == Strategy::Surge)?;
    let why = format!(
        "the deploy raises the maximum of group {} from {max} to {needed} while two fleets run, and gives it back",
        facts.group
    );
    Some((why, "to stay below it: --strategy refresh, or a smaller --surge".to_owned()))
}

/// An instance leaves Standby only after it has entered it, which the deregistration delay holds back.
fn way_back(facts: &Facts) -> Option<(String, String)> {
    let balancer = facts.balancer.as_ref().filter(|_| facts.stands_by())?;
    let drain = balancer.pace.drain;
    (drain > DRAIN).then(|| {
        let why = format!(
            "deregistration delay {} s: for as long after the old instances have left, a way back has to wait",
            drain.as_secs()
        );
        (why, shorter_drain(balancer))
    })
}

fn once(balancer: &Balancer) -> Duration {
    balancer.check.interval.saturating_mul(balancer.check.passes)
}

/// The grace period begins when an instance is in service, and the load balancer begins to check it then.
fn grace(facts: &Facts) -> Option<(String, String)> {
    let (pace, balancer) = (facts.pace?, facts.balancer.as_ref()?);
    let needed = once(balancer);
    (pace.balancer_judges && pace.grace < needed).then(|| {
        let why = format!(
            "the group listens to the load balancer and gives an instance {} s of grace; to be healthy takes {} s, and \
             until then the group may replace it",
            pace.grace.as_secs(),
            needed.as_secs()
        );
        let mend = format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {} --health-check-grace-period {}",
            facts.group,
            2 * needed.as_secs()
        );
        (why, mend)
    })
}

fn slow_start(facts: &Facts) -> Option<(String, String)> {
    let balancer = facts.balancer.as_ref()?;
    let slow = balancer.pace.slow_start;
    (!slow.is_zero()).then(|| {
        let why = format!(
            "slow start lets requests to new instances grow over {} s; the deploy does not wait for that before the old \
             ones leave",
            slow.as_secs()
        );
        let mend = format!(
            "aws elbv2 modify-target-group-attributes --target-group-arn {} \
             --attributes Key=slow_start.duration_seconds,Value=0",
            balancer.check.arn
        );
        (why, mend)
    })
}

/// The agent keeps a hook waiting from its own start on; until then the hook's first heartbeat has to last.
fn hooks(facts: &Facts) -> Vec<(String, String)> {
    let Some(hooks) = &facts.hooks else { return Vec::new() };
    let put = |name: &str| {
        format!(
            "aws autoscaling put-lifecycle-hook --auto-scaling-group-name {} --lifecycle-hook-name {name} \
             --lifecycle-transition autoscaling:EC2_INSTANCE_LAUNCHING --heartbeat-timeout 900 \
             --default-result ABANDON",
            facts.group
        )
    };
    if hooks.is_empty() {
        let why = "the group has no launch hook: an instance counts as in service before its app is healthy";
        return vec![(why.to_owned(), put("adf-launch"))];
    }
    let short = hooks.iter().filter(|hook| hook.heartbeat < LAUNCH_OF_MANY);
    let told = short.map(|hook| {
        let why = format!(
            "launch hook {} gives up on an instance after {} s, and its agent may need {} s to ask for more",
            hook.name,
            hook.heartbeat.as_secs(),
            LAUNCH_OF_MANY.as_secs()
        );
        (why, put(&hook.name))
    });
    told.collect()
}
