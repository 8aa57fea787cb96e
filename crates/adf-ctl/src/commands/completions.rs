//! `adf-ctl completions`: the script goes to stdout.

use std::io;

use clap_complete::Shell;

use crate::cli;

pub(super) fn run(shell: Shell) {
    clap_complete::generate(shell, &mut cli::command(), "adf-ctl", &mut io::stdout());
}
