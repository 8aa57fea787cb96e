//! A group, a load balancer and agents that take their time and fail, in virtual seconds; as adverse as
//! AWS's documentation allows.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_store::CurrentRelease;
use adf_types::{CanaryTraffic, DeployRecord, InstanceId, InstanceState, OperatorRequest, Step, Surge};

use super::promises::most;
use super::*;
use crate::aws::{Lifecycle, MachineState, TargetState};
use crate::deploy::judge::counts::{Period, Trials};
use crate::deploy::judge::traffic::Traffic;
use crate::deploy::plan::{Action, Decision, next_step};
use crate::deploy::record::{self, Change};

/// What goes wrong in one run.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) seed: u64,
    pub(super) fleet: u32,
    /// One in `boot_failures` new instances gives up while booting; 0: none.
    pub(super) boot_failures: u64,
    /// A new instance becomes ill this long into the watch.
    pub(super) ill_in_watch: Option<u64>,
    /// An operator asks for a rollback at this second.
    pub(super) rollback_at: Option<u64>,
    /// The driver dies after each action with this chance in a hundred, before its result is on record.
    pub(super) crashes: u64,
    /// The fleet grows by one at this second, as a scaling policy would have it.
    pub(super) scale_out_at: Option<u64>,
    /// The fleet shrinks by one at this second, by the same policy.
    pub(super) scale_in_at: Option<u64>,
    /// An old instance that serves dies at this second.
    pub(super) old_dies_at: Option<u64>,
    /// An old instance dies while it stands by.
    pub(super) standby_dies: bool,
    pub(super) surge: Surge,
    /// The group has no room for one more instance than it has.
    pub(super) tight: bool,
    /// An operator pauses at this second, for so many seconds.
    pub(super) pause: Option<(u64, u64)>,
    /// An operator has seen enough at this second.
    pub(super) promote_at: Option<u64>,
}

pub(super) struct Simulator {
    trouble: Trouble,
    random: u64,
    second: u64,
    fleet: Fleet,
    /// When something happens to an instance next.
    due: BTreeMap<InstanceId, u64>,
    born: u64,
    required: u32,
    /// What the fleet is to have at least: as at the start, less what scaling took.
    size: u32,
    /// Instances that scaling may take.
    permitted: u32,
    /// Whether requests are sent to a target group in which only the canary is.
    routed: bool,
    pub(super) record: DeployRecord,
}

