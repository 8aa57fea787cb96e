//! Where a release's archive, or its image, is.
//!
//! The rule: nothing that is not one of these five forms is ever fetched, and a URL never carries a
//! password, so that it can be printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{Digest, ImageRef, ImageRefError};

/// A validated `RELEASE_URL`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReleaseUrl {
    /// `https://host/path`, or `http://` to a loopback address only.
    Http(Url),
    /// `s3://bucket/key`
    S3 { bucket: String, key: String },
    /// `file:///path`
    File { path: String },
    /// `docker://host/path:tag` or `docker://host/path@sha256:...`: an image, pulled instead of built.
    Docker(ImageRef),
}

/// Why a string is not a release URL. Messages never repeat user information of the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseUrlError {
    #[error("E125 the release URL is not a URL: {0}")]
    NotAUrl(String),
    #[error("E125 scheme {0} is not allowed in a release URL; use https, s3, file or docker")]
    Scheme(String),
    #[error("E125 a release URL must not carry a user name or password; use a secret in the config table")]
    UserInfo,
    #[error("E125 a release URL must not have a fragment (#...)")]
    Fragment,
    #[error("E125 http is allowed to loopback addresses only, not to {0}; use https")]
    PlainHttp(String),
    #[error("E125 {0} is an address of this host's own network; use a host name")]
    AddressLiteral(String),
    #[error("E125 s3 release URL has no {0}; write s3://bucket/key")]
    S3(&'static str),
    #[error("E125 the release URL is {0}")]
    Docker(#[from] ImageRefError),
    #[error("E125 a file release URL must name an absolute path without a host: file:///srv/app.tar.gz")]
    File,
}

impl FromStr for ReleaseUrl {
    type Err = ReleaseUrlError;

    fn from_str(s: &str) -> Result<Self, ReleaseUrlError> {
        // An image name is no URL: `web:v1` has no port.
        if let Some(image) = s.strip_prefix("docker://") {
            return docker(image);
        }
        let url = Url::parse(s).map_err(|e| ReleaseUrlError::NotAUrl(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ReleaseUrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(ReleaseUrlError::Fragment);
        }
        match url.scheme() {
            "https" => https(url),
            "http" => plain_http(url),
            "s3" => s3(&url),
            "file" => file(&url),
            other => Err(ReleaseUrlError::Scheme(other.to_owned())),
        }
    }
}

fn https(url: Url) -> Result<ReleaseUrl, ReleaseUrlError> {
    match url.host() {
        Some(Host::Ipv4(ip)) if !ip.is_loopback() => Err(ReleaseUrlError::AddressLiteral(ip.to_string())),
        Some(Host::Ipv6(ip)) if !ip.is_loopback() => Err(ReleaseUrlError::AddressLiteral(ip.to_string())),
        _ => Ok(ReleaseUrl::Http(url)),
    }
}

fn plain_http(url: Url) -> Result<ReleaseUrl, ReleaseUrlError> {
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if loopback {
        Ok(ReleaseUrl::Http(url))
    } else {
        Err(ReleaseUrlError::PlainHttp(url.host_str().unwrap_or_default().to_owned()))
    }
}

fn s3(url: &Url) -> Result<ReleaseUrl, ReleaseUrlError> {
    let bucket = url.host_str().filter(|b| !b.is_empty()).ok_or(ReleaseUrlError::S3("bucket"))?;
    let key = url.path().trim_start_matches('/');
    if key.is_empty() {
        return Err(ReleaseUrlError::S3("key"));
    }
    Ok(ReleaseUrl::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
}

/// Docker asks the registry itself; the metadata service is none, whatever its name.
fn docker(image: &str) -> Result<ReleaseUrl, ReleaseUrlError> {
    let image: ImageRef = image.parse()?;
    let host = image.repository().host();
    let name = host.split(':').next().unwrap_or(host);
    let link_local =
        name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_link_local() || ip.is_unspecified());
    if link_local {
        Err(ReleaseUrlError::AddressLiteral(name.to_owned()))
    } else {
        Ok(ReleaseUrl::Docker(image))
    }
}

fn file(url: &Url) -> Result<ReleaseUrl, ReleaseUrlError> {
    if url.host().is_some() || url.path().len() < 2 {
        return Err(ReleaseUrlError::File);
    }
    Ok(ReleaseUrl::File { path: url.path().to_owned() })
}

impl ReleaseUrl {
    /// The file that has this one's name and `suffix`; a query stays, for that is where access rights travel. Nothing
    /// stands beside an image.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Option<Self> {
        Some(match self {
            Self::Http(url) => {
                let mut beside = url.clone();
                beside.set_path(&format!("{}{suffix}", url.path()));
                Self::Http(beside)
            }
            Self::S3 { bucket, key } => Self::S3 { bucket: bucket.clone(), key: format!("{key}{suffix}") },
            Self::File { path } => Self::File { path: format!("{path}{suffix}") },
            Self::Docker(_) => return None,
        })
    }

    /// The URL for logs, labels and errors; see [`public_url`].
    pub fn public(&self) -> String {
        match self {
            Self::Http(url) => public_url(url),
            other => other.to_string(),
        }
    }
}

/// A URL without the values of its query, which is where signed URLs and redirects carry their secret. In their place
/// stand digits of their hash, so that two such URLs are told apart.
pub fn public_url(url: &Url) -> String {
    let Some(query) = url.query() else { return url.to_string() };
    let mut bare = url.clone();
    bare.set_query(None);
    format!("{bare}?(hidden {})", Digest::of_bytes(query.as_bytes()).short())
}

impl fmt::Display for ReleaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => write!(f, "{url}"),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::File { path } => write!(f, "file://{path}"),
            Self::Docker(image) => write!(f, "docker://{image}"),
        }
    }
}

