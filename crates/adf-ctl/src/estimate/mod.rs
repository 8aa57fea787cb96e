//! How long a deploy will take, before anything is touched: `adf-ctl plan`, and the line that `adf-ctl deploy` begins
//! with when its deadline cannot hold.
//!
//! | file | what |
//! | --- | --- |
//! | [`facts`] | what the estimate is made of: settings, past timings, sizes |
//! | [`past`] | what the last deploys took, from their logs; pure |
//! | [`path`] | the critical path, row by row; pure |
//! | [`mend`] | what breaks the deadline, and the command or the line that mends it; pure |
//! | `gather` | reads the facts of a plan |
//! | `forecast` | the line that a deploy begins with |
//! | [`show`] | how a plan looks |
//!
//! Neighbours: `deploy::preflight` says what a deploy would be refused for, `deploy::timings` reads logs.
//!
//! The rule: nothing is changed, and each number says where it is from: a setting, what was measured, or an
//! assumption, in that order of trust. To add a wait of a deploy: a row in [`path`].

pub mod facts;
mod forecast;
mod gather;
mod mend;
mod past;
mod path;
mod show;

pub use facts::Facts;
pub use forecast::forecast;
pub use gather::{Asked, plan};
pub use mend::Mend;
pub use past::Past;
pub use path::{Estimate, From, Row, estimate};
pub use show::{Obstacle, Plan};

#[cfg(test)]
pub(crate) mod tests;
