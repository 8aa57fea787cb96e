//! What an app's container cannot do, tried by a container that tries.

use crate::rig::{Rig, archive, eventually, run};

#[tokio::test(flavor = "multi_thread")]
async fn attack_a12_a_container_cannot_leave_its_confinement() {
    let rig = Rig::new().await;
    let dockerfile = "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\", \"escape\"]\n";
    rig.serve("/web.tar.gz", &archive(Some(dockerfile), &[("adf.toml", b"")])).await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    let said = eventually("what the container found", async || {
        let container = rig.containers(true).pop()?;
        let output = run("docker", &["logs", &container]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.contains("has a parent").then_some(text)
    })
    .await;
    let can: Vec<_> = said.lines().filter(|line| line.starts_with("can ")).collect();
    assert_eq!(can, Vec::<&str>::new(), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("cannot ")).count(), 9, "{said}");
    // CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, and nothing else.
    assert!(said.contains("CapBnd:00000000000004eb") && said.contains("NoNewPrivs:1"), "{said}");
    assert!(said.contains("Max core file size 0 0 bytes"), "{said}");
    assert!(!said.contains("process 1 has"), "an init is process 1: {said}");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a12_the_container_that_runs_is_the_one_that_was_described() {
    let rig = Rig::new().await;
    let toml = b"[run]\nport = 8080\nmemory_mib = 64\npids = 50\ninit = false\n";
    rig.serve("/web.tar.gz", &archive(Some(crate::rig::DOCKERFILE), &[("adf.toml", toml)])).await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    crate::rig::answer(&rig.address).await;
    let format = "{{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.IpcMode}} \
                  {{.HostConfig.Binds}} {{len .Mounts}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} \
                  {{.HostConfig.PidsLimit}} {{.HostConfig.CapDrop}} {{.HostConfig.Init}} {{.HostConfig.SecurityOpt}}";
    let container = rig.containers(false).pop().expect("one");
    let output = run("docker", &["inspect", "--format", format, &container]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "false default  private [] 0 67108864 67108864 50 [ALL] false [no-new-privileges:true]"
    );
    drop(agent);
}
