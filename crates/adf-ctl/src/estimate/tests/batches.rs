//! Fleets that are replaced a part at a time, or by Auto Scaling's instance refresh.

use adf_types::{Step, Strategy};

use super::{facts, only_warning, row, secs};
use crate::estimate::facts::Facts;
use crate::estimate::{From, Past, estimate};

fn surge(share: &str) -> Facts {
    let mut facts = facts();
    facts.policy.surge = share.parse().expect("a share");
    facts
}

#[test]
fn each_batch_costs_a_start_and_its_checks_and_nobody_waits_for_the_old_ones() {
    let estimate = estimate(&surge("25%"));
    // Three of ten at a time: four batches, each 52 s of launch, 10 s of pull, 3 s of health, 10 s of checks.
    assert_eq!(row(&estimate, Step::Replace, "10 instances, 3 at a time, boot"), (260.0, From::Assumed));
    assert!((row(&estimate, Step::Replace, "load balancer").0 - 40.0).abs() < 0.01);
    let drained = estimate.rows.iter().any(|row| row.step == Step::Replace && row.what.contains("requests"));
    assert!(!drained, "{estimate:#?}");
    assert!((row(&estimate, Step::Watch, "watched").0 - 300.0).abs() < 0.5);
}

#[test]
fn a_surge_that_is_too_small_for_the_deadline_is_what_mends_it() {
    let estimate = estimate(&surge("10%"));
    let mends: Vec<&str> = estimate.mends.iter().map(|mend| mend.mend.as_str()).collect();
    assert_eq!(mends, ["adf.toml: [deploy] surge = \"100%\""], "{:#?}", estimate.mends);
    assert!(super::estimate(&facts()).fits, "what was advised is enough");
}

#[test]
fn what_all_batches_took_together_in_the_last_deploys_is_one_row() {
    let mut facts = surge("50%");
    facts.past = vec![Past { fleet_start: Some(secs(140)), canary_checks: Some(secs(5)), ..Past::default() }];
    let estimate = estimate(&facts);
    assert_eq!(row(&estimate, Step::Replace, "5 at a time"), (140.0, From::LastDeploys(1)));
    let checked = estimate.rows.iter().any(|row| row.step == Step::Replace && row.what.contains("balancer"));
    assert!(!checked, "they are in it: {estimate:#?}");
}

#[test]
fn a_refresh_waits_for_the_old_ones_to_drain() {
    let mut facts = surge("25%");
    facts.policy.strategy = Strategy::Refresh;
    let estimate = estimate(&facts);
    assert!((row(&estimate, Step::Replace, "old instances finish").0 - 30.0).abs() < 0.5);
    assert!((row(&estimate, Step::Replace, "3 at a time").0 - 260.0).abs() < 0.01, "{estimate:#?}");
}

#[test]
fn a_first_deploy_starts_all_at_once_whatever_the_surge() {
    let mut facts = surge("10%");
    facts.old = 0;
    assert_eq!((facts.batch(), facts.batches()), (10, 1));
}

#[test]
fn a_group_without_room_is_told_that_the_deploy_makes_it() {
    let mut facts = facts();
    facts.max = Some(15);
    let (why, _) = only_warning(&facts);
    assert!(why.contains("raises the maximum of group web from 15 to 20"), "{why}");
    facts.policy.strategy = Strategy::Refresh;
    assert!(estimate(&facts).warnings.is_empty(), "a refresh needs no room of the deploy's");
}
