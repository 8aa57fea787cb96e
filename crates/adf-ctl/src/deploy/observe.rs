//! One look at everything that a decision needs: whatever the size of the fleet, one call for the group, one for
//! the receipts, and one more to AWS, see [`Question`]. What a look does not ask stays as it was last seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adf_types::{DeployRecord, Direction, InstanceId, Receipt, Step, Strategy};
use jiff::Timestamp;
use tokio::time::Instant;

use super::error::DeployError;
use super::fleet::{Canary, Fleet, LaunchTrouble, Member};
use super::judge::Evidence;
use super::launch;
use crate::aws::{CountedGroup, GroupState, Lifecycle, MachineState, RefreshState, TargetState};
use crate::context::Context;

/// Agents renew their receipt every minute. One that stands still for three of them is of an agent that has lost
/// its way to DynamoDB, or its life.
const SILENCE: Duration = Duration::from_mins(3);

/// Between two looks at a group's failed launches: Auto Scaling itself tries again about once a minute.
const LAUNCHES_EVERY: Duration = Duration::from_secs(10);

/// What does not change while a deploy runs, read once.
#[derive(Debug, Clone)]
pub struct Ground {
    /// `None` for an app without a load balancer.
    pub target_group_arn: Option<String>,
    /// The target group's deregistration delay; the longer one, where the canary has a target group of its own.
    pub drain: Duration,
    /// How long the load balancer may take to find a fresh target healthy.
    pub first_checks: Duration,
    pub canary: Option<CanaryGround>,
}

/// The canary's own target group, and what its requests are counted and shared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryGround {
    pub target_group_arn: String,
    pub balancer_arn: String,
    pub counted: CountedGroup,
    /// The fleet's target group, to compare with.
    pub fleet: CountedGroup,
}

impl Ground {
    /// `canary_target_group` is `deploy.canary_target_group`; one that is gone, or that no load balancer uses, is not
    /// there: a way back goes on without it, and `lookout::ready` refuses a deploy.
    pub async fn survey(
        context: &Context,
        target_group: Option<&str>,
        canary_target_group: Option<&str>,
    ) -> Result<Self, DeployError> {
        let Some(name) = target_group else {
            let (drain, first_checks) = (Duration::ZERO, Duration::ZERO);
            return Ok(Self { target_group_arn: None, drain, first_checks, canary: None });
        };
        let check = context.aws.health_check(name).await?;
        let check = check.ok_or_else(|| DeployError::no_target_group(name))?;
        let first_checks = check.interval.saturating_mul(check.passes);
        let mut drain = context.aws.target_pace(&check.arn).await?.drain;
        let canary = match canary_target_group {
            Some(name) => CanaryGround::survey(context, name, &check.arn).await?,
            None => None,
        };
        if let Some(canary) = &canary {
            drain = drain.max(context.aws.target_pace(&canary.target_group_arn).await?.drain);
        }
        Ok(Self { target_group_arn: Some(check.arn), drain, first_checks, canary })
    }

    /// Where the canary is registered.
    pub fn canary_target_group_arn(&self) -> Option<&str> {
        let own = self.canary.as_ref().map(|canary| canary.target_group_arn.as_str());
        own.or(self.target_group_arn.as_deref())
    }
}

impl CanaryGround {
    async fn survey(context: &Context, name: &str, fleet_arn: &str) -> Result<Option<Self>, DeployError> {
        let Some(group) = context.aws.target_group(name).await? else { return Ok(None) };
        let Some(balancer_arn) = group.balancer_arn else { return Ok(None) };
        let counted = CountedGroup::of(&balancer_arn, &group.arn);
        let fleet = CountedGroup::of(&balancer_arn, fleet_arn);
        Ok(counted.zip(fleet).map(|(counted, fleet)| Self {
            target_group_arn: group.arn,
            balancer_arn,
            counted,
            fleet,
        }))
    }
}

/// What a look asks of AWS besides the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// What the load balancer thinks of everyone.
    Targets,
    /// The canary's machine, while the load balancer does not know the canary.
    Machine,
    /// The group's latest instance refresh, while one replaces the fleet.
    Refresh,
    /// Failed launches, at times, while the group has fewer instances than it is to have.
    Launches,
}

