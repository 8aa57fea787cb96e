//! The verbs on config, against the DynamoDB that adf-local plays.

use adf_config::get::get;
use adf_config::history::{ChangeView, history};
use adf_config::list::{Layer, Listing, list};
use adf_config::printer::Text;
use adf_config::report::Explain;
use adf_config::restore::restore;
use adf_config::safety::{Becomes, look};
use adf_config::set::{self, set};
use adf_config::unset::unset;
use adf_config::{ConfigError, ExitCode, connect, gc};
use adf_local::cloud::Cloud;
use adf_store::{Edits, Moment, Signature, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::Timestamp;

async fn store() -> Store {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let store = connect::store(&cloud.sdk_config());
    store.create_tables().await.expect("an empty account takes the tables");
    store
}

fn web() -> AppName {
    "web".parse().expect("a name")
}

fn v2() -> ReleaseName {
    "v2".parse().expect("a name")
}

fn names(names: &[&str]) -> Vec<ConfigName> {
    names.iter().map(|n| n.parse().expect("a config name")).collect()
}

fn edits(texts: &[&str]) -> Edits {
    let assignments = texts.iter().map(|t| t.parse().expect("an assignment")).collect();
    set::edits(None, assignments, Vec::new()).expect("each name once")
}

async fn with(base: &[&str], overlay: &[&str]) -> Store {
    let store = store().await;
    if !base.is_empty() {
        set(&store, &web(), None, &edits(base), false).await.expect("Base config is set");
    }
    if !overlay.is_empty() {
        set(&store, &web(), Some(&v2()), &edits(overlay), false).await.expect("Overlay config is set");
    }
    store
}

async fn listed(store: &Store, release: Option<&ReleaseName>) -> Listing {
    list(store, &web(), release).await.expect("there is config")
}

#[tokio::test(start_paused = true)]
async fn config_is_listed_as_lines_sorted_by_name() {
    let store = with(&["ZED=1", "FOO=a=b", "BAR="], &[]).await;
    assert_eq!(listed(&store, None).await.text(), "BAR=\nFOO=a=b\nZED=1\n");
}

#[tokio::test(start_paused = true)]
async fn a_value_cannot_write_to_the_terminal() {
    let store = with(&["FOO=a\u{1b}[2J\nBAR=x"], &[]).await;
    assert_eq!(listed(&store, None).await.text(), "FOO=a\\u{1b}[2J\\nBAR=x\n");
}

#[tokio::test(start_paused = true)]
async fn a_release_sees_base_and_then_its_overlay() {
    let store = with(&["FOO=base", "BAR=base"], &["FOO=own"]).await;
    let listing = listed(&store, Some(&v2())).await;
    assert_eq!(listing.text(), "BAR=base\nFOO=own\n");
    assert_eq!(listing.config.iter().map(|i| i.layer).collect::<Vec<_>>(), [Layer::Base, Layer::Overlay]);
    assert_eq!(listed(&store, None).await.text(), "BAR=base\nFOO=base\n");
}

#[tokio::test(start_paused = true)]
async fn a_base_name_that_is_unset_for_a_release_is_hidden_from_it_only() {
    let store = with(&["FOO=1", "BAR=2"], &[]).await;
    unset(&store, &web(), Some(&v2()), Edits::unset(names(&["FOO"])), false).await.expect("FOO is there");
    let listing = listed(&store, Some(&v2())).await;
    assert_eq!(listing.text(), "BAR=2\n");
    assert_eq!(listing.hidden, names(&["FOO"]));
    assert_eq!(listed(&store, None).await.text(), "BAR=2\nFOO=1\n");
}

#[tokio::test(start_paused = true)]
async fn deleting_a_name_that_is_not_there_succeeds_and_says_so() {
    let store = with(&["FOO=1"], &[]).await;
    let done =
        unset(&store, &web(), None, Edits::unset(names(&["FOO", "FOOO"])), false).await.expect("no error");
    assert_eq!(done.summary(), "FOO deleted from Base config of web; FOOO not in Base config of web");
    let again = unset(&store, &web(), None, Edits::unset(names(&["FOO"])), false).await.expect("no error");
    assert_eq!((again.unset, again.absent), (vec![], names(&["FOO"])));
}

#[tokio::test(start_paused = true)]
async fn a_name_given_twice_is_refused() {
    let assignments = |texts: &[&str]| texts.iter().map(|t| t.parse().expect("an assignment")).collect();
    for (set, unset) in [(&["BAR=1", "FOO=1", "FOO=2"][..], vec![]), (&["FOO=1"], names(&["FOO"]))] {
        let error = set::edits(None, assignments(set), unset).expect_err("FOO is ambiguous");
        assert_eq!((error.exit_code(), error.to_string().contains("FOO")), (ExitCode::Usage, true));
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_without_config_and_releases_is_unknown() {
    let store = with(&["FOO=1"], &[]).await;
    let webb: AppName = "webb".parse().expect("a name");
    for release in [None, Some(&v2())] {
        let error = list(&store, &webb, release).await.expect_err("a misspelt app");
        assert!(matches!(error, ConfigError::UnknownApp(_)), "{error}");
        assert_eq!(error.exit_code(), ExitCode::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_without_record_and_overlay_is_unknown() {
    let store = with(&["FOO=1"], &[]).await;
    let error = list(&store, &web(), Some(&v2())).await.expect_err("no v2");
    assert!(error.to_string().starts_with("unknown release v2 of app web"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_says_how_to_make_it() {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let store = connect::store(&cloud.sdk_config());
    let error = list(&store, &web(), None).await.expect_err("no table");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
    assert!(error.hint().expect("a hint").contains("adf-ctl init"));
}

#[tokio::test(start_paused = true)]
async fn one_value_is_printed_as_it_is() {
    let store = with(&["FOO=a\nb=c", "BAR=1"], &["BAR=2"]).await;
    let foo = get(&store, &web(), None, &names(&["FOO"])[0]).await.expect("there");
    assert_eq!(foo.text(), "a\nb=c\n");
    let bar = get(&store, &web(), Some(&v2()), &names(&["BAR"])[0]).await.expect("there");
    assert_eq!(bar.value, "2");
    let error = get(&store, &web(), None, &names(&["ABSENT"])[0]).await.expect_err("not there");
    assert_eq!(
        (error.to_string(), error.exit_code()),
        ("config name ABSENT is not set for web".into(), ExitCode::NotFound)
    );
}

#[tokio::test(start_paused = true)]
async fn the_history_tells_who_changed_what_and_a_restore_takes_it_back() {
    let store = store().await;
    let why = Some("the new\u{1b}[2J bank".to_owned());
    let ann =
        store.clone().signed(Signature { by: "arn:aws:iam::1:user/ann".to_owned(), why, forced: false });
    set(&store, &web(), None, &edits(&["FOO=1", "BAR=1"]), false).await.expect("set");
    set(&ann, &web(), None, &edits(&["FOO=2"]), false).await.expect("set");
    set(&store, &web(), Some(&v2()), &edits(&["FOO=3"]), false).await.expect("set");

    let foo = names(&["FOO"]);
    let seen = history(&store, &web(), Some(&foo[0]), 2).await.expect("readable");
    let [overlay, base] = seen.changes.as_slice() else { panic!("{seen:?}") };
    let head = |change: &ChangeView, words: &str| format!("{}  {}  {words}\n", change.id, change.at);
    assert_eq!(
        seen.text(),
        [
            head(overlay, "set v2  unknown"),
            "    FOO was not there\n".to_owned(),
            head(base, "set Base  arn:aws:iam::1:user/ann  \"the new\\u{1b}[2J bank\""),
            "    FOO was 1\n".to_owned(),
        ]
        .concat()
    );
    let all = history(&store, &web(), None, 20).await.expect("readable").changes;
    assert_eq!(all[2].before.keys().map(ConfigName::as_str).collect::<Vec<_>>(), ["BAR", "FOO"]);

    let after = Moment::After(all[2].id.clone());
    let then = store.config_at(&web(), None, &after).await.expect("known");
    let restored = restore(&store, &web(), None, then, None).await.expect("restored");
    assert_eq!(restored.summary(), "restored FOO in Base config of web; instances read it when they boot");
    assert_eq!(listed(&store, None).await.text(), "BAR=1\nFOO=1\n");
    let then = store.config_at(&web(), None, &after).await.expect("known");
    let again = restore(&store, &web(), None, then, None).await.expect("nothing to do");
    assert_eq!(again.summary(), "Base config of web has nothing to restore; nothing was changed");
}

/// As a client of 2013 has them: rights on the config table, and on nothing else.
const CONFIG_TABLE_ONLY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "Config", "Effect": "Allow", "Action": ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
        "Resource": ["arn:aws:dynamodb:*:*:table/adf-config"]
    }]
}"#;

#[tokio::test(start_paused = true)]
async fn who_has_rights_on_the_config_table_alone_can_change_it_and_is_told_that_nothing_was_checked() {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let owner = connect::store(&cloud.sdk_config());
    owner.create_tables().await.expect("an empty account takes the tables");
    cloud.restrict("of2013", CONFIG_TABLE_ONLY.parse().expect("a policy"));
    let store = connect::store(&cloud.sdk_config_of("of2013"));
    let error = list(&store, &web(), None).await.expect_err("nothing is there");
    assert!(matches!(error, ConfigError::UnknownApp(_)), "{error}");
    let name = &names(&["FOO"])[0];
    let intended = [(name, Becomes::Value("1"))].into();
    let looked = look(&store, &web(), None, &intended, None).await.expect("no rights are no error");
    assert!(looked.blind && looked.objections.is_empty() && looked.fence.is_none());
    set(&store, &web(), None, &edits(&["FOO=1"]), false).await.expect("set");
    assert_eq!(listed(&store, None).await.text(), "FOO=1\n");
    assert!(gc::collect(&store, &web(), None).await.is_err(), "no proof, no clean-up");
}
