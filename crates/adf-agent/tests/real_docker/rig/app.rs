//! The app inside the test images: one static binary, told by its first argument what to be. It is compiled by the
//! tests with rustc, not by cargo.

use std::io::{Read, Write};
use std::net::TcpListener;

#[path = "escape.rs"]
mod escape;

fn main() {
    let role = std::env::args().nth(1).unwrap_or_default();
    let word = |n| std::env::args().nth(n).unwrap_or_default();
    match role.as_str() {
        "serve" if std::env::var("FOO").is_ok_and(|foo| foo == "crash") => {
            eprintln!("cannot work with this config");
            std::process::exit(3);
        }
        "serve" => answer(200),
        "ok" => {}
        "sick" => answer(503),
        "reveal" => reveal(),
        "leak" => leak(),
        "say" => println!("{}", word(2)),
        "fail" => {
            eprintln!("{}", word(3));
            std::process::exit(word(2).parse().expect("an exit code"));
        }
        "size" => {
            let bytes = std::fs::read(word(2)).expect("a file");
            println!("{} has {} bytes", word(2), bytes.len());
        }
        "count" => count(&word(2)),
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(word(2).parse().expect("seconds"))),
        "escape" => escape::report(),
        _ => {
            eprintln!("cannot open the database");
            std::process::exit(7);
        }
    }
}

/// Says what it was given as a file, and whether its environment has it too.
fn reveal() {
    let secret = std::fs::read_to_string("/run/adf/secrets/SENTINEL").unwrap_or_else(|e| e.to_string());
    let wrote = std::fs::write("/run/adf/secrets/SENTINEL", "x").is_ok();
    let body = format!("file {secret}; environment {:?}; wrote {wrote}", std::env::var("SENTINEL").ok());
    let listener = TcpListener::bind("0.0.0.0:8080").expect("the container's own port");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let length = body.len();
        let _ = write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    }
}

/// Prints a secret in every way that programs do, and fails.
/// A secret from the environment, or from a file as a build step has it.
fn leak() {
    let file = std::env::args().nth(2).map(|path| std::fs::read_to_string(path).expect("a file"));
    let (name, value) = ("SENTINEL", file.or(std::env::var("SENTINEL").ok()).unwrap_or_default());
    let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
    let percent: String = value.bytes().map(percent).collect();
    println!("{name}={value}");
    println!("{{{name:?}: {value:?}}} {hex} {} {percent}", hex.to_uppercase());
    for before in ["", "x", "xy"] {
        println!("Basic {}", base64(format!("{before}{value}:").as_bytes()));
    }
    println!("\u{1b}[2K\r2026-01-01T00:00:00Z ERROR adf_agent: a line that is not the agent's");
    println!("cannot log in with {value}");
    std::process::exit(7);
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || byte == b'-' {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let group = three.iter().fold(0_u32, |all, b| all << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for n in 0..=three.len() {
            out.push(char::from(DIGITS[(group >> (18 - 6 * n)) as usize & 63]));
        }
    }
    out
}

/// One more than the number in a file: what a cache mount keeps from build to build.
fn count(path: &str) {
    let n = std::fs::read_to_string(path).ok().and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
    std::fs::write(path, n.to_string()).expect("a folder that may be written");
    println!("this is build {n}");
}

fn answer(status: u16) {
    let listener = TcpListener::bind("0.0.0.0:8080").expect("the container's own port");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let name = |key| std::env::var(key).unwrap_or_default();
        let body = format!("Hello {} from {}", name("FOO"), name("RELEASE"));
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
}
