//! What a failed boot leaves for whoever looks at the console: the reason and the last lines of the build or the app.
//!
//! Three places: the log, stderr, and under systemd `/dev/console`, so that `aws ec2 get-console-output` shows it
//! without any network to the instance. Where adf-agent.service hides devices from the agent, its `StandardError=`
//! copies stderr to the console instead.

use std::io::Write as _;
use std::path::Path;

use adf_types::Stage;

use crate::failure::Failure;
use crate::redact;
use crate::world::systemd;

pub const CONSOLE: &str = "/dev/console";

pub fn last_words(failure: &Failure, console: impl AsRef<Path>) {
    let stage = failure.stage.map_or("", Stage::as_str);
    tracing::error!(stage, tail = failure.log_tail.len(), "failed: {}", failure.reason);
    let text = redact::owned(text(failure));
    eprint!("{text}");
    if systemd::is_service()
        && let Err(error) = write(console.as_ref(), &text)
    {
        tracing::debug!("the console was not written: {error}");
    }
}

/// The reason is the last line: it is what is seen first.
fn text(failure: &Failure) -> String {
    let stage = failure.stage.map_or("", Stage::as_str);
    let text: String = failure.log_tail.iter().flat_map(|line| ["adf-agent: | ", line, "\n"]).collect();
    text + &format!("adf-agent: failed in {stage}: {}\n", failure.reason)
}

/// Never creates a file, and never becomes the terminal's owner.
fn write(console: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let no_owner = nix::fcntl::OFlag::O_NOCTTY | nix::fcntl::OFlag::O_NONBLOCK;
    let mut file = options.write(true).custom_flags(no_owner.bits()).open(console)?;
    // A console in raw mode wants the carriage return too.
    file.write_all(text.replace('\n', "\r\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        let tail = ["npm ERR! missing script".to_owned(), "exit 1".to_owned()];
        Failure::permanent("E108 the Dockerfile failed").at(Stage::Prepare).with_tail(tail.into())
    }

    #[test]
    fn the_console_shows_the_last_lines_and_then_the_reason() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let console = dir.path().join("console");
        assert!(write(&console, "x").is_err(), "a console that is not there is not made");
        std::fs::write(&console, "").expect("written");
        write(&console, &text(&failure())).expect("written");
        assert_eq!(
            std::fs::read_to_string(&console).expect("read"),
            "adf-agent: | npm ERR! missing script\r\nadf-agent: | exit 1\r\n\
             adf-agent: failed in prepare: E108 the Dockerfile failed\r\n"
        );
    }
}
