//! Config: Base and Overlay, read whole, changed together.
//!
//! The table is the one of 2013: hash `App`, range `Name`, attribute `Value`. More attributes of an item:
//! `Secret` (see [`crate::secret`]), `Unset` (in an Overlay: hides the Base name), `Cleaned` and
//! `PurgeAfter` (taken out of the live set by clean-up; restorable until purged), and of the change that wrote it `At`,
//! `By` and `Version`.
//!
//! | file | what |
//! | --- | --- |
//! | `entry.rs` | one item, parsed |
//! | `read.rs` | what a release sees, in one consistent piece |
//! | `change.rs` | one change: all or nothing, recorded, over nobody else's |
//! | `history.rs` | the record of changes |
//! | `restore.rs` | a layer as it was |
//! | `write.rs` | what operators change |
//! | `clean.rs` | clean-up and the way back |
//! | `version.rs` | the counter by which a read knows that nothing changed meanwhile |

mod change;
mod clean;
mod entry;
mod history;
mod read;
mod restore;
mod version;
mod write;

pub use entry::Entry;
pub use history::{Action, Recorded};
pub use read::Seen;
pub use restore::Moment;
