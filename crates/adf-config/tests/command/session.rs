//! The flags of 2013, and what a shell is told when something is not there.

use super::Account;
use crate::{signed, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_2013_works() {
    let account = Account::open().await;
    let run = |line: &[&str]| signed(line, &account.url()).assert().success().get_output().stdout.clone();
    run(&["-s", "FOO=bar", "-s", "BAZ=qux=1", "-a", "web"]);
    assert_eq!(run(&["-l", "-a", "web"]), b"BAZ=qux=1\nFOO=bar\n");
    run(&["-d", "FOO", "-a", "web"]);
    assert_eq!(run(&["-z", "us-east-1", "-l", "-a", "web"]), b"BAZ=qux=1\n");
    let json: serde_json::Value =
        serde_json::from_slice(&run(&["-l", "-a", "web", "--json"])).expect("one document");
    assert_eq!(json["config"][0]["value"], "qux=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_app_ends_with_3() {
    let account = Account::open().await;
    let said = stderr(&mut signed(&["-l", "-a", "webb"], &account.url()), 3);
    assert!(said.starts_with("error: unknown app webb") && said.contains("\nhint: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_tables_ends_with_3_and_says_what_makes_them() {
    let account = Account::without_tables().await;
    let said = stderr(&mut signed(&["-l", "-a", "web"], &account.url()), 3);
    assert!(
        said.contains("adf-config") && said.contains("hint: create the tables with: adf-ctl init"),
        "{said}"
    );
}
