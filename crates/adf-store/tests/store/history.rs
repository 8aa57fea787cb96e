//! Every change of config is recorded, can be taken back, and overwrites nobody's.

use adf_store::{Action, EditBasis, Edits, Entry, Moment, Recorded, Signature, Store, StoreError, Written};
use adf_types::{ConfigName, ConfigValue};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::meddler::meddled;
use crate::{app, name, pairs, release, seen, store, values};

fn signed(store: &Store, by: &str, why: Option<&str>) -> Store {
    store.clone().signed(Signature { by: by.to_owned(), why: why.map(str::to_owned), forced: false })
}

fn plain(value: &str) -> Entry {
    Entry::Value(ConfigValue::plain(value))
}

async fn history(store: &Store) -> Vec<Recorded> {
    store.history(&app(), 100).await.expect("readable")
}

#[tokio::test(start_paused = true)]
async fn a_change_is_recorded_with_who_when_why_and_what_was_before() {
    let (_cloud, store) = store().await;
    let (ann, ben) = (signed(&store, "arn:ann", Some("the new bank")), signed(&store, "arn:ben", None));
    ann.set_config(&app(), None, &values(&[("FOO", "1"), ("BAR", "2")])).await.expect("set");
    ben.set_config(&app(), Some(&release("v2")), &values(&[("FOO", "9")])).await.expect("set");
    ben.unset_config(&app(), None, &[name("FOO")]).await.expect("unset");

    let [unset, overlay, set] = history(&store).await.try_into().expect("three changes, newest first");
    assert_eq!(
        (set.by.as_str(), set.why.as_deref(), set.action),
        ("arn:ann", Some("the new bank"), Action::Set)
    );
    assert_eq!(set.before, [(name("BAR"), None), (name("FOO"), None)].into());
    assert_eq!((set.version, overlay.version, unset.version), (1, 2, 3));
    assert_eq!((overlay.release, overlay.before), (Some(release("v2")), [(name("FOO"), None)].into()));
    assert_eq!((unset.action, unset.why, unset.release), (Action::Unset, None, None));
    assert_eq!(unset.before, [(name("FOO"), Some(plain("1")))].into());
    assert!(set.at <= overlay.at && overlay.id < unset.id);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_of_2013_wrote_is_in_the_history_once_it_is_changed() {
    let (cloud, store) = store().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let s = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("adf-config").item("App", s("web")).item("Name", s("FOO"));
    put.item("Value", s("old")).send().await.expect("put");
    store.set_config(&app(), None, &values(&[("FOO", "new")])).await.expect("set");
    assert_eq!(history(&store).await[0].before, [(name("FOO"), Some(plain("old")))].into());
    let restored = restore(&store, &Moment::Time(Timestamp::UNIX_EPOCH)).await.expect("restored");
    assert_eq!((restored, seen(&store, "v1").await), (vec![name("FOO")], pairs(&[("FOO", "old")])));
}

#[tokio::test(start_paused = true)]
async fn config_becomes_what_it_was_after_a_change_and_that_can_be_taken_back() {
    let (_cloud, store) = store().await;
    store.set_config(&app(), None, &values(&[("A", "1"), ("B", "1")])).await.expect("set");
    store.set_config(&app(), None, &values(&[("A", "2"), ("C", "2")])).await.expect("set");
    store.set_config(&app(), Some(&release("v1")), &values(&[("D", "other layer")])).await.expect("set");
    store.unset_config(&app(), None, &[name("B")]).await.expect("unset");
    let ids: Vec<_> = history(&store).await.into_iter().map(|record| Moment::After(record.id)).collect();

    let names: Vec<ConfigName> = restore(&store, &ids[3]).await.expect("restored");
    assert_eq!(names, [name("A"), name("B"), name("C")]);
    assert_eq!(seen(&store, "v9").await, pairs(&[("A", "1"), ("B", "1")]));
    assert_eq!(seen(&store, "v1").await, pairs(&[("A", "1"), ("B", "1"), ("D", "other layer")]));
    restore(&store, &ids[0]).await.expect("restored");
    assert_eq!(seen(&store, "v9").await, pairs(&[("A", "2"), ("C", "2")]));
    assert_eq!(restore(&store, &ids[0]).await.expect("no change"), []);
    let unknown = Moment::After("0199f0c4-7a4e-7c1a-9d8e-2f6b1c3d4e5f".to_owned());
    let error = restore(&store, &unknown).await.expect_err("unknown").to_string();
    assert!(error.starts_with("the history of web has no change 0199f0c4"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_record_of_large_values_is_put_together_of_its_items() {
    let (_cloud, store) = store().await;
    let generation = |n: u8| {
        let value = format!("{n}{}", "x".repeat(350_000));
        values(&[("A", &value), ("B", &value), ("C", &value), ("D", "small")])
    };
    for n in 0..4 {
        store.set_config(&app(), None, &generation(n)).await.expect("set");
    }
    let all = history(&store).await;
    assert_eq!(all.len(), 4);
    for (record, n) in all.iter().zip([2, 1, 0]) {
        let before = generation(n).into_iter().map(|(name, value)| (name, Some(plain(&value))));
        assert_eq!(record.before, before.collect());
    }
    assert_eq!(store.history(&app(), 2).await.expect("readable"), all[..2]);
    restore(&store, &Moment::After(all[2].id.clone())).await.expect("restored");
    assert!(seen(&store, "v1").await[0].1.starts_with('1'));
}

#[tokio::test(start_paused = true)]
async fn what_another_operator_has_just_written_is_not_overwritten() {
    // Before the second request, after the first has read what there is.
    let (store, behind) = meddled(
        |n| n == 2,
        |behind, _| {
            Box::pin(async move {
                let behind = signed(&behind, "arn:ben", None);
                behind.set_config(&app(), None, &values(&[("FOO", "ben's")])).await.expect("set");
            })
        },
    )
    .await;
    let error = store.set_config(&app(), None, &values(&[("FOO", "ann's")])).await.expect_err("overtaken");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "config web/FOO, as it was read, was not there; meanwhile it was written by arn:ben at 2"
        ),
        "{text}"
    );
    assert!(matches!(error, StoreError::Overwritten { read: Written::Absent, .. }));
    assert_eq!(seen(&behind, "v1").await, pairs(&[("FOO", "ben's")]));
    assert_eq!(history(&behind).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_other_names_in_between_is_no_hindrance() {
    let (store, behind) = meddled(
        |n| n == 2 || n == 4,
        |behind, n| {
            Box::pin(async move {
                let other = values(&[("BAR", &n.to_string())]);
                behind.set_config(&app(), None, &other).await.expect("set");
            })
        },
    )
    .await;
    store.set_config(&app(), None, &values(&[("FOO", "ann's")])).await.expect("the third try");
    assert_eq!(seen(&behind, "v1").await, pairs(&[("BAR", "4"), ("FOO", "ann's")]));
    assert_eq!(history(&behind).await.iter().map(|r| r.version).collect::<Vec<_>>(), [3, 2, 1]);
}

/// Makes Base what it was, and tells which names that changed.
async fn restore(store: &Store, moment: &Moment) -> Result<Vec<ConfigName>, StoreError> {
    let then = store.config_at(&app(), None, moment).await?;
    store.restore_config(&app(), None, &then, None).await?;
    Ok(then.names.into_keys().collect())
}

#[tokio::test(start_paused = true)]
async fn a_change_on_the_basis_of_an_old_version_is_refused_with_both_authors() {
    let (_cloud, store) = store().await;
    let (ann, ben) = (signed(&store, "arn:ann", None), signed(&store, "arn:ben", None));
    ann.set_config(&app(), None, &values(&[("FOO", "1"), ("BAR", "1")])).await.expect("set");
    let basis = EditBasis::Version(store.config_version(&app()).await.expect("readable"));
    ben.set_config(&app(), None, &values(&[("FOO", "2")])).await.expect("set");
    ben.set_config(&app(), Some(&release("v2")), &values(&[("BAR", "2")])).await.expect("set");

    let edit = |of: &str| Edits { basis, ..Edits::set(vec![(name(of), ConfigValue::plain("3"))]) };
    let error = ann.edit_config(&app(), None, &edit("FOO")).await.expect_err("ben came between");
    let StoreError::Overwritten { key, read, written } = &error else { panic!("{error}") };
    assert_eq!(key, "web/FOO");
    let by = |written: &Written| match written {
        Written::By { by, .. } => by.clone(),
        other => panic!("{other}"),
    };
    assert_eq!((by(read), by(written)), ("arn:ann".to_owned(), "arn:ben".to_owned()));

    // A name that nobody touched in this layer, and one that is new.
    for of in ["BAR", "NEW"] {
        ann.edit_config(&app(), None, &edit(of)).await.expect("not touched since");
    }
    assert_eq!(seen(&store, "v1").await, pairs(&[("BAR", "3"), ("FOO", "2"), ("NEW", "3")]));

    ben.unset_config(&app(), None, &[name("BAR")]).await.expect("unset");
    let error = ann.edit_config(&app(), None, &edit("BAR")).await.expect_err("deleted").to_string();
    assert!(error.contains("written by arn:ben"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn names_are_set_and_unset_in_one_change() {
    let (_cloud, store) = store().await;
    store.set_config(&app(), None, &values(&[("OLD", "1")])).await.expect("set");
    let rename =
        Edits { unset: vec![name("OLD")], ..Edits::set(vec![(name("NEW"), ConfigValue::plain("1"))]) };
    store.edit_config(&app(), None, &rename).await.expect("renamed");
    assert_eq!(seen(&store, "v1").await, pairs(&[("NEW", "1")]));
    let last = &history(&store).await[0];
    assert_eq!(last.before, [(name("NEW"), None), (name("OLD"), Some(plain("1")))].into());
}

#[tokio::test(start_paused = true)]
async fn what_dynamodb_could_not_hold_is_refused_before_anything_is_sent() {
    let (cloud, store) = store().await;
    let of = |n: usize, bytes: usize| (name(&format!("N{n:02}")), "x".repeat(bytes));
    store.set_config(&app(), None, &[of(1, 379_000)]).await.expect("fits");
    cloud.take_counts();
    let error = store.set_config(&app(), None, &[of(2, 381_000)]).await.expect_err("too large").to_string();
    assert!(error.contains("web/N02 is 381008 bytes long, and DynamoDB takes 380000"), "{error}");
    let many: Vec<_> = (10..22).map(|n| of(n, 360_000)).collect();
    let error = store.set_config(&app(), None, &many).await.expect_err("over 4 MB").to_string();
    assert!(error.contains("the change") && error.contains("4194304"), "{error}");
    assert_eq!(cloud.take_counts().get("dynamodb:TransactWriteItems"), None);

    // A large value is replaced, and its history holds it.
    store.set_config(&app(), None, &[of(1, 1)]).await.expect("replaced");
    assert_eq!(history(&store).await[0].before[&name("N01")], Some(plain(&"x".repeat(379_000))));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_never_was_and_a_client_of_2013_in_between_are_no_basis() {
    let (cloud, store) = store().await;
    store.set_config(&app(), None, &values(&[("FOO", "1")])).await.expect("set");
    let seen = store.config_version(&app()).await.expect("readable");
    let edit = |basis| Edits { basis, ..Edits::set(vec![(name("FOO"), ConfigValue::plain("3"))]) };
    let never = edit(EditBasis::Version("99".parse().expect("a version")));
    let error = store.edit_config(&app(), None, &never).await.expect_err("a slip").to_string();
    assert!(error.contains("version 99") && error.contains("the last one is 1"), "{error}");

    crate::whole_config::put(&cloud, "web", "FOO", "Value", AttributeValue::S("2".to_owned())).await;
    let error =
        store.edit_config(&app(), None, &edit(EditBasis::Version(seen))).await.expect_err("overwritten");
    assert!(matches!(error, StoreError::Overwritten { written: Written::Unsigned, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_was_written_after_the_state_was_read_is_not_restored_over() {
    let (_cloud, store) = store().await;
    let ben = signed(&store, "arn:ben", None);
    store.set_config(&app(), None, &values(&[("FOO", "1")])).await.expect("set");
    let first = Moment::After(history(&store).await[0].id.clone());
    store.set_config(&app(), None, &values(&[("FOO", "2")])).await.expect("set");
    let then = store.config_at(&app(), None, &first).await.expect("known");
    ben.set_config(&app(), None, &values(&[("FOO", "3")])).await.expect("set");
    let error =
        store.restore_config(&app(), None, &then, None).await.expect_err("ben came between").to_string();
    assert!(error.contains("meanwhile it was written by arn:ben"), "{error}");
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "3")]));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_no_config_is_replaced_and_the_history_stays_readable() {
    let (cloud, store) = store().await;
    crate::whole_config::put(&cloud, "web", "FLAG", "Value", AttributeValue::Bool(true)).await;
    assert!(store.read_layer(&app(), None).await.is_err());
    store.set_config(&app(), None, &values(&[("FLAG", "1")])).await.expect("set");
    assert_eq!(seen(&store, "v1").await, pairs(&[("FLAG", "1")]));
    assert_eq!(history(&store).await[0].before, [(name("FLAG"), None)].into());
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_not_replaced_by_a_value_in_clear_unless_forced() {
    let (cloud, store) = store().await;
    let kms = aws_sdk_kms::Client::new(&cloud.sdk_config());
    let key = kms.create_key().send().await.expect("made").key_metadata.expect("told").key_id;
    store.set_secrets(&app(), None, &key, &[(name("TOKEN"), ConfigValue::secret("1"))]).await.expect("set");
    let error = store.set_config(&app(), None, &values(&[("TOKEN", "2")])).await.expect_err("in clear");
    assert!(matches!(error, StoreError::WasSecret { .. }), "{error}");
    let forced = store.clone().signed(Signature { forced: true, ..Signature::default() });
    forced.set_config(&app(), None, &values(&[("TOKEN", "2")])).await.expect("forced");
    assert!(history(&store).await[0].forced);
}
