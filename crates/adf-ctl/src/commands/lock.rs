//! `adf-ctl lock show` and `adf-ctl lock break`.

use crate::cli::{BreakArgs, LockVerb};
use crate::consent::Consent;
use crate::context::Context;
use crate::error::CtlError;
use crate::inspect::{self, Holder, LockReport};

pub(super) async fn run(context: &Context, verb: LockVerb) -> Result<(), CtlError> {
    match verb {
        LockVerb::Show => {
            context.printer.data(&inspect::lock(context).await?);
            Ok(())
        }
        LockVerb::Break(args) => break_it(context, &args).await,
    }
}

async fn break_it(context: &Context, args: &BreakArgs) -> Result<(), CtlError> {
    let report = if args.force { inspect::lock_now(context).await? } else { inspect::lock(context).await? };
    let LockReport { app, held: Some(holder) } = report else {
        context.printer.data(&report);
        return Ok(());
    };
    if holder.at_work {
        return Err(CtlError::Refused {
            reason: format!(
                "E201 {} is at work with {} and beats; its deploy would stop where it is",
                holder.owner,
                holder.purpose()
            ),
            hint:
                "wait for it to end, turn it back with: adf-ctl rollback; or break it all the same: --force"
                    .to_owned(),
        });
    }
    let consent = Consent::obtain(&question(&holder), &app, args.yes.as_ref())?;
    let holder = if args.force { anew(context, holder).await? } else { holder };
    context.printer.data(&inspect::break_lock(context, &consent, &holder).await?);
    Ok(())
}

/// The same holder, who may have beaten while the question was answered.
async fn anew(context: &Context, holder: Holder) -> Result<Holder, CtlError> {
    let now = inspect::lock_now(context).await?.held;
    Ok(now.filter(|now| now.fence == holder.fence).unwrap_or(holder))
}

fn question(holder: &Holder) -> String {
    format!(
        "breaking the lock that {} holds for {} since {:.0}",
        holder.owner,
        holder.purpose(),
        holder.since
    )
}
