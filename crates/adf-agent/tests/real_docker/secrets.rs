//! A secret planted in the config, and every place where it could turn up.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{AppName, ConfigName, ConfigValue};
use jiff::Timestamp;

use crate::rig::{Agent, Rig, answer, archive, done_as_root, eventually, run, terminate, with_journal};

/// With characters that each encoding writes differently.
const SENTINEL: &str = "sentinel-4fQ/z+=&'k y";

/// What is left of it in any encoding: none of these may be seen.
const TRACES: [&str; 6] = [
    "sentinel-4fQ",
    "73656e74696e656c",
    "73656E74696E656C",
    "c2VudGluZWwtNGZR",
    "NlbnRpbmVsLTRmU",
    "zZW50aW5lbC00Zl",
];

struct Planted {
    _front: Front,
    url: String,
    store: Store,
}

/// A cloud whose config holds the sentinel as a secret.
async fn plant() -> Planted {
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = Front::open(cloud.clone(), 0).await.expect("a free port");
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    store.create_tables().await.expect("created");
    let kms = aws_sdk_kms::Client::new(&cloud.sdk_config());
    let key = kms.create_key().send().await.expect("made").key_metadata.expect("told").arn.expect("an ARN");
    let name: ConfigName = "SENTINEL".parse().expect("a name");
    let secrets = [(name, ConfigValue::secret(SENTINEL))];
    store.set_secrets(&web(), None, &key, &secrets).await.expect("set");
    let url = front.url();
    Planted { _front: front, url, store }
}

fn web() -> AppName {
    "web".parse().expect("a name")
}

fn dockerfile(role: &str, more: &str) -> String {
    format!("FROM scratch\nCOPY app /app\n{more}EXPOSE 8080\nENTRYPOINT [\"/app\", \"{role}\"]\n")
}

fn clean(place: &str, text: &str) {
    for trace in TRACES {
        assert!(!text.contains(trace), "{trace} in {place}:\n{text}");
    }
}

fn docker(args: &[&str]) -> String {
    String::from_utf8_lossy(&run("docker", args).stdout).into_owned()
}

