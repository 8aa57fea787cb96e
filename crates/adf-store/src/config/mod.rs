//! Config: Base and Overlay, read whole, changed together.
//!
//! The table is the one of 2013: hash `App`, range `Name`, attribute `Value`. More attributes of an item:
//! `Secret` (see [`crate::secret`]), `Unset` (in an Overlay: hides the Base name), `Cleaned` and
//! `RestorableUntil` (taken out of the live set by clean-up), `Purged` (its value is gone since), and of the change that wrote it `At`,
//! `By` and `Version`.
//!
//! | file | what |
//! | --- | --- |
//! | `entry.rs` | one item, parsed |
//! | `names.rs` | which names a layer has, whatever their values |
//! | `read.rs` | what a release sees, in one consistent piece |
//! | `change.rs` | one change: all or nothing, recorded |
//! | `basis.rs` | over nobody else's: what a change is made on top of |
//! | `history.rs` | the record of changes |
//! | `restore.rs` | a layer as it was |
//! | `write.rs` | what operators change |
//! | `condition.rs` | that an item is still what was read |
//! | `size.rs` | what DynamoDB can hold |
//! | `rekey.rs` | secrets encrypted anew |
//! | `clean.rs` | clean-up with proof, and the way back |
//! | `purge.rs` | the end of what was cleaned up, and of old history |
//! | `value_keyed.rs` | a table of 2013 with another key |
//! | `version.rs` | the counter by which a read knows that nothing changed meanwhile |

mod basis;
mod change;
mod clean;
mod condition;
mod entry;
mod history;
mod names;
mod purge;
mod read;
mod rekey;
mod restore;
mod size;
mod value_keyed;
pub(crate) mod version;
mod write;

pub use clean::{OverlayPlan, Plan, Swept};
pub use entry::Entry;
pub use history::{Action, Recorded};
pub use names::{Cleaned, LayerNames};
pub use read::Seen;
pub use restore::{Moment, Then};
pub use value_keyed::ValueKeyed;
pub use version::ConfigVersion;
pub use write::{EditBasis, Edits};
