//! Deploys of the real `adf-ctl` to instances with the real agent, in virtual time, with everything going wrong that
//! can: a seed decides what. After each event an oracle checks the rules of a deploy.
//!
//! | word | file | what |
//! | --- | --- | --- |
//! | scenario | `scenario`, `dice`, `fate`, `sky` | what a seed decides |
//! | stage | `stage`, `trace`, `tally` | what all parts of a world share |
//! | oracle | `oracle`, `ears`, `terminal`, `curtain` | the rules, at every moment and at the end |
//! | machine | `machines`, `engine`, `archive` | instances below the model, each with the real agent |
//! | link | `link`, `call` | a process's connection, and its faults |
//! | operator | `operators` | people, each turn one command |
//! | happening | `happening` | what happens to the group beside the deploy |
//! | play | `play` | one seed from beginning to end |
//! | scenes | `scenes/` | plain-text scenarios of whole commands, in tests/deploys/ |
//! | tests | `seeds`, `kills`, `pairs`, `sizes`, `strategies`, `times` | what is played |
//!
//! The rule: a seed replays exactly. `cargo xtask sim` plays many seeds; tests play some.

#[path = "../account/mod.rs"]
mod account;
mod archive;
mod call;
mod curtain;
mod dice;
mod ears;
mod engine;
mod fate;
mod happening;
mod kills;
mod link;
mod machines;
mod operators;
mod oracle;
mod pairs;
mod play;
mod restarts;
mod scenario;
mod scenes;
mod seeds;
mod sizes;
mod sky;
mod stage;
mod strategies;
mod tally;
mod terminal;
mod times;
mod trace;

/// The secret of every config: seen nowhere in clear.
pub(crate) const SENTINEL: &str = "sentinel-cf2b71e0a94d";
