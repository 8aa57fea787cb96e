//! An account with tables, and a shell in it.

use std::process::Output;

use aws_config::SdkConfig;

use crate::aws::Aws;
use crate::signed;

pub(crate) struct Account<A> {
    aws: A,
    /// Where the commands run.
    pub(crate) folder: tempfile::TempDir,
}

impl<A: Aws> Account<A> {
    pub(crate) const MOST_NAMES: usize = A::MOST_NAMES;
    pub(crate) const DISABLES_KEYS: bool = A::DISABLES_KEYS;
    pub(crate) const TELLS_OF_KEYS: bool = A::TELLS_OF_KEYS;

    pub(crate) async fn open() -> Self {
        let account = Self::without_tables().await;
        adf_config::connect::store(&account.sdk()).create_tables().await.expect("the tables");
        account
    }

    pub(crate) async fn without_tables() -> Self {
        Self { aws: A::start().await, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn url(&self) -> String {
        self.aws.url()
    }

    pub(crate) fn sdk(&self) -> SdkConfig {
        self.aws.sdk_config()
    }

    pub(crate) async fn kms_key(&self) -> String {
        let kms = aws_sdk_kms::Client::new(&self.sdk());
        kms.create_key().send().await.expect("made").key_metadata.expect("told").arn.expect("an ARN")
    }

    pub(crate) fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = signed(&[&["--app", "web"], args].concat(), &self.url());
        command.current_dir(self.folder.path()).write_stdin(input).output().expect("adf-config runs")
    }

    pub(crate) fn says(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {told}");
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args, "hunter2\n");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        assert!(output.stdout.is_empty());
        told
    }
}
