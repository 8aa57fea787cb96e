//! What stands where already: finds duplicates, files that are used as folders, and links that lead out through
//! other links.

use std::collections::HashMap;

use crate::Limits;
use crate::error::{ArchiveError, Limit};

/// Links that are followed for one link; Linux gives up at as many.
const MAX_HOPS: usize = 40;

/// Steps that following all links may take: an archive of nothing but winding links must not cost minutes.
const MAX_STEPS: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Folder,
    /// Nothing may stand below it.
    File,
    /// Nothing may stand below it either; where it leads.
    Link(String),
}

#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: HashMap<String, Node>,
    path_bytes: usize,
    /// Links with a `..` behind a name: what that name is decides where they lead.
    winding: Vec<String>,
}

impl Tree {
    pub(crate) fn folder(&mut self, path: &str, limits: &Limits) -> Result<(), ArchiveError> {
        self.add(path, Node::Folder, limits)
    }

    pub(crate) fn file(&mut self, path: &str, limits: &Limits) -> Result<(), ArchiveError> {
        self.add(path, Node::File, limits)
    }

    pub(crate) fn link(&mut self, path: &str, target: &str, limits: &Limits) -> Result<(), ArchiveError> {
        if parts(target).skip_while(|part| *part == "..").any(|part| part == "..") {
            self.winding.push(path.to_owned());
        }
        self.path_bytes += target.len();
        self.add(path, Node::Link(target.to_owned()), limits)
    }

    /// Every path so far.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Whether any link leaves the root once the links on its way are followed. A target whose `..` all stand in
    /// front cannot: it climbs real folders only, and its own check counted them.
    pub(crate) fn check_links(&self) -> Result<(), ArchiveError> {
        let mut steps = 0;
        for path in &self.winding {
            if !self.stays(path, &mut steps) {
                return Err(ArchiveError::entry(
                    path,
                    "is a link that leaves the archive through other links",
                ));
            }
            if steps > MAX_STEPS {
                return Err(ArchiveError::entry(path, "is one of too many links that wind through others"));
            }
        }
        Ok(())
    }

    fn stays(&self, link: &str, steps: &mut usize) -> bool {
        let mut at: Vec<&str> = parts(link).collect();
        let name = at.pop().unwrap_or_default();
        let (mut ahead, mut hops) = (vec![name], 0);
        while let Some(part) = ahead.pop() {
            *steps += at.len() + 1;
            if *steps > MAX_STEPS {
                return true;
            }
            if part == ".." {
                if at.pop().is_none() {
                    return false;
                }
                continue;
            }
            at.push(part);
            if let Some(Node::Link(target)) = self.nodes.get(&at.join("/")) {
                hops += 1;
                if hops > MAX_HOPS {
                    return true;
                }
                at.pop();
                ahead.extend(parts(target).collect::<Vec<_>>().into_iter().rev());
            }
        }
        true
    }

    /// Adds an entry and, as folders, everything above it.
    fn add(&mut self, path: &str, node: Node, limits: &Limits) -> Result<(), ArchiveError> {
        for (slash, _) in path.match_indices('/') {
            self.put(&path[..slash], Node::Folder, limits).map_err(|error| match error {
                ArchiveError::Entry { path: above, .. } => {
                    ArchiveError::entry(path, format!("stands below {above}, which is not a folder"))
                }
                other => other,
            })?;
        }
        self.put(path, node, limits)
    }

    fn put(&mut self, path: &str, node: Node, limits: &Limits) -> Result<(), ArchiveError> {
        match self.nodes.get(path) {
            Some(Node::Folder) if node == Node::Folder => return Ok(()),
            Some(_) => return Err(ArchiveError::entry(path, "is in the archive twice")),
            None => {}
        }
        self.path_bytes += path.len();
        if self.nodes.len() >= limits.entries {
            return Err(Limit::Entries(limits.entries).into());
        }
        if self.path_bytes > limits.path_bytes {
            return Err(Limit::PathBytes(limits.path_bytes).into());
        }
        self.nodes.insert(path.to_owned(), node);
        Ok(())
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}
