//! Launch templates.

use std::collections::BTreeMap;

use adf_local::model::ec2::RunRequest;
use adf_local::model::templates::{LaunchData, NewTemplate, NewVersion, TagSpecification};
use adf_local::model::{ApiError, Settings};

use crate::world::{GROUP, World, by_name, settings};

fn new_version(source: Option<&str>, data: LaunchData, token: Option<&str>) -> NewVersion {
    NewVersion {
        template: by_name(),
        source: source.map(str::to_owned),
        description: None,
        data,
        client_token: token.map(str::to_owned),
    }
}

fn of_type(kind: &str) -> LaunchData {
    LaunchData { instance_type: Some(kind.to_owned()), ..LaunchData::default() }
}

fn number(world: &World, version: Option<&str>) -> Result<u64, ApiError> {
    world.model.template_version(&by_name(), version).map(|(_, version)| version.number)
}

#[test]
fn versions_are_numbered_and_the_default_stays() {
    let mut world = World::new();
    world.template();
    assert_eq!(world.version(of_type("t3.small")), 2);
    assert_eq!(number(&world, None), Ok(1), "no version means the default");
    assert_eq!(number(&world, Some("$Latest")), Ok(2));
    world.model.set_default_template_version(&by_name(), "2").expect("it exists");
    assert_eq!(number(&world, Some("$Default")), Ok(2));
    let missing = number(&world, Some("9")).expect_err("there are two");
    assert_eq!(missing.code, "InvalidLaunchTemplateId.VersionNotFound");
}

#[test]
fn a_version_inherits_from_its_source_and_without_one_from_nothing() {
    let mut world = World::new();
    world.template();
    let inherited = new_version(Some("1"), of_type("t3.small"), None);
    let bare = new_version(None, of_type("t3.small"), None);
    for (new, image) in [(inherited, true), (bare, false)] {
        let (_, number) = world.model.create_template_version(new, world.now).expect("valid");
        let (_, version) =
            world.model.template_version(&by_name(), Some(&number.to_string())).expect("just made");
        assert_eq!(version.data.instance_type.as_deref(), Some("t3.small"));
        assert_eq!(version.data.image_id.is_some(), image);
    }
}

#[test]
fn a_token_makes_a_version_once() {
    let mut world = World::new();
    world.template();
    let new = new_version(Some("1"), of_type("t3.small"), Some("deploy-1"));
    let first = world.model.create_template_version(new.clone(), world.now).expect("valid");
    assert_eq!(world.model.create_template_version(new, world.now), Ok(first));
    let changed = new_version(Some("1"), of_type("t3.large"), Some("deploy-1"));
    let refusal = world.model.create_template_version(changed, world.now).expect_err("other parameters");
    assert_eq!(refusal.code, "IdempotentParameterMismatch");
}

#[test]
fn the_default_cannot_be_deleted_and_numbers_are_not_used_again() {
    let mut world = World::new();
    world.template();
    world.version(LaunchData::default());
    let outcomes = world.model.delete_template_versions(&by_name(), &[1, 2, 3]).expect("the template exists");
    let deleted: Vec<bool> = outcomes.iter().map(|outcome| outcome.error.is_none()).collect();
    assert_eq!(deleted, [false, true, false]);
    assert_eq!(world.version(LaunchData::default()), 3);
}

#[test]
fn names_are_unique_and_checked() {
    let mut world = World::new();
    world.template();
    for (name, code) in [
        (GROUP, "InvalidLaunchTemplateName.AlreadyExistsException"),
        ("a b c", "InvalidLaunchTemplateName.MalformedException"),
        ("ab", "InvalidLaunchTemplateName.MalformedException"),
    ] {
        let new = NewTemplate { name: name.to_owned(), ..NewTemplate::default() };
        assert_eq!(world.model.create_template(new, world.now).expect_err(name).code, code);
    }
}

#[test]
fn tags_of_a_request_join_or_replace_those_of_its_template() {
    for joins in [true, false] {
        let mut world = World::with(Settings { request_tags_join_template_tags: joins, ..settings() });
        world.template();
        let tagged = |key: &str, value: &str| LaunchData {
            tag_specifications: vec![TagSpecification {
                resource_type: "instance".to_owned(),
                tags: BTreeMap::from([
                    (key.to_owned(), value.to_owned()),
                    ("both".to_owned(), value.to_owned()),
                ]),
            }],
            ..LaunchData::default()
        };
        let version = world.version(tagged("adf:app", "web"));
        let request = RunRequest {
            data: tagged("adf:role", "canary"),
            template: Some((by_name(), Some(version.to_string()))),
            min: 1,
            max: 1,
            ..RunRequest::default()
        };
        world.model.run_instances(&request, world.now).expect("launchable");
        let tags = &world.model.instances().next().expect("one started").tags;
        assert_eq!(tags.contains_key("adf:app"), joins);
        assert_eq!(tags.get("adf:role").map(String::as_str), Some("canary"));
        assert_eq!(tags.get("both").map(String::as_str), Some("canary"), "the request wins");
    }
}

#[test]
fn a_template_has_room_for_so_many_versions_and_a_deleted_one_makes_room_without_its_number() {
    let mut world = World::with(Settings { template_versions: 2, ..settings() });
    world.template();
    assert_eq!(world.version(of_type("t3.small")), 2);
    let full = world.model.create_template_version(new_version(None, of_type("t3.large"), None), world.now);
    assert_eq!(full.expect_err("two are there").code, "VersionLimitExceeded");
    let gone = world.model.delete_template_versions(&by_name(), &[2]).expect("the template is there");
    assert!(gone[0].error.is_none(), "{gone:?}");
    assert_eq!(world.version(of_type("t3.large")), 3);
}
