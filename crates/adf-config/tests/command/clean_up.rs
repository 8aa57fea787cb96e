//! Clean-up from the command line: the plan with its reasons, what goes, what stays, and the way back.

use adf_store::CurrentRelease;
use adf_types::{AppName, ReleaseName};

use super::Account;

/// The app runs v2; a deploy brought it from v1.
async fn from_v1_to_v2(account: &Account) {
    let store = adf_config::connect::store(&account.sdk());
    let web: AppName = "web".parse().expect("a name");
    let name = |name: &str| name.parse::<ReleaseName>().expect("a name");
    let deploy = serde_json::json!({
        "id": "d-1", "app": "web", "group": "web", "from": "v1", "to": "v2", "owner": "arn:ann",
        "policy": {
            "strategy": "surge", "canary": true, "bake": "1m", "min_probes": 20, "watch": "5m", "deadline": "5m",
            "boot_timeout": "10m"
        },
        "started_at": "2026-01-01T00:00:00Z", "step": "cleanup", "direction": { "direction": "forward" },
        "progress": {
            "capacity": 1, "old": [], "old_template_version": null, "template_version": null, "canary": null,
            "verdict": null, "replaced_at": null, "cleaned_config": []
        },
        "log": [], "outcome": { "outcome": "succeeded" }, "finished_at": "2026-01-01T00:04:00Z"
    });
    let lock = store.take_lock(&web, "ann", None).await.expect("free");
    store.save_deploy(&lock, &serde_json::from_value(deploy).expect("a deploy")).await.expect("ours");
    let current = CurrentRelease { current: name("v2"), previous: Some(name("v1")) };
    store.set_current(&lock, &current).await.expect("ours");
    store.free_lock(lock).await.expect("ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_uses_goes_with_a_proof_and_comes_back() {
    let account = Account::open().await;
    for release in ["v1", "v2", "v3"] {
        account.says(&["set", &format!("ONLY={release}"), "--release", release], "");
    }
    from_v1_to_v2(&account).await;
    let plan = account.says(&["gc", "--plan"], "");
    assert_eq!(
        plan,
        "v1  goes: ONLY\n    \
         it is not the current release, no receipt names it, no open deploy does; the last deploy that had to do with \
         it, d-1, ended at 2026-01-01T00:04:00Z\n\
         v2  stays: ONLY\n    it is the current release\n\
         v3  stays: ONLY\n    it was not deployed yet\n"
    );
    assert_eq!(account.says(&["gc", "--plan"], ""), plan, "a plan changes nothing");

    let error = account.fails(&["gc", "--release", "v2"], 5);
    assert!(error.contains("the Overlay of v2 is in use: it is the current release"), "{error}");

    let done = account.run(&["gc", "-m", "spring"], "");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(told.contains("cleaned up ONLY of web v1; to be restored within 30 days"), "{told}");
    let plan = account.says(&["gc", "--plan"], "");
    assert!(plan.starts_with("v1  is cleaned up\n    ONLY can be restored until 20"), "{plan}");
    let again = account.run(&["gc"], "");
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing to clean up"));

    account.says(&["restore", "--release", "v1"], "");
    assert_eq!(account.says(&["get", "ONLY", "--release", "v1"], ""), "v1\n");
    assert!(account.fails(&["restore"], 2).contains("nothing says what to restore"));
    let history = account.says(&["history", "ONLY", "-n", "2"], "");
    assert!(
        history.contains("restore v1")
            && history.contains("clean v1  arn:")
            && history.contains("\"spring\"")
    );
}
