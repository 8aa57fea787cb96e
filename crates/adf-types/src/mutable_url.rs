//! Which release URLs may give something else tomorrow.
//!
//! Only what is known to move is named: branches and "latest", in the forms of GitHub, GitLab and Bitbucket. Tags,
//! commits, S3 keys and every other URL are not guessed at; a digest is what makes those certain.

use crate::ReleaseUrl;

/// Names of branches that a repository starts with, and of what always points to its newest state.
const BRANCHES: [&str; 7] = ["main", "master", "HEAD", "head", "develop", "trunk", "latest"];

const BRANCH: &str = "names a branch";
const LATEST: &str = "names whatever is latest";
const DEFAULT: &str = "names no tag or commit, so it is the default branch";

impl ReleaseUrl {
    /// Why this URL may give something else tomorrow, as a clause that follows the URL; `None` where nothing says so.
    pub fn mutable(&self) -> Option<&'static str> {
        let url = match self {
            Self::Http(url) => url,
            Self::Docker(image) => return image.is_mutable().then_some(LATEST),
            Self::S3 { .. } | Self::File { .. } => return None,
        };
        let decoded = decoded(url.path());
        let path: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
        let host = url.host_str().unwrap_or_default();
        let query = url.query_pairs().find(|(name, _)| name == "sha" || name == "ref");
        if path.windows(2).any(|pair| pair == ["refs", "heads"]) {
            return Some(BRANCH);
        }
        if path.iter().any(|part| stem(part) == "latest") {
            return Some(LATEST);
        }
        match (host, path.as_slice()) {
            ("github.com", [_, _, "archive" | "tarball", reference])
            | ("codeload.github.com", [_, _, "tar.gz" | "legacy.tar.gz", reference])
            | ("api.github.com", ["repos", _, _, "tarball", reference])
            | ("bitbucket.org", [_, _, "get", reference])
            | (_, [.., "-", "archive", reference, _]) => branch(reference),
            ("github.com" | "codeload.github.com", [_, _, "tarball" | "tar.gz" | "legacy.tar.gz"])
            | ("api.github.com", ["repos", _, _, "tarball"]) => Some(DEFAULT),
            (_, ["api", "v4", "projects", .., "repository", archive]) if stem(archive) == "archive" => {
                query.map_or(Some(DEFAULT), |(_, reference)| branch(&reference))
            }
            _ => None,
        }
    }
}

fn branch(reference: &str) -> Option<&'static str> {
    BRANCHES.contains(&stem(reference)).then_some(BRANCH)
}

/// The name without an archive's ending.
fn stem(name: &str) -> &str {
    [".tar.gz", ".tgz"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A slash or a letter of a branch may come as %2F: the server does not mind, so neither may this.
fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutable(url: &str) -> Option<&'static str> {
        url.parse::<ReleaseUrl>().expect(url).mutable()
    }

    #[test]
    fn what_moves_is_named() {
        for (url, why) in [
            ("https://github.com/acme/web/archive/refs/heads/main.tar.gz", BRANCH),
            ("https://github.com/acme/web/archive/refs/heads/feature/x.tar.gz", BRANCH),
            ("https://github.com/acme/web/archive/refs%2Fheads%2Fmain.tar.gz", BRANCH),
            ("https://github.com/acme/web/archive/master.tar.gz", BRANCH),
            ("https://github.com/acme/web/archive/HEAD.tar.gz", BRANCH),
            ("https://github.com/acme/web/tarball/%6dain", BRANCH),
            ("https://github.com/acme/web/tarball", DEFAULT),
            ("https://github.com/acme/web/releases/latest/download/web.tar.gz", LATEST),
            ("https://codeload.github.com/acme/web/tar.gz/refs/heads/main", BRANCH),
            ("https://codeload.github.com/acme/web/tar.gz/main", BRANCH),
            ("https://codeload.github.com/acme/web/legacy.tar.gz", DEFAULT),
            ("https://api.github.com/repos/acme/web/tarball", DEFAULT),
            ("https://api.github.com/repos/acme/web/tarball/main", BRANCH),
            ("https://api.github.com/repos/acme/web/tarball/refs/heads/x", BRANCH),
            ("https://gitlab.com/acme/web/-/archive/main/web-main.tar.gz", BRANCH),
            ("https://git.example.org/a/b/c/-/archive/master/c-master.tar.gz", BRANCH),
            ("https://gitlab.com/api/v4/projects/1/repository/archive.tar.gz", DEFAULT),
            ("https://gitlab.com/api/v4/projects/1/repository/archive.tar.gz?sha=main", BRANCH),
            ("https://bitbucket.org/acme/web/get/master.tar.gz", BRANCH),
            ("https://builds.example.org/web/latest.tar.gz", LATEST),
            ("https://builds.example.org/web/latest/web.tgz", LATEST),
            ("docker://registry.example.org/web", LATEST),
            ("docker://registry.example.org/web:latest", LATEST),
        ] {
            assert_eq!(mutable(url), Some(why), "{url}");
        }
    }

    #[test]
    fn what_is_fixed_or_unknown_is_not_guessed_at() {
        for url in [
            "https://github.com/acme/web/archive/refs/tags/v1.tar.gz",
            "https://github.com/acme/web/archive/refs/tags/main-2026.tar.gz",
            "https://github.com/acme/web/archive/v1.2.3.tar.gz",
            "https://github.com/acme/web/archive/0123456789012345678901234567890123456789.tar.gz",
            "https://github.com/acme/web/releases/download/v1/web.tar.gz",
            "https://codeload.github.com/acme/web/tar.gz/refs/tags/v1",
            "https://api.github.com/repos/acme/web/tarball/v1",
            "https://api.github.com/repos/main/master/tarball/v1",
            "https://gitlab.com/acme/web/-/archive/v1/web-v1.tar.gz",
            "https://gitlab.com/api/v4/projects/1/repository/archive.tar.gz?sha=v1",
            "https://example.org/main.tar.gz",
            "https://example.org/main/web-v1.tar.gz",
            "https://example.org/latest-news/web.tar.gz",
            "http://127.0.0.1:8000/web.tar.gz",
            "s3://releases/latest.tar.gz",
            "file:///srv/latest.tar.gz",
            "docker://registry.example.org/web:v1",
        ] {
            assert_eq!(mutable(url), None, "{url}");
        }
    }

    #[test]
    fn what_stands_beside_a_release_keeps_its_query() {
        for (url, beside) in [
            ("https://host/web.tar.gz?token=1", "https://host/web.tar.gz.minisig?token=1"),
            ("s3://b/k.tar.gz", "s3://b/k.tar.gz.minisig"),
            ("file:///srv/k.tar.gz", "file:///srv/k.tar.gz.minisig"),
        ] {
            let url: ReleaseUrl = url.parse().expect("a release URL");
            assert_eq!(url.beside(".minisig").map(|url| url.to_string()).as_deref(), Some(beside));
        }
    }
}
