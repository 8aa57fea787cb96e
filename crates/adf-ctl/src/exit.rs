//! The exit codes of `adf-ctl`: the same type as `adf-config`'s, so that one table documents both.

pub use adf_config::exit::ExitCode;
