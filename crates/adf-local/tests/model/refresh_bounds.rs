//! Any instance refresh ends, and keeps within its percentages on the way.

use std::time::Duration;

use adf_local::model::groups::{RefreshPreferences, RefreshStatus};
use adf_local::model::{Settings, Weather};
use proptest::prelude::*;

use crate::refresh::{numbered, quick, start, status, versions};
use crate::world::{GROUP, settings};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_refresh_ends_and_keeps_within_its_percentages(
        desired in 1..12u32,
        min in 0..=100u32,
        above in proptest::option::of(0..=60u32),
        jitter in 0..20u64,
    ) {
        let weather = Weather { boot_jitter: Duration::from_secs(jitter), ..Weather::default() };
        let mut world = numbered(Settings { weather, ..settings() }, 30, desired);
        world.pass(60);
        let max = above.map(|above| 100 + above.min(min));
        start(&mut world, RefreshPreferences { min_healthy: min, max_healthy: max, ..quick() });
        let least = (desired * min).div_ceil(100);
        // Nobody may be missing and nobody may be added: then one is added, or missing where no maximum was given.
        let surge = max.map_or(0, |max| desired * max / 100 - desired);
        let (least, surge) = match max {
            None => (least.min(desired - 1), 0),
            Some(_) if surge == 0 && least == desired => (least, 1),
            Some(_) => (least, surge),
        };
        for _ in 0..1500 {
            world.pass(1);
            let serving = u32::try_from(world.in_service().len()).expect("few");
            prop_assert!(serving >= least, "{serving} of at least {least}");
            prop_assert!(world.model.counting(GROUP) <= desired + surge);
        }
        prop_assert_eq!(status(&world), RefreshStatus::Successful);
        prop_assert_eq!(versions(&world), vec![2; desired as usize]);
    }
}
