//! A container spec in Docker's words: the one place where an app's confinement is written down.
//!
//! The rule: nothing from a release or from config reaches the host configuration but the port, the two limits and
//! whether there is an init. No privileged, no host network, pid, ipc or user space, no devices, no socket, no
//! mounts but its own secrets, no new privileges, and of root's capabilities those that [`KEPT`] says why.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, PortBinding, ResourcesUlimits,
    RestartPolicy, RestartPolicyNameEnum,
};

use crate::start::INSIDE;
use crate::world::{ContainerSpec, SecretFiles};

/// What is left of root's capabilities: what the entrypoints of common images do as root before they become somebody
/// else. Of Docker's own defaults these are missing: `NET_RAW` (forged packets), `MKNOD`, `AUDIT_WRITE`, `SETFCAP`,
/// `SETPCAP`, `SYS_CHROOT` and `FSETID`, which no server needs.
const KEPT: [&str; 7] = [
    // Give a data folder to the app's user, and read and mend what is in it.
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    // Stop workers that run as another user (nginx, gunicorn, supervisors).
    "KILL",
    // Listen on 80 and 443 inside the container.
    "NET_BIND_SERVICE",
    // Become the app's user: gosu, su-exec, `user` in nginx.conf.
    "SETGID",
    "SETUID",
];

/// Where systemd's journal listens, on hosts that have it.
const JOURNAL: &str = "/run/systemd/journal/socket";

pub(super) fn create(spec: &ContainerSpec) -> ContainerCreateBody {
    let port = spec.port.map(|port| format!("{port}/tcp"));
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        env: Some(spec.env.clone()),
        labels: Some(spec.labels.clone().into_iter().collect()),
        exposed_ports: port.clone().map(|port| vec![port]),
        stop_timeout: i64::try_from(spec.stop_grace.as_secs()).ok(),
        host_config: Some(host(spec, port)),
        ..ContainerCreateBody::default()
    }
}

fn host(spec: &ContainerSpec, port: Option<String>) -> HostConfig {
    let binding = PortBinding {
        host_ip: Some(spec.bind.to_string()),
        host_port: spec.port.map(|port| port.to_string()),
    };
    HostConfig {
        port_bindings: port.map(|port| HashMap::from([(port, Some(vec![binding]))])),
        memory: spec.memory_bytes,
        // The same number for memory and swap: a container over its limit is killed, not swapped.
        memory_swap: spec.memory_bytes,
        pids_limit: Some(spec.pids),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(KEPT.map(str::to_owned).to_vec()),
        ipc_mode: Some("private".to_owned()),
        init: Some(spec.init),
        // A core dump would hold config values. No other limit is set: one above Docker's own keeps a container from
        // starting where Docker itself may not raise it.
        ulimits: Some(vec![no_core_dumps()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        // Restarting is the agent's: Docker would restart without counting, and before the config is read.
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            ..RestartPolicy::default()
        }),
        mounts: spec.secrets.as_ref().map(|secrets| vec![mount(secrets)]),
        log_config: Some(log_config(Path::new(JOURNAL).exists())),
        ..HostConfig::default()
    }
}

/// The one folder of the host that a container may see: its own secrets, to read. As a mount and not as a bind, so
/// that a folder that is not there is an error and not an empty one made by Docker.
fn mount(secrets: &SecretFiles) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(secrets.folder.display().to_string()),
        target: Some(INSIDE.to_owned()),
        read_only: Some(true),
        ..Mount::default()
    }
}

fn no_core_dumps() -> ResourcesUlimits {
    ResourcesUlimits { name: Some("core".to_owned()), soft: Some(0), hard: Some(0) }
}

/// The journal where there is one, else files that rotate: an app that logs must not fill the disk.
fn log_config(journal: bool) -> HostConfigLogConfig {
    if journal {
        let config = HashMap::from([("tag".to_owned(), "{{.Name}}".to_owned())]);
        return HostConfigLogConfig { typ: Some("journald".to_owned()), config: Some(config) };
    }
    let limits = [("max-size", "10m"), ("max-file", "3")];
    let config = limits.map(|(k, v)| (k.to_owned(), v.to_owned()));
    HostConfigLogConfig { typ: Some("local".to_owned()), config: Some(config.into()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spec() -> ContainerSpec {
        ContainerSpec {
            name: "adf-web-i-1".into(),
            image: "sha256:1".into(),
            env: vec!["FOO=1".into()],
            labels: [("adf.app".to_owned(), "web".to_owned())].into(),
            port: Some(8080),
            bind: "127.0.0.9".parse().expect("an address"),
            memory_bytes: Some(64 << 20),
            pids: 100,
            init: true,
            stop_grace: Duration::from_secs(20),
            secrets: None,
        }
    }

    #[test]
    fn attack_a12_a_container_is_confined() {
        let mut host = create(&spec()).host_config.expect("given");
        // The log driver is the host's; `logs_cannot_fill_the_disk` looks at it.
        host.log_config = None;
        let seen = serde_json::to_value(&host).expect("serialises");
        let expected = serde_json::json!({
            "CapAdd": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
            "CapDrop": ["ALL"],
            "Init": true,
            "IpcMode": "private",
            "Memory": 64 << 20,
            "MemorySwap": 64 << 20,
            "PidsLimit": 100,
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.9", "HostPort": "8080"}]},
            "Privileged": false,
            "RestartPolicy": {"Name": "no"},
            "SecurityOpt": ["no-new-privileges:true"],
            "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        });
        assert_eq!(
            seen, expected,
            "a new host option is a change of the app's confinement: add it here on purpose"
        );
    }

    #[test]
    fn attack_a12_nothing_of_a_release_asks_for_more_than_a_port_and_its_limits() {
        let plain = serde_json::to_value(create(&spec())).expect("serialises");
        let mut keys: Vec<_> = plain.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["Env", "ExposedPorts", "HostConfig", "Image", "Labels", "StopTimeout"]);
    }

    #[test]
    fn attack_a08_secrets_as_files_are_one_folder_to_read() {
        let secrets = SecretFiles {
            folder: "/run/adf/secrets/1".into(),
            files: vec![("A".parse().expect("a name"), adf_types::ConfigValue::secret("hunter2"))],
        };
        let body = create(&ContainerSpec { secrets: Some(secrets), ..spec() });
        let text = serde_json::to_string(&body).expect("serialises");
        assert!(!text.contains("hunter2"), "{text}");
        let mounts = body.host_config.expect("given").mounts.expect("one");
        assert_eq!(
            serde_json::to_value(mounts).expect("serialises"),
            serde_json::json!([{
                "Type": "bind", "Source": "/run/adf/secrets/1", "Target": "/run/adf/secrets", "ReadOnly": true
            }])
        );
    }

    #[test]
    fn logs_cannot_fill_the_disk() {
        let files = log_config(false);
        assert_eq!(files.config.expect("limits")["max-size"], "10m");
        assert_eq!(log_config(true).typ.as_deref(), Some("journald"));
    }

    #[test]
    fn a_worker_publishes_nothing() {
        let host = create(&ContainerSpec { port: None, ..spec() }).host_config.expect("given");
        assert_eq!(host.port_bindings, None);
    }
}
