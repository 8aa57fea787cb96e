//! What of an archive reaches a build, seen from inside the image, and compared with Docker's own build of the same
//! files as a folder.

use std::path::Path;
use std::process::Command;

use crate::rig::{Rig, answer, archive, run};

/// Everything that the build got ends up below `/context`.
const DOCKERFILE: &str =
    "FROM scratch\nCOPY . /context/\nCOPY app /app\nEXPOSE 8080\nENTRYPOINT [\"/app\", \"serve\"]\n";

const IGNORE: &str = "# a comment\n\n  docs \n!docs/a/README.md\n*.log\n!keep.log\n**/node_modules\n/tmp/\nbuild/**\n?x\n!src/../bx\n";

const FILES: [&str; 17] = [
    "Dockerfile.other",
    "README.md",
    "a.log",
    "ax",
    "bx",
    "build/out/a.o",
    "docs/a/README.md",
    "docs/a/more.md",
    "docs/b.md",
    "keep.log",
    "node_modules/m/index.js",
    "src/a.log",
    "src/main.c",
    "src/node_modules/m/index.js",
    "src/node_modules.md",
    "tmp/x/y",
    "x",
];

/// Paths below `/context` in the file system of a container, folders with a slash.
fn context(container: &str, dir: &Path) -> Vec<String> {
    let file = dir.join(format!("{container}.tar"));
    let exported = run("docker", &["export", "--output", &file.to_string_lossy(), container]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let listing = run("tar", &["--list", "--file", &file.to_string_lossy()]);
    let text = String::from_utf8_lossy(&listing.stdout).into_owned();
    let mut paths: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("context/")).map(str::to_owned).collect();
    paths.retain(|path| !path.is_empty());
    paths.sort();
    paths
}

/// What Docker's own command makes of the same files in a folder. It reads the ignore file itself, for every builder;
/// the classic one needs no plugin.
fn by_docker(rig: &Rig, files: &[(&str, &[u8])]) -> Vec<String> {
    let folder = rig.dir.path().join("folder");
    for (name, data) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, data).expect("written");
    }
    std::fs::write(folder.join("app"), b"").expect("written");
    let tag = format!("{}/oracle:1", rig.prefix);
    let built = Command::new("docker")
        .args(["build", "--tag", &tag])
        .arg(&folder)
        .env("DOCKER_BUILDKIT", "0")
        .output()
        .expect("docker runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let container = run("docker", &["create", "--label", &format!("adf.instance={}", rig.instance), &tag]);
    let id = String::from_utf8_lossy(&container.stdout).trim().to_owned();
    context(&id, rig.dir.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_gets_of_an_archive_what_docker_takes_of_a_folder() {
    let rig = Rig::new().await;
    let mut files: Vec<(&str, &[u8])> = FILES.iter().map(|name| (*name, b"content".as_slice())).collect();
    // Last, as far from the start as it can stand: the archive has to be read twice.
    files.push((".dockerignore", IGNORE.as_bytes()));
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &files)).await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    answer(&rig.address).await;
    let ours = context(&rig.containers(false)[0], rig.dir.path());
    drop(agent);

    files.push(("Dockerfile", DOCKERFILE.as_bytes()));
    let expected = [
        ".dockerignore",
        "Dockerfile",
        "Dockerfile.other",
        "README.md",
        "app",
        "build/",
        "bx",
        "docs/",
        "docs/a/",
        "docs/a/README.md",
        "keep.log",
        "src/",
        "src/a.log",
        "src/main.c",
        "src/node_modules.md",
        "x",
    ];
    assert_eq!(by_docker(&rig, &files), expected);
    let without_empty: Vec<&str> = expected.into_iter().filter(|path| *path != "build/").collect();
    assert_eq!(ours, without_empty, "this archive has no entries for folders, so an empty one is not in it");
}
