//! The image of a release: the first one that is recorded stays, beside a record that never changes.

use adf_types::{Digest, ReleaseImage};
use jiff::Timestamp;

use crate::{app, release, release_record, store};

fn pushed(by: &str) -> ReleaseImage {
    let repository: adf_types::Repository = "registry.example/web".parse().expect("a repository");
    ReleaseImage {
        image: repository.tagged("web-v1").with_digest(Digest::of_bytes(by.as_bytes())),
        pushed_by: by.parse().expect("an id"),
        pushed_at: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_image_of_a_release_stays() {
    let (_cloud, store) = store().await;
    let v1 = release_record("v1", 1);
    store.put_release(&v1).await.expect("recorded");
    assert_eq!(store.release_image(&app(), &release("v1")).await.expect("readable"), None);
    for by in ["i-0first", "i-0second"] {
        let recorded = store.put_release_image(&app(), &release("v1"), &pushed(by)).await.expect("recorded");
        assert_eq!(recorded, pushed("i-0first"), "{by}");
    }
    assert_eq!(
        store.release_image(&app(), &release("v1")).await.expect("readable"),
        Some(pushed("i-0first"))
    );
    assert_eq!(store.release_image(&app(), &release("v2")).await.expect("readable"), None);
    let releases = store.releases(&app()).await.expect("readable");
    assert_eq!(releases, std::slice::from_ref(&v1), "no release changed or appeared");
    store.put_release(&v1).await.expect("the same again is still the same");
    assert!(store.receipts(&app()).await.expect("readable").is_empty());
}
