//! The rules of a deploy, checked after everything that happens.
//!
//! Each check is counted by its name. What the scenario itself took away (an instance that was killed, a release that
//! falls ill, a group that was scaled in) is excused; nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use adf_local::model::groups::InstanceRefresh;
use adf_local::model::templates::VersionChoice;
use adf_local::model::{
    Instance, InstanceState, LifecycleState, Model, RefreshStatus, TargetKey, TargetState,
};
use adf_types::{ReleaseName, Step, UserData};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::account::{app, config_name};
use crate::call::Call;
use crate::fate::Fate;
use crate::scenario::{RELEASES, Scenario};
use crate::stage::Stage;

/// How Auto Scaling words why it takes an instance.
const TO_EVEN_ZONES_OUT: &str = "to aid in balancing";
const IMPAIRED: &str = "status checks failure";
const BY_CALL: &str = "user request";

/// How long an instance that was taken away may lack: noticed, launched (at the second or third attempt), booted, built. The same
/// again where a machine comes up dead, which the launch hook abandons after 15 minutes.
const REPLACED: Duration = Duration::from_mins(20);

/// A refresh's last act shows after it has ended.
const REFRESH_ENDS: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Oracle {
    first: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many are to serve at every moment.
    wanted: u32,
    /// Instances that the scenario itself ended, and when.
    killed: BTreeMap<String, Instant>,
    /// Instance refreshes that somebody else started.
    foreign: BTreeSet<String>,
    /// When a machine last came up dead.
    dead: Option<Instant>,
    /// How many a restart takes out of service at once.
    rest: u32,
    /// Somebody wanted fewer instances, or AWS has more than were wanted.
    cut: bool,
    /// An operator has set desired capacity.
    grown: bool,
    /// How many of the group's activities were read.
    activities: usize,
    /// What each instance was launched to run: its user data, and the release in it.
    bound: BTreeMap<String, (Option<Vec<u8>>, Option<ReleaseName>)>,
    /// What each template version starts.
    versions: BTreeMap<u64, Option<ReleaseName>>,
    /// The last words of each agent, without its counts.
    news: BTreeMap<String, String>,
}

/// The group as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    pub(crate) template: Option<u64>,
    /// What a scale-out would start.
    pub(crate) starts: Option<ReleaseName>,
    pub(crate) members: Vec<Member>,
    /// Machines that run and are no members.
    pub(crate) strangers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) state: LifecycleState,
    pub(crate) release: Option<ReleaseName>,
    /// The load balancer sends it requests.
    pub(crate) target: bool,
}

impl Oracle {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let wanted = if scenario.first { 0 } else { scenario.fleet };
        Self { first: scenario.first, inner: Mutex::new(Inner { wanted, ..Inner::default() }) }
    }

    fn inner<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody wants fewer instances.
    pub(crate) fn scaled(&self, desired: u32) {
        self.inner(|inner| (inner.wanted, inner.cut) = (inner.wanted.min(desired), true));
    }

    /// AWS launched more than the group is to have, and will cut some without a look at who serves.
    pub(crate) fn moved(&self) {
        self.inner(|inner| inner.cut = true);
    }

    /// An operator's deploy makes room for two fleets.
    pub(crate) fn grown(&self) {
        self.inner(|inner| inner.grown = true);
    }

    pub(crate) fn killed(&self, instance: &str) {
        self.inner(|inner| {
            inner.killed.entry(instance.to_owned()).or_insert_with(Instant::now);
        });
    }

    /// A restart takes so many out of service at once.
    pub(crate) fn rests(&self, batch: u32) {
        self.inner(|inner| inner.rest = inner.rest.max(batch));
    }

    /// A machine came up dead: whatever it was to replace lacks for longer.
    pub(crate) fn came_dead(&self) {
        self.inner(|inner| {
            inner.dead = Some(Instant::now());
            inner.killed.values_mut().for_each(|since| *since = Instant::now());
        });
    }

    /// Whether everything that was taken away or came up dead should have been replaced, counted from `since`.
    pub(crate) fn is_replaced(&self, since: Instant) -> bool {
        self.inner(|inner| inner.dead.unwrap_or(since).max(since).elapsed() > REPLACED)
    }

    /// Somebody else's instance refresh: what it takes is theirs, and nobody else may end it.
    pub(crate) fn foreign(&self, id: String) {
        self.inner(|inner| inner.foreign.insert(id));
    }

    /// Whether an agent says only what it said before, with other counts.
    pub(crate) fn is_old_news(&self, who: &str, call: &Call) -> bool {
        let words = call.state().unwrap_or_default();
        self.inner(|inner| inner.news.insert(who.to_owned(), words.clone()) == Some(words))
    }
}

