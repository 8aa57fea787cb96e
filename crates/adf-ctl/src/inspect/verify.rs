//! The proof that every in-service instance runs the current release.
//!
//! What counts is what each instance says in its own receipt, lately. Silence, an old receipt and an empty
//! fleet prove nothing.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigHash, Digest, InstanceId, Receipt, ReleaseName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::fleet::{FRESH, short_image, state};
use crate::aws::Lifecycle;
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, table};

/// What every instance has to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub app: AppName,
    pub release: ReleaseName,
    pub digest: Option<Digest>,
    /// The hash of the config that the release sees in the table now.
    pub config_hash: ConfigHash,
    /// The image that most instances run.
    pub image: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    #[serde(flatten)]
    pub expected: Expected,
    pub proven: bool,
    pub instances: Vec<Checked>,
}

/// One in-service instance, and what differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub instance: InstanceId,
    pub release: Option<ReleaseName>,
    pub image: Option<String>,
    pub config_hash: Option<ConfigHash>,
    /// Seconds since the receipt was written.
    pub age: Option<i64>,
    pub differs: Vec<String>,
}

/// Reads the fleet's receipts and compares them with the release record and the config table.
pub async fn verify(context: &Context, now: Timestamp) -> Result<Proof, CtlError> {
    let names = context.settings.app()?;
    let (app, store) = (&names.app, &context.store);
    let Some(current) = store.current(app).await? else {
        let known = super::is_known(context, app).await?;
        let error = if known { CtlError::NothingDeployed } else { CtlError::UnknownApp };
        return Err(error(app.clone()));
    };
    let release = current.current;
    let digest = store.release(app, &release).await?.and_then(|r| r.digest);
    let config_hash = store.read_config(app, &release).await?.hash();
    let members = context.aws.group(&names.group).await?.map(|g| g.members).unwrap_or_default();
    let in_service: Vec<InstanceId> =
        members.into_iter().filter(|m| m.lifecycle == Lifecycle::InService).map(|m| m.id).collect();
    let receipts = store.receipts(app).await?;
    let expected = Expected {
        app: app.clone(),
        release,
        digest,
        config_hash,
        image: most_common_image(&in_service, &receipts),
    };
    Ok(prove(expected, &in_service, &receipts, now))
}

fn prove(expected: Expected, in_service: &[InstanceId], receipts: &[Receipt], now: Timestamp) -> Proof {
    let instances: Vec<Checked> = in_service
        .iter()
        .map(|id| check(&expected, id, receipts.iter().find(|r| r.instance == *id), now))
        .collect();
    let proven = !instances.is_empty() && instances.iter().all(|i| i.differs.is_empty());
    Proof { expected, proven, instances }
}

fn check(expected: &Expected, id: &InstanceId, receipt: Option<&Receipt>, now: Timestamp) -> Checked {
    let Some(receipt) = receipt else {
        let differs = vec!["has no receipt".to_owned()];
        return Checked {
            instance: id.clone(),
            release: None,
            image: None,
            config_hash: None,
            age: None,
            differs,
        };
    };
    let age = now.duration_since(receipt.updated_at);
    Checked {
        instance: id.clone(),
        release: Some(receipt.release.clone()),
        image: receipt.image_id.clone(),
        config_hash: receipt.config_hash.clone(),
        age: Some(age.as_secs()),
        differs: differences(expected, receipt, age),
    }
}

fn differences(expected: &Expected, receipt: &Receipt, age: SignedDuration) -> Vec<String> {
    let image = |id: &Option<String>| id.as_deref().map_or("none".to_owned(), short_image);
    let hash = |hash: Option<&ConfigHash>| hash.map_or("none", ConfigHash::short).to_owned();
    let mut differs = Vec::new();
    if receipt.release != expected.release {
        differs.push(format!("runs release {}, not {}", receipt.release, expected.release));
    }
    if !receipt.is_serving() {
        differs.push(format!("is not serving: {}", state(&receipt.state)));
    }
    if age > FRESH {
        differs.push(format!("has a receipt of {} s ago, which proves nothing about now", age.as_secs()));
    }
    if age < -FRESH {
        let ahead = age.abs().as_secs();
        differs.push(format!("has a clock that is {ahead} s ahead, so its receipt proves nothing about now"));
    }
    if expected.digest.is_some() && receipt.release_digest != expected.digest {
        differs.push("did not verify the release's digest".to_owned());
    }
    if receipt.image_id.is_none() || receipt.image_id != expected.image {
        differs.push(format!(
            "runs image {}, the others {}",
            image(&receipt.image_id),
            image(&expected.image)
        ));
    }
    if receipt.config_hash.as_ref() != Some(&expected.config_hash) {
        let has = hash(receipt.config_hash.as_ref());
        differs.push(format!("has config {has}, the table {}", expected.config_hash.short()));
    }
    differs
}

fn most_common_image(in_service: &[InstanceId], receipts: &[Receipt]) -> Option<String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    let counted = receipts.iter().filter(|r| in_service.contains(&r.instance));
    for image in counted.filter_map(|r| r.image_id.as_ref()) {
        *counts.entry(image).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(image, _)| image.clone())
}

impl Proof {
    /// Every difference as `i-1 runs release v1, not v2`; empty when the proof holds.
    pub fn problems(&self) -> Vec<String> {
        if self.instances.is_empty() {
            return vec![format!("no instance of {} is in service", self.expected.app)];
        }
        let of = |i: &Checked| i.differs.iter().map(|d| format!("{} {d}", i.instance)).collect::<Vec<_>>();
        self.instances.iter().flat_map(of).collect()
    }

    /// One sentence for the operator, for a proof that holds.
    pub fn summary(&self) -> String {
        let e = &self.expected;
        let count = self.instances.len();
        format!(
            "proven: {count} of {count} in-service instances run {} {} with config {}",
            e.app,
            e.release,
            e.config_hash.short()
        )
    }
}

impl Text for Proof {
    fn text(&self) -> String {
        let dash = || "-".to_owned();
        let cells = |i: &Checked| {
            [
                i.instance.to_string(),
                i.release.as_ref().map_or_else(dash, ToString::to_string),
                i.image.as_deref().map_or_else(dash, short_image),
                i.config_hash.as_ref().map_or_else(dash, |h| h.short().to_owned()),
                i.age.map_or_else(dash, |s| format!("{s} s")),
                if i.differs.is_empty() { "proven".to_owned() } else { i.differs.join("; ") },
            ]
        };
        let header = ["INSTANCE", "RELEASE", "IMAGE", "CONFIG", "RECEIPT", "PROOF"];
        table(header, self.instances.iter().map(cells))
    }
}

#[cfg(test)]
mod tests;
