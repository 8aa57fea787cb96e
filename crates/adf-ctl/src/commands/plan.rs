//! `adf-ctl plan`: the plan is printed whether it holds or not; the exit code says which.

use super::deploy::options;
use crate::cli::PlanArgs;
use crate::context::Context;
use crate::error::CtlError;
use crate::estimate::{self, Asked, Plan};

pub(super) async fn run(context: &Context, args: PlanArgs) -> Result<(), CtlError> {
    let wanted = args.deadline.is_some();
    let asked = Asked { options: options(args.deploy), deadline: args.deadline };
    let plan = Box::pin(estimate::plan(context, &asked)).await?;
    context.printer.data(&plan);
    refusal(&plan, wanted).map_or(Ok(()), Err)
}

/// What a deploy would be refused for, or the deadline that somebody typed and that does not hold.
fn refusal(plan: &Plan, wanted: bool) -> Option<CtlError> {
    if let Some(obstacle) = plan.obstacles.first() {
        let (reason, hint) = (obstacle.reason.clone(), obstacle.mend.clone());
        return Some(CtlError::Refused { reason, hint });
    }
    let estimate = &plan.estimate;
    let mend = estimate.mends.first().filter(|_| wanted)?;
    let reason = format!(
        "about {:.0} s until every server runs {}, {:.0} s wanted; {}",
        estimate.promise_seconds, plan.release, estimate.deadline_seconds, mend.why
    );
    Some(CtlError::Refused { reason, hint: mend.mend.clone() })
}
