//! A cloud of its own for each test: its own loopback network, instances that run at once.
#![allow(dead_code, reason = "every test file uses its part")]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::model::ec2::RunRequest;
use adf_local::model::templates::LaunchData;
use adf_local::model::{InstanceState, Settings};
use jiff::Timestamp;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A `127.N.0.0/16` that no other test uses while this is held.
pub(crate) struct Network {
    pub(crate) base: Ipv4Addr,
    _claim: TcpListener,
}

impl Network {
    pub(crate) fn claim() -> Self {
        let start = std::process::id().wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let candidates = (0..150).map(|step| 100 + u8::try_from((start + step) % 150).expect("below 150"));
        let claimed = candidates.filter_map(|n| {
            let claim = TcpListener::bind((Ipv4Addr::new(127, n, 255, 254), 61_337)).ok()?;
            Some(Self { base: Ipv4Addr::new(127, n, 0, 0), _claim: claim })
        });
        claimed.into_iter().next().expect("one of 150 networks is free")
    }

    pub(crate) fn cloud(&self) -> Cloud {
        let settings = Settings { network: self.base, boot_delay: Duration::ZERO, ..Settings::default() };
        Cloud::with_settings(settings, u64::from(std::process::id()), Timestamp::now())
    }
}

/// Launches running instances and gives their ids.
pub(crate) fn launch(cloud: &Cloud, count: u32, data: LaunchData) -> Vec<String> {
    let data = LaunchData { image_id: Some("ami-0adf0000000000001".to_owned()), ..data };
    let request = RunRequest { data, min: count, max: count, ..RunRequest::default() };
    let reservation = cloud.model(|model, now| model.run_instances(&request, now)).expect("launched");
    cloud.model(|model, _| {
        let ours = model.instances().filter(|instance| instance.reservation_id == reservation);
        let ids: Vec<_> =
            ours.inspect(|it| assert_eq!(it.state, InstanceState::Running)).map(|it| it.id.clone()).collect();
        assert_eq!(ids.len(), count as usize);
        ids
    })
}

pub(crate) fn address(cloud: &Cloud, id: &str) -> Ipv4Addr {
    cloud.model(|model, _| model.instance(id).expect("it exists").private_ip)
}

/// Waits for something that other processes or tasks bring about.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("20 s passed and not yet: {what}");
}
