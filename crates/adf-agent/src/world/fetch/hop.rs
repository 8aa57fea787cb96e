//! Which hosts a fetch may go to, and which of them may see the GitHub token: decided anew at every hop.

use adf_types::{ReleaseUrl, public_url};
use url::{Host, Url};

use crate::world::FetchError;

/// GitHub's own hosts: where archives are named, and where they come from.
const GITHUB_HOSTS: [&str; 3] = ["github.com", "api.github.com", "codeload.github.com"];

/// Whether the GitHub token could matter to a fetch of `url`. A URL elsewhere never gets one, even if it
/// redirects to GitHub.
pub fn wants_token(url: &ReleaseUrl) -> bool {
    matches!(url, ReleaseUrl::Http(url) if is_github(url))
}

/// Over TLS, on its own port, by its exact name.
pub(super) fn is_github(url: &Url) -> bool {
    url.scheme() == "https"
        && url.port().is_none()
        && url.host_str().is_some_and(|host| GITHUB_HOSTS.contains(&host))
}

/// The hosts of agent.toml's `allowed_hosts`: names, or `*.name` for everything below one. None: every host.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    pub(super) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// The URL that the release names.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        let host = url.host_str().unwrap_or_default();
        self.covers(host).then_some(()).ok_or_else(|| FetchError::Host {
            host: host.to_owned(),
            problem: "it is not in allowed_hosts of agent.toml".to_owned(),
        })
    }

    /// A redirect from `at` to `next`: itself a URL that a release may have, and never less protected than the
    /// one before.
    pub(super) fn check_hop(&self, at: &Url, next: &Url) -> Result<(), FetchError> {
        self.hop_problem(at, next)
            .map_or(Ok(()), |problem| Err(FetchError::Redirect { url: public_url(at), problem }))
    }

    fn hop_problem(&self, at: &Url, next: &Url) -> Option<String> {
        let host = next.host_str().unwrap_or_default();
        if !matches!(next.scheme(), "https" | "http") {
            return Some(format!("it leads to {}://", next.scheme()));
        }
        if at.scheme() == "https" && next.scheme() == "http" {
            return Some(format!("it leads from https to http://{host}"));
        }
        if is_this_host(next) && !is_this_host(at) {
            return Some(format!("it leads to this host ({host})"));
        }
        if !self.covers(host) {
            return Some(format!("it leads to {host}, which is not in allowed_hosts of agent.toml"));
        }
        let mut bare = next.clone();
        bare.set_fragment(None);
        bare.as_str().parse::<ReleaseUrl>().err().map(|e| e.to_string())
    }

    fn covers(&self, host: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|allowed| match allowed.strip_prefix("*.") {
                Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
                None => host == allowed,
            })
    }
}

fn is_this_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(at: &str, next: &str) -> Result<(), FetchError> {
        AllowedHosts::default().check_hop(&at.parse().expect("a URL"), &next.parse().expect("a URL"))
    }

    #[test]
    fn a_redirect_within_https_is_followed() {
        hop("https://github.com/a", "https://codeload.github.com/b").expect("allowed");
        hop("http://127.0.0.1:80/a", "http://127.0.0.1:81/b").expect("allowed");
    }

    #[test]
    fn fault_22_a_redirect_that_weakens_or_turns_inwards_is_refused() {
        for (at, next) in [
            ("https://host/a", "http://host/a"),
            ("https://host/a", "http://127.0.0.1/a"),
            ("https://host/a", "https://127.0.0.1/a"),
            ("https://host/a", "https://2130706433/a"),
            ("https://host/a", "https://0177.0.0.1/a"),
            ("https://host/a", "https://0x7f.1/a"),
            ("https://host/a", "https://[::1]/a"),
            ("https://host/a", "https://[::ffff:127.0.0.1]/a"),
            ("https://host/a", "https://localhost/a"),
            ("https://host/a", "https://169.254.169.254/latest"),
            ("https://host/a", "https://2852039166/latest"),
            ("https://host/a", "https://0251.0376.0251.0376/latest"),
            ("https://host/a", "https://0xa9fea9fe/latest"),
            ("https://host/a", "https://[::ffff:169.254.169.254]/latest"),
            ("https://host/a", "https://[64:ff9b::a9fe:a9fe]/latest"),
            ("https://host/a", "https://[2002:a9fe:a9fe::1]/latest"),
            ("https://host/a", "https://[fd00:ec2::254]/latest"),
            ("https://host/a", "file:///etc/passwd"),
            ("http://127.0.0.1/a", "http://example.org/a"),
            ("https://host/a", "https://ann:pw@host/a"),
        ] {
            let error = hop(at, next).expect_err(next);
            assert!(error.to_string().starts_with("E134 a redirect of "), "{error}");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }

    #[test]
    fn fault_22_with_allowed_hosts_nothing_else_is_asked() {
        let hosts = AllowedHosts::new(&["GitHub.com".to_owned(), "*.github.com".to_owned()]);
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        hosts.check(&url("https://github.com/a")).expect("named");
        hosts.check_hop(&url("https://github.com/a"), &url("https://codeload.github.com/a")).expect("below");
        let first = hosts.check(&url("https://evilgithub.com/a")).expect_err("another name");
        assert_eq!(
            first.to_string(),
            "E134 evilgithub.com was not fetched from: it is not in allowed_hosts of agent.toml"
        );
        let next =
            hosts.check_hop(&url("https://github.com/a"), &url("https://host/a")).expect_err("another");
        assert!(next.to_string().contains("it leads to host, which is not in allowed_hosts"), "{next}");
    }

    #[test]
    fn attack_a06_only_githubs_own_hosts_over_tls_may_see_the_token() {
        let github = |text: &str| is_github(&text.parse().expect("a URL"));
        for yes in ["https://github.com/a", "https://api.github.com/a", "https://codeload.github.com/a"] {
            assert!(github(yes), "{yes}");
        }
        for no in [
            "http://github.com/a",
            "https://github.com:8443/a",
            "https://github.com.evil.org/a",
            "https://evilgithub.com/a",
            "https://gist.github.com/a",
            "https://objects.githubusercontent.com/a",
            "https://github.com./a",
        ] {
            assert!(!github(no), "{no}");
        }
    }
}
