//! The commands, each with what it prints and what it leaves in the table.

use super::Account;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_again_in_both_forms() {
    let account = Account::open().await;
    let value = "two\nlines \"quoted\" $HOME `id` \\ é = #";
    account.says(&["set", &format!("ODD={value}"), "PLAIN=1", "EMPTY="], "");
    for form in ["env", "json"] {
        let text = account.says(&["export", "--format", form], "");
        account.says(&["unset", "ODD", "PLAIN", "EMPTY"], "");
        account.says(&["import", "-", "-m", "moved"], &text);
        assert_eq!(account.says(&["get", "ODD"], ""), format!("{value}\n"), "{form}");
        assert_eq!(account.says(&["export", "--format", form], ""), text);
    }
    let history = account.says(&["history", "PLAIN", "-n", "1"], "");
    assert!(history.contains("set Base  arn:aws:") && history.contains("\"moved\""), "{history}");
    std::fs::write(account.folder.path().join("bad.env"), "A=1\nhunter2\n").expect("written");
    let error = account.fails(&["import", "bad.env"], 2);
    assert!(error.contains("bad.env, line 2: there is no \"=\"") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_with_what_its_release_sees_and_nothing_else_of_the_table() {
    let account = Account::open().await;
    account.says(&["set", "FOO=base", "BAR=base"], "");
    account.says(&["set", "FOO=overlay", "--release", "v2"], "");
    let script = "printf '%s %s %s %s' \"$FOO\" \"$BAR\" \"$APP\" \"$RELEASE\"; exit 7";
    let output = account.run(&["exec", "--release", "v2", "--", "sh", "-c", script], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "overlay base web v2");
    assert_eq!(output.status.code(), Some(7), "the program's own");
    assert_eq!(std::fs::read_dir(account.folder.path()).expect("a folder").count(), 0, "nothing on disk");
    let error = account.fails(&["exec", "--", "/nonexistent/app"], 3);
    assert!(error.contains("cannot run /nonexistent/app"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_read_from_the_input_and_shown_only_when_asked_for() {
    let account = Account::open().await;
    let key = account.kms_key().await;
    account.says(&["set", "--secret", "--kms-key", &key, "TOKEN"], "hunter2\n");
    account.says(&["set", "PLAIN=1"], "");
    assert_eq!(account.says(&["list"], ""), "PLAIN=1\nTOKEN (secret)\n");
    for args in [["get", "TOKEN"].as_slice(), &["export"]] {
        let error = account.fails(args, 5);
        assert!(
            error.contains("TOKEN") && error.contains("--reveal") && !error.contains("hunter2"),
            "{error}"
        );
    }
    assert!(!account.says(&["history"], "").contains("reveal"));
    assert_eq!(account.says(&["get", "TOKEN", "--reveal"], ""), "hunter2\n");
    assert_eq!(account.says(&["export", "--reveal"], ""), "PLAIN=1\nTOKEN=hunter2\n");
    let history = account.says(&["history", "TOKEN"], "");
    assert_eq!(history.matches("  reveal Base  arn:aws:").count(), 2, "{history}");
    assert!(!history.contains("hunter2"), "{history}");

    // What only the agent reads is shown like any other secret.
    account.says(&["set", "--secret", "--kms-key", &key, "ADF_GITHUB_TOKEN"], "ghp_hunter");
    assert_eq!(account.says(&["get", "ADF_GITHUB_TOKEN", "--reveal"], ""), "ghp_hunter\n");

    let error = account.fails(&["set", "--secret", "TOKEN=hunter3"], 2);
    assert!(error.contains("does not belong on the command line") && !error.contains("hunter3"), "{error}");
    let error = account.fails(&["set", "--secret", "A", "B"], 2);
    assert!(error.contains("the standard input is the value of one secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_are_compared() {
    let account = Account::open().await;
    account.says(&["set", "FOO=1", "SAME=1"], "");
    account.says(&["set", "FOO=2", "NEW=1", "--release", "v2"], "");
    assert!(account.fails(&["diff", "v1", "v2"], 3).contains("unknown release v1"));
    account.says(&["set", "SAME=1", "--release", "v1"], "");
    let different = account.says(&["diff", "v1", "v2"], "");
    assert_eq!(different, "-FOO=1\n+FOO=2\n+NEW=1\n");
    assert_eq!(account.says(&["diff", "v2", "v2"], ""), "");
}
