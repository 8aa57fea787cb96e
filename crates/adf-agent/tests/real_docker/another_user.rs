//! A user of the same machine who is not root, in a process of their own, against the agent's files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::rig::{DOCKERFILE, Rig, answer, archive, eventually, is_root};

const NOBODY: &str = "65534";

/// Everybody may come as far as the rig's folder, and no further by its leave.
async fn rig(mode: u32) -> Rig {
    let rig = Rig::new().await;
    let open = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(rig.dir.path(), open).expect("ours");
    rig
}

/// Runs a script as another user; `$0` is the folder, `$1` the agent.
fn as_nobody(script: &str, folder: &Path) -> Output {
    let mut command = Command::new(if is_root() { "setpriv" } else { "sudo" });
    if !is_root() {
        command.args(["-n", "setpriv"]);
    }
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "sh", "-c", script])
        .args([folder.as_os_str(), env!("CARGO_BIN_EXE_adf-agent").as_ref()])
        .output()
        .expect("setpriv runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a15_another_user_reads_and_changes_nothing_of_a_running_agent() {
    let rig = rig(0o755).await;
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
    rig.told("").await;
    let settings = rig.settings("");
    let agent = rig.start(&settings, "http://127.0.0.1:9");
    answer(&rig.address).await;
    let state = rig.dir.path().join("state/state.json");
    let known = eventually("a state on disk", async || std::fs::read(&state).ok()).await;
    assert!(
        as_nobody("id -u && cat \"$0/agent.toml\"", rig.dir.path()).status.success(),
        "it can act at all"
    );
    for script in [
        "cat \"$0/state/state.json\"",
        "cat \"$0/run/receipt.json\"",
        "ls \"$0/state\"",
        "ls \"$0/run\"",
        "echo {} > \"$0/state/state.json\"",
        "ln -s /etc/passwd \"$0/state/state.new\"",
        "ln -s /etc/passwd \"$0/run/receipt.new\"",
        "mv \"$0/state\" \"$0/old\"",
        "rm -r \"$0/run\"",
        "\"$1\" status --config \"$0/agent.toml\"",
    ] {
        let tried = as_nobody(script, rig.dir.path());
        assert!(!tried.status.success(), "{script}: {}", String::from_utf8_lossy(&tried.stdout));
    }
    assert_eq!(std::fs::read(&state).expect("still there"), known);
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a15_a_folder_or_link_that_another_user_laid_first_is_not_used() {
    let me = nix::unistd::geteuid();
    let made = format!("is of user 65534, not a folder of user {me}");
    let symlink = format!("is a symbolic link, not a folder of user {me}");
    for (script, reason) in [
        ("mkdir -m 777 \"$0/run\"", made),
        ("mkdir -m 777 \"$0/victim\" && ln -s \"$0/victim\" \"$0/run\"", symlink),
    ] {
        let rig = rig(0o777).await;
        rig.told("").await;
        let laid = as_nobody(script, rig.dir.path());
        assert!(laid.status.success(), "{}", String::from_utf8_lossy(&laid.stderr));
        let (code, line) = rig.fails(&rig.settings("")).await;
        assert!(line.contains(&reason), "{line}");
        assert_eq!(code, Some(1));
        assert!(!rig.dir.path().join("victim/lock").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a15_a_release_file_that_another_user_can_change_is_not_built() {
    let rig = rig(0o777).await;
    let release = rig.dir.path().join("web.tar.gz");
    std::fs::write(&release, archive(Some(DOCKERFILE), &[])).expect("written");
    let user_data = format!("RELEASE_URL=\"file://{}\"\n", release.display());
    rig.serve("/latest/user-data", user_data.as_bytes()).await;
    let swapped =
        as_nobody("cp \"$0/web.tar.gz\" \"$0/x\" && mv -f \"$0/x\" \"$0/web.tar.gz\"", rig.dir.path());
    assert!(swapped.status.success(), "{}", String::from_utf8_lossy(&swapped.stderr));
    let (code, line) = rig.fails(&rig.settings("")).await;
    assert!(line.contains("belongs to user 65534"), "{line}");
    assert_eq!((code, rig.images().len()), (Some(78), 0));
}
