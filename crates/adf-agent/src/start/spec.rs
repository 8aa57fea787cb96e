//! The container of a release, as a value.

use std::collections::BTreeMap;

use adf_types::RunSection;

use super::secrets;
use crate::claim::INSTANCE_LABEL;
use crate::prepare::Prepared;
use crate::prepare::name::container_name;
use crate::settings::Settings;
use crate::world::ContainerSpec;

/// Everything a container is made of follows from what was prepared. Its labels say all of it, so that equal
/// labels mean an equal container.
pub fn container_spec(
    prepared: &Prepared,
    settings: &Settings,
    run: &RunSection,
    port: Option<u16>,
) -> ContainerSpec {
    let (order, image) = (&prepared.order, &prepared.image.image);
    let labels = [
        ("adf.app", order.app.to_string()),
        ("adf.release", order.release.to_string()),
        (INSTANCE_LABEL, order.instance.to_string()),
        ("adf.image", image.id.clone()),
        ("adf.config-hash", prepared.config.hash().to_string()),
        ("adf.publish", port.map(|port| format!("{}:{port}", settings.bind)).unwrap_or_default()),
    ];
    let delivery = prepared.image.settings.parsed.config.secrets;
    let secrets = secrets::files(&prepared.config, delivery, &settings.run_dir);
    let mut labels: BTreeMap<String, String> = labels.map(|(k, v)| (k.to_owned(), v)).into();
    // The hash of the config does not say which of it are secrets, nor how they are given.
    if let Some(secrets) = &secrets {
        let names: Vec<&str> = secrets.files.iter().map(|(name, _)| name.as_str()).collect();
        labels.insert("adf.secret-files".to_owned(), names.join(","));
    }
    // Docker adds the image's labels to a container's; comparing needs them here too, ours winning.
    for (name, value) in &image.labels {
        labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    ContainerSpec {
        name: container_name(order),
        image: image.id.clone(),
        env: prepared.config.environment(order.app.as_str(), order.release.as_str(), delivery),
        labels,
        port,
        bind: settings.bind,
        memory_bytes: run.memory_mib.map(|mib| i64::from(mib) << 20),
        pids: i64::from(run.pids),
        init: run.init,
        stop_grace: run.stop_grace,
        secrets,
    }
}
