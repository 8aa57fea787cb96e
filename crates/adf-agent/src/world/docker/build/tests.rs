//! How a build ends, in virtual time.

use bollard::models::{BuildInfoAux, ErrorDetail, ImageId};
use futures_util::stream;

use super::*;

fn said(text: &str) -> BuildInfo {
    BuildInfo { stream: Some(text.to_owned()), ..BuildInfo::default() }
}

fn image_id() -> BuildInfo {
    let id = ImageId { id: Some("sha256:1".to_owned()) };
    BuildInfo { aux: Some(BuildInfoAux::Default(id)), ..BuildInfo::default() }
}

async fn ended(records: impl Stream<Item = Record>) -> Option<String> {
    follow(records, Builder::Classic).await.err().map(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn fault_03_a_build_ends_with_an_image_id_or_it_failed() {
    let step = "Step 2/3 : RUN make\n";
    assert_eq!(ended(stream::iter([Ok(said(step)), Ok(image_id())])).await, None);
    assert_eq!(
        ended(stream::iter([Ok(said(step))])).await.as_deref(),
        Some("E103 the build ended without an image id at Step 2/3 : RUN make")
    );
}

#[tokio::test(start_paused = true)]
async fn fault_05_a_silent_build_is_cancelled_after_ten_minutes_with_its_step() {
    let began = Instant::now();
    let talks = stream::unfold(0, async |n| {
        tokio::time::sleep(Duration::from_mins(9)).await;
        (n < 2).then(|| (Ok(said(&format!("Step {n}/9 : RUN slow\n"))), n + 1))
    });
    let silent = talks.chain(stream::pending());
    // 9 and 9 minutes of work, then the stream's own 9 until it is exhausted, then nothing: ten after the last line.
    assert_eq!(
        ended(silent).await.as_deref(),
        Some("E105 the build gave no output for 600 s at Step 1/9 : RUN slow; it was cancelled")
    );
    assert_eq!(began.elapsed(), Duration::from_mins(28));
}

#[tokio::test(start_paused = true)]
async fn fault_05_a_build_that_goes_on_talking_is_cancelled_after_45_minutes() {
    let began = Instant::now();
    let talks = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        Some((Ok(said("still here\n")), ()))
    });
    assert_eq!(
        ended(talks).await.as_deref(),
        Some("E105 the build took longer than 45 min; it was cancelled")
    );
    assert_eq!(began.elapsed(), TOTAL_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn fault_02_a_cut_answer_names_the_step() {
    let cut =
        [Ok(said("Step 7/12 : RUN make\n")), Err("connection closed before message completed".to_owned())];
    assert_eq!(
        ended(stream::iter(cut)).await.as_deref(),
        Some(
            "E102 the connection to Docker was lost during the build at Step 7/12 : RUN make: \
             connection closed before message completed"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_the_last_lines_before_it() {
    let detail =
        ErrorDetail { code: Some(2), message: Some("The command 'make' returned a non-zero code: 2".into()) };
    let failed = Ok(BuildInfo { error_detail: Some(detail), ..BuildInfo::default() });
    let records = [Ok(said("Step 2/3 : RUN make\n")), Ok(said("cc: not found\n")), failed];
    let error = follow(stream::iter(records), Builder::Classic).await.expect_err("failed");
    assert_eq!(error.log, ["Step 2/3 : RUN make", "cc: not found"]);
    assert!(matches!(error.problem, BuildProblem::Dockerfile { exit: Some(2), .. }), "{error:?}");
}