impl Stage {
    /// Every rule that can be seen from the group and the instances.
    pub(crate) fn look(&self) {
        if !self.has_begun() {
            return;
        }
        self.taken();
        let group = self.group();
        self.serves(&group);
        self.starts(&group);
        self.bound();
        self.left_alone();
    }

    /// What the world took since the last look: by Auto Scaling itself, by somebody's refresh or scale-in, or because its
    /// release is ill. A scale-in that meets a deploy which has begun to grow the fleet is no excuse: that is what
    /// protection is for.
    fn taken(&self) {
        let (read, foreign, cut) =
            self.oracle.inner(|inner| (inner.activities, inner.foreign.clone(), inner.cut && !inner.grown));
        let (ended, refreshed, all) = self.cloud.model(|model, now| {
            let group = model.group("web").expect("founded");
            let ended =
                group.activities.iter().skip(read).filter(|it| it.description.starts_with("Terminating"));
            let acts = |at: Option<Timestamp>| at.is_none_or(|at| now < at + REFRESH_ENDS);
            let active = |it: &InstanceRefresh| foreign.contains(&it.id) && acts(it.ended_at);
            let ended: Vec<_> = ended.map(|it| (it.description.clone(), it.cause.clone())).collect();
            (ended, group.refreshes.iter().any(active), group.activities.len())
        });
        self.oracle.inner(|inner| inner.activities = all);
        for (what, why) in ended {
            let instance = what.rsplit(' ').next().unwrap_or_default();
            let by_itself = why.contains(TO_EVEN_ZONES_OUT) || why.contains(IMPAIRED);
            let by_others = (refreshed || cut) && !why.contains(BY_CALL);
            let ill = self.engine(instance).is_some_and(|engine| engine.is_ill());
            if by_itself || by_others || ill {
                self.oracle.killed(instance);
            }
        }
    }

    /// What Auto Scaling did last, in its own words: most rules are broken right after it.
    pub(crate) fn tell_activities(&self) {
        const LAST: usize = 12;
        let last: Vec<_> = self.cloud.model(|model, _| {
            let activities = model.group("web").map(|group| group.activities.as_slice()).unwrap_or_default();
            activities
                .iter()
                .rev()
                .take(LAST)
                .rev()
                .map(|it| (it.description.clone(), it.cause.clone()))
                .collect()
        });
        for (what, why) in last {
            self.trace.tell("Auto Scaling", format!("{what}: {why}"));
        }
    }

    pub(crate) fn group(&self) -> Group {
        self.cloud.model(|model, _| {
            let group = model.group("web").expect("founded");
            let template = group.template.as_ref();
            let number = template.and_then(|template| match template.version {
                VersionChoice::Number(number) => Some(number),
                VersionChoice::Latest | VersionChoice::Default => None,
            });
            let starts = number.and_then(|number| self.oracle.version(model, number));
            Group {
                min: group.min,
                max: group.max,
                desired: group.desired,
                template: number,
                starts,
                members: model
                    .members("web")
                    .map(|(instance, _)| self.oracle.member(model, instance))
                    .collect(),
                strangers: strangers(model),
            }
        })
    }

    /// Rule 5.
    fn serves(&self, group: &Group) {
        let (mut serving, mut excused) = (0, 0);
        for member in group.members.iter().filter(|m| m.state == LifecycleState::InService) {
            let engine = self.engine(&member.id);
            let answers = engine.as_ref().and_then(|engine| engine.answers());
            let flaps = engine.as_ref().is_some_and(|engine| engine.fate == Fate::Flaps);
            match (member.target, answers) {
                (true, Some(true)) => serving += 1,
                (_, Some(false)) => excused += 1,
                _ if flaps || engine.is_some_and(|engine| engine.flapped()) => excused += 1,
                _ => {}
            }
        }
        let (wanted, killed) = self.oracle.inner(|inner| {
            inner.killed.retain(|_, since| since.elapsed() < REPLACED);
            let wanted = inner.wanted.saturating_sub(inner.rest);
            (wanted, u32::try_from(inner.killed.len()).unwrap_or(u32::MAX))
        });
        self.check("enough serve at every moment", serving + excused + killed >= wanted, || {
            format!(
                "{serving} serve of {wanted} ({excused} ill by their release, {killed} killed): {group:?}"
            )
        });
    }

    /// Rule 7.
    fn starts(&self, group: &Group) {
        let defined = group.starts.as_ref().is_some_and(|release| RELEASES.contains(&release.as_str()));
        let nothing_yet = self.oracle.first && group.desired == 0;
        self.check("a scale-out starts a defined release", defined || nothing_yet, || {
            format!("template version {:?} starts {:?}", group.template, group.starts)
        });
    }