impl TryFrom<String> for ReleaseUrl {
    type Error = ReleaseUrlError;

    fn try_from(s: String) -> Result<Self, ReleaseUrlError> {
        s.parse()
    }
}

impl From<ReleaseUrl> for String {
    fn from(url: ReleaseUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_forms_parse_and_print_the_same() {
        for good in [
            "https://github.com/acme/web/archive/refs/tags/v1.tar.gz",
            "http://127.0.0.1:8000/web.tar.gz",
            "http://localhost:8000/web.tar.gz",
            "s3://releases/web/v1.tar.gz",
            "file:///srv/web.tar.gz",
            "docker://web:1",
            "docker://127.0.0.1:5000/acme/web:v1",
        ] {
            let url = good.parse::<ReleaseUrl>().expect(good);
            assert_eq!(url.to_string(), good);
        }
    }

    #[test]
    fn fault_17_everything_else_is_refused() {
        for bad in [
            "web.tar.gz",
            "ftp://host/web.tar.gz",
            "http://example.org/web.tar.gz",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/x",
            "https://host/x#frag",
            "s3://bucket",
            "s3:///key",
            "file://host/x",
            "docker://",
            "docker://Web",
            "docker://ann:pw@host.example/web",
            "docker://169.254.169.254/web:v1",
            "https://10.0.0.1/x",
            "https://2852039166/latest",
            "https://[::ffff:127.0.0.1]/x",
            "javascript:alert(1)",
        ] {
            let error = bad.parse::<ReleaseUrl>().expect_err(bad).to_string();
            assert!(error.starts_with("E125 "), "{error}");
        }
    }

    #[test]
    fn fault_17_secrets_in_a_url_are_never_repeated() {
        let error = "https://ann:hunter2@host/x".parse::<ReleaseUrl>().expect_err("user info");
        assert!(!error.to_string().contains("hunter2"));
        let signed: ReleaseUrl = "https://host/x?X-Amz-Signature=hunter2".parse().expect("a URL");
        assert_eq!(signed.public(), "https://host/x?(hidden 3ebfbc129213)");
        let other: ReleaseUrl = "https://host/x?X-Amz-Signature=hunter3".parse().expect("a URL");
        assert_ne!(signed.public(), other.public());
    }
}
