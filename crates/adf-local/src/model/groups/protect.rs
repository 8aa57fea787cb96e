//! Scale-in protection. It spares a member from scale-in only: not from manual termination, EC2, or health replacement.

use jiff::Timestamp;

use super::terminate::in_warm_pool;
use super::{LifecycleState, check_id_count};
use crate::model::{ApiError, Model};

/// At most this many ids a call.
const IDS: usize = 50;

impl Model {
    /// Protects members, or lifts their protection, all or none.
    pub fn set_instance_protection(
        &mut self,
        group: &str,
        ids: &[String],
        protected: bool,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.existing_group(group)?;
        check_id_count(ids, IDS)?;
        for id in ids {
            let member = self.member_of(group, id)?;
            if member.warm.is_some() {
                return Err(in_warm_pool(id));
            }
            let state = member.state;
            let allowed =
                [LifecycleState::InService, LifecycleState::EnteringStandby, LifecycleState::Standby];
            if !allowed.contains(&state) {
                return Err(ApiError::validation(format!(
                    "The instance {id} is not in InService or EnteringStandby or Standby."
                )));
            }
        }
        for id in ids {
            if let Some(member) = self.member_mut(id) {
                member.protected_from_scale_in = protected;
            }
        }
        self.reconcile_soon(group, now);
        Ok(())
    }
}
