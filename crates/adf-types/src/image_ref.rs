//! Names of container images, as Docker reads them: `[host[:port]/]path[:tag][@sha256:...]`.
//!
//! The rule: what was parsed can be given to Docker without another look, and never holds a password.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Where an image without a host in its name comes from.
const DEFAULT_HOST: &str = "docker.io";

/// The tag of an image that is named without one.
const DEFAULT_TAG: &str = "latest";

const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// A place that keeps the images of one name: a host and a path, without tag and digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);

/// One image: by its digest, which never changes, or by a tag, which may be moved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    repository: Repository,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a string names no image. Messages do not repeat it: it may hold a password by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an image name ({0}); write host/path:tag or host/path@sha256:...")]
pub struct ImageRefError(&'static str);

impl ImageRef {
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same image by its digest. The tag is kept for people; Docker looks at the digest.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Whether another image may have this name tomorrow as a matter of course: `latest`, or no tag, and no digest.
    pub fn is_mutable(&self) -> bool {
        self.digest.is_none() && self.tag.as_deref().is_none_or(|tag| tag == DEFAULT_TAG)
    }

    /// What Docker is asked for: the digest, else the tag, else `latest`. Without either Docker would pull every tag.
    pub fn exact(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{}@{digest}", self.repository),
            (None, tag) => format!("{}:{}", self.repository, tag.as_deref().unwrap_or(DEFAULT_TAG)),
        }
    }
}

impl Repository {
    /// The registry's host, with its port if it has one.
    pub fn host(&self) -> &str {
        self.host_and_path().0.unwrap_or(DEFAULT_HOST)
    }

    /// The image of this tag. Characters that no tag has become dashes, and what is too long is cut.
    pub fn tagged(&self, tag: &str) -> ImageRef {
        let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let tag = tag.chars().map(fits).skip_while(|c| ".-".contains(*c)).take(MAX_TAG);
        let tag: String = tag.collect();
        ImageRef { repository: self.clone(), tag: Some(tag).filter(|tag| !tag.is_empty()), digest: None }
    }

    /// The image of this digest.
    pub fn at(&self, digest: Digest) -> ImageRef {
        ImageRef { repository: self.clone(), tag: None, digest: Some(digest) }
    }

    /// The first part is a host if it looks like one, as Docker decides it.
    fn host_and_path(&self) -> (Option<&str>, &str) {
        match self.0.split_once('/') {
            Some((host, path)) if host == "localhost" || host.contains(['.', ':']) => (Some(host), path),
            _ => (None, &self.0),
        }
    }

    fn check(self) -> Result<Self, ImageRefError> {
        let (host, path) = self.host_and_path();
        if self.0.len() > MAX_NAME {
            Err(ImageRefError("it is too long"))
        } else if host.is_some_and(|host| !is_host(host)) {
            Err(ImageRefError("its host is not one"))
        } else if !path.split('/').all(is_path_part) {
            Err(ImageRefError("its path may hold lower case letters, digits and single separators"))
        } else {
            Ok(self)
        }
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Lower case letters and digits; between them `.`, `_`, `__` or dashes.
fn is_path_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(plain).filter(|run| !run.is_empty());
    part.starts_with(plain)
        && part.ends_with(plain)
        && separators.into_iter().all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= MAX_TAG && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

impl FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(s: &str) -> Result<Self, ImageRefError> {
        let (name, digest) = match s.rsplit_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (s, None),
        };
        let digest = match digest.map(str::parse) {
            None => None,
            Some(Ok(digest @ Digest::Sha256(_))) => Some(digest),
            Some(_) => return Err(ImageRefError("behind the @ must be sha256: and 64 hexadecimal digits")),
        };
        if name.contains('@') {
            return Err(ImageRefError("it must not carry a user name or password"));
        }
        // A colon before the last slash is the host's port.
        let path_starts = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[path_starts..].split_once(':') {
            Some((last, tag)) => (&name[..path_starts + last.len()], Some(tag)),
            None => (name, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ImageRefError("its tag is not one"));
        }
        Ok(Self { repository: Repository(name.to_owned()).check()?, tag: tag.map(str::to_owned), digest })
    }
}

impl FromStr for Repository {
    type Err = ImageRefError;

    fn from_str(s: &str) -> Result<Self, ImageRefError> {
        let ImageRef { repository, tag, digest } = s.parse()?;
        if tag.is_some() || digest.is_some() {
            return Err(ImageRefError("a repository has neither tag nor digest"));
        }
        Ok(repository)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ImageRef {
    type Error = ImageRefError;

    fn try_from(s: String) -> Result<Self, ImageRefError> {
        s.parse()
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

impl TryFrom<String> for Repository {
    type Error = ImageRefError;

    fn try_from(s: String) -> Result<Self, ImageRefError> {
        s.parse()
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(text: &str) -> ImageRef {
        text.parse().expect(text)
    }

    fn digest() -> String {
        format!("sha256:{}", "0".repeat(64))
    }

    #[test]
    fn host_and_what_docker_is_asked_for() {
        let pinned = format!("web:v1@{}", digest());
        for (text, host, exact) in [
            ("nginx", "docker.io", "nginx:latest"),
            ("nginx:1.27", "docker.io", "nginx:1.27"),
            ("acme/web", "docker.io", "acme/web:latest"),
            ("localhost/web:v1", "localhost", "localhost/web:v1"),
            ("127.0.0.1:5000/acme/web:v1", "127.0.0.1:5000", "127.0.0.1:5000/acme/web:v1"),
            ("ghcr.io/acme/web", "ghcr.io", "ghcr.io/acme/web:latest"),
            (&pinned, "docker.io", &format!("web@{}", digest())),
        ] {
            let image = image(text);
            assert_eq!((image.repository().host(), image.exact().as_str()), (host, exact));
            assert_eq!(image.to_string(), text);
        }
    }

    #[test]
    fn only_latest_without_a_digest_is_mutable() {
        assert!(image("web").is_mutable() && image("web:latest").is_mutable());
        assert!(!image("web:v1").is_mutable());
        assert!(!image(&format!("web:latest@{}", digest())).is_mutable());
        assert!(!image("web").with_digest(digest().parse().expect("a digest")).is_mutable());
    }

    #[test]
    fn fault_17_what_is_no_image_name_is_refused_and_not_repeated() {
        for bad in [
            "",
            "/web",
            "web/",
            "Web",
            "web:",
            "web:a b",
            "web:-x",
            "web@sha256:12",
            "web@tree:0000000000000000000000000000000000000000000000000000000000000000",
            "ann:hunter2@host.example/web:v1",
            "host.example:port/web",
            "-host.example/web",
            "a//b",
            "a/..",
            "web---",
            "we___b",
            "web?x",
            "web#x",
        ] {
            let error = bad.parse::<ImageRef>().expect_err(bad).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!("web:v1".parse::<Repository>().is_err());
        assert!(format!("web@{}", digest()).parse::<Repository>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in "[a-z0-9.:/@_-]{1,40}") {
            if let Ok(image) = text.parse::<ImageRef>() {
                prop_assert_eq!(image.to_string(), text);
            }
        }

        #[test]
        fn every_text_makes_a_tag(text: String) {
            let repository: Repository = "host.example/web".parse().expect("valid");
            let tagged = repository.tagged(&text);
            prop_assert_eq!(tagged.to_string().parse::<ImageRef>(), Ok(tagged));
        }
    }
}
