//! Archives that are no good, and what a boot makes of each: how often it reads them, and that it never builds them.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::settings::Settings;
use adf_types::Digest;

use crate::fakes::{Plan, Ran, USER_DATA, archive, play};
use crate::minisign::{Keys, keys, sign};

/// Long enough for a boot that goes well.
const A_WHILE: Duration = Duration::from_mins(1);

/// Longer than `boot_timeout` and everything after it.
const LONG: Duration = Duration::from_hours(1);

/// Boots with `archive`: fails for `reason` after `fetches` and the pauses between them, and builds nothing.
async fn refused(archive: Vec<u8>, reason: &str, fetches: usize, pauses: u64) {
    let ran = play(Plan { archive, ..Plan::default() }, LONG).await;
    failed(&ran, reason);
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (fetches, pauses), "{reason}");
}

fn failed(ran: &Ran, reason: &str) {
    let (seen, _) = ran.failure();
    assert!(seen.starts_with(reason), "{seen}");
    assert_eq!((ran.exit, ran.count("Abandon web adf-launch")), (Exit::Permanent, 1));
    assert_eq!((ran.find("build completes"), ran.find("create"), ran.find("Continue")), (None, None, None));
}

fn good() -> Vec<u8> {
    archive(&[("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\nport = 8080\n")])
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, data).expect("in memory");
    encoder.finish().expect("in memory")
}

fn gunzip(archive: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(archive), &mut tar).expect("a gzip");
    tar
}

