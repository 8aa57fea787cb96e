//! `status --watch`: the same look again and again, until somebody has seen enough.

use std::time::Duration;

use tokio::time::sleep;

use super::status::status;
use crate::context::Context;
use crate::deploy::clock::Clock;
use crate::deploy::stop::Stop;
use crate::error::CtlError;
use crate::printer::{Format, Text as _};

/// Between two looks. A look is two calls of Describe, whatever the size of the fleet: a tenth of what one account may
/// call Elastic Load Balancing.
pub const LOOK: Duration = Duration::from_secs(2);

/// Looks until a stop is asked for; `show` is given each look that differs from the one before. Trouble that may pass
/// is told, once, and looked past.
pub async fn watch(
    context: &Context,
    clock: Clock,
    stop: &mut Stop,
    mut show: impl FnMut(&str),
) -> Result<(), CtlError> {
    let (mut shown, mut trouble) = (String::new(), String::new());
    while !stop.is_asked() {
        match status(context, clock.now()).await {
            Ok(status) => {
                let text = status.text();
                if text != shown {
                    match context.printer.format() {
                        Format::Text => show(&text),
                        Format::Json => show(&(serde_json::to_string(&status).expect("plain data") + "\n")),
                    }
                    shown = text;
                }
                trouble.clear();
            }
            Err(error) if error.is_transient() => {
                let told = format!("{error}; looking again");
                if told != trouble {
                    context.printer.note(&told);
                    trouble = told;
                }
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = stop.asked() => {}
        }
    }
    Ok(())
}
