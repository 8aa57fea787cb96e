//! A body that is cut, against a script instead of a server: which bytes come out, and when it is asked again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::time::Instant;

use super::super::resume::{NotResumed, Pieces, RESUME_SCHEDULE, Reopen, check_range, resuming};
use crate::failure::{Fault as _, Kind};
use crate::world::FetchError;

const WHOLE: &[u8] = b"0123456789";

/// Gives the rest as it is told to, and writes down what was asked.
struct Script {
    answers: VecDeque<Result<Pieces, NotResumed>>,
    asked: Arc<Mutex<Vec<u64>>>,
}

#[async_trait]
impl Reopen for Script {
    async fn reopen(&mut self, offset: u64) -> Result<Pieces, NotResumed> {
        self.asked.lock().expect("one thread").push(offset);
        self.answers.pop_front().unwrap_or_else(|| Err(NotResumed::YetAgain("not now".to_owned())))
    }
}

/// These bytes, and then the end or a cut.
fn pieces(from: usize, to: usize, cut: bool) -> Pieces {
    let bytes = [Ok(Bytes::from_static(&WHOLE[from..to]))].into_iter();
    let end = cut.then(|| Err("connection reset".to_owned()));
    stream::iter(bytes.chain(end)).boxed()
}

type Body = BoxStream<'static, Result<Bytes, FetchError>>;

fn body(first: Pieces, answers: Vec<Result<Pieces, NotResumed>>) -> (Body, Arc<Mutex<Vec<u64>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let script = Script { answers: answers.into(), asked: asked.clone() };
    (resuming("https://host/x".to_owned(), Some(10), first, Some(Box::new(script))), asked)
}

async fn read(body: Body) -> Result<Vec<u8>, FetchError> {
    body.try_fold(Vec::new(), async |all, piece| Ok([all, piece.to_vec()].concat())).await
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_download_that_is_cut_twice_goes_on_where_it_stopped() {
    let later = NotResumed::YetAgain("503".to_owned());
    let (body, asked) =
        body(pieces(0, 4, true), vec![Err(later), Ok(pieces(4, 7, true)), Ok(pieces(7, 10, false))]);
    assert_eq!(read(body).await.expect("whole"), WHOLE);
    assert_eq!(*asked.lock().expect("one thread"), [4, 4, 7]);
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_download_is_taken_up_five_times_and_then_given_up() {
    let delays: Vec<u64> = (1..=5).map(|n| RESUME_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(delays, [1, 2, 4, 8, 8]);
    let (body, asked) = body(pieces(0, 4, true), Vec::new());
    let began = Instant::now();
    let error = read(body).await.expect_err("cut for good");
    assert_eq!(
        error.to_string(),
        "E135 the download of https://host/x stopped after 4 bytes: not now (taken up again 5 times)"
    );
    assert_eq!(error.kind(), Kind::Transient, "it is started from the beginning");
    assert_eq!(asked.lock().expect("one thread").len(), 5);
    assert!((2.3..=23.0).contains(&began.elapsed().as_secs_f64()), "full jitter: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_file_that_has_changed_is_not_gone_on_with() {
    let changed = NotResumed::Never("the file has changed meanwhile".to_owned());
    let (body, asked) = body(pieces(0, 4, true), vec![Err(changed), Ok(pieces(4, 10, false))]);
    let error = read(body).await.expect_err("changed");
    assert_eq!(
        error.to_string(),
        "E135 the download of https://host/x stopped after 4 bytes: the file has changed meanwhile"
    );
    assert_eq!((error.kind(), asked.lock().expect("one thread").len()), (Kind::Transient, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_23_an_end_that_comes_too_early_is_a_cut() {
    let (short, asked) = body(pieces(0, 4, false), vec![Ok(pieces(4, 10, false))]);
    assert_eq!(read(short).await.expect("whole"), WHOLE);
    assert_eq!(*asked.lock().expect("one thread"), [4]);
    let alone = resuming("https://host/x".to_owned(), Some(10), pieces(0, 4, false), None);
    let error = read(alone).await.expect_err("short").to_string();
    assert!(error.ends_with("stopped after 4 bytes: the server ended it short of its 10 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_body_that_is_longer_than_announced_is_refused() {
    let (body, asked) = body(stream::iter([Ok(Bytes::from_static(b"0123456789X"))]).boxed(), Vec::new());
    let error = read(body).await.expect_err("too long").to_string();
    assert!(error.ends_with("the server sends more than its 10 bytes"), "{error}");
    assert!(asked.lock().expect("one thread").is_empty());
}

#[tokio::test(start_paused = true)]
async fn fault_24_a_connection_that_falls_silent_is_left_for_another() {
    let silent = pieces(0, 4, false).chain(stream::pending()).boxed();
    let (body, asked) = body(silent, vec![Ok(pieces(4, 10, false))]);
    let began = Instant::now();
    assert_eq!(read(body).await.expect("whole"), WHOLE);
    assert_eq!(*asked.lock().expect("one thread"), [4]);
    assert!((20.0..=21.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
}

#[test]
fn fault_23_a_part_must_be_the_one_that_was_asked_for() {
    assert_eq!(check_range(Some("bytes 4-9/10"), 4, Some(10)), Ok(()));
    assert_eq!(check_range(Some("bytes 4-9/10"), 4, None), Ok(()));
    for wrong in [
        None,
        Some("bytes 0-9/10"),
        Some("bytes 4-8/10"),
        Some("bytes 4-9/11"),
        Some("bytes 4-10/11"),
        Some("bytes 4-9/*"),
        Some("bytes 4-18446744073709551615/0"),
        Some("items 4-9/10"),
        Some("4-9"),
    ] {
        let refused = check_range(wrong, 4, Some(10)).expect_err("wrong");
        assert!(matches!(refused, NotResumed::Never(_)), "{wrong:?}");
    }
}
