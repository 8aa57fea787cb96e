//! Old launch template versions go when there is no room for another one (10,000, "Launch template restrictions" in the
//! EC2 guide).
//!
//! The rule: only versions that a deploy of this app made, the oldest first, and none that the group, an instance or a
//! deploy on record may still need. What is deleted is gone for good, so no more go than one call takes.

use std::collections::BTreeSet;

use super::Scene;
use crate::aws::{AwsError, VersionSummary};
use crate::deploy::error::DeployError;
use crate::deploy::observe;

/// As many as `DeleteLaunchTemplateVersions` takes: room for as many deploys.
const AT_ONCE: usize = 200;

/// Deploys whose versions stay, whatever became of them: restorable releases are among the last few.
const KEPT_DEPLOYS: usize = 50;

/// How the description of a version begins that a deploy made.
pub(super) const OURS: &str = "adf ";

/// Whether a version was refused because there are too many. EC2's reference names no code for it; throttling, whose code
/// ends alike, is an error of its own.
pub(super) fn is_full(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { code, .. } if code.contains("LimitExceeded"))
}

/// Makes room, and answers how many versions went.
pub(super) async fn make_room(scene: Scene<'_>, template_id: &str) -> Result<usize, DeployError> {
    let (aws, record) = (&scene.context.aws, scene.record);
    let group = observe::group(scene.context, &record.group).await?;
    let mut used: BTreeSet<u64> = group.template_version.number().into_iter().collect();
    used.extend(group.members.iter().filter_map(|member| member.template_version));
    used.extend(aws.versions_in_use(template_id).await?);
    for deploy in scene.context.store.deploys(&record.app, KEPT_DEPLOYS).await? {
        used.extend(deploy.progress.template_version);
        used.extend(deploy.progress.old_template_version);
    }
    let oldest = superfluous(&aws.template_versions(template_id).await?, &used);
    if oldest.is_empty() {
        return Err(full(template_id, "every version is in use, or was made by somebody else"));
    }
    let gone = aws.delete_template_versions(template_id, &oldest).await?;
    if gone.is_empty() {
        return Err(full(template_id, "AWS deleted none of those that nothing uses"));
    }
    Ok(gone.len())
}

fn full(template_id: &str, why: &str) -> DeployError {
    DeployError::refused(
        format!("E209 launch template {template_id} has as many versions as AWS allows, and {why}"),
        format!(
            "delete some that nothing uses: aws ec2 delete-launch-template-versions --launch-template-id {template_id} \
             --versions NUMBER ..."
        ),
    )
}

/// The oldest versions of ours that nothing uses, given all of them, oldest first.
fn superfluous(all: &[VersionSummary], used: &BTreeSet<u64>) -> Vec<u64> {
    let latest = all.last().map(|version| version.number);
    let ours = |version: &&VersionSummary| {
        version.description.as_deref().is_some_and(|said| said.starts_with(OURS))
            && !version.is_default
            && Some(version.number) != latest
            && !used.contains(&version.number)
    };
    all.iter().filter(ours).map(|version| version.number).take(AT_ONCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(count: u64) -> Vec<VersionSummary> {
        let version = |number| VersionSummary {
            number,
            description: Some(if number == 3 { "by hand".to_owned() } else { format!("{OURS}d-{number}") }),
            is_default: number == 1,
        };
        (1..=count).map(version).collect()
    }

    #[test]
    fn the_oldest_of_ours_go_and_neither_default_nor_latest_nor_what_is_used() {
        assert_eq!(superfluous(&versions(8), &BTreeSet::from([4, 7])), [2, 5, 6]);
        assert_eq!(superfluous(&versions(1), &BTreeSet::new()), Vec::<u64>::new());
    }

    #[test]
    fn no_more_go_than_one_call_takes() {
        let gone = superfluous(&versions(1_000), &BTreeSet::new());
        assert_eq!((gone.len(), gone[0], gone[199]), (200, 2, 202));
    }
}
