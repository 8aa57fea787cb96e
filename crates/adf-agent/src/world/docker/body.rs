//! A container spec in Docker's words: the one place where an app's confinement is written down.
//!
//! The rule: nothing from a release or from config reaches the host configuration but the port and the two
//! limits. No privileged, no host network or pid space, no socket, no mounts but its own secrets, no new privileges.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};

use crate::start::INSIDE;
use crate::world::{ContainerSpec, SecretFiles};

/// Docker's default capabilities less those that a server has no use for: raw sockets, device nodes, writing
/// the kernel's audit log, and giving capabilities to files.
const DROPPED: [&str; 4] = ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"];

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
        cap_drop: Some(DROPPED.map(str::to_owned).to_vec()),
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
            stop_grace: Duration::from_secs(20),
            secrets: None,
        }
    }

    #[test]
    fn a_container_is_confined() {
        let host = create(&spec()).host_config.expect("given");
        let seen = serde_json::to_value(&host).expect("serialises");
        let keys: Vec<_> = seen.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "CapDrop",
                "LogConfig",
                "Memory",
                "MemorySwap",
                "PidsLimit",
                "PortBindings",
                "Privileged",
                "RestartPolicy",
                "SecurityOpt"
            ],
            "a new host option is a change of the app's confinement: add it here on purpose"
        );
        assert_eq!(seen["Privileged"], false);
        assert_eq!(seen["SecurityOpt"][0], "no-new-privileges:true");
        assert_eq!(seen["PortBindings"]["8080/tcp"][0]["HostIp"], "127.0.0.9");
        assert_eq!(seen["RestartPolicy"]["Name"], "no");
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
