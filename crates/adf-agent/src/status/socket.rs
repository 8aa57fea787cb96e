//! The living agent's socket: whoever connects gets one JSON document, then the end.
//!
//! Nothing is read from a peer, so there is nothing to misunderstand; a peer that does not read is dropped. The rule:
//! answering never disturbs the app: one connection at a time, each with a limit, and no answer waits for anything.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::Living;
use crate::redact;
use crate::report::Reporter;

/// What one peer may take. The document fits into the socket's buffer, so a peer that reads needs none of it.
const PEER_LIMIT: Duration = Duration::from_secs(1);

/// After a failed accept, as with too many open files: the loop must not spin.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// What the asking side waits, and reads at most: a receipt with its log tail is a few KiB.
const ASK_LIMIT: Duration = Duration::from_secs(3);
const LONGEST: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("no agent answers at {}", path.display())]
    NoAgent { path: PathBuf },
    #[error("cannot use {}; status needs the rights of the agent's user: sudo adf-agent status", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("no answer at {} within {} s", path.display(), ASK_LIMIT.as_secs())]
    Late { path: PathBuf },
    #[error("the answer at {} is not one of this version", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
}

pub fn socket_path(run_dir: &Path) -> PathBuf {
    run_dir.join("agent.sock")
}

/// Opens the socket for the agent's own user only, and answers until the process ends. Whoever holds the run
/// folder's lock may replace what a killed agent left.
pub fn serve(run_dir: &Path, reporter: Reporter) -> Result<(), SocketError> {
    let path = socket_path(run_dir);
    let io = |source| SocketError::Io { path: path.clone(), source };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(io)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
    tokio::spawn(answer_all(listener, reporter));
    Ok(())
}

async fn answer_all(listener: UnixListener, reporter: Reporter) {
    loop {
        match listener.accept().await {
            Ok((peer, _)) => {
                let done = tokio::time::timeout(PEER_LIMIT, answer(peer, &reporter)).await;
                if !matches!(done, Ok(Ok(()))) {
                    tracing::debug!("a peer of the status socket did not take its answer");
                }
            }
            Err(error) => {
                tracing::warn!("the status socket does not accept: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn answer(mut peer: UnixStream, reporter: &Reporter) -> std::io::Result<()> {
    // Masked here: who asks does not know the secrets. What masks JSON leaves it JSON.
    let document = redact::owned(serde_json::to_string(&reporter.living())?);
    peer.write_all(document.as_bytes()).await?;
    peer.shutdown().await
}

/// What the agent of this run folder says.
pub async fn ask(run_dir: &Path) -> Result<Living, SocketError> {
    let path = socket_path(run_dir);
    let read = async {
        let stream = UnixStream::connect(&path).await?;
        let mut document = Vec::new();
        stream.take(LONGEST).read_to_end(&mut document).await?;
        Ok(document)
    };
    let document = match tokio::time::timeout(ASK_LIMIT, read).await {
        Ok(read) => read.map_err(|source| no_agent(&path, source))?,
        Err(_) => return Err(SocketError::Late { path }),
    };
    serde_json::from_slice(&document).map_err(|source| SocketError::Malformed { path, source })
}

/// A socket without a listener is what a killed agent leaves.
fn no_agent(path: &Path, source: std::io::Error) -> SocketError {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match source.kind() {
        NotFound | ConnectionRefused => SocketError::NoAgent { path: path.to_owned() },
        _ => SocketError::Io { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(dir: &Path) {
        serve(dir, Reporter::detached()).expect("served");
    }

    #[tokio::test]
    async fn a_peer_gets_one_document_whatever_others_do() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(socket_path(dir.path()), "left behind").expect("written");
        serving(dir.path());
        let mode = std::fs::metadata(socket_path(dir.path())).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // One that never reads, one that talks, one that leaves at once.
        let silent = UnixStream::connect(socket_path(dir.path())).await.expect("connects");
        let mut talker = UnixStream::connect(socket_path(dir.path())).await.expect("connects");
        let _ = talker.write_all(&[0xff; 4096]).await;
        drop(UnixStream::connect(socket_path(dir.path())).await.expect("connects"));
        let living = ask(dir.path()).await.expect("an answer");
        assert_eq!((living.pid, living.stage), (std::process::id(), None));
        drop(silent);
    }

    #[tokio::test]
    async fn without_an_agent_that_is_said() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(ask(dir.path()).await, Err(SocketError::NoAgent { .. })), "nothing there");
        drop(std::os::unix::net::UnixListener::bind(socket_path(dir.path())).expect("bound"));
        assert!(matches!(ask(dir.path()).await, Err(SocketError::NoAgent { .. })), "left by a killed agent");
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_hangs_or_talks_nonsense_is_an_error_and_no_wait() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let listener = UnixListener::bind(socket_path(dir.path())).expect("bound");
        assert!(matches!(ask(dir.path()).await, Err(SocketError::Late { .. })));
        drop(listener.accept().await.expect("the first"));
        let (asked, ()) = tokio::join!(ask(dir.path()), async {
            let (mut peer, _) = listener.accept().await.expect("the second");
            peer.write_all(b"hello").await.expect("written");
        });
        assert!(matches!(asked, Err(SocketError::Malformed { .. })), "{asked:?}");
    }
}
