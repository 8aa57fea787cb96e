//! The policies as they are printed.

use adf_ctl::policy::{Role, Scope, policy};
use adf_ctl::settings::AppNames;
use assert_cmd::Command;

use crate::{ROLES, bare, json, scope};

#[test]
fn each_role_has_the_documented_policy() {
    for (name, role) in [("agent", Role::Agent), ("operator", Role::Operator), ("reader", Role::Reader)] {
        insta::assert_snapshot!(name, json(&policy(role, &scope())));
    }
}

/// A managed policy holds 6,144 characters, white space not counted ("IAM and AWS STS quotas"); an app's longest
/// name has 64.
#[test]
fn a_policy_fits_into_a_managed_one_whatever_the_app_is_called() {
    let name = "w".repeat(64);
    let names = AppNames {
        app: name.parse().expect("a name"),
        group: name.clone(),
        template: name.clone(),
        target_group: Some(name.clone()),
    };
    for role in ROLES {
        let canary_target_group = Some(name.clone());
        let text = json(&policy(role, &Scope { names: names.clone(), canary_target_group, ..scope() }));
        let size = text.chars().filter(|c| !c.is_whitespace()).count();
        assert!(size <= 6144, "{role:?}: {size} characters");
    }
}

#[test]
fn each_statement_has_a_name_of_its_own_and_somewhere_to_act() {
    for role in ROLES {
        let statements = policy(role, &scope()).statement;
        let mut names: Vec<_> = statements.iter().map(|s| s.sid).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric())), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), statements.len(), "{role:?}: {names:?}");
        for statement in statements {
            assert!(!statement.action.is_empty() && !statement.resource.is_empty(), "{statement:?}");
            assert!(statement.action.iter().all(|action| !action.contains('*')), "{statement:?}");
            // Everything AWS, or everything of a service, is for calls that AWS confines to nothing less.
            let all = statement.resource.contains(&"*".to_owned());
            let others = ["cloudwatch:GetMetricData", "ecr:GetAuthorizationToken"];
            let sees = |action: &&str| action.contains(":Describe") || others.contains(action);
            assert!(!all || statement.action.iter().all(sees), "{statement:?}");
        }
    }
}

#[test]
fn what_is_not_said_is_any_and_a_bucket_that_is_not_named_is_none() {
    for role in ROLES {
        let text = json(&policy(role, &bare()));
        assert!(text.contains("arn:aws:dynamodb:*:*:table/adf-config"), "{text}");
        assert!(!text.contains("s3:") && !text.contains("ecr:"), "{text}");
        assert!(!text.contains("SetInstanceHealth"), "{text}");
        assert!(!text.contains("cloudwatch:") && !text.contains("ModifyListener"), "{text}");
    }
}

/// The command in an empty folder, with no region, no credentials and no way to AWS.
fn typed(line: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::cargo_bin("adf-ctl").expect("built for this test");
    let command = command.env_clear().env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").current_dir(&folder);
    let output = command.arg("iam-policy").args(line).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_prints_the_policy_alone_and_asks_nobody() {
    let said = ["--app", "web", "--role", "agent", "--bucket", "releases", "--region", "us-east-1"];
    let more = ["--account", "123456789012", "--kms-key", "1234abcd-12ab-34cd-56ef-1234567890ab"];
    let rest = ["--image-repository", "web", "--replace-unhealthy"];
    let (code, stdout, stderr) = typed(&[&said[..], &more, &rest].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout, json(&policy(Role::Agent, &scope())));
}

#[test]
fn a_missing_bucket_is_told_beside_the_policy() {
    for (role, told) in [("agent", true), ("operator", true), ("reader", false)] {
        let (code, stdout, stderr) = typed(&["--app", "web", "--role", role, "--json"]);
        assert_eq!((code, stderr.contains("no bucket is named")), (Some(0), told), "{stderr}");
        assert!(stdout.parse::<adf_local::iam::Policy>().is_ok(), "{stdout}");
    }
}

#[test]
fn what_is_no_key_and_no_account_is_refused_before_anything_is_printed() {
    for (said, told) in [
        (["--kms-key", "alias/adf"], "aws kms describe-key"),
        (["--kms-key", "arn:aws:kms:us-east-1:1:key/*"], "ARN"),
        (["--account", "12"], "12 digits"),
    ] {
        let (code, stdout, stderr) = typed(&[&["--app", "web", "--role", "agent"][..], &said].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.contains(told), "{stderr}");
    }
}
