//! DynamoDB in the process, with the real SDK: what ADF relies on that mocks tend to lack.

use adf_local::cloud::Cloud;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, Delete, KeySchemaElement, KeyType, Put,
    PutRequest, ReturnValue, ScalarAttributeType, TimeToLiveSpecification, TransactWriteItem, Update,
    WriteRequest,
};
use jiff::Timestamp;

const TABLE: &str = "t";

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn table() -> Client {
    let client = Client::new(&Cloud::new("us-east-1", Timestamp::UNIX_EPOCH).sdk_config());
    let mut create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("Pk", KeyType::Hash), ("Sk", KeyType::Range)] {
        let definition =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        create = create
            .attribute_definitions(definition.build().expect("complete"))
            .key_schema(schema.build().expect("complete"));
    }
    create.send().await.expect("the table is made");
    client
}

async fn put(client: &Client, sk: &str, value: String) {
    let put = client.put_item().table_name(TABLE).item("Pk", s("p")).item("Sk", s(sk)).item("V", s(&value));
    put.send().await.expect("the item is written");
}

#[tokio::test(start_paused = true)]
async fn a_query_gives_one_megabyte_a_page_and_every_item_once() {
    let client = table().await;
    for number in 0..10 {
        put(&client, &format!("{number:02}"), "x".repeat(300 * 1024)).await;
    }
    let (mut pages, mut seen, mut start) = (Vec::new(), Vec::new(), None);
    loop {
        let page = client
            .query()
            .table_name(TABLE)
            .key_condition_expression("Pk = :p")
            .expression_attribute_values(":p", s("p"))
            .set_exclusive_start_key(start)
            .send()
            .await
            .expect("a page");
        pages.push(page.items().len());
        seen.extend(page.items().iter().map(|item| item["Sk"].as_s().expect("a string").clone()));
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    assert_eq!(pages, [3, 3, 3, 1]);
    assert_eq!(seen, (0..10).map(|n| format!("{n:02}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_page_is_cut_before_the_filter_so_it_may_be_empty() {
    let client = table().await;
    for number in 0..6 {
        put(&client, &format!("{number:02}"), "x".repeat(300 * 1024)).await;
    }
    let page = client
        .scan()
        .table_name(TABLE)
        .filter_expression("Sk = :last")
        .expression_attribute_values(":last", s("05"))
        .send()
        .await
        .expect("a page");
    assert_eq!((page.items().len(), page.scanned_count()), (0, 3));
    assert_eq!(page.last_evaluated_key().map(|key| key["Sk"].clone()), Some(s("02")));
}

#[tokio::test(start_paused = true)]
async fn an_item_above_400_kb_is_refused_and_nothing_is_written() {
    let client = table().await;
    put(&client, "fits", "x".repeat(400 * 1024 - 10)).await;
    let large = "x".repeat(400 * 1024 - 9);
    let put =
        client.put_item().table_name(TABLE).item("Pk", s("p")).item("Sk", s("over")).item("V", s(&large));
    let refused = put.send().await.expect_err("one byte too many").into_service_error();
    assert_eq!(refused.meta().code(), Some("ValidationException"));
    assert_eq!(refused.meta().message(), Some("Item size has exceeded the maximum allowed size"));

    let update = client
        .update_item()
        .table_name(TABLE)
        .key("Pk", s("p"))
        .key("Sk", s("fits"))
        .update_expression("SET W = :w")
        .expression_attribute_values(":w", s("more"));
    let refused = update.send().await.expect_err("it grows too large").into_service_error();
    assert_eq!(refused.meta().code(), Some("ValidationException"));

    let all = client.scan().table_name(TABLE).send().await.expect("a page");
    assert_eq!(all.count(), 1);
    assert!(!all.items()[0].contains_key("W"), "the update was taken back");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_transaction_tells_the_reasons_in_order_and_writes_nothing() {
    let client = table().await;
    put(&client, "lock", "1".to_owned()).await;
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .key("Pk", s("p"))
        .key("Sk", s("lock"))
        .condition_expression("V = :fence")
        .expression_attribute_values(":fence", s("2"));
    let new = Put::builder().table_name(TABLE).item("Pk", s("p")).item("Sk", s("deploy"));
    let write = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(new.build().expect("complete")).build())
        .transact_items(
            TransactWriteItem::builder().condition_check(check.build().expect("complete")).build(),
        );
    let TransactWriteItemsError::TransactionCanceledException(cancelled) =
        write.send().await.expect_err("the fence moved on").into_service_error()
    else {
        panic!("another error than TransactionCanceledException")
    };
    let codes: Vec<_> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    let deploy =
        client.get_item().table_name(TABLE).key("Pk", s("p")).key("Sk", s("deploy")).consistent_read(true);
    assert!(deploy.send().await.expect("an answer").item.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_transaction_puts_updates_and_deletes_together() {
    let client = table().await;
    put(&client, "old", "1".to_owned()).await;
    put(&client, "counter", "1".to_owned()).await;
    let key = |sk: &str| [("Pk".to_owned(), s("p")), ("Sk".to_owned(), s(sk))].into();
    let new = Put::builder()
        .table_name(TABLE)
        .item("Pk", s("p"))
        .item("Sk", s("new"))
        .condition_expression("attribute_not_exists(Pk)");
    let update = Update::builder()
        .table_name(TABLE)
        .set_key(Some(key("counter")))
        .update_expression("SET V = :v REMOVE W")
        .expression_attribute_values(":v", s("2"));
    let delete = Delete::builder().table_name(TABLE).set_key(Some(key("old")));
    client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(new.build().expect("complete")).build())
        .transact_items(TransactWriteItem::builder().update(update.build().expect("complete")).build())
        .transact_items(TransactWriteItem::builder().delete(delete.build().expect("complete")).build())
        .send()
        .await
        .expect("all conditions hold");
    let all = client.scan().table_name(TABLE).send().await.expect("a page");
    let mut rows: Vec<_> =
        all.items().iter().map(|item| (item["Sk"].clone(), item.get("V").cloned())).collect();
    rows.sort_by_key(|(sk, _)| sk.as_s().expect("a string").clone());
    assert_eq!(rows, [(s("counter"), Some(s("2"))), (s("new"), None)]);
}

#[tokio::test(start_paused = true)]
async fn of_many_writers_with_one_condition_exactly_one_wins() {
    let client = table().await;
    let attempts = (0..50).map(|number| {
        let put = client
            .put_item()
            .table_name(TABLE)
            .item("Pk", s("p"))
            .item("Sk", s("lock"))
            .item("Owner", s(&number.to_string()))
            .condition_expression("attribute_not_exists(Pk)");
        tokio::spawn(async move { put.send().await })
    });
    let mut won = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(error) => assert!(error.into_service_error().is_conditional_check_failed_exception()),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(start_paused = true)]
async fn updates_batches_and_time_to_live_are_there() {
    let client = table().await;
    let updated = client
        .update_item()
        .table_name(TABLE)
        .key("Pk", s("p"))
        .key("Sk", s("a"))
        .update_expression("ADD Fence :one SET #o = if_not_exists(#o, :me)")
        .condition_expression("attribute_not_exists(Fence) OR Fence < :one")
        .expression_attribute_names("#o", "Owner")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":me", s("me"))
        .return_values(ReturnValue::AllNew)
        .send()
        .await
        .expect("updated");
    assert_eq!(updated.attributes().expect("all new")["Fence"], AttributeValue::N("1".to_owned()));

    let write = |sk: &str| {
        let put = PutRequest::builder().item("Pk", s("p")).item("Sk", s(sk)).build().expect("complete");
        WriteRequest::builder().put_request(put).build()
    };
    let batch = client.batch_write_item().request_items(TABLE, vec![write("b"), write("c")]);
    let left = batch.send().await.expect("written").unprocessed_items.unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");

    let ttl =
        TimeToLiveSpecification::builder().attribute_name("Expires").enabled(true).build().expect("complete");
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(ttl)
        .send()
        .await
        .expect("enabled");
    assert_eq!(client.scan().table_name(TABLE).send().await.expect("a page").count(), 3);
}
