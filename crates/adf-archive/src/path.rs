//! Where an entry may stand, and where a link may lead.
//!
//! Everything is lexical: nothing is looked up on this host.

use crate::Limits;
use crate::error::{ArchiveError, Limit};

/// The archive's single top folder, found at its first entry.
///
/// `git archive --prefix` and GitHub put everything below one folder, which is stripped. An archive whose
/// first entry is a file at the top, or `./`, is taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Root {
    #[default]
    Unknown,
    Flat,
    Under(String),
}

impl Root {
    pub(crate) fn folder(&self) -> Option<String> {
        match self {
            Self::Under(folder) => Some(folder.clone()),
            Self::Unknown | Self::Flat => None,
        }
    }

    /// The entry's path below the root, `a/b`; empty for the root itself.
    pub(crate) fn place(
        &mut self,
        raw: &[u8],
        is_folder: bool,
        limits: &Limits,
    ) -> Result<String, ArchiveError> {
        let mut parts = components(raw, limits)?;
        if *self == Self::Unknown {
            *self = match parts.first() {
                Some(first) if parts.len() > 1 || is_folder => Self::Under((*first).to_owned()),
                _ => Self::Flat,
            };
        }
        if let Self::Under(folder) = self {
            if parts.first() != Some(&folder.as_str()) {
                return Err(outside(raw, folder));
            }
            parts.remove(0);
            if parts.is_empty() && !is_folder {
                return Err(ArchiveError::entry(shown(raw), "is both the archive's top folder and a file"));
            }
        }
        Ok(parts.join("/"))
    }
}

fn outside(raw: &[u8], folder: &str) -> ArchiveError {
    ArchiveError::entry(
        shown(raw),
        format!("is outside the archive's top folder {folder}/; pack with: git archive --prefix=NAME/"),
    )
}

/// The parts of a relative path; `.` and doubled slashes are dropped, everything that could climb is refused.
fn components<'a>(raw: &'a [u8], limits: &Limits) -> Result<Vec<&'a str>, ArchiveError> {
    let refuse = |problem: &str| ArchiveError::entry(shown(raw), problem);
    if raw.len() > limits.path {
        return Err(Limit::Path { path: shown(raw), limit: limits.path }.into());
    }
    let text = str::from_utf8(raw).map_err(|_| refuse("has a name that is not UTF-8"))?;
    if text.is_empty() {
        return Err(refuse("has no name"));
    }
    if text.starts_with('/') {
        return Err(refuse("has an absolute path"));
    }
    if text.chars().any(char::is_control) {
        return Err(refuse("has a control character in its name"));
    }
    let parts: Vec<&str> = text.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    if parts.contains(&"..") {
        return Err(refuse("climbs out of its folder with .."));
    }
    if parts.len() > limits.depth {
        return Err(Limit::Depth { path: shown(raw), limit: limits.depth }.into());
    }
    Ok(parts)
}

/// Checks that a symbolic link at `at` (below the root) with `target` stays below the root.
pub(crate) fn check_link(at: &str, target: &[u8], limits: &Limits) -> Result<String, ArchiveError> {
    let refuse = |problem: &str| ArchiveError::entry(at, problem);
    let target = str::from_utf8(target).map_err(|_| refuse("links to a name that is not UTF-8"))?;
    if target.is_empty() || target.len() > limits.path || target.chars().any(char::is_control) {
        return Err(refuse("links to a name that is empty, too long or has control characters"));
    }
    if target.starts_with('/') {
        return Err(refuse("is a link to an absolute path, which leaves the archive"));
    }
    let mut depth = at.split('/').count() - 1;
    for part in target.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." {
            depth = depth.checked_sub(1).ok_or_else(|| refuse("is a link that leaves the archive"))?;
        } else {
            depth += 1;
        }
    }
    Ok(target.to_owned())
}

/// A path for an error message.
pub(crate) fn shown(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let short: String = text.chars().take(120).collect();
    short.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_placed_path_never_climbs(raw: Vec<u8>, folder: bool) {
            let mut root = Root::Under("top".to_owned());
            if let Ok(path) = root.place(&raw, folder, &Limits::default()) {
                prop_assert!(!path.starts_with('/'));
                prop_assert!(path.split('/').all(|p| p != ".."));
            }
        }

        #[test]
        fn a_link_that_is_let_through_stays_below_the_root(
            at in "[a-c](/[a-c]){0,3}",
            target in "(\\.\\./|\\./|[a-c]/){0,6}[a-c]",
        ) {
            let mut stack: Vec<&str> = at.split('/').collect();
            stack.pop();
            let mut left = false;
            for part in target.split('/') {
                match part {
                    "." => {}
                    ".." => left |= stack.pop().is_none(),
                    name => stack.push(name),
                }
            }
            prop_assert_eq!(check_link(&at, target.as_bytes(), &Limits::default()).is_err(), left);
        }
    }
}
