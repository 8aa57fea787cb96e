//! `adf-ctl verify`: the proof is printed whether it holds or not; the exit code says which.

use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context) -> Result<(), CtlError> {
    let proof = inspect::verify(context, context.clock.now()).await?;
    context.printer.data(&proof);
    let problems = proof.problems();
    if !problems.is_empty() {
        return Err(CtlError::NotProven(problems));
    }
    context.printer.note(&proof.summary());
    Ok(())
}
