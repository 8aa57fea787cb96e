//! Suspending and resuming a group's processes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Process;
use crate::model::{ApiError, Model};

impl Model {
    /// Suspends the named processes; none named means all.
    pub fn suspend_processes(&mut self, group: &str, names: &[String]) -> Result<(), ApiError> {
        let processes = parse(names)?;
        self.group_mut(group)?.suspended.extend(processes);
        Ok(())
    }

    /// Resumes the named processes, all when none is named, and catches up on what they left.
    pub fn resume_processes(
        &mut self,
        group: &str,
        names: &[String],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let processes = parse(names)?;
        self.group_mut(group)?.suspended.retain(|process| !processes.contains(process));
        let members: Vec<String> = self.members(group).map(|(instance, _)| instance.id.clone()).collect();
        for id in members {
            self.check_health_soon(&id, now);
        }
        self.reconcile_soon(group, now);
        Ok(())
    }
}

fn parse(names: &[String]) -> Result<BTreeSet<Process>, ApiError> {
    if names.is_empty() {
        return Ok(Process::ALL.into());
    }
    let process = |name: &String| {
        Process::ALL
            .into_iter()
            .find(|process| process.name() == name)
            .ok_or_else(|| ApiError::validation(format!("Unknown scaling process {name}")))
    };
    names.iter().map(process).collect()
}