#[tokio::test(start_paused = true)]
async fn fault_08_an_archive_without_a_dockerfile_is_refused_at_once() {
    let reason = "E108 no Dockerfile at the top of the archive (looked for ./Dockerfile; the archive's root is web-v1/)";
    refused(archive(&[("src/Dockerfile", "")]), reason, 1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn fault_25_a_web_page_instead_of_an_archive_is_refused_at_once() {
    let page = b"<!DOCTYPE html><title>Sign in</title>".to_vec();
    refused(page, "E137 expected a gzip archive (.tar.gz), got an HTML page (a login page?)", 1, 0).await;
    refused(b"PK\x03\x04".to_vec(), "E137 expected a gzip archive (.tar.gz), got something else", 1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn fault_26_a_wrong_checksum_is_fetched_three_times_and_never_built() {
    let mut damaged = good();
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    refused(damaged, "E138 the archive is damaged: ", 3, 2 + 4).await;
}

#[tokio::test(start_paused = true)]
async fn fault_26_what_follows_the_end_is_refused_at_once() {
    refused([good(), good()].concat(), "E138 the archive has a second gzip member after its end", 1, 0).await;
    refused([good(), vec![0; 9]].concat(), "E138 the archive has more bytes after its end", 1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn fault_27_a_tar_that_ends_early_is_fetched_twice_and_never_built() {
    let tar = gunzip(&good());
    refused(gzip(&tar[..tar.len() - 1024]), "E139 the archive ends inside its entries", 2, 2).await;
    refused(gzip(&tar[..515]), "E139 the archive ends inside Dockerfile", 2, 2).await;
    refused(gzip(&[0; 1024]), "E139 the archive has no entries", 2, 2).await;
}

#[tokio::test(start_paused = true)]
async fn fault_28_a_digest_that_does_not_match_is_fetched_once_and_never_built() {
    for scheme in ["sha256", "tree"] {
        let user_data = format!("{USER_DATA}RELEASE_DIGEST=\"{scheme}:{}\"\n", "0".repeat(64));
        let ran = play(Plan { user_data, ..Plan::default() }, LONG).await;
        failed(&ran, &format!("E140 release digest mismatch: want {scheme}:0000"));
        assert!(ran.failure().0.contains(&format!(", got {scheme}:")));
        assert_eq!((ran.count("fetch"), ran.took.as_secs()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_ignore_file_that_comes_late_costs_a_second_read_and_no_pause() {
    let files = [("Dockerfile", "FROM scratch\n"), ("a.log", "x"), (".dockerignore", "*.log\n")];
    let ran = play(Plan { archive: archive(&files), ..Plan::default() }, Duration::from_secs(1)).await;
    assert_eq!((ran.count("fetch"), ran.count("build completes")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn attack_a10_a_branch_without_a_digest_is_not_even_fetched() {
    let url = "https://github.com/acme/web/archive/refs/heads/main.tar.gz";
    let user_data = format!("RELEASE_URL={url}\n");
    let plan = |user_data: String| Plan { user_data, ..Plan::default() };
    let ran = play(plan(user_data.clone()), LONG).await;
    assert_eq!((ran.exit, ran.find("fetch"), ran.count("Abandon")), (Exit::Permanent, None, 1));

    let named = format!("APP=web\nRELEASE=v1\n{user_data}");
    let ran = play(plan(named.clone()), LONG).await;
    failed(
        &ran,
        &format!(
            "E126 the release URL {url} names a branch, so it may be another release at the next boot; "
        ),
    );
    let (reason, _) = ran.failure();
    assert!(
        reason.ends_with("or add RELEASE_DIGEST, or set allow_mutable_urls = true in agent.toml"),
        "{reason}"
    );

    let digest = Digest::of_bytes(&Plan::default().archive);
    let ran = play(plan(format!("{named}RELEASE_DIGEST={digest}\n")), A_WHILE).await;
    assert_eq!(ran.count("Continue"), 1, "a digest makes it certain");
    let settings = Settings { allow_mutable_urls: true, ..Settings::default() };
    let ran = play(Plan { settings, ..plan(named) }, A_WHILE).await;
    assert_eq!(ran.count("Continue"), 1, "agent.toml allows it");
}

fn signing(keys: &Keys, signature: Option<String>) -> Plan {
    let text = format!("minisign_public_key = \"{}\"", keys.public());
    let settings = toml::from_str(&text).expect("valid");
    Plan { signature, settings, ..Plan::default() }
}

#[tokio::test(start_paused = true)]
async fn a_signed_release_is_built() {
    let keys = keys();
    let signature = sign(&keys, &Plan::default().archive, "adf app=web release=v1");
    let ran = play(signing(&keys, Some(signature)), A_WHILE).await;
    assert_eq!(
        ran.at("fetch"),
        ran.at("fetch s3://releases/web-v1.tar.gz.minisig"),
        "the signature comes first"
    );
    assert_eq!(ran.count("fetch"), 2);
    assert_eq!((ran.count("Continue"), ran.exit), (1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn attack_a10_an_unsigned_or_changed_release_is_never_built() {
    let keys = keys();
    let ran = play(signing(&keys, None), LONG).await;
    failed(&ran, "E144 the release has no signature at s3://releases/web-v1.tar.gz.minisig (404)");
    assert_eq!(ran.count("fetch"), 1, "the archive is not even asked for");

    let other = sign(&keys, b"another archive", "adf app=web release=v1");
    let ran = play(signing(&keys, Some(other)), LONG).await;
    failed(&ran, "E145 the archive's minisign signature does not hold: ");
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (2, 0));

    let ran = play(signing(&keys, Some("<html>".repeat(1000))), LONG).await;
    failed(
        &ran,
        "E145 the archive's minisign signature does not hold: it is no minisign signature, it is too long",
    );
}

#[tokio::test(start_paused = true)]
async fn attack_a11_an_older_signed_release_in_this_ones_place_is_never_built() {
    let keys = keys();
    let older = sign(&keys, &Plan::default().archive, "adf app=web release=v0");
    let ran = play(signing(&keys, Some(older)), LONG).await;
    failed(
        &ran,
        "E146 the archive is signed as \"adf app=web release=v0\", not as \"adf app=web release=v1\": ",
    );
    assert_eq!(ran.took.as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_was_told_only_a_url_takes_any_signature_of_the_key() {
    let keys = keys();
    let signature = sign(&keys, &Plan::default().archive, "timestamp:1767225600");
    let user_data = "RELEASE_URL=https://example.org/web.tar.gz\n".to_owned();
    let ran = play(Plan { user_data, group: None, ..signing(&keys, Some(signature)) }, A_WHILE).await;
    assert_eq!((ran.count("build completes"), ran.exit), (1, Exit::Stopped));
}
