//! The app inside the test images: one static binary, told by its first argument what to be. It is compiled by the
//! tests with rustc, not by cargo.

use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    let role = std::env::args().nth(1).unwrap_or_default();
    match role.as_str() {
        "serve" if std::env::var("FOO").is_ok_and(|foo| foo == "crash") => {
            eprintln!("cannot work with this config");
            std::process::exit(3);
        }
        "serve" => answer(200),
        "ok" => {}
        "sick" => answer(503),
        _ => {
            eprintln!("cannot open the database");
            std::process::exit(7);
        }
    }
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
