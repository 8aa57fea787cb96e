//! What holds after any calls, in any order, at any time.

use std::collections::BTreeSet;

use adf_local::model::groups::{
    ActionKey, GroupSpec, HookResult, RefreshPreferences, RefreshRequest, Strays, WarmPool,
};
use adf_local::model::{InstanceState, LifecycleState, Probe, ProbeFailure};
use proptest::prelude::*;

use crate::world::{GROUP, HOOK, World, by_name};

/// One thing that a caller, a machine or time does; `pick` chooses whom it happens to.
#[derive(Clone, Debug)]
enum Deed {
    Desire(u32),
    Resize { min: u32, max: u32 },
    EnterStandby { pick: usize, decrement: bool },
    ExitStandby { pick: usize },
    Terminate { pick: usize, decrement: bool },
    Ec2Terminate { pick: usize },
    Detach { pick: usize, decrement: bool },
    Protect { pick: usize, protect: bool },
    Complete { pick: usize, proceed: bool },
    Probe { pick: usize, passes: bool },
    Halt { pick: usize },
    Refresh { min: u32, max: Option<u32>, strays: Strays, auto_rollback: bool },
    CancelRefresh { wait: bool },
    Rollback,
    Rebalance { pick: usize },
    Pool(Option<u32>),
    Impair { pick: usize, passes: bool },
    Pass(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let pick = || 0..50usize;
    prop_oneof![
        (0..12u32).prop_map(Deed::Desire),
        (0..6u32, 0..12u32).prop_map(|(min, max)| Deed::Resize { min, max }),
        (pick(), any::<bool>()).prop_map(|(pick, decrement)| Deed::EnterStandby { pick, decrement }),
        pick().prop_map(|pick| Deed::ExitStandby { pick }),
        (pick(), any::<bool>()).prop_map(|(pick, decrement)| Deed::Terminate { pick, decrement }),
        pick().prop_map(|pick| Deed::Ec2Terminate { pick }),
        (pick(), any::<bool>()).prop_map(|(pick, decrement)| Deed::Detach { pick, decrement }),
        (pick(), any::<bool>()).prop_map(|(pick, protect)| Deed::Protect { pick, protect }),
        (pick(), any::<bool>()).prop_map(|(pick, proceed)| Deed::Complete { pick, proceed }),
        (pick(), any::<bool>()).prop_map(|(pick, passes)| Deed::Probe { pick, passes }),
        pick().prop_map(|pick| Deed::Halt { pick }),
        (0..=100u32, proptest::option::of(100..=130u32), strays(), any::<bool>())
            .prop_map(|(min, max, strays, auto_rollback)| Deed::Refresh { min, max, strays, auto_rollback }),
        any::<bool>().prop_map(|wait| Deed::CancelRefresh { wait }),
        Just(Deed::Rollback),
        pick().prop_map(|pick| Deed::Rebalance { pick }),
        proptest::option::of(0..4u32).prop_map(Deed::Pool),
        (pick(), any::<bool>()).prop_map(|(pick, passes)| Deed::Impair { pick, passes }),
        prop_oneof![0..3u64, 0..200u64].prop_map(Deed::Pass),
    ]
}

fn strays() -> impl Strategy<Value = Strays> {
    prop_oneof![Just(Strays::Wait), Just(Strays::Ignore), Just(Strays::Replace)]
}

/// Does it; AWS may refuse, which is fine, but then nothing has changed.
fn act(world: &mut World, arn: &str, deed: &Deed) {
    let before = format!("{:?}", world.model);
    let ids: Vec<String> = world.model.instances().map(|it| it.id.clone()).collect();
    let id = |pick: usize| ids.get(pick % ids.len().max(1)).cloned().unwrap_or_default();
    let now = world.now;
    let accepted = match deed {
        Deed::Desire(desired) => world.model.set_desired_capacity(GROUP, *desired, false, now).is_ok(),
        Deed::Resize { min, max } => {
            let spec = GroupSpec { min: Some(*min), max: Some(*max), ..GroupSpec::default() };
            world.model.update_group(GROUP, &spec, now).is_ok()
        }
        Deed::EnterStandby { pick, decrement } => world.enter_standby(&[id(*pick)], *decrement).is_ok(),
        Deed::ExitStandby { pick } => world.exit_standby(&[id(*pick)]).is_ok(),
        Deed::Terminate { pick, decrement } => {
            world.model.terminate_in_group(&id(*pick), *decrement, now).is_ok()
        }
        Deed::Ec2Terminate { pick } => world.model.terminate_instances(&[id(*pick)], now).is_ok(),
        Deed::Detach { pick, decrement } => {
            world.model.detach_instances(GROUP, &[id(*pick)], *decrement, now).is_ok()
        }
        Deed::Protect { pick, protect } => {
            world.model.set_instance_protection(GROUP, &[id(*pick)], *protect, now).is_ok()
        }
        Deed::Complete { pick, proceed } => {
            let result = if *proceed { HookResult::Continue } else { HookResult::Abandon };
            let key = ActionKey::Instance(id(*pick));
            let first = world.model.complete_lifecycle_action(GROUP, HOOK, &key, result, now).is_ok();
            if first {
                let again = world.model.complete_lifecycle_action(GROUP, HOOK, &key, result, now);
                assert!(again.is_err(), "an action was completed twice");
            }
            first
        }
        Deed::Probe { pick, passes } => {
            let probe = if *passes { Probe::Passed } else { Probe::Failed { reason: ProbeFailure::Timeout } };
            world.probe(arn, &id(*pick), probe);
            true
        }
        Deed::Halt { pick } => {
            world.model.instance_halted(&id(*pick), now);
            true
        }
        Deed::Refresh { min, max, strays, auto_rollback } => {
            let preferences = RefreshPreferences {
                min_healthy: *min,
                max_healthy: *max,
                protected: *strays,
                standby: *strays,
                auto_rollback: *auto_rollback,
                ..RefreshPreferences::default()
            };
            let template = Some((by_name(), Some("1".to_owned())));
            let request = RefreshRequest { template, preferences, ..RefreshRequest::default() };
            world.model.start_instance_refresh(GROUP, request, now).is_ok()
        }
        Deed::CancelRefresh { wait } => world.model.cancel_instance_refresh(GROUP, *wait, now).is_ok(),
        Deed::Rollback => world.model.rollback_instance_refresh(GROUP, now).is_ok(),
        Deed::Rebalance { pick } => {
            let zone = world.model.network().subnets[pick % 3].zone.clone();
            world.model.rebalance_zones(GROUP, (pick % 2 == 0).then_some(zone.as_str()), now).is_ok()
        }
        Deed::Pool(Some(size)) => {
            let pool = WarmPool { min_size: *size, max_prepared: Some(0), ..WarmPool::default() };
            world.model.put_warm_pool(GROUP, pool, now).is_ok()
        }
        Deed::Pool(None) => world.model.delete_warm_pool(GROUP, true, now).is_ok(),
        Deed::Impair { pick, passes } => world.model.set_status_check(&id(*pick), *passes, now).is_ok(),
        Deed::Pass(seconds) => {
            world.pass(*seconds);
            true
        }
    };
    if !accepted {
        assert_eq!(before, format!("{:?}", world.model), "{deed:?} was refused but changed something");
    }
}

fn holds(world: &World, arn: &str) {
    let group = world.model.group(GROUP).expect("nobody deletes it");
    assert!(group.min <= group.desired && group.desired <= group.max, "{group:?}");
    let alive = world.model.instances().filter(|it| it.state != InstanceState::Terminated);
    let addresses: Vec<_> = alive.map(|it| it.private_ip).collect();
    assert_eq!(addresses.iter().collect::<BTreeSet<_>>().len(), addresses.len(), "an address is used twice");
    for (instance, member) in world.model.members(GROUP) {
        let waits = matches!(member.state, LifecycleState::PendingWait | LifecycleState::TerminatingWait);
        assert!(waits || member.action.is_none(), "{member:?}");
        let serves = member.state == LifecycleState::InService;
        let address = instance.private_ip;
        let routed = world.model.routable(arn).iter().any(|to| to.ip() == address);
        assert!(serves || !routed, "{} takes requests in {:?}", instance.id, member.state);
    }
}

/// Everybody answers, nothing new happens, and time passes.
fn settle(world: &mut World) {
    let _ = world.model.cancel_instance_refresh(GROUP, false, world.now);
    world.pass(1);
    for _ in 0..100 {
        let waiting: Vec<String> = [LifecycleState::PendingWait, LifecycleState::TerminatingWait]
            .into_iter()
            .flat_map(|state| world.members(state))
            .collect();
        for id in waiting {
            let key = ActionKey::Instance(id);
            let _ = world.model.complete_lifecycle_action(GROUP, HOOK, &key, HookResult::Continue, world.now);
        }
        world.pass(5);
    }
}

fn started() -> (World, String) {
    let mut world = World::new();
    let arn = world.balanced_group(3, 5, GroupSpec::default());
    world.hook("LAUNCHING");
    (world, arn)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_calls_keep_the_rules_and_the_group_settles_at_desired(deeds in prop::collection::vec(deed(), 1..60)) {
        let (mut world, arn) = started();
        for deed in &deeds {
            act(&mut world, &arn, deed);
            holds(&world, &arn);
        }
        settle(&mut world);
        holds(&world, &arn);
        let protected = world.model.members(GROUP)
            .filter(|(_, member)| member.protected_from_scale_in && member.state == LifecycleState::InService)
            .count();
        let in_service = world.in_service().len();
        let desired = world.desired() as usize;
        prop_assert_eq!(in_service, desired.max(protected));
        let resting = |member: &LifecycleState| {
            member.is_warm_at_rest() || matches!(member, LifecycleState::InService | LifecycleState::Standby)
        };
        let states: Vec<_> = world.model.members(GROUP).map(|(_, member)| member.state).collect();
        prop_assert!(states.iter().all(resting), "{states:?}");
    }

    #[test]
    fn ticking_is_idempotent_and_how_often_one_ticks_does_not_matter(deeds in prop::collection::vec(deed(), 1..40)) {
        let ((mut coarse, arn), (mut fine, _)) = (started(), started());
        for deed in &deeds {
            act(&mut coarse, &arn, deed);
            if let Deed::Pass(seconds) = deed {
                for _ in 0..*seconds {
                    fine.pass(1);
                }
                fine.pass(0);
                fine.pass(0);
            } else {
                act(&mut fine, &arn, deed);
            }
        }
        prop_assert_eq!(format!("{:?}", coarse.model), format!("{:?}", fine.model));
    }
}
