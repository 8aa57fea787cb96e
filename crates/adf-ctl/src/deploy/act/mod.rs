//! Performing one action: the intent is on record before the call, the result after it.
//!
//! Neighbours: `plan` decides, `drive` loops. Every function here looks before it acts, or takes AWS's "that
//! is so already" for success, so an action whose result was never recorded can be performed again. One file
//! per step that calls AWS. To add an action: a variant of [`Action`], an arm in [`perform`].

mod back;
mod canary;
mod cleanup;
mod promote;
mod protect;
mod reboot;
mod refresh;
mod replace;
mod room;
mod sweep;
mod template;

use adf_types::{DeployRecord, ReleaseRecord};
use jiff::Timestamp;

pub use cleanup::finish;

use super::error::DeployError;
use super::observe::Ground;
use super::plan::Action;
use super::record::Change;
use crate::context::Context;

/// What an action works with. It does not write the record; `drive` does.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub context: &'a Context,
    pub ground: &'a Ground,
    pub record: &'a DeployRecord,
    pub release: &'a ReleaseRecord,
    pub lock: &'a adf_store::Lock,
    pub now: Timestamp,
}

/// What became of an action: how the record changes, and how it was completed, in words.
pub type Done = (Change, String);

pub async fn perform(scene: Scene<'_>, action: &Action) -> Result<Done, DeployError> {
    match action {
        Action::Enter(step) => Ok((Change::Entered(*step), "begun".to_owned())),
        Action::TurnBack { reason, cause } => back::turn(scene, reason, *cause).await,
        Action::Pause { .. } => Ok((Change::Paused, "it stands still".to_owned())),
        Action::EndPause => Ok((Change::PauseEnded, "it goes on".to_owned())),
        Action::Resize { instances, desired } => {
            let change = Change::Resized { instances: *instances, desired: *desired };
            Ok((change, format!("{instances} are to serve")))
        }
        Action::CreateTemplateVersion => template::create(scene).await,
        Action::LaunchCanary => canary::launch(scene).await,
        Action::FindCanary => canary::find(scene).await,
        Action::RegisterCanary(id) => canary::register(scene, id).await,
        Action::StartCanaryTraffic => canary::start_traffic(scene).await,
        Action::EndCanaryTraffic => canary::end_traffic(scene).await,
        Action::RecordVerdict(verdict) => Ok(canary::judged(verdict)),
        Action::SetGroupTemplate { version } => promote::set_template(scene, *version).await,
        Action::SetDesired { instances } => replace::set_desired(scene, *instances).await,
        Action::RaiseMax(max) => room::raise(scene, *max).await,
        Action::RestoreMax(max) => room::restore(scene, *max).await,
        Action::Protect(ids) => protect::begin(scene, ids).await,
        Action::Unprotect(ids) => protect::end(scene, ids).await,
        Action::StartRefresh { version } => refresh::start(scene, *version).await,
        Action::TurnRefresh => refresh::turn(scene).await,
        Action::EnterStandby(ids) => replace::enter_standby(scene, ids).await,
        Action::ExitStandby(ids) => back::exit_standby(scene, ids).await,
        Action::MarkReplaced => Ok((Change::Replaced, "the watch begins".to_owned())),
        Action::Terminate { ids, decrement } => cleanup::terminate(scene, ids, *decrement).await,
        Action::SetCurrent => cleanup::set_current(scene).await,
        Action::DeregisterCanary(id) => canary::deregister(scene, id).await,
        Action::TerminateCanary(id) => canary::terminate(scene, id).await,
        Action::Reboot(boots) => reboot::reboot(scene, boots.keys()).await,
        Action::LowerMin(min) => room::lower_min(scene, *min).await,
        Action::RestoreMin(min) => room::restore_min(scene, *min).await,
    }
}

/// A version that was made a moment ago: the same call is tried again, and not for ever.
const NOT_KNOWN_YET: &str = "AWS does not know the template version yet";

/// A call that changed nothing that the record has to remember.
fn called(words: impl Into<String>) -> Done {
    (Change::None, words.into())
}
