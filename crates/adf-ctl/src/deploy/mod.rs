//! Moving an app from one release to another: observe, plan, act, in a loop.
//!
//! | word | file or folder | what |
//! | --- | --- | --- |
//! | preflight | [`preflight`] | all that can be refused before anything is touched |
//! | restorable | [`restorable`] | whether a release could come back |
//! | start, rollback | `start`, `rollback` | which deploy is driven: a new one, or one that nobody drives |
//! | restart | `restart` | rebooting the fleet in place, driven as a deploy is |
//! | ask, follow | `ask`, `follow` | what is asked of whoever drives, and watching them |
//! | driver | [`drive`] | the loop; holds the lock |
//! | fleet | [`fleet`], [`observe`] | what AWS and the receipts say, as one value |
//! | plan | [`plan`] | the next thing to do; pure, one file per step |
//! | judge | [`judge`] | the canary's verdict; pure |
//! | lookout | [`lookout`] | what CloudWatch says, every 15 s |
//! | act | [`act`] | doing it, once; one file per step |
//! | record | [`record`], [`timings`] | what happened so far, and where the time went; pure |
//! | view | [`view`] | what the operator sees meanwhile |
//!
//! The rule: whatever is killed, whenever, the record and AWS together tell how to go on.

pub mod act;
mod ask;
pub mod clock;
pub mod drive;
pub mod error;
pub mod fleet;
mod follow;
pub mod judge;
mod launch;
mod lock;
pub mod lookout;
pub mod observe;
pub mod plan;
pub mod preflight;
pub mod record;
mod restart;
pub mod restorable;
mod rollback;
mod start;
pub mod stop;
pub mod timings;
pub mod view;

use std::time::Duration;

use adf_types::{DeployRecord, DeploySection, Judging, ReleaseName, Strategy, Surge};

pub use ask::{Answer, pause, promote, resume};
pub use drive::Seat;
pub use error::DeployError;
pub use restart::{RestartOptions, run as restart};
pub use rollback::{abort, run as rollback};
pub use start::run;

use fleet::Fleet;

/// What the command line says on top of adf.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployOptions {
    pub release: ReleaseName,
    /// Whether one instance is tried first, if adf.toml has it so.
    pub canary: bool,
    /// Whether the alarms that adf.toml names have a say. Not when the release before comes back: they fire for what
    /// is being left.
    pub alarms: bool,
    pub bake: Option<Duration>,
    pub min_probes: Option<u64>,
    pub watch: Option<Duration>,
    pub strategy: Option<Strategy>,
    pub surge: Option<Surge>,
    pub boot_timeout: Option<Duration>,
    /// Instances that a first deploy starts; without it as many as the group's tag says.
    pub capacity: Option<u32>,
    /// The release that somebody wants to leave although it could not come back.
    pub no_way_back: Option<ReleaseName>,
    /// Whether the release is one that comes back: then it has to be restorable itself.
    pub returns: bool,
}

impl DeployOptions {
    /// As adf.toml says.
    pub fn of(release: ReleaseName) -> Self {
        Self {
            release,
            canary: true,
            alarms: true,
            bake: None,
            min_probes: None,
            watch: None,
            strategy: None,
            surge: None,
            boot_timeout: None,
            capacity: None,
            no_way_back: None,
            returns: false,
        }
    }

    /// What the canary is judged on. Without one it needs no target group.
    pub fn judging(&self, section: &DeploySection) -> Judging {
        let mut judging = section.judging();
        if !(section.canary && self.canary) {
            judging.canary_target_group = None;
        }
        if !self.alarms {
            judging.alarms.clear();
        }
        judging
    }
}

/// How driving a deploy ended.
#[derive(Debug)]
pub enum Ended {
    /// There was nothing to do.
    Serving { release: ReleaseName, instances: u32 },
    /// The deploy is over; its outcome is in the record.
    Closed { record: Box<DeployRecord>, fleet: Box<Fleet> },
}
