//! What stands where already: finds duplicates, and files that are used as folders.

use std::collections::HashMap;

use crate::Limits;
use crate::error::ArchiveError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    /// A file or a link: nothing may stand below it.
    Leaf,
}

#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: HashMap<String, Node>,
    path_bytes: usize,
}

impl Tree {
    /// Adds an entry and, as folders, everything above it.
    pub(crate) fn add(&mut self, path: &str, node: Node, limits: &Limits) -> Result<(), ArchiveError> {
        for (slash, _) in path.match_indices('/') {
            self.put(&path[..slash], Node::Folder, limits).map_err(|_| {
                ArchiveError::entry(path, format!("stands below {}, which is not a folder", &path[..slash]))
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
            return Err(ArchiveError::Limit(format!("it has more than {} entries", limits.entries)));
        }
        if self.path_bytes > limits.path_bytes {
            return Err(ArchiveError::Limit(format!(
                "its paths are longer than {} bytes together",
                limits.path_bytes
            )));
        }
        self.nodes.insert(path.to_owned(), node);
        Ok(())
    }
}
