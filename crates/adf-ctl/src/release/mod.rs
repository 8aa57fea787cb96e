//! Releases: making one from a git tree or a URL, and the records of those there are.
//!
//! The rule: a release is immutable. What has been recorded under a name is never replaced; the same content
//! made again is success, other content is refused.

mod create;
mod error;
mod git;
mod pack;

pub use create::{Created, How, Request, create};
pub use error::ReleaseError;
pub use git::Repository;
pub use pack::{Packed, pack};
