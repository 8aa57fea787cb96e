//! A launch template that has no room for another version.

use adf_ctl::aws::{TemplateTags, VersionLaunch};
use adf_local::model::Settings;
use adf_types::Outcome;

use crate::world::World;

/// A template that may have so many versions.
pub(crate) fn room_for(versions: usize) -> Settings {
    Settings { template_versions: versions, ..Settings::default() }
}

/// Versions of deploys that nobody remembers.
pub(crate) async fn fill(world: &World, count: u32) {
    let id = world.context.aws.template_id("web").await.expect("readable").expect("there");
    for n in 0..count {
        let launch = VersionLaunch {
            source_version: 1,
            description: format!("adf d-forgotten-{n}"),
            client_token: format!("forgotten-{n}"),
            user_data: String::new(),
            tags: TemplateTags::new(),
        };
        world.context.aws.create_template_version(&id, &launch).await.expect("there is room");
    }
}

fn versions(world: &World) -> Vec<u64> {
    world.cloud.model(|model, _| {
        let template = model.launch_templates().next().expect("there is one");
        template.versions.keys().copied().collect()
    })
}

#[tokio::test(start_paused = true)]
async fn fault_57_the_oldest_versions_that_nothing_uses_make_room() {
    let world = World::serving_in(room_for(5)).await;
    fill(&world, 3).await;
    assert_eq!(versions(&world), [1, 2, 3, 4, 5]);
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!(versions(&world), [1, 2, 5, 6], "the default, v1's, the latest of then, and v2's");
    let made = record.log.iter().find(|entry| entry.intent.contains("template version")).expect("made");
    assert!(made.result.as_deref().expect("a result").contains("2 old versions were deleted"), "{made:?}");
    world.deploy("v1").await;
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn fault_57_a_template_full_of_what_is_used_turns_the_deploy_back_with_the_command_that_helps() {
    let world = World::serving_in(room_for(2)).await;
    let record = world.deploy("v2").await;
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("E209 launch template lt-"), "{reason}");
    assert_eq!(versions(&world), [1, 2]);
    world.assert_only("v1").await;
}
