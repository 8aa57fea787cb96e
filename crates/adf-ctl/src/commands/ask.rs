//! `adf-ctl pause`, `promote` and `resume`: what is asked of the open deploy.

use adf_types::{DeployId, DeployRecord, Direction, Outcome, ReleaseName, Step};
use serde::Serialize;

use super::deploy::{Told, seat, tell};
use crate::cli::PauseArgs;
use crate::context::Context;
use crate::deploy::{self, Answer};
use crate::error::CtlError;
use crate::printer::Text;

pub(super) async fn resume(context: &Context) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let ended = deploy::resume(context, names, &mut seat(context)).await?;
    match tell(context, ended) {
        Told::Serves => Ok(()),
        Told::RolledBack(error) | Told::Failed(error) => Err(error),
    }
}

pub(super) async fn pause(context: &Context, args: PauseArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let answer = deploy::pause(context, names, args.limit, &mut seat(context)).await?;
    let limit = jiff::SignedDuration::try_from(args.limit).unwrap_or(jiff::SignedDuration::MAX);
    let done = format!("stands still for at most {limit:#}; adf-ctl resume lets it go on");
    print(context, answer, &done)
}

pub(super) async fn promote(context: &Context) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let answer = deploy::promote(context, names, &mut seat(context)).await?;
    print(context, answer, "waits no longer")
}

fn print(context: &Context, answer: Answer, done: &str) -> Result<(), CtlError> {
    let (record, what) = match answer {
        Answer::Done(record) => (record, done.to_owned()),
        Answer::Kept(record) => (
            record,
            "nobody drives it: whoever does next will be told; go on with: adf-ctl resume".to_owned(),
        ),
        Answer::TooLate(record) => return Err(too_late(&record)),
    };
    let asked = Asked { deploy: record.id, release: record.to, step: record.step, what };
    context.printer.data(&asked);
    Ok(())
}

fn too_late(record: &DeployRecord) -> CtlError {
    let how = match (&record.direction, &record.outcome) {
        (Direction::Back { .. }, _) => "is going back, or was asked to",
        (_, Some(Outcome::Succeeded)) => "has succeeded",
        (_, Some(_)) => "has failed",
        (_, None) => "is in its clean-up",
    };
    CtlError::Refused {
        reason: format!("it is too late: deploy {} of {} {how}", record.id, record.to),
        hint: "see what there is with: adf-ctl status".to_owned(),
    }
}

#[derive(Debug, Serialize)]
struct Asked {
    deploy: DeployId,
    release: ReleaseName,
    step: Step,
    /// What the request came to.
    what: String,
}

impl Text for Asked {
    fn text(&self) -> String {
        format!("deploy {} of {}, at step {}: {}\n", self.deploy, self.release, self.step, self.what)
    }
}
