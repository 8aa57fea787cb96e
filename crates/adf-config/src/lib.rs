//! ADF-CONFIG(1), and what the command-line tools of ADF share.
//!
//! Two halves. The verbs on an app's config ([`verb`] has them all) are used by the `adf-config`
//! binary and by `adf-ctl config`, so that nothing is written twice. Around them is what every tool of ADF
//! does the same way at its edges: [`connect`] to AWS, the [`exit`] codes, one [`printer`], [`report`]ing an
//! error once, and making foreign text safe to show ([`text`]).
//!
//! Neighbours: `adf-store` below (the only code that knows the tables' keys), `adf-ctl` above. The rule: a
//! verb returns a value; only the binary prints.
//!
//! To add a verb: a file of its own with a function that takes the [`adf_store::Store`] and returns a
//! serialisable value that implements [`printer::Text`], its variant in `verb.rs` and its arm in `dispatch.rs`.

pub mod cli;
pub mod connect;
pub mod diff;
pub mod dispatch;
mod dotenv;
pub mod error;
pub mod exec;
pub mod exit;
pub mod export;
pub mod gc;
pub mod get;
pub mod history;
pub mod identity;
pub mod import;
pub mod instance;
pub mod known;
pub mod list;
pub mod migrate;
pub mod printer;
pub mod rekey;
pub mod report;
pub mod restore;
pub mod run;
pub mod safety;
pub mod secret;
pub mod set;
pub mod show;
pub mod text;
pub mod unset;
pub mod verb;

pub use connect::connect;
pub use error::ConfigError;
pub use exit::ExitCode;
