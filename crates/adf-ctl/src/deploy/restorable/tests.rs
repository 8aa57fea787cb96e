//! What is missing, and what is only not known.

use adf_types::Digest;
use jiff::Timestamp;

use super::*;

fn facts() -> Facts {
    let record = ReleaseRecord {
        app: "web".parse().expect("a name"),
        release: "v1".parse().expect("a name"),
        url: "s3://releases/web/v1.tar.gz".parse().expect("a URL"),
        digest: Some(Digest::of_bytes(b"v1")),
        tree: None,
        commit: None,
        config: adf_types::ConfigRules::default(),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "ann".to_owned(),
    };
    let there = ArchiveState::There { bytes: 9, digest: record.digest.as_ref().map(ToString::to_string) };
    Facts {
        release: record.release.clone(),
        record: Ok(Some(record)),
        pushed: None,
        archive: Some(Ok(there)),
        config: ConfigState::Whole,
        template: Some(TemplateFacts {
            id: "lt-1".to_owned(),
            version: 7,
            launch: Ok(Some(TemplateLaunch { image_id: Some("ami-1".to_owned()) })),
            image: Some(Ok(ImageState::Available)),
        }),
    }
}

fn missing(change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = facts();
    change(&mut facts);
    let found = judge(&facts);
    assert!(!found.is_whole() && found.unchecked.is_empty(), "{found:?}");
    found.in_words()
}

fn unchecked(change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = facts();
    change(&mut facts);
    let found = judge(&facts);
    assert!(found.is_whole() && !found.unchecked.is_empty(), "{found:?}");
    found.in_words()
}

fn template(facts: &mut Facts) -> &mut TemplateFacts {
    facts.template.as_mut().expect("there")
}

#[test]
fn with_everything_there_it_could_come_back() {
    assert_eq!(judge(&facts()).in_words(), "v1 could come back");
    assert!(judge(&facts()).refuse_unless(None).is_ok());
}

#[test]
fn what_is_gone_is_named() {
    assert!(missing(|f| f.record = Ok(None)).contains("its record is gone"));
    assert!(
        missing(|f| f.archive = Some(Ok(ArchiveState::Gone))).contains("s3://releases/web/v1.tar.gz is gone")
    );
    assert!(missing(|f| template(f).launch = Ok(None)).contains("version 7 of launch template lt-1 is gone"));
    assert!(missing(|f| template(f).image = Some(Ok(ImageState::Gone))).contains("ami-1 is gone"));
    let disabled = ImageState::Otherwise("disabled".to_owned());
    assert!(missing(|f| template(f).image = Some(Ok(disabled))).contains("ami-1 is disabled"));
    assert!(
        missing(|f| f.config = ConfigState::Broken("DB is purged".to_owned())).contains("E208 its config")
    );
}

#[test]
fn another_object_under_the_archives_key_is_not_the_archive() {
    let other = ArchiveState::There { bytes: 9, digest: Some("sha256:00".to_owned()) };
    assert!(missing(|f| f.archive = Some(Ok(other))).contains("was replaced: it is sha256:00"));
    let empty = ArchiveState::There { bytes: 0, digest: None };
    assert!(missing(|f| f.archive = Some(Ok(empty))).contains("is empty"));
}

#[test]
fn what_nobody_could_tell_is_said_and_refuses_nothing() {
    assert!(unchecked(|f| f.archive = Some(Err("throttled".to_owned()))).contains("throttled"));
    assert!(unchecked(|f| f.archive = Some(Ok(ArchiveState::Hidden))).contains("does not let you see it"));
    assert!(unchecked(|f| f.config = ConfigState::Unknown("throttled".to_owned())).contains("its config"));
    assert!(unchecked(|f| template(f).image = None).contains("looked up at each launch"));
    let image = |facts: &mut Facts| {
        facts.archive = None;
        if let Ok(Some(record)) = &mut facts.record {
            record.url = "docker://ghcr.io/acme/web:v1".parse().expect("a URL");
        }
    };
    assert!(unchecked(image).contains("a tag may be moved"));
}

#[test]
fn only_the_release_that_was_typed_is_waived() {
    let mut facts = facts();
    facts.archive = Some(Ok(ArchiveState::Gone));
    let found = judge(&facts);
    let error = found.refuse_unless(Some(&"v2".parse().expect("a name"))).expect_err("another release");
    assert!(error.to_string().contains("E212"), "{error}");
    assert!(found.refuse_unless(Some(&"v1".parse().expect("a name"))).is_ok());
    assert!(found.warning().expect("a warning").starts_with("W213"));
}
