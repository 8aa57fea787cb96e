//! A rolling restart: the fleet is rebooted in place, so that every instance reads its config anew.
//!
//! Neighbours: `plan::restart` decides, the driver is that of a deploy, and so are lock, record, resume, abort and pause.
//! The rule: it moves the app to no other release.

use std::time::Duration;

use adf_types::{DeployRecord, InstanceId, ReleaseName, Restart, Step, Surge};

use super::drive::{Driver, Seat};
use super::error::DeployError;
use super::observe::{self, Ground};
use super::record::Beginning;
use super::{DeployOptions, Ended, lock, preflight, record, start};
use crate::aws::{GroupState, Lifecycle};
use crate::context::Context;
use crate::settings::AppNames;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartOptions {
    /// How much of the fleet is out of service at once.
    pub share: Surge,
    /// Whether nothing may serve meanwhile.
    pub downtime: bool,
    pub boot_timeout: Option<Duration>,
}

/// Restarts the fleet, or goes on with the restart that is open.
pub async fn run(
    context: &Context,
    names: &AppNames,
    options: &RestartOptions,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    let open = context.store.open_deploy(&names.app).await?;
    if let Some(open) = open.as_ref().filter(|open| !open.is_restart()) {
        return Err(start::refuse_other(context, names, open).await?);
    }
    let owner = context.aws.identity().await?;
    let ground = Ground::survey(context, names.target_group.as_deref(), None).await?;
    let lock = lock::take(context, &names.app, &owner, open.as_ref(), &mut seat.view).await?;
    let prepared = async {
        let record = prepare(context, names, options, &ground, &owner, seat).await?;
        let release = start::find_release(context, names, &record.to).await?;
        Ok((record, release))
    };
    let (record, release) = match Box::pin(prepared).await {
        Ok(prepared) => prepared,
        Err(error) => return start::give_back(context, lock, error).await,
    };
    let driver = Driver::new(context, &ground, release, lock, record, seat);
    let (record, fleet) = Box::pin(driver.drive()).await?;
    Ok(Ended::Closed { record: Box::new(record), fleet: Box::new(fleet) })
}

/// With the lock held: the restart to drive.
async fn prepare(
    context: &Context,
    names: &AppNames,
    options: &RestartOptions,
    ground: &Ground,
    owner: &str,
    seat: &mut Seat,
) -> Result<DeployRecord, DeployError> {
    // Read again: only now can nobody else write it.
    match context.store.open_deploy(&names.app).await? {
        Some(open) if open.is_restart() => return Ok(start::go_on(open, owner, seat)),
        Some(open) => {
            return Err(DeployError::refused(start::open_already(&open), start::how_to_end()));
        }
        None => {}
    }
    let started = seat.clock.now();
    let group = observe::group(context, &names.group).await?;
    let Some(current) = context.store.current(&names.app).await? else {
        let reason = format!("nothing is deployed of {}, so nothing can be restarted", names.app);
        return Err(DeployError::refused(reason, "begin with: adf-ctl deploy RELEASE"));
    };
    preflight::group_is_ready(&group, ground.target_group_arn.as_deref())?;
    preflight::no_refresh(context, &group.name).await?;
    let release = start::find_release(context, names, &current.current).await?;
    preflight::config_is_complete(context, &release, owner).await?;
    let old = in_service(&group);
    batches_leave_enough(&group, &old, options)?;
    boots_are_told_apart(context, names, &old).await?;
    Ok(begin(context, names, options, current.current, &group, old, owner, seat, started))
}

fn in_service(group: &GroupState) -> Vec<InstanceId> {
    let members = group.members.iter().filter(|m| m.lifecycle == Lifecycle::InService);
    members.map(|m| m.id.clone()).collect()
}

/// At least one instance goes on serving, unless somebody says otherwise.
fn batches_leave_enough(
    group: &GroupState,
    old: &[InstanceId],
    options: &RestartOptions,
) -> Result<(), DeployError> {
    let name = &group.name;
    let fleet = u32::try_from(old.len()).unwrap_or(u32::MAX);
    if fleet == 0 {
        return Err(DeployError::refused(
            format!("group {name} has no instance in service, so nothing can be restarted"),
            "see what there is with: adf-ctl status",
        ));
    }
    if options.share.of(fleet) < fleet || options.downtime {
        return Ok(());
    }
    let reason =
        format!("to restart {} of the {fleet} instances of group {name} at once leaves none to serve", {
            options.share.of(fleet)
        });
    Err(DeployError::refused(
        reason,
        "restart fewer at once with --at-once; or accept that nothing serves meanwhile: --downtime",
    ))
}

/// By the boot id of their receipts.
async fn boots_are_told_apart(
    context: &Context,
    names: &AppNames,
    old: &[InstanceId],
) -> Result<(), DeployError> {
    let receipts = context.store.receipts(&names.app).await?;
    let tells = |id: &InstanceId| receipts.iter().any(|r| r.instance == *id && r.boot_id.is_some());
    match old.iter().find(|id| !tells(id)) {
        None => Ok(()),
        Some(id) => Err(DeployError::refused(
            format!(
                "the receipt of {id} does not say which boot it is from, so nobody could tell that it came back"
            ),
            "its agent is older than this adf-ctl: deploy on an AMI with the agent of this version first",
        )),
    }
}

#[expect(clippy::too_many_arguments, reason = "each is one fact of the record")]
fn begin(
    context: &Context,
    names: &AppNames,
    options: &RestartOptions,
    release: ReleaseName,
    group: &GroupState,
    old: Vec<InstanceId>,
    owner: &str,
    seat: &Seat,
    started: jiff::Timestamp,
) -> DeployRecord {
    let deploy = DeployOptions { boot_timeout: options.boot_timeout, ..DeployOptions::of(release.clone()) };
    let batch = options.share.of(u32::try_from(old.len()).unwrap_or(u32::MAX));
    let beginning = Beginning {
        from: Some(release.clone()),
        to: release,
        owner: owner.to_owned(),
        policy: preflight::policy(context, &deploy),
        capacity: group.desired,
        old,
        old_template_version: group.template_version.number().unwrap_or_default(),
        way_back: None,
    };
    let mut record = record::begin(names, beginning, started);
    record.step = Step::Restart;
    record.progress.restart = Some(Restart { batch, ..Restart::default() });
    record::intend(&mut record, Step::Restart, "check everything that can be checked".to_owned(), started);
    record::done(&mut record, record::Change::None, "nothing is in the way", seat.clock.now());
    record
}