impl Simulator {
    pub(super) fn new(trouble: Trouble) -> Self {
        let names: Vec<String> = (0..trouble.fleet).map(|n| format!("old{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut record = record(Step::Preflight, &names);
        record.progress.capacity = trouble.fleet;
        record.progress.protected.clear();
        let mut fleet = fleet(OLD, trouble.fleet, names.iter().map(|name| healthy(name, OLD)).collect());
        fleet.max = most(&trouble);
        record.policy.surge = trouble.surge;
        let current = CurrentRelease { current: release(OLD), previous: None };
        fleet.current = Some(current);
        if trouble.seed.is_multiple_of(2) {
            record.policy.judging.canary_target_group = Some("web-canary".to_owned());
        }
        let (random, size) = (trouble.seed | 1, trouble.fleet);
        Self {
            trouble,
            random,
            second: 0,
            fleet,
            due: BTreeMap::new(),
            born: 0,
            required: size,
            size,
            permitted: 0,
            routed: false,
            record,
        }
    }

    /// Runs the deploy to its end. Panics when the fleet is ever too small through what we did, or when there
    /// is no end.
    pub(super) fn run(mut self) -> (DeployRecord, Fleet) {
        for turn in 0..20_000 {
            match next_step(&self.seen(), &self.record, at(self.second)) {
                Decision::Act(action) => self.act(&action),
                Decision::Wait(wait) => {
                    assert!(wait.until > at(self.second), "a wait that is over already: {wait:?}");
                    record::wait(&mut self.record, &wait, at(self.second));
                    self.tick();
                }
                Decision::Finish(outcome) => {
                    assert!(!self.routed, "requests are sent to an empty target group for good");
                    self.record.outcome = Some(outcome);
                    return (self.record, self.fleet);
                }
            }
            self.check(turn);
        }
        panic!("no end after {} s: {:#?}\n{:#?}", self.second, self.record, self.fleet);
    }

    /// A canary that is not on record is not looked at.
    fn seen(&self) -> Fleet {
        let mut fleet = self.fleet.clone();
        fleet.canary = fleet.canary.filter(|_| self.record.progress.canary.is_some());
        fleet
    }

    fn healthy(&self) -> u32 {
        crate::deploy::fleet::count(self.fleet.members.iter().filter(|m| self.fleet.is_healthy(m)))
    }

    /// Rule 5, as far as it is ours: an instance that falls ill by itself lowers what can be asked for.
    fn check(&mut self, turn: usize) {
        let healthy = self.healthy();
        assert!(
            healthy >= self.required,
            "turn {turn}, second {}: {healthy} of {} healthy\n{:#?}\n{:#?}",
            self.second,
            self.required,
            self.record,
            self.fleet
        );
        self.required = healthy.min(self.size);
    }

    /// An action, and perhaps the death of the driver before its result is on record.
    fn act(&mut self, action: &Action) {
        let step = if let Action::Enter(step) = action { *step } else { self.record.step };
        record::intend(&mut self.record, step, action.intent(), at(self.second));
        record::apply(&mut self.record, action.announces(), at(self.second));
        let change = self.perform(action);
        if self.chance(100) < self.trouble.crashes {
            // Another driver takes over after a lease.
            (0..31).for_each(|_| self.tick());
            let (step, now) = (self.record.step, at(self.second));
            record::intend(&mut self.record, step, "go on".to_owned(), now);
            record::done(&mut self.record, Change::None, "taken over", now);
        } else {
            record::done(&mut self.record, change, "done", at(self.second));
        }
    }

    fn perform(&mut self, action: &Action) -> Change {
        match action {
            Action::Enter(step) => return Change::Entered(*step),
            Action::TurnBack { reason, cause } => return Change::TurnedBack(reason.clone(), *cause),
            Action::Pause { .. } => return Change::Paused,
            Action::EndPause => return Change::PauseEnded,
            Action::Resize { instances, desired } => {
                self.size = self.size.min(*instances);
                return Change::Resized { instances: *instances, desired: *desired };
            }
            Action::RaiseMax(max) => {
                self.fleet.max = max.to;
            }
            Action::RestoreMax(max) => {
                assert!(max.to >= self.fleet.desired, "AWS would lower desired capacity with it");
                self.fleet.max = max.to;
                return Change::RestoredMax(*max);
            }
            Action::Protect(ids) => _ = self.protect(ids, true),
            Action::Unprotect(ids) => return Change::Unprotected(self.protect(ids, false)),
            Action::StartRefresh { .. } | Action::TurnRefresh => panic!("this fleet is replaced by surge"),
            Action::Reboot(_) | Action::LowerMin(_) | Action::RestoreMin(_) => {
                panic!("no instance is rebooted")
            }
            Action::CreateTemplateVersion => return Change::Template(NEW),
            Action::LaunchCanary => return self.launch_canary(),
            Action::FindCanary => {
                return self.fleet.canary.as_ref().map_or(Change::None, |c| Change::Canary(c.id.clone()));
            }
            Action::RecordVerdict(verdict) => return Change::Judged(verdict.clone()),
            Action::MarkReplaced => return Change::Replaced,
            Action::RegisterCanary(_) => self.canary_target(Some(TargetState::Initial)),
            Action::StartCanaryTraffic => return self.start_traffic(),
            Action::EndCanaryTraffic => {
                self.routed = false;
                return Change::CanaryTraffic(CanaryTraffic::Ended);
            }
            Action::DeregisterCanary(_) => {
                assert!(!self.routed, "requests are sent to an empty target group");
                self.canary_target(Some(TargetState::Draining));
            }
            Action::TerminateCanary(_) => {
                assert!(!self.routed, "requests are sent to a canary that is terminated");
                self.fleet.canary.as_mut().expect("launched").machine = Some(MachineState::Gone);
            }
            Action::SetGroupTemplate { version } => self.fleet.template_version = Some(*version),
            Action::SetDesired { instances } => {
                assert!(*instances <= self.fleet.max, "AWS refuses to go above the maximum");
                self.fleet.desired = *instances;
            }
            Action::EnterStandby(ids) => ids.iter().for_each(|id| self.enter_standby(id)),
            Action::ExitStandby(ids) => ids.iter().for_each(|id| self.exit_standby(id)),
            Action::Terminate { ids, decrement } => {
                for id in ids {
                    self.terminate(id, *decrement);
                }
            }
            Action::SetCurrent => {
                let current = CurrentRelease { current: release(NEW), previous: Some(release(OLD)) };
                self.fleet.current = Some(current);
            }
        }
        Change::None
    }

    fn protect(&mut self, ids: &[InstanceId], protected: bool) -> Vec<InstanceId> {
        assert!(ids.len() <= 50, "AWS takes 50 a call");
        for id in ids {
            self.member(id).protected = protected;
        }
        ids.to_vec()
    }

    /// The same token launches once.
    fn launch_canary(&mut self) -> Change {
        let id = id("canary");
        if self.fleet.canary.is_none() {
            let mut canary = canary(InstanceState::Booting { stage: Stage::Prepare }, None);
            canary.machine = Some(MachineState::Pending);
            self.fleet.canary = Some(canary);
            self.soon(&id, 20);
        }
        Change::Canary(id)
    }

    fn start_traffic(&mut self) -> Change {
        let target = self.fleet.canary.as_ref().and_then(|canary| canary.target.clone());
        assert_eq!(target, Some(TargetState::Healthy), "requests of users meet a canary that is not healthy");
        self.routed = true;
        let trials = Trials { all: 10_000, failed: 10 };
        let periods = vec![Period { canary: trials, fleet: trials }];
        self.fleet.evidence.traffic = Some(Traffic { periods, stopped: None });
        Change::CanaryTraffic(CanaryTraffic::Since(at(self.second)))
    }

    fn canary_target(&mut self, target: Option<TargetState>) {
        self.fleet.canary.as_mut().expect("launched").target = target;
        self.soon(&id("canary"), 5);
    }

    fn enter_standby(&mut self, id: &InstanceId) {
        assert!(self.fleet.desired > self.fleet.min, "AWS refuses to go below the minimum");
        let member = self.member(id);
        if member.lifecycle != Lifecycle::InService {
            return;
        }
        member.lifecycle = Lifecycle::EnteringStandby;
        member.target = Some(TargetState::Draining);
        self.fleet.desired -= 1;
        self.soon(id, 10);
    }

    fn exit_standby(&mut self, id: &InstanceId) {
        assert!(self.fleet.desired < self.fleet.max, "AWS refuses to go above the maximum");
        let member = self.member(id);
        if member.lifecycle != Lifecycle::Standby {
            return;
        }
        member.lifecycle = Lifecycle::InService;
        member.target = Some(TargetState::Initial);
        self.fleet.desired += 1;
        self.soon(id, 5);
    }

    fn terminate(&mut self, id: &InstanceId, decrement: bool) {
        if decrement {
            assert!(self.fleet.desired > self.fleet.min, "AWS refuses to go below the minimum");
            self.fleet.desired -= 1;
        }
        let member = self.member(id);
        member.lifecycle = Lifecycle::Leaving;
        member.target = None;
        self.soon(id, 10);
    }

    fn member(&mut self, id: &InstanceId) -> &mut Member {
        self.fleet.members.iter_mut().find(|m| m.id == *id).expect("only members are named")
    }

    /// One second of the world.
    fn tick(&mut self) {
        self.second += 1;
        self.events();
        let due: Vec<InstanceId> =
            self.due.iter().filter(|(_, at)| **at <= self.second).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.due.remove(&id);
            if id == super::id("canary") { self.canary_moves() } else { self.member_moves(&id) }
        }
        self.reconcile();
        self.probe();
    }

    fn events(&mut self) {
        if self.trouble.rollback_at == Some(self.second) {
            let request = OperatorRequest::Rollback { by: "bob".into(), reason: "asked".into() };
            self.fleet.requested = Some(request);
        }
        if self.trouble.scale_out_at == Some(self.second) && self.fleet.desired < self.fleet.max {
            self.fleet.desired += 1;
        }
        if self.trouble.scale_in_at == Some(self.second) && self.fleet.desired > 1 {
            self.fleet.desired -= 1;
            self.permitted += 1;
        }
        if self.trouble.old_dies_at == Some(self.second)
            && let Some(index) = self
                .fleet
                .members
                .iter()
                .position(|m| m.is(Lifecycle::InService) && m.template_version == Some(OLD))
        {
            self.fleet.members.remove(index);
            self.required = self.required.min(self.healthy());
        }
        self.requests();
        if self.trouble.standby_dies
            && let Some(index) = self.fleet.members.iter().position(|m| m.is(Lifecycle::Standby))
        {
            self.trouble.standby_dies = false;
            self.fleet.members.remove(index);
        }
        let since = self.record.progress.replaced_at.map(|t| at(self.second).duration_since(t).as_secs());
        // An operator may have ended the watch before.
        if let (Some(after), Some(since), Step::Watch) = (self.trouble.ill_in_watch, since, self.record.step)
            && since >= i64::try_from(after).expect("small")
        {
            self.trouble.ill_in_watch = None;
            let fleet = &mut self.fleet;
            if let Some(member) = fleet.members.iter_mut().find(|m| m.template_version == Some(NEW)) {
                let state = InstanceState::Unhealthy { reason: "503".to_owned() };
                member.receipt = Some(receipt(&member.id, NEW, state));
            }
            self.required = self.required.min(self.healthy());
        }
    }

    fn requests(&mut self) {
        let by = || "bob".to_owned();
        let rollback = matches!(self.fleet.requested, Some(OperatorRequest::Rollback { .. }));
        let request = match (self.trouble.pause, self.trouble.promote_at) {
            (Some((at, _)), _) if at == self.second => {
                OperatorRequest::Pause { by: by(), limit: Duration::from_mins(10) }
            }
            (Some((at, length)), _) if at + length == self.second => OperatorRequest::Resume { by: by() },
            (_, Some(at)) if at == self.second => {
                let step = if self.record.step <= Step::Judge { Step::Judge } else { Step::Watch };
                OperatorRequest::Promote { by: by(), step }
            }
            _ => return,
        };
        if !rollback {
            self.fleet.requested = Some(request);
        }
    }

    /// Auto Scaling: launches what is missing, and cuts what is too much, whichever it likes.
    fn reconcile(&mut self) {
        let counted: Vec<InstanceId> = self
            .fleet
            .members
            .iter()
            .filter(|m| matches!(m.lifecycle, Lifecycle::Pending | Lifecycle::InService))
            .map(|m| m.id.clone())
            .collect();
        let desired = self.fleet.desired as usize;
        let spared = |id: &&InstanceId| {
            let member = self.fleet.members.iter().find(|m| m.id == **id);
            !member.is_some_and(|m| m.protected && m.is(Lifecycle::InService))
        };
        let victims: Vec<InstanceId> = counted.iter().filter(spared).cloned().collect();
        if counted.len() > desired && !victims.is_empty() {
            let victim = self.chance(victims.len() as u64);
            self.terminate(&victims[usize::try_from(victim).expect("small")].clone(), false);
            if self.permitted > 0 {
                self.permitted -= 1;
                self.size -= 1;
                self.required = self.required.min(self.healthy());
            }
        }
        // Not at once: it takes its seconds to notice.
        if counted.len() < desired && self.chance(3) == 0 {
            (counted.len()..desired).for_each(|_| self.launch());
        }
    }

    fn launch(&mut self) {
        self.born += 1;
        let version = self.fleet.template_version.expect("numbered");
        let member = booting(&format!("new{}", self.born), version);
        let id = member.id.clone();
        self.fleet.members.push(member);
        self.soon(&id, 40);
    }

    fn member_moves(&mut self, id: &InstanceId) {
        let fails = self.trouble.boot_failures > 0 && self.chance(self.trouble.boot_failures) == 0;
        let Some(index) = self.fleet.members.iter().position(|m| m.id == *id) else { return };
        let member = &mut self.fleet.members[index];
        let version = member.template_version.expect("numbered");
        match (member.lifecycle, &member.target) {
            (Lifecycle::Pending, _) if fails && version == NEW => {
                let receipt = receipt(id, version, failed("exited 1"));
                self.fleet.gone.push(receipt);
                self.fleet.members.remove(index);
            }
            (Lifecycle::Pending, _) => {
                member.lifecycle = Lifecycle::InService;
                member.target = Some(TargetState::Initial);
                member.receipt = Some(receipt(id, version, InstanceState::Serving));
                self.soon(id, 5);
            }
            (Lifecycle::InService, Some(TargetState::Initial)) => member.target = Some(TargetState::Healthy),
            (Lifecycle::EnteringStandby, _) => {
                member.lifecycle = Lifecycle::Standby;
                member.target = None;
            }
            (Lifecycle::Leaving, _) => {
                self.fleet.members.remove(index);
            }
            _ => {}
        }
    }

    fn canary_moves(&mut self) {
        let fails = self.trouble.boot_failures > 0 && self.chance(self.trouble.boot_failures) == 0;
        let Some(canary) = &mut self.fleet.canary else { return };
        match &canary.target {
            Some(TargetState::Initial) => canary.target = Some(TargetState::Healthy),
            Some(TargetState::Draining) => canary.target = None,
            _ if canary.machine == Some(MachineState::Pending) => {
                canary.machine = Some(MachineState::Running);
                let state = if fails { failed("exited 1") } else { InstanceState::Serving };
                canary.receipt = Some(receipt(&canary.id, NEW, state));
            }
            _ => {}
        }
    }

    fn probe(&mut self) {
        if let Some(receipt) = self.fleet.canary.as_mut().and_then(|c| c.receipt.as_mut()) {
            receipt.probes.passed += u64::from(receipt.is_serving());
        }
    }

    fn soon(&mut self, id: &InstanceId, within: u64) {
        let delay = 1 + self.chance(within);
        self.due.insert(id.clone(), self.second + delay);
    }

    /// Below `limit`, by xorshift: the same seed is the same run.
    fn chance(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }
}
