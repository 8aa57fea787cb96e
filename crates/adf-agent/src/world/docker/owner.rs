//! As whom a container's first process runs: what the secrets' files must belong to.
//!
//! An image says `USER 1000`, `USER web` or `USER web:staff`, or nothing. Names mean what the image's own
//! `/etc/passwd` and `/etc/group` say, which can be read as soon as the container is created.

use bollard::Docker as Client;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::DockerError;
use super::error::{is_missing, refused};

/// Numeric user and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
}

impl Owner {
    pub const ROOT: Self = Self { user: 0, group: 0 };
}

/// A passwd file is some kilobytes; more is not one.
const LARGEST: usize = 1 << 20;

/// Docker sends a file of a container as an archive with one entry, after this many bytes of header.
const HEADER: usize = 512;

pub(super) async fn of(client: &Client, id: &str) -> Result<Owner, DockerError> {
    let found = client.inspect_container(id, None).await.map_err(|e| refused("inspect the container", e))?;
    let user = found.config.and_then(|config| config.user).unwrap_or_default();
    let numeric = user.split(':').all(|part| part.parse::<u32>().is_ok());
    let passwd = if user.is_empty() { String::new() } else { text(client, id, "/etc/passwd").await? };
    let group = if numeric { String::new() } else { text(client, id, "/etc/group").await? };
    resolve(&user, &passwd, &group).ok_or_else(|| DockerError::Refused {
        operation: "tell the container's user",
        problem: format!("the image says USER {user}, which its /etc/passwd and /etc/group do not have"),
    })
}

/// A text file of a container; empty when it has none.
async fn text(client: &Client, id: &str, path: &str) -> Result<String, DockerError> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let stream = client.download_from_container(id, Some(options));
    let pieces = stream.take(LARGEST / HEADER).try_fold(Vec::new(), async |mut all: Vec<u8>, piece| {
        if all.len() < LARGEST {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    });
    match pieces.await {
        Ok(archive) => Ok(only_entry(&archive)),
        Err(error) if is_missing(&error) => Ok(String::new()),
        Err(error) => Err(refused("read a file of the container", error)),
    }
}

/// The content of an archive's only entry.
fn only_entry(archive: &[u8]) -> String {
    let size = archive.get(124..135).and_then(|octal| std::str::from_utf8(octal).ok());
    let size = size.and_then(|octal| usize::from_str_radix(octal.trim_matches(['\0', ' ']), 8).ok());
    let end = HEADER.saturating_add(size.unwrap_or_default()).min(archive.len());
    String::from_utf8_lossy(archive.get(HEADER..end).unwrap_or_default()).into_owned()
}

/// `USER` of an image, as numbers. A user alone has the group that passwd says, a bare number without an entry
/// group 0. Source: "USER" in the Dockerfile reference.
fn resolve(user: &str, passwd: &str, groups: &str) -> Option<Owner> {
    if user.is_empty() {
        return Some(Owner::ROOT);
    }
    let (name, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| {
        fields.first() == Some(&name) || (name.parse::<u32>().is_ok() && fields.get(2) == Some(&name))
    });
    let field = |n: usize| entry.as_ref()?.get(n)?.parse::<u32>().ok();
    let number = name.parse().ok().or_else(|| field(2))?;
    let group = match group {
        None => field(3).unwrap_or_default(),
        Some(group) => group.parse().ok().or_else(|| {
            let line = groups.lines().find(|line| line.split(':').next() == Some(group))?;
            line.split(':').nth(2)?.parse().ok()
        })?,
    };
    Some(Owner { user: number, group })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nstaff:x:50:\n";

    #[test]
    fn a_user_is_what_the_image_says_it_is() {
        let owner = |user, group| Some(Owner { user, group });
        for (user, expected) in [
            ("", owner(0, 0)),
            ("web", owner(1000, 1001)),
            ("1000", owner(1000, 1001)),
            ("7", owner(7, 0)),
            ("7:8", owner(7, 8)),
            ("web:staff", owner(1000, 50)),
            ("nobody", None),
            ("web:none", None),
        ] {
            assert_eq!(resolve(user, PASSWD, GROUPS), expected, "{user}");
        }
    }

    #[test]
    fn the_content_of_what_docker_sends_is_found() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(PASSWD.len() as u64);
        archive.append_data(&mut header, "passwd", PASSWD.as_bytes()).expect("in memory");
        assert_eq!(only_entry(&archive.into_inner().expect("in memory")), PASSWD);
        assert_eq!(only_entry(b"short"), "");
    }
}
