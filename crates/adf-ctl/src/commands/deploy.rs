//! `adf-ctl deploy`.

use adf_types::{Cause, DeployRecord, Direction, Outcome, ReleaseName, Step};
use serde::Serialize;

use crate::cli::DeployArgs;
use crate::context::Context;
use crate::deploy::timings::{self, InstanceTime, StepTime};
use crate::deploy::view::View;
use crate::deploy::{self, DeployOptions, Ended, Seat};
use crate::error::CtlError;
use crate::printer::{Text, table};
use crate::{estimate, inspect};

pub(super) async fn run(context: &Context, args: DeployArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let options = options(args);
    if let Some(late) = Box::pin(estimate::forecast(context, &options)).await {
        context.printer.note(&late);
    }
    let ended = deploy::run(context, names, &options, &mut seat(context)).await?;
    match tell(context, ended) {
        Told::Serves => Ok(()),
        Told::RolledBack(error) | Told::Failed(error) => Err(error),
    }
}

pub(super) fn options(args: DeployArgs) -> DeployOptions {
    DeployOptions {
        canary: !args.no_canary,
        alarms: !args.no_alarms,
        capacity: args.capacity,
        no_way_back: args.no_way_back,
        bake: args.bake,
        min_probes: args.min_probes,
        watch: args.watch,
        strategy: args.strategy.map(Into::into),
        surge: args.surge,
        boot_timeout: args.boot_timeout,
        ..DeployOptions::of(args.release)
    }
}

/// A driver's seat at this terminal, now.
pub(super) fn seat(context: &Context) -> Seat {
    Seat { clock: context.clock, stop: context.stop(), view: View::on_stderr(context.printer) }
}

/// What the end of a deploy means; deploy and rollback draw different conclusions.
pub(super) enum Told {
    Serves,
    RolledBack(CtlError),
    Failed(CtlError),
}

/// Prints the result.
pub(super) fn tell(context: &Context, ended: Ended) -> Told {
    let (record, fleet) = match ended {
        Ended::Serving { release, instances } => {
            context.printer.data(&AlreadyServing { serving: release, instances });
            return Told::Serves;
        }
        Ended::Closed { record, fleet } => (*record, fleet),
    };
    let told = conclusion(&record);
    let report =
        Report { steps: timings::steps(&record), instances: timings::instances(&fleet), deploy: record };
    context.printer.data(&report);
    told
}

fn conclusion(record: &DeployRecord) -> Told {
    let failed = |reason: &str, serving: String| CtlError::DeployFailed {
        reason: reason.to_owned(),
        serving,
        hint: hint(record),
    };
    match &record.outcome {
        Some(Outcome::RolledBack { reason }) if record.is_restart() => {
            Told::RolledBack(failed(reason, format!("{} serves, and nothing else was changed", record.to)))
        }
        Some(Outcome::RolledBack { reason }) => {
            let from = record.from.as_ref().map_or("the release before", ReleaseName::as_str);
            let how = if record.step > Step::Promote { "serves" } else { "was never taken out of service" };
            let instances = record.progress.old.len();
            Told::RolledBack(failed(reason, format!("{from} {how} on {instances} instances")))
        }
        Some(Outcome::Failed { reason, serving }) => Told::Failed(failed(reason, serving.clone())),
        Some(Outcome::Succeeded) | None => Told::Serves,
    }
}

/// What to do about it. An instance that could not even write its receipt has only its console to say why.
fn hint(record: &DeployRecord) -> String {
    if record.is_restart() {
        return "see what it said with: adf-ctl logs; what was changed with: adf-config history; then again: adf-ctl \
                restart"
            .to_owned();
    }
    if let Direction::Back { cause: Cause::Silence, .. } = record.direction {
        return "an instance without a receipt says why on its console: adf-ctl logs; its instance profile must allow \
                what docs/aws.md lists"
            .to_owned();
    }
    if let Direction::Back { cause: Cause::Launch, .. } = record.direction {
        return format!(
            "see what the group tried with: aws autoscaling describe-scaling-activities --auto-scaling-group-name \
             {}; once it can launch, try again with: adf-ctl deploy {}",
            record.group, record.to
        );
    }
    if let Direction::Back { cause: Cause::Operator, .. } = record.direction {
        return format!("see where its time went with: adf-ctl history {}", record.id);
    }
    format!(
        "see what its instances said with: adf-ctl logs; where its time went: adf-ctl history {}; try again with: \
         adf-ctl deploy {}",
        record.id, record.to
    )
}

#[derive(Debug, Serialize)]
struct AlreadyServing {
    serving: ReleaseName,
    instances: u32,
}

impl Text for AlreadyServing {
    fn text(&self) -> String {
        format!("{} is already serving on {} instances\n", self.serving, self.instances)
    }
}

/// The closed record, and where its time went.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    deploy: DeployRecord,
    steps: Vec<StepTime>,
    instances: Vec<InstanceTime>,
}

impl Text for Report {
    fn text(&self) -> String {
        let seconds = |s: f64| format!("{s:.1}");
        let steps = self.steps.iter().map(|s| {
            let configured = s.waiting_configured;
            [
                s.step.clone(),
                seconds(s.seconds),
                seconds(s.waiting_for_instances),
                seconds(configured),
                seconds(s.waiting_for_aws),
                seconds(s.own),
            ]
        });
        let steps = table(["STEP", "SECONDS", "INSTANCES", "CONFIGURED", "AWS", "OWN"], steps);
        let instances = self.instances.iter().map(|i| {
            [i.instance.clone(), i.boot_seconds.map_or_else(|| "-".to_owned(), |s| format!("{s:.1}"))]
        });
        let instances = table(["INSTANCE", "BOOT SECONDS"], instances);
        format!("{}\n\n{steps}\n{instances}{}", self.headline(), self.cleaned())
    }
}

impl Report {
    fn headline(&self) -> String {
        let deploy = &self.deploy;
        let end = deploy.finished_at.unwrap_or(deploy.started_at);
        let seconds = deploy::judge::between(deploy.started_at, end).as_secs_f64();
        let how = match &deploy.outcome {
            Some(Outcome::Succeeded) => "serves",
            Some(Outcome::RolledBack { .. }) => "was rolled back",
            Some(Outcome::Failed { .. }) => "failed",
            None => "is open",
        };
        if deploy.is_restart() {
            return format!(
                "the restart of {} {}, after {seconds:.1} s ({})",
                deploy.to,
                self.restarted(),
                deploy.id
            );
        }
        let late = inspect::late(deploy, end).map_or_else(String::new, |late| format!(", {late}"));
        format!("{} {how}, after {seconds:.1} s{late} (deploy {})", deploy.to, deploy.id)
    }

    fn restarted(&self) -> String {
        let all = self.deploy.progress.old.len();
        let told = self.deploy.progress.restart.as_ref().map_or(0, |restart| restart.told.len());
        match &self.deploy.outcome {
            Some(Outcome::Succeeded) => format!("is done on {all} instances"),
            Some(Outcome::RolledBack { .. }) => format!("was stopped at {told} of {all} instances"),
            Some(Outcome::Failed { .. }) => format!("failed at {told} of {all} instances"),
            None => "is open".to_owned(),
        }
    }

    fn cleaned(&self) -> String {
        let names = &self.deploy.progress.cleaned_config;
        if names.is_empty() { String::new() } else { format!("\nconfig cleaned up: {}\n", names.join(", ")) }
    }
}
