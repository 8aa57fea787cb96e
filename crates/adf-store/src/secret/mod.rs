//! Secrets: config whose value is stored encrypted, in the attribute `Secret`.
//!
//! | file | what |
//! | --- | --- |
//! | `envelope.rs` | the two forms of a `Secret`, as bytes; pure |
//! | `open.rs` | a config's secrets decrypted, in as few KMS calls as there are data keys |
//! | `seal.rs` | values encrypted, with one data key |
//! | `error.rs` | what KMS says, in our words |
//!
//! The rule: plaintext and data keys are wiped when they are dropped, and appear in no error. Why the form is
//! as it is: `docs/design/0004-secrets.md`.

mod envelope;
mod error;
mod open;
mod seal;

pub use envelope::Sealed;
