//! A table whose range key is `Value`, as the first documentation of 2013 said.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use super::Account;

async fn value_keyed(account: &Account, table: &str, pairs: &[(&str, &str)]) -> Client {
    let client = Client::new(&account.sdk());
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
    };
    let table = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    let table = table.key_schema(key("App", KeyType::Hash).expect("whole"));
    let table = table.key_schema(key("Value", KeyType::Range).expect("whole"));
    let table = table.attribute_definitions(attribute("App").expect("whole"));
    let made = table.attribute_definitions(attribute("Value").expect("whole")).send().await.expect("created");
    let name = made.table_description.and_then(|t| t.table_name).expect("told");
    for (of, value) in pairs {
        let attributes = [("App", "web"), ("Name", of), ("Value", value)];
        let item = attributes.map(|(k, v)| (k.to_owned(), AttributeValue::S(v.to_string())));
        let put = client.put_item().table_name(&name).set_item(Some(HashMap::from(item)));
        put.send().await.expect("written");
    }
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn such_a_table_is_read_and_never_written() {
    let account = Account::without_tables().await;
    let client = value_keyed(&account, "adf-config", &[("FOO", "b"), ("BAR", "a=1")]).await;
    assert_eq!(account.says(&["-l"], ""), "BAR=a=1\nFOO=b\n");
    assert_eq!(account.says(&["get", "FOO"], ""), "b\n");
    assert_eq!(account.says(&["export"], ""), "BAR=a=1\nFOO=b\n");
    for line in [&["-s", "FOO=c"][..], &["unset", "FOO"], &["set", "NEW=1", "--in-parts"]] {
        let error = account.fails(line, if Account::TELLS_OF_KEYS { 5 } else { 1 });
        let told = error.contains("adf-config migrate");
        assert!(error.contains("E158") && told == Account::TELLS_OF_KEYS, "{line:?}: {error}");
    }
    let scanned = client.scan().table_name("adf-config").send().await.expect("read");
    assert_eq!(scanned.count, 2);

    let second = HashMap::from(
        [("App", "web"), ("Name", "FOO"), ("Value", "c")]
            .map(|(k, v)| (k.to_owned(), AttributeValue::S(v.to_owned()))),
    );
    client.put_item().table_name("adf-config").set_item(Some(second)).send().await.expect("written");
    let error = account.fails(&["list"], 2);
    assert!(error.contains("config web/FOO: the table has several values for it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_copied_to_a_right_one_without_loss() {
    let account = Account::open().await;
    let pairs = [
        ("FOO", "1"),
        ("FOO", "2"),
        ("ONE", "x"),
        ("TWO", "y\nz"),
        ("DB PASS", "hunter2"),
        ("KEPT", "old"),
        ("SAME", "s"),
    ];
    let old = value_keyed(&account, "old-config", &pairs).await;
    value_keyed(&account, "bad-config", &[("PATH", "/evil"), ("TWICE", "1"), ("TWICE", "2")]).await;
    account.says(&["set", "KEPT=new", "SAME=s"], "");
    let output = account.run(&["migrate", "--from", "old-config", "-m", "at last"], "");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("not all of table old-config was copied"), "{told}");
    assert_eq!(
        String::from_utf8(output.stdout).expect("text"),
        "copied: ONE, TWO\n\
         there already: SAME\n\
         there with another value, which was kept: KEPT\n\
         FOO collided, set the right one:\n    FOO=1\n    FOO=2\n\
         not config: E153 config name \"DB PASS\" is not a valid environment variable name; use letters, digits and _\n"
    );
    assert_eq!(account.says(&["list"], ""), "KEPT=new\nONE=x\nSAME=s\nTWO=y\\nz\n");
    assert_eq!(
        old.scan().table_name("old-config").send().await.expect("read").count,
        7,
        "the old one is as it was"
    );
    assert!(account.fails(&["migrate", "--from", "no-config"], 3).contains("no-config"));
    assert!(
        account
            .fails(&["migrate", "--from", "old-config", "--release", "v1"], 2)
            .contains("Base config only")
    );
    assert!(
        account.fails(&["migrate", "--from", "old-config", "-a", "wbe"], 3).contains("nothing of app wbe")
    );

    let output = account.run(&["migrate", "--from", "bad-config"], "");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(told.contains("refused: PATH changes which code") && told.contains("TWICE collided"), "{told}");
    // A person decided which of the two is meant.
    account.says(&["set", "TWICE=2", "PATH=/evil", "--force"], "");
    assert_eq!(account.says(&["migrate", "--from", "bad-config"], ""), "there already: PATH, TWICE\n");
}
