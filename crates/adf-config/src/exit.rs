//! What a process of ADF tells the shell.

use std::process;

/// The exit codes of `adf-ctl` and `adf-config`; scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    Done,
    Unexpected,
    Usage,
    NotFound,
    DeployFailed,
    Refused,
    Unreachable,
    Interrupted,
}

impl ExitCode {
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Unexpected,
        Self::Usage,
        Self::NotFound,
        Self::DeployFailed,
        Self::Refused,
        Self::Unreachable,
        Self::Interrupted,
    ];

    /// The number that the shell sees in `$?`.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::DeployFailed => 4,
            Self::Refused => 5,
            Self::Unreachable => 6,
            Self::Interrupted => 130,
        }
    }

    /// One line for help, man page and docs.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unexpected => "unexpected failure",
            Self::Usage => "bad usage or bad input",
            Self::NotFound => "not found: an unknown app, release or table",
            Self::DeployFailed => "the deploy failed and the old fleet serves; or verify found no proof",
            Self::Refused => "refused before anything was touched",
            Self::Unreachable => "AWS is not reachable, or it refused the credentials",
            Self::Interrupted => "interrupted",
        }
    }

    /// The section `Exit codes` of `--help`, for the codes that a command can end with.
    pub fn help(codes: &[Self]) -> String {
        let lines = codes.iter().map(|c| format!("  {:>3}  {}", c.code(), c.meaning()));
        format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_in_order() {
        let codes: Vec<u8> = ExitCode::ALL.iter().map(|c| c.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 130]);
    }
}
