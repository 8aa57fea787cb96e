//! Room for two fleets: the group's maximum size is raised where it must be, and comes back afterwards.

use adf_types::{DeployRecord, RaisedMax};

use super::{Action, Decision, act};
use crate::deploy::fleet::Fleet;

/// Makes room for so many instances; `None` when there is room.
pub(super) fn make(fleet: &Fleet, record: &DeployRecord, instances: u32) -> Option<Decision> {
    if instances <= fleet.max {
        return None;
    }
    let from = record.progress.raised_max.map_or(fleet.max, |raised| raised.from);
    Some(act(Action::RaiseMax(RaisedMax { from, to: instances })))
}

/// Gives the group its own maximum back, if nobody else has changed it since. A group that was scaled out beyond
/// it meanwhile keeps what it has, until it has shrunk: lowering it would end instances that serve.
pub(super) fn give_back(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let raised = record.progress.raised_max?;
    if fleet.max != raised.to {
        return Some(act(Action::RestoreMax(RaisedMax { from: fleet.max, to: fleet.max })));
    }
    let to = raised.from.max(fleet.desired);
    (to < fleet.max).then(|| act(Action::RestoreMax(RaisedMax { from: raised.from, to })))
}
