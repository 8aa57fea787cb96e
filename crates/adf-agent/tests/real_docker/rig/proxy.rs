//! A proxy before the host's Docker that does what a Docker in trouble does: it has no BuildKit, or its connections
//! break. Everything it lets through is answered by the real one.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What happens to builds on their way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// `POST /session` is not found.
    NoSessions,
    /// A session breaks off as soon as it is open, so that BuildKit asks it in vain.
    LostSessions,
    /// This many builds break off in the middle of their answer.
    LostBuilds(u32),
    /// Nothing, but nobody empties the build cache of a Docker that others use.
    NoPruning,
}

/// Behind the head of an answer, and before much of its body.
const CUT: u64 = 100;

pub(crate) struct Proxy {
    socket: PathBuf,
    builds: Arc<AtomicU32>,
}

impl Proxy {
    /// Listens on a socket in `folder`, for as long as the test process lives.
    pub(crate) fn open(folder: &Path, trouble: Trouble) -> Self {
        let socket = folder.join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a free name");
        let builds = Arc::new(AtomicU32::new(0));
        let counted = builds.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let builds = counted.clone();
                std::thread::spawn(move || pass(client, trouble, &builds));
            }
        });
        Self { socket, builds }
    }

    pub(crate) fn docker_host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// How many builds were asked for.
    pub(crate) fn builds(&self) -> u32 {
        self.builds.load(Ordering::SeqCst)
    }
}

fn pass(mut client: UnixStream, trouble: Trouble, builds: &AtomicU32) -> Option<()> {
    let mut first = [0; 4096];
    let read = client.read(&mut first).ok()?;
    let head = &first[..read];
    let session = head.starts_with(b"POST /session");
    if session && matches!(trouble, Trouble::NoSessions) {
        return client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let text = String::from_utf8_lossy(head);
    if text.lines().next().is_some_and(|line| line.contains("/build/prune")) {
        return client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").ok();
    }
    let build = head.starts_with(b"POST /build?");
    let nth = if build { builds.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
    let mut docker = UnixStream::connect("/var/run/docker.sock").ok()?;
    // One request, one connection, so that each is seen here.
    let once = head.iter().position(|byte| *byte == b'\n').filter(|_| !session).map_or(0, |end| end + 1);
    docker.write_all(&head[..once]).ok()?;
    if once > 0 {
        docker.write_all(b"Connection: close\r\n").ok()?;
    }
    docker.write_all(&head[once..]).ok()?;
    let (mut up_from, mut up_to) = (client.try_clone().ok()?, docker.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(std::net::Shutdown::Write);
    });
    let cut = match trouble {
        Trouble::LostSessions => session,
        Trouble::LostBuilds(n) => build && nth <= n,
        Trouble::NoSessions | Trouble::NoPruning => false,
    };
    let done = if cut {
        std::io::copy(&mut (&docker).take(CUT), &mut client)
    } else {
        std::io::copy(&mut docker, &mut client)
    };
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = docker.shutdown(std::net::Shutdown::Both);
    done.ok().map(|_| ())
}
