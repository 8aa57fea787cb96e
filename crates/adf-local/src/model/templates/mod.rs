//! Launch templates: immutable, numbered versions of launch parameters.

mod create;
mod data;
mod delete;
mod resolve;
mod template;

pub(super) use create::TemplateTokens;
pub use create::{NewTemplate, NewVersion};
pub use delete::DeletedVersion;
pub use resolve::TemplateKey;
pub use template::{
    LaunchData, LaunchTemplate, MetadataRequest, NetworkInterface, TagSpecification, TemplateRef,
    TemplateVersion, VersionChoice,
};
