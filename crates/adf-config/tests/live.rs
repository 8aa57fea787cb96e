//! The real `adf-config` against the AWS that adf-local plays.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use jiff::Timestamp;

struct Account {
    cloud: Cloud,
    front: Front,
    folder: tempfile::TempDir,
}

impl Account {
    async fn open() -> Self {
        let cloud = Cloud::new("us-east-1", Timestamp::now());
        let front = Front::open(cloud.clone(), 0).await.expect("a free port");
        let store = Store::connect(&cloud.sdk_config(), Tables::default());
        store.create_tables().await.expect("an empty account takes the tables");
        Self { cloud, front, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    async fn kms_key(&self) -> String {
        let kms = aws_sdk_kms::Client::new(&self.cloud.sdk_config());
        kms.create_key().send().await.expect("made").key_metadata.expect("told").arn.expect("an ARN")
    }

    async fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adf-config"));
        command.args(["--app", "web"]).args(args).current_dir(self.folder.path());
        command
            .env("AWS_ENDPOINT_URL", self.front.url())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIATEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        let run = move || {
            let mut child = command.spawn().expect("adf-config runs");
            // One that does not read its input is none the worse.
            let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
            child.wait_with_output().expect("it ends")
        };
        tokio::task::spawn_blocking(run).await.expect("no panic")
    }

    async fn says(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {told}");
        String::from_utf8(output.stdout).expect("text")
    }

    async fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args, "hunter2\n").await;
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_again_in_both_forms() {
    let account = Account::open().await;
    let value = "two\nlines \"quoted\" $HOME `id` \\ é = #";
    account.says(&["set", &format!("ODD={value}"), "PLAIN=1", "EMPTY="], "").await;
    for form in ["env", "json"] {
        let text = account.says(&["export", "--format", form], "").await;
        account.says(&["unset", "ODD", "PLAIN", "EMPTY"], "").await;
        account.says(&["import", "-", "-m", "moved"], &text).await;
        assert_eq!(account.says(&["get", "ODD"], "").await, format!("{value}\n"), "{form}");
        assert_eq!(account.says(&["export", "--format", form], "").await, text);
    }
    let history = account.says(&["history", "PLAIN", "-n", "1"], "").await;
    assert!(history.contains("set Base  arn:aws:") && history.contains("\"moved\""), "{history}");
    std::fs::write(account.folder.path().join("bad.env"), "A=1\nhunter2\n").expect("written");
    let error = account.fails(&["import", "bad.env"], 2).await;
    assert!(error.contains("bad.env, line 2: there is no \"=\"") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_with_what_its_release_sees_and_nothing_else_of_the_table() {
    let account = Account::open().await;
    account.says(&["set", "FOO=base", "BAR=base"], "").await;
    account.says(&["set", "FOO=overlay", "--release", "v2"], "").await;
    let script = "printf '%s %s %s %s' \"$FOO\" \"$BAR\" \"$APP\" \"$RELEASE\"; exit 7";
    let output = account.run(&["exec", "--release", "v2", "--", "sh", "-c", script], "").await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "overlay base web v2");
    assert_eq!(output.status.code(), Some(7), "the program's own");
    assert_eq!(std::fs::read_dir(account.folder.path()).expect("a folder").count(), 0, "nothing on disk");
    let error = account.fails(&["exec", "--", "/nonexistent/app"], 3).await;
    assert!(error.contains("cannot run /nonexistent/app"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_read_from_the_input_and_shown_only_when_asked_for() {
    let account = Account::open().await;
    let key = account.kms_key().await;
    account.says(&["set", "--secret", "--kms-key", &key, "TOKEN"], "hunter2\n").await;
    account.says(&["set", "PLAIN=1"], "").await;
    assert_eq!(account.says(&["list"], "").await, "PLAIN=1\nTOKEN (secret)\n");
    for args in [["get", "TOKEN"].as_slice(), &["export"]] {
        let error = account.fails(args, 5).await;
        assert!(
            error.contains("TOKEN") && error.contains("--reveal") && !error.contains("hunter2"),
            "{error}"
        );
    }
    assert!(!account.says(&["history"], "").await.contains("reveal"));
    assert_eq!(account.says(&["get", "TOKEN", "--reveal"], "").await, "hunter2\n");
    assert_eq!(account.says(&["export", "--reveal"], "").await, "PLAIN=1\nTOKEN=hunter2\n");
    let history = account.says(&["history", "TOKEN"], "").await;
    assert_eq!(history.matches("  reveal Base  arn:aws:").count(), 2, "{history}");
    assert!(!history.contains("hunter2"), "{history}");

    let error = account.fails(&["set", "--secret", "TOKEN=hunter3"], 2).await;
    assert!(error.contains("does not belong on the command line") && !error.contains("hunter3"), "{error}");
    let error = account.fails(&["set", "--secret", "A", "B"], 2).await;
    assert!(error.contains("the standard input is the value of one secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_are_compared() {
    let account = Account::open().await;
    account.says(&["set", "FOO=1", "SAME=1"], "").await;
    account.says(&["set", "FOO=2", "NEW=1", "--release", "v2"], "").await;
    let different = account.says(&["diff", "v1", "v2"], "").await;
    assert_eq!(different, "-FOO=1\n+FOO=2\n+NEW=1\n");
    assert_eq!(account.says(&["diff", "v2", "v2"], "").await, "");
}
