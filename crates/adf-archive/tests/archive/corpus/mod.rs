//! The hostile corpus: one archive for each way in which an archive can be wrong, or odd and still right.
//!
//! Names are `class-what`. To add a case: a line in the file of its class. The fuzzer starts from the same archives.

mod entries;
mod extensions;
mod framing;
mod headers;

use crate::craft::Tar;

/// What must become of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is a build context, and every reader lists it alike.
    Through,
    /// It is refused with words that hold these.
    Refused(&'static str),
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) fate: Fate,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn all() -> Vec<Case> {
    [framing::cases(), headers::cases(), extensions::cases(), entries::cases()]
        .into_iter()
        .flatten()
        .collect()
}

fn through(name: &'static str, bytes: Vec<u8>) -> Case {
    Case { name, fate: Fate::Through, bytes }
}

fn refused(name: &'static str, words: &'static str, bytes: Vec<u8>) -> Case {
    Case { name, fate: Fate::Refused(words), bytes }
}

fn tar_through(name: &'static str, tar: Tar) -> Case {
    through(name, tar.gz())
}

fn tar_refused(name: &'static str, words: &'static str, tar: Tar) -> Case {
    refused(name, words, tar.gz())
}
