//! Config: Base and Overlay, read whole, changed together.
//!
//! The table is the one of 2013: hash `App`, range `Name`, attribute `Value`. More attributes of an item:
//! `Secret` (see [`crate::secret`]), `Unset` (in an Overlay: hides the Base name), `Cleaned` and
//! `PurgeAfter` (taken out of the live set by clean-up; restorable until purged).
//!
//! | file | what |
//! | --- | --- |
//! | `entry.rs` | one item, parsed |
//! | `read.rs` | what a release sees, in one consistent piece |
//! | `write.rs` | changes, all or none |
//! | `clean.rs` | clean-up and the way back |
//! | `version.rs` | the counter by which a read knows that nothing changed meanwhile |

mod clean;
mod entry;
mod read;
mod version;
mod write;

pub use entry::Entry;
pub use read::Seen;
