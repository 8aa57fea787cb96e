//! Fleets that are replaced a part at a time, or by Auto Scaling's instance refresh.

use adf_types::{Checkpoints, Step, Strategy};

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

fn refresh() -> Facts {
    let mut facts = facts();
    facts.policy.strategy = Strategy::Refresh;
    facts.policy.checkpoints = Checkpoints::usual();
    facts.policy.checkpoint_delay = secs(30);
    facts
}

/// 1, 4 and 5 of ten instances, each 80 s of launch, 10 s of pull, 3 s of health; and two delays.
#[test]
fn a_refresh_costs_a_start_for_each_part_and_the_delay_of_each_checkpoint() {
    let estimate = estimate(&refresh());
    let (seconds, from) = row(&estimate, Step::Replace, "10 instances, in 3 batches of 5 at most, boot");
    assert_eq!((seconds, from), (3.0 * 93.0, From::Assumed));
    let stands = row(&estimate, Step::Replace, "stands still at 2 checkpoints");
    assert_eq!(stands, (60.0, From::Setting("deploy.checkpoint_delay of adf.toml".to_owned())));
    assert!(!estimate.fits);
    let mend = estimate.mends.last().expect("a mend");
    assert_eq!(mend.mend, "adf.toml: [deploy] checkpoints = []", "{:#?}", estimate.mends);
    assert!((mend.saves_seconds - 2.0 * (93.0 + 10.0 + 30.0)).abs() < 0.01, "{mend:?}");
}

#[test]
fn a_surge_that_is_as_large_as_the_largest_part_costs_no_start() {
    let mut facts = refresh();
    facts.policy.surge = "50%".parse().expect("a share");
    assert_eq!((facts.batch(), facts.batches()), (5, 3));
    facts.policy.surge = "25%".parse().expect("a share");
    assert_eq!((facts.batch(), facts.batches()), (3, 1 + 2 + 2));
    let larger = estimate(&facts).mends.into_iter().find(|mend| mend.mend.contains("surge"));
    let larger = larger.expect("it would help");
    assert!((larger.saves_seconds - 2.0 * (52.0 + 23.0)).abs() < 0.01, "{larger:?}");
}

#[test]
fn a_first_deploy_by_refresh_is_told_that_it_is_a_surge() {
    let mut facts = refresh();
    facts.old = 0;
    assert_eq!((facts.batch(), facts.batches(), facts.checkpoints()), (10, 1, 0));
    let (why, _) = only_warning(&facts);
    assert!(why.contains("nothing to refresh") && why.contains("as a surge does"), "{why}");
    let drains =
        |row: &crate::estimate::Row| row.what.contains("requests") || row.what.contains("checkpoint");
    assert!(!estimate(&facts).rows.iter().any(drains));
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