/// Looks again and again, and remembers what only time tells: receipts that stand still, launches that fail.
#[derive(Debug)]
pub struct Observer<'a> {
    context: &'a Context,
    ground: &'a Ground,
    looks: u64,
    targets: BTreeMap<InstanceId, TargetState>,
    /// Those of the fleet's targets that were healthy at some time.
    accepted: BTreeSet<InstanceId>,
    /// The canary in a target group of its own.
    canary_target: Option<TargetState>,
    machine: Option<MachineState>,
    refresh: Option<RefreshState>,
    /// The time in each receipt, and since when it stands there, by this process's own clock.
    heard: BTreeMap<InstanceId, (Timestamp, Instant)>,
    /// Failed launches from before this observer; AWS tells of them for weeks.
    old_failures: Option<BTreeSet<String>>,
    launches_seen_at: Option<Instant>,
    launch_trouble: Option<LaunchTrouble>,
}

impl<'a> Observer<'a> {
    pub fn new(context: &'a Context, ground: &'a Ground) -> Self {
        Self {
            context,
            ground,
            looks: 0,
            targets: BTreeMap::new(),
            accepted: BTreeSet::new(),
            canary_target: None,
            machine: None,
            refresh: None,
            heard: BTreeMap::new(),
            old_failures: None,
            launches_seen_at: None,
            launch_trouble: None,
        }
    }

    pub async fn look(&mut self, record: &DeployRecord) -> Result<Fleet, DeployError> {
        let (store, app) = (&self.context.store, &record.app);
        let (group, receipts, requested, current) = tokio::try_join!(
            group(self.context, &record.group),
            async { Ok::<_, DeployError>(store.receipts(app).await?) },
            async { Ok(store.requested(app, &record.id).await?) },
            async {
                let ending = record.step == Step::Cleanup;
                Ok(if ending { store.current(app).await? } else { None })
            },
        )?;
        self.hear(&receipts);
        let receipts: BTreeMap<InstanceId, Receipt> =
            receipts.into_iter().map(|r| (r.instance.clone(), r)).collect();
        self.ask(self.question(record, &group, &receipts), record).await?;
        self.looks += 1;
        Ok(Fleet { requested, current, ..self.join(record, group, receipts) })
    }

    fn question(
        &self,
        record: &DeployRecord,
        group: &GroupState,
        receipts: &BTreeMap<InstanceId, Receipt>,
    ) -> Question {
        let other_turn = self.looks % 2 == 1;
        let back = matches!(record.direction, Direction::Back { .. });
        if let Some(canary) = record.progress.canary.as_ref().filter(|id| self.is_astray(id)) {
            let boots = record.step <= Step::Canary && !back;
            let serving = receipts.get(canary).is_some_and(Receipt::is_serving);
            match (boots, serving && self.ground.target_group_arn.is_some()) {
                (true, true) => return Question::Targets,
                (true, false) => return Question::Machine,
                (false, _) if other_turn => return Question::Machine,
                (false, _) => {}
            }
        }
        if record.policy.strategy == Strategy::Refresh && record.step >= Step::Replace {
            match (back, record.step) {
                (false, Step::Replace) if other_turn && self.is_refreshing() => return Question::Targets,
                (false, Step::Replace) => return Question::Refresh,
                // The canary leaves meanwhile, and a refresh may be somebody else's, or not there at all.
                (true, _) if self.looks % 4 != 2 => return Question::Refresh,
                _ => {}
            }
        }
        if self.wants_launches(record, group) { Question::Launches } else { Question::Targets }
    }

