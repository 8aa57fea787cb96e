//! Releases that cannot work, on a whole machine with real Docker: each deploy of one fails with a reason an
//! operator can act on and the documented exit code, and the fleet before it goes on serving.

mod machine;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use machine::{Archive, Machine, get};

/// Why a release cannot work, and what the operator must be told.
struct Bad {
    name: &'static str,
    /// Where its archive is.
    url: String,
    told: &'static [&'static str],
}

#[test]
fn a_release_that_cannot_work_fails_with_its_reason_and_the_fleet_goes_on_serving() {
    let machine = Machine::start();
    let balancer = serving_v1(&machine);
    let web_server = web_server();

    for bad in bad_releases(&machine, web_server) {
        let taken = if bad.name == "port-in-use" { machine.occupy(8080) } else { Vec::new() };
        machine.must(&["release", "create", bad.name, "--url", &bad.url]);
        let deploy = machine.ctl(&["deploy", bad.name]);
        drop(taken);

        assert_eq!(deploy.code, 4, "{}: {}", bad.name, deploy.stderr);
        for told in bad.told {
            assert!(
                deploy.stderr.contains(told),
                "{} does not tell \"{told}\":\n{}",
                bad.name,
                deploy.stderr
            );
        }
        assert_eq!(get(&balancer), "v1", "after {}", bad.name);
        let status = machine.must(&["status"]);
        assert!(status["lock"].is_null() && status["deploy"].is_null(), "after {}: {status}", bad.name);
    }
}

#[test]
fn what_does_not_exist_is_not_found_and_nothing_is_touched() {
    let machine = Machine::start();
    fs::write(machine.folder().join("adf.toml"), "[app]\nname = \"web\"\n").expect("writable");
    machine.must(&["init"]);

    let release = machine.ctl(&["deploy", "v9"]);
    assert_eq!(release.code, 3, "{}", release.stderr);
    assert!(release.stderr.contains("v9"), "{}", release.stderr);

    let app = machine.ctl(&["--app", "nope", "config", "list"]);
    assert_eq!(app.code, 3, "{}", app.stderr);
    assert!(app.stderr.contains("nope"), "{}", app.stderr);

    let name = machine.ctl(&["config", "set", "DB PASS=hunter2"]);
    assert_eq!(name.code, 2, "{}", name.stderr);
    assert!(name.stderr.contains("DB PASS") && !name.stderr.contains("hunter2"), "{}", name.stderr);
}

/// One instance of a good release behind a load balancer, whose address is returned.
fn serving_v1(machine: &Machine) -> String {
    let policy = "[deploy]\nbake = \"1s\"\nmin_probes = 1\nwatch = \"1s\"\nboot_timeout = \"45s\"\n";
    let run = "[run]\nport = 8080\nhealth = { type = \"http\", path = \"/\" }\n";
    fs::write(machine.folder().join("adf.toml"), format!("[app]\nname = \"web\"\n{policy}{run}"))
        .expect("writable");
    let init = machine.must(&[
        "init",
        "--capacity",
        "1",
        "--image-id",
        "ami-0adf0000000000001",
        "--subnet",
        "subnet-0adf0000000000001",
        "--subnet",
        "subnet-0adf0000000000002",
        "--instance-profile",
        "web",
        "--listener-port",
        "8000",
    ]);
    machine.must(&["release", "create", "v1", "--url", &file(machine, "v1", &Archive::app("serve").bytes())]);
    machine.must(&["deploy", "v1"]);
    let balancer = init["address"].as_str().expect("init tells the app's address").to_owned();
    assert_eq!(get(&balancer), "v1");
    balancer
}

fn bad_releases(machine: &Machine, web_server: u16) -> Vec<Bad> {
    let app = Archive::app("serve").bytes();
    let file = |name, bytes: &[u8]| file(machine, name, bytes);
    let no_dockerfile = Archive::default().file("README", "nothing to build").bytes();
    let copies_nothing = Archive::default().file("Dockerfile", "FROM scratch\nCOPY missing /\n").bytes();
    let bad = |name, url: String, told| Bad { name, url, told };
    vec![
        bad("not-found", format!("http://127.0.0.1:{web_server}/missing"), &["E132", "404"]),
        bad("login-page", format!("http://127.0.0.1:{web_server}/login"), &["E137", "text/html"]),
        bad("truncated", file("truncated", &app[..app.len() / 2]), &["E138"]),
        bad("not-gzip", file("not-gzip", b"this is no archive at all"), &["E137"]),
        bad("no-dockerfile", file("no-dockerfile", &no_dockerfile), &["E108"]),
        bad("build-fails", file("build-fails", &copies_nothing), &["missing"]),
        bad(
            "exits",
            file("exits", &Archive::app("exit").bytes()),
            &["E170", "the database is not configured"],
        ),
        bad("sick", file("sick", &Archive::app("sick").bytes()), &["E171", "503"]),
        bad("port-in-use", file("port-in-use", &app), &["E172", "8080"]),
    ]
}

/// Writes an archive where a `file://` release finds it.
fn file(machine: &Machine, name: &str, bytes: &[u8]) -> String {
    let path = machine.folder().join(format!("{name}.tar.gz"));
    fs::write(&path, bytes).expect("writable");
    format!("file://{}", path.display())
}

/// A web server that has a login page and nothing else; it ends with the test.
fn web_server() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or_default();
            let login = String::from_utf8_lossy(&head[..read]).starts_with("GET /login");
            let status = if login { "200 OK" } else { "404 Not Found" };
            let body = "<!DOCTYPE html><title>Log in</title>";
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    port
}
