//! Who may depend on whom: the drawing of crates in ARCHITECTURE.md as a table.
//!
//! The rule covers what is shipped. Tests may use adf-local as well, except those of adf-types, which does no
//! I/O in its tests either.

use crate::workspace::{Dependency, Metadata, Package};

/// A crate, our crates that it may use, and the outside crates (by prefix) that only some may use.
struct Rule {
    name: &'static str,
    ours: &'static [&'static str],
    outside: &'static [&'static str],
}

const RULES: [Rule; 8] = [
    Rule { name: "adf-types", ours: &[], outside: &[] },
    Rule { name: "adf-archive", ours: &["adf-types"], outside: &[] },
    Rule {
        name: "adf-store",
        ours: &["adf-types"],
        outside: &["tokio", "aws-lc-rs", "aws-sdk-dynamodb", "aws-sdk-kms", "aws-smithy-", "aws-types"],
    },
    Rule {
        name: "adf-config",
        ours: &["adf-types", "adf-store"],
        outside: &["tokio", "aws-config", "aws-sdk-dynamodb", "aws-sdk-sts"],
    },
    Rule {
        name: "adf-agent",
        ours: &["adf-types", "adf-archive", "adf-store"],
        outside: &["tokio", "aws-", "bollard", "reqwest", "hyper", "http"],
    },
    Rule { name: "adf-ctl", ours: &["adf-types", "adf-store", "adf-config"], outside: &["tokio", "aws-"] },
    Rule {
        name: "adf-local",
        ours: &["adf-types"],
        outside: &[
            "tokio",
            "axum",
            "bollard",
            "hyper",
            "http",
            "winterbaume-",
            "aws-smithy-",
            "aws-config",
            "aws-credential-types",
        ],
    },
    Rule { name: "xtask", ours: &[], outside: &["tokio", "hyper", "http"] },
];

/// Outside crates that are somebody's alone: everything that does I/O.
const KEPT_APART: [&str; 8] =
    ["tokio", "aws-", "axum", "bollard", "hyper", "http", "reqwest", "winterbaume-"];

pub(super) fn violations(metadata: &Metadata) -> Vec<String> {
    metadata.packages.iter().flat_map(package_violations).collect()
}

fn package_violations(package: &Package) -> Vec<String> {
    let Some(rule) = RULES.iter().find(|rule| rule.name == package.name) else {
        return vec![format!(
            "{}: a crate that xtask/src/tidy/dependencies.rs has no rule for",
            package.name
        )];
    };
    let refused = package.dependencies.iter().filter(|dependency| !rule.allows(dependency));
    refused
        .map(|dependency| {
            let kind = dependency.kind.as_deref().unwrap_or("shipped");
            format!("{}: must not depend on {} ({kind}); see ARCHITECTURE.md", package.name, dependency.name)
        })
        .collect()
}

impl Rule {
    fn allows(&self, dependency: &Dependency) -> bool {
        let name = dependency.name.as_str();
        if dependency.kind.as_deref() == Some("dev") && self.name != "adf-types" {
            return true;
        }
        if name.starts_with("adf-") {
            return self.ours.contains(&name);
        }
        let matches = |prefix: &&str| name == prefix.trim_end_matches('-') || name.starts_with(*prefix);
        !KEPT_APART.iter().any(matches) || self.outside.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Metadata, Package, violations};

    fn workspace(name: &str, dependency: &str, kind: Option<&str>) -> Metadata {
        let dependency = Dependency { name: dependency.to_owned(), kind: kind.map(str::to_owned) };
        let package = Package { name: name.to_owned(), dependencies: vec![dependency] };
        Metadata { packages: vec![package], target_directory: "target".into() }
    }

    #[test]
    fn the_agent_may_use_the_store_and_the_cli_may_use_the_config_command() {
        assert!(violations(&workspace("adf-agent", "adf-store", None)).is_empty());
        assert!(violations(&workspace("adf-ctl", "adf-config", None)).is_empty());
    }

    #[test]
    fn nothing_that_is_shipped_may_use_adf_local() {
        for name in ["adf-types", "adf-store", "adf-config", "adf-agent", "adf-ctl", "xtask"] {
            assert_eq!(violations(&workspace(name, "adf-local", None)).len(), 1, "{name}");
        }
        assert!(violations(&workspace("adf-agent", "adf-local", Some("dev"))).is_empty());
    }

    #[test]
    fn the_types_do_no_io() {
        for name in ["tokio", "aws-sdk-dynamodb", "reqwest", "adf-store"] {
            assert_eq!(violations(&workspace("adf-types", name, None)).len(), 1, "{name}");
            assert_eq!(violations(&workspace("adf-types", name, Some("dev"))).len(), 1, "{name}");
        }
        assert!(violations(&workspace("adf-types", "serde", None)).is_empty());
    }

    #[test]
    fn the_archive_does_no_io_so_that_it_can_be_fuzzed() {
        for name in ["tokio", "aws-sdk-s3", "reqwest", "bollard", "adf-store"] {
            assert_eq!(violations(&workspace("adf-archive", name, None)).len(), 1, "{name}");
        }
        assert!(violations(&workspace("adf-archive", "adf-types", None)).is_empty());
    }

    #[test]
    fn only_the_agent_and_adf_local_may_speak_to_docker() {
        assert!(violations(&workspace("adf-local", "bollard", None)).is_empty());
        assert_eq!(violations(&workspace("adf-ctl", "bollard", None)).len(), 1);
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        assert_eq!(violations(&workspace("adf-new", "serde", None)).len(), 1);
    }

    #[test]
    fn attack_a16_versions_with_known_holes_are_denied_and_not_in_the_lock_file() {
        let root = crate::workspace::root();
        let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a file of the repository");
        let (rules, lock) = (read("deny.toml"), read("Cargo.lock"));
        for (package, least) in
            [("tar", [0, 4, 45]), ("tracing-subscriber", [0, 3, 20]), ("reqwest", [0, 13, 4])]
        {
            let [major, minor, patch] = least;
            let rule = format!("{{ name = \"{package}\", version = \"<{major}.{minor}.{patch}\"");
            assert!(rules.contains(&rule), "deny.toml has no {rule}");
            let start = format!("name = \"{package}\"\nversion = \"");
            let versions: Vec<_> =
                lock.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert!(!versions.is_empty(), "{package} is not in Cargo.lock");
            for version in versions {
                let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
                assert!(numbers.as_slice() >= least.as_slice(), "{package} {version} is in Cargo.lock");
            }
        }
    }
}