    /// Rule 2.
    fn bound(&self) {
        let changed = self.cloud.model(|model, _| {
            model.instances().find(|instance| !self.oracle.is_as_launched(instance)).map(|i| i.id.clone())
        });
        self.check("an instance's release never changes", changed.is_none(), || format!("{changed:?}"));
    }

    /// A refresh that somebody else started is theirs to end.
    fn left_alone(&self) {
        use RefreshStatus::{Failed, InProgress, Pending, Successful};
        let foreign = self.oracle.inner(|inner| inner.foreign.clone());
        if foreign.is_empty() {
            return;
        }
        let ended = self.cloud.model(|model, _| {
            let mut theirs = model.group("web")?.refreshes.iter().filter(|it| foreign.contains(&it.id));
            theirs
                .find(|it| !matches!(it.status, Pending | InProgress | Successful | Failed))
                .map(|it| it.status)
        });
        self.check("a foreign refresh is never ended", ended.is_none(), || format!("{ended:?}"));
    }

    /// Rule 2: what an instance ran.
    pub(crate) fn ran(&self, instance: &str) {
        let ran = self.engine(instance).map(|engine| engine.releases()).unwrap_or_default();
        let told = self.cloud.model(|model, _| self.oracle.release(model.instance(instance)?));
        let one = ran.iter().all(|ran| told.as_ref().is_some_and(|told| told.as_str() == ran));
        self.check("an instance runs the release it was launched for", one, || {
            format!("{instance} was launched for {told:?} and ran {ran:?}")
        });
    }

    /// Rule 8: the Overlay of whatever runs is there.
    pub(crate) async fn overlays(&self) {
        let mut live: BTreeSet<ReleaseName> = BTreeSet::new();
        for member in self.group().members.into_iter().filter(|m| !m.state.is_terminating()) {
            live.extend(member.release);
        }
        // What serves again after a way back, and what the next scale-out starts.
        if let Ok(open) = self.store().open_deploy(&app()).await {
            live.extend(open.filter(|open| open.step < Step::Cleanup).and_then(|open| open.from));
        }
        if let Ok(current) = self.store().current(&app()).await {
            live.extend(current.map(|current| current.current));
        }
        for release in live {
            let config = self.store().read_config(&app(), &release).await;
            let only = config.as_ref().ok().and_then(|config| config.get(&config_name("ONLY")));
            self.check("config of what runs stays", only == Some(release.as_str()), || {
                format!("the Overlay of {release} is {only:?}")
            });
        }
    }
}

/// The release that user data names.
pub(crate) fn release_of(data: &[u8]) -> Option<ReleaseName> {
    UserData::parse(data).ok()?.release
}

impl Oracle {
    fn member(&self, model: &Model, instance: &Instance) -> Member {
        let target = model.target_groups().any(|group| {
            let port = group.port;
            let key = TargetKey { id: instance.id.clone(), port };
            group.targets.get(&key).is_some_and(|target| target.state == TargetState::Healthy)
        });
        let running = instance.state == InstanceState::Running;
        Member {
            id: instance.id.clone(),
            state: instance.lifecycle_state().expect("a member"),
            release: self.release(instance),
            target: target && running,
        }
    }

    /// What an instance was launched for.
    fn release(&self, instance: &Instance) -> Option<ReleaseName> {
        self.inner(|inner| inner.launched(instance).1.clone())
    }

    fn is_as_launched(&self, instance: &Instance) -> bool {
        self.inner(|inner| inner.launched(instance).0 == instance.user_data)
    }

    /// What a version of the group's template starts; versions never change.
    fn version(&self, model: &Model, number: u64) -> Option<ReleaseName> {
        let read = || {
            let data = &model.launch_templates().next()?.versions.get(&number)?.data;
            release_of(&BASE64.decode(data.user_data.as_ref()?).ok()?)
        };
        self.inner(|inner| inner.versions.entry(number).or_insert_with(read).clone())
    }
}

impl Inner {
    fn launched(&mut self, instance: &Instance) -> &(Option<Vec<u8>>, Option<ReleaseName>) {
        let read = || {
            let data = instance.user_data.clone();
            let release = data.as_ref().and_then(|data| release_of(data));
            (data, release)
        };
        // Looked up before it is made: an entry would copy the id at each look.
        if !self.bound.contains_key(&instance.id) {
            self.bound.insert(instance.id.clone(), read());
        }
        &self.bound[&instance.id]
    }
}

fn strangers(model: &Model) -> Vec<String> {
    let alive = |i: &&Instance| matches!(i.state, InstanceState::Pending | InstanceState::Running);
    model.instances().filter(alive).filter(|i| i.group().is_none()).map(|i| i.id.clone()).collect()
}