    /// A refresh goes on: then there is time to look at what it has started so far.
    fn is_refreshing(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.status.is_active())
    }

    async fn ask(&mut self, question: Question, record: &DeployRecord) -> Result<(), DeployError> {
        match (question, &record.progress.canary) {
            (Question::Machine, Some(canary)) => self.machine = self.context.aws.machine(canary).await?,
            (Question::Targets | Question::Machine, _) => self.look_at_targets(record).await?,
            (Question::Refresh, _) => self.refresh = self.context.aws.latest_refresh(&record.group).await?,
            (Question::Launches, _) => self.look_at_launches(&record.group).await?,
        }
        Ok(())
    }

    /// A canary that the load balancer does not know and that is not known to be gone.
    fn is_astray(&self, canary: &InstanceId) -> bool {
        let target = self.canary_target(canary);
        let registered = target.is_some_and(|target| !matches!(target, TargetState::Unused { .. }));
        !registered && self.machine != Some(MachineState::Gone)
    }

    /// The canary and the fleet in turns, where they are in target groups of their own. Until the canary is judged only
    /// the canary matters.
    async fn look_at_targets(&mut self, record: &DeployRecord) -> Result<(), DeployError> {
        let own = self.ground.canary.as_ref().zip(record.progress.canary.as_ref());
        let own = own.filter(|_| self.machine != Some(MachineState::Gone));
        let tried = record.step <= Step::Judge && record.direction == Direction::Forward;
        match (own, &self.ground.target_group_arn) {
            (Some((canary, id)), _) if tried || self.looks % 4 < 2 => {
                let mut targets = self.context.aws.target_health(&canary.target_group_arn).await?;
                self.canary_target = targets.remove(id);
            }
            (_, Some(arn)) => {
                self.targets = self.context.aws.target_health(arn).await?;
                let healthy = self.targets.iter().filter(|(_, target)| **target == TargetState::Healthy);
                self.accepted.extend(healthy.map(|(id, _)| id.clone()));
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn canary_target(&self, canary: &InstanceId) -> Option<&TargetState> {
        if self.ground.canary.is_some() { self.canary_target.as_ref() } else { self.targets.get(canary) }
    }

    fn wants_launches(&self, record: &DeployRecord, group: &GroupState) -> bool {
        if record.step != Step::Replace {
            return false;
        }
        let counted =
            |m: &&crate::aws::MemberState| matches!(m.lifecycle, Lifecycle::Pending | Lifecycle::InService);
        let lacks = group.members.iter().filter(counted).count() < group.desired as usize;
        let due = self.launches_seen_at.is_none_or(|at| at.elapsed() >= LAUNCHES_EVERY);
        // Once at the beginning, to know which failures are old.
        due && (lacks || self.old_failures.is_none())
    }

    async fn look_at_launches(&mut self, group: &str) -> Result<(), DeployError> {
        let failures = self.context.aws.failed_launches(group).await?;
        self.launches_seen_at = Some(Instant::now());
        let old = self.old_failures.get_or_insert_with(|| failures.iter().map(|f| f.id.clone()).collect());
        let new: Vec<_> = failures.into_iter().filter(|f| !old.contains(&f.id)).collect();
        self.launch_trouble = launch::trouble(&new);
        Ok(())
    }

    fn hear(&mut self, receipts: &[Receipt]) {
        let now = Instant::now();
        for receipt in receipts {
            let heard = self.heard.entry(receipt.instance.clone()).or_insert((receipt.updated_at, now));
            if heard.0 != receipt.updated_at {
                *heard = (receipt.updated_at, now);
            }
        }
    }

    fn is_silent(&self, id: &InstanceId) -> bool {
        self.heard.get(id).is_some_and(|(_, since)| since.elapsed() > SILENCE)
    }

    fn join(
        &self,
        record: &DeployRecord,
        group: GroupState,
        mut receipts: BTreeMap<InstanceId, Receipt>,
    ) -> Fleet {
        let members = group.members.into_iter().map(|m| Member {
            target: self.targets.get(&m.id).cloned(),
            accepted: self.accepted.contains(&m.id),
            receipt: receipts.remove(&m.id),
            silent: self.is_silent(&m.id),
            id: m.id,
            lifecycle: m.lifecycle,
            template_version: m.template_version,
            protected: m.protected,
        });
        let members = members.collect();
        let canary = record.progress.canary.as_ref().map(|id| Canary {
            id: id.clone(),
            machine: self.machine,
            target: self.canary_target(id).cloned(),
            receipt: receipts.get(id).cloned(),
        });
        Fleet {
            desired: group.desired,
            min: group.min,
            max: group.max,
            template_version: group.template_version.number(),
            balanced: self.ground.target_group_arn.is_some(),
            drain: self.ground.drain,
            members,
            canary,
            gone: receipts.into_values().collect(),
            requested: None,
            // The driver looks, not every time.
            evidence: Evidence::default(),
            current: None,
            refresh: self.refresh.clone(),
            launch_trouble: self.launch_trouble.clone(),
        }
    }
}

/// The group; that it vanished is an error nobody can plan around.
pub async fn group(context: &Context, name: &str) -> Result<GroupState, DeployError> {
    context.aws.group(name).await?.ok_or_else(|| DeployError::no_group(name))
}
