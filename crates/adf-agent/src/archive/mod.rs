//! A release's archive on its way from the network into a Docker build.
//!
//! ```text
//! download -> [feed] -> adf_archive::repack, on one blocking thread -> [stream] -> build body
//!   async                                                                async
//! ```
//!
//! Neighbours: `adf-archive` checks and repacks; `world::fetch` opens the download; `prepare::image` decides what
//! follows from an error. The rule: a body that ends cleanly is a verified archive, for Docker takes it for a
//! whole build context.

mod error;
mod feed;
pub mod signature;
mod stream;

pub use adf_archive::{ArchiveError, Known, PublicKey, Settings, Signed, Summary, Wanted};
pub use error::StreamError;
pub use stream::{Opened, joined, open};