/// All files below a folder, by name.
fn files(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// What systemd would have read by now.
fn queued(notify: &UnixDatagram) -> String {
    let (mut all, mut datagram) = (String::new(), vec![0; 65536]);
    while let Ok(length) = notify.recv(&mut datagram) {
        all += &String::from_utf8_lossy(&datagram[..length]);
    }
    all
}

/// The command lines of every process of this host, but the test's own.
fn command_lines() -> String {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("proc").flatten();
    let numbers = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let others = numbers.filter(|n| *n != own && n.bytes().all(|b| b.is_ascii_digit()));
    others
        .filter_map(|n| std::fs::read(format!("/proc/{n}/cmdline")).ok())
        .fold(String::new(), |all, line| all + &String::from_utf8_lossy(&line).replace('\0', " ") + "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a08_a_secret_that_an_app_prints_in_every_encoding_is_in_no_sink_of_the_agent() {
    let (rig, planted) = (Rig::new().await, plant().await);
    rig.serve("/web.tar.gz", &archive(Some(&dockerfile("leak", "")), &[("adf.toml", b"")])).await;
    rig.serve_role().await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let settings = rig.settings("");
    let socket = rig.dir.path().join("notify");
    let notify = UnixDatagram::bind(&socket).expect("a socket");
    notify.set_nonblocking(true).expect("set");
    let mut told = String::new();
    for format in ["human", "json"] {
        let log = std::fs::File::create(rig.log_path()).expect("a log file");
        let mut command = rig.command(&settings, &planted.url);
        command.args(["--log-format", format]).env("NOTIFY_SOCKET", &socket).env("RUST_LOG", "debug");
        let mut agent = Agent(command.stderr(log).spawn().expect("the agent starts"));
        let ended = async || {
            // A queue that nobody empties would hold up the agent.
            told += &queued(&notify);
            agent.0.try_wait().expect("a child")
        };
        let status = eventually("the end", ended).await;
        let stderr = rig.log();
        assert_eq!(status.code(), Some(78), "{stderr}");
        assert!(stderr.contains("last line: cannot log in with [redacted]"), "{stderr}");
        clean("stderr", &stderr);
        for encoded in
            ["SENTINEL=[redacted]", "Basic [redacted]", "Basic eH[redacted]", "Basic eHl[redacted]"]
        {
            assert!(stderr.contains(encoded), "{encoded}: {stderr}");
        }
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("adf-agent: failed in health: E170 "), "{last}");
        assert!(!stderr.contains('\u{1b}'), "an escape of the app reached the log");
    }
    told += &queued(&notify);
    assert!(told.contains("STATUS="), "{told}");
    clean("what systemd was told", &told);
    let receipts = planted.store.receipts(&web()).await.expect("readable");
    let receipts = serde_json::to_string(&receipts).expect("serialises");
    assert!(receipts.contains("[redacted]"), "{receipts}");
    clean("the receipts in the table", &receipts);
    let mut kept = Vec::new();
    files(rig.dir.path(), &mut kept);
    assert!(kept.iter().any(|(name, _)| name.ends_with("receipt.json")));
    for (name, text) in &kept {
        clean(name, text);
    }
    for id in rig.containers(true) {
        clean("the labels", &docker(&["inspect", "--format", "{{json .Config.Labels}}", &id]));
    }
    for image in rig.images() {
        clean("the image's history", &docker(&["history", "--no-trunc", &image]));
        clean("the image", &docker(&["inspect", &image]));
    }
}

/// In the journal's own protocol: the value comes after its length, eight bytes of which the last is the highest.
fn journal_field(name: &str, value: &str) -> String {
    let length = char::from(u8::try_from(value.len()).expect("a short value"));
    format!("{name}\n{length}\0\0\0\0\0\0\0{value}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a08_a_secret_that_a_build_step_prints_is_not_in_the_journal() {
    let (rig, planted) = (Rig::new().await, plant().await);
    let step =
        r#"RUN --mount=type=secret,id=SENTINEL,required=true ["/app", "leak", "/run/secrets/SENTINEL"]"#;
    let image = format!("FROM scratch\nCOPY app /app\n{step}\n");
    rig.serve("/web.tar.gz", &archive(Some(&image), &[("adf.toml", b"[build]\nsecrets = [\"SENTINEL\"]\n")]))
        .await;
    rig.serve_role().await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let folder = tempfile::tempdir().expect("a folder");
    let journal = UnixDatagram::bind(folder.path().join("socket")).expect("a socket");
    journal.set_nonblocking(true).expect("set");
    let mut command = rig.command(&rig.settings(""), &planted.url);
    command.args(["--log-format", "journal"]).env("RUST_LOG", "debug");
    let mut command = with_journal(folder.path(), &command);
    let mut agent = Agent(command.stdout(Stdio::null()).stderr(rig.log_file()).spawn().expect("starts"));
    let mut entries = String::new();
    let status = eventually("the end", async || {
        entries += &queued(&journal);
        agent.0.try_wait().expect("a child")
    })
    .await;
    entries += &queued(&journal);
    assert_eq!(status.code(), Some(78), "{entries}");
    for (name, value) in [("ADF_APP", "web"), ("ADF_RELEASE", "v1"), ("ADF_STAGE", "prepare")] {
        assert!(entries.contains(&journal_field(name, value)), "{name}={value}: {entries}");
    }
    assert!(entries.contains("cannot log in with [redacted]"), "{entries}");
    clean("the journal", &entries);
    clean("stderr", &rig.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a08_a_panic_that_quotes_a_secret_shows_it_nowhere() {
    let (rig, planted) = (Rig::new().await, plant().await);
    rig.serve("/web.tar.gz", &archive(Some(crate::rig::DOCKERFILE), &[("adf.toml", b"")])).await;
    rig.serve_role().await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let mut command = rig.command(&rig.settings(""), &planted.url);
    // By then the app has been started, so the config was read; before, nobody could know what to mask.
    command.env("FAILPOINTS", format!("crossing=60*off->panic({SENTINEL})")).stderr(rig.log_file());
    let mut agent = Agent(command.spawn().expect("the agent starts"));
    let status = eventually("the end", async || agent.0.try_wait().expect("a child")).await;
    assert_eq!(status.signal(), Some(6), "{status}");
    let log = rig.log();
    let told = log.lines().last().unwrap_or_default();
    assert!(told.contains("panicked at") && told.contains("[redacted]"), "{log}");
    assert!(told.ends_with("this is a bug, please report it"), "{log}");
    clean("stderr", &log);
    let mut kept = Vec::new();
    files(rig.dir.path(), &mut kept);
    for (name, text) in &kept {
        clean(name, text);
    }
    let left = rig.containers(true);
    let next = rig.start(&rig.settings(""), &planted.url);
    answer(&rig.address).await;
    assert_eq!(rig.containers(true), left, "the app of before was adopted");
    drop(next);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a08_secrets_as_files_are_the_apps_alone_and_live_as_long_as_its_container() {
    if done_as_root(
        "secrets::attack_a08_secrets_as_files_are_the_apps_alone_and_live_as_long_as_its_container",
    ) {
        return;
    }
    let (rig, planted) = (Rig::new().await, plant().await);
    let toml = b"[config]\nsecrets = \"files\"\nrequired = [\"SENTINEL\"]\n[run]\nstop_grace = \"2s\"\ninterval = \"200ms\"\n";
    let passwd: &[u8] = b"root:x:0:0::/:\nweb:x:1000:1001::/:\n";
    let image = dockerfile("reveal", "COPY passwd /etc/passwd\nUSER web\n");
    rig.serve("/web.tar.gz", &archive(Some(&image), &[("adf.toml", toml), ("passwd", passwd)])).await;
    rig.serve_role().await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let settings = rig.settings("");
    let seen = format!("file {SENTINEL}; environment None; wrote false");

    let first = rig.start(&settings, &planted.url);
    assert_eq!(answer(&rig.address).await, seen);
    let container = rig.containers(false);
    clean("docker inspect", &docker(&["inspect", &container[0]]));
    clean("the image's history", &docker(&["history", "--no-trunc", &rig.images()[0]]));
    clean("the command lines", &command_lines());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", first.0.id())).expect("a process");
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let mut status = rig.command(&settings, &planted.url);
    let status = status.args(["--log-format", "json"]).stdout(Stdio::piped());
    drop(status.output()); // A second agent: it ends at once.
    clean("the log", &rig.log());

    drop(first); // SIGKILL
    let mut second = rig.start(&settings, &planted.url);
    let serving = async || {
        planted.store.receipts(&web()).await.expect("readable").into_iter().find(|receipt| {
            receipt.is_serving() && receipt.image_source == Some(adf_types::ImageSource::Present)
        })
    };
    eventually("an adopting receipt", serving).await;
    assert_eq!((answer(&rig.address).await, rig.containers(false)), (seen.clone(), container));

    terminate(&second);
    let secrets = rig.dir.path().join("run/secrets");
    eventually("an empty folder", async || {
        std::fs::read_dir(&secrets).is_ok_and(|mut left| left.next().is_none()).then_some(())
    })
    .await;
    // Its secrets go before it does, and a third agent ends at once while it is there.
    second.0.wait().expect("it ends");
    let third = rig.start(&settings, &planted.url);
    assert_eq!(answer(&rig.address).await, seen, "written again, from the table");
    terminate(&third);
    eventually("the end", async || rig.containers(false).is_empty().then_some(())).await;
    eventually("an empty folder", async || {
        std::fs::read_dir(&secrets).is_ok_and(|mut left| left.next().is_none()).then_some(())
    })
    .await;
    clean("the log", &rig.log());
}
