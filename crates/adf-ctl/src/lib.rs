//! What an operator runs: releases, config, deploys.
//!
//! | folder | what |
//! | --- | --- |
//! | [`cli`] | the command line, definitions only |
//! | [`commands`] | one file per command: reads [`settings`], calls what is below, prints one value |
//! | [`release`] | making a release from a git repository |
//! | [`deploy`] | observe, plan, act |
//! | [`estimate`] | how long a deploy will take: plan |
//! | [`inspect`] | looking without changing: status, verify, history, logs |
//! | [`consent`] | that somebody agreed to what cannot be taken back |
//! | [`policy`] | the IAM policies of who does all this |
//! | [`aws`] | the only code that calls `aws-sdk-*` |
//!
//! Neighbours: `adf-store` for the tables, `adf-config` for the verbs on config and what both command-line
//! tools do the same way (exit codes, printer, report of an error). It never talks to an agent: instances
//! are seen through their receipts and through AWS.
//!
//! To add a command: its arguments in [`cli`], a file in [`commands`], an arm in [`commands::run`], and the
//! help snapshot in `tests/help.rs`.

pub mod aws;
pub mod cli;
pub mod commands;
pub mod consent;
pub mod context;
pub mod deploy;
pub mod error;
pub mod estimate;
pub mod exit;
pub mod inspect;
pub mod policy;
pub mod printer;
pub mod release;
pub mod settings;

pub use adf_config::report;
pub use error::CtlError;
pub use exit::ExitCode;
