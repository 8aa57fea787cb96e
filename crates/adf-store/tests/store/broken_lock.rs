//! Locks that an operator breaks: what the holder still tries to write fails.

use adf_store::StoreError;
use adf_types::{DeployRecord, Step};

use super::{app, deploy_record, locked, store};

#[tokio::test(start_paused = true)]
async fn attack_a17_whose_lock_was_broken_writes_nothing_more() {
    let (_cloud, store) = store().await;
    let anns = locked(&store, "ann").await;
    let record = deploy_record();
    store.save_deploy(&anns, &record).await.expect("hers");
    let seen = store.lock(&app()).await.expect("readable").expect("held");
    store.break_lock(&app(), &seen).await.expect("seen as it is");
    assert_eq!(store.lock(&app()).await.expect("readable"), None, "it is free");

    let later = DeployRecord { step: Step::Cleanup, ..record.clone() };
    let error = store.save_deploy(&anns, &later).await.expect_err("broken");
    assert!(matches!(error, StoreError::LockLost { .. }), "{error}");
    assert!(matches!(store.beat(&anns).await, Err(StoreError::LockLost { .. })));
    assert_eq!(
        store.deploy(&app(), &record.id).await.expect("readable"),
        Some(record),
        "nothing was written"
    );

    let bobs = locked(&store, "bob").await;
    assert!(bobs.fence() > anns.fence() + 1, "the break raised the fence, too");
    store.free_lock(anns).await.expect("not hers to free");
    store.beat(&bobs).await.expect("still his");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_moved_since_it_was_seen_is_not_broken() {
    let (_cloud, store) = store().await;
    let anns = locked(&store, "ann").await;
    let seen = store.lock(&app()).await.expect("readable").expect("held");
    store.beat(&anns).await.expect("hers");
    let error = store.break_lock(&app(), &seen).await.expect_err("she lives");
    assert!(matches!(error, StoreError::LockHeld { .. }), "{error}");
    store.beat(&anns).await.expect("still hers");
}

#[tokio::test(start_paused = true)]
async fn a_lock_without_a_deploy_is_broken_and_one_that_is_free_already_is_success() {
    let (_cloud, store) = store().await;
    let anns = locked(&store, "ann").await;
    let seen = store.lock(&app()).await.expect("readable").expect("held");
    assert_eq!(seen.deploy, None);
    store.break_lock(&app(), &seen).await.expect("broken");
    store.break_lock(&app(), &seen).await.expect("free already");
    assert!(matches!(store.beat(&anns).await, Err(StoreError::LockLost { .. })));
}

/// Of two who break a lock and one who takes it in between, the taker keeps it.
#[tokio::test(start_paused = true)]
async fn who_took_the_lock_meanwhile_keeps_it() {
    let (_cloud, store) = store().await;
    locked(&store, "ann").await;
    let seen = store.lock(&app()).await.expect("readable").expect("held");
    store.break_lock(&app(), &seen).await.expect("broken");
    let bobs = locked(&store, "bob").await;
    let error = store.break_lock(&app(), &seen).await.expect_err("it is bob's now");
    assert!(matches!(&error, StoreError::LockHeld { held, .. } if held.owner == "bob"), "{error}");
    store.beat(&bobs).await.expect("his");
}
