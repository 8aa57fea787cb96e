//! EC2: instances, images and tags.
//!
//! Neighbours: `templates` says what a launch means, `groups` owns instances that are members, `network` gives addresses.

mod console;
mod find;
mod image;
mod instance;
mod launch;
mod power;
mod run;
mod spot;
mod status_check;
mod tags;

pub use find::InstanceFilter;
pub use image::Image;
pub use instance::{Instance, InstanceState, MetadataOptions};
pub(super) use launch::Launch;
pub use power::StateChange;
pub use run::RunRequest;
pub(super) use run::{TokenScope, TokenUse, template_tags};
pub use spot::SpotNotices;
pub use tags::TaggedResource;
