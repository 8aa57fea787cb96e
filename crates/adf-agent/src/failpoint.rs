//! Where tests end the agent as `kill -9` would: at every stage boundary, before every outside call and after its answer.
//!
//! All of these places pass the one failpoint `crossing`, so that a test needs no list of them:
//! `FAILPOINTS='crossing=16*off->return'` ends the process at the 17th. Without the feature `failpoints`, which only
//! tests have, nothing of this is compiled.

/// Passes the failpoint; `place` is told in the log of a process that ends here.
#[cfg_attr(
    not(feature = "failpoints"),
    expect(clippy::missing_const_for_fn, unused_variables, reason = "empty then")
)]
pub fn crossing(place: &str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!("crossing", |_| die(place));
}

/// What `FAILPOINTS` says, for as long as the value lives.
#[cfg(feature = "failpoints")]
pub fn armed() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}

#[cfg(not(feature = "failpoints"))]
pub fn armed() {}

#[cfg(feature = "failpoints")]
fn die(place: &str) {
    eprintln!("failpoint: killed at {place}");
    let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
}
