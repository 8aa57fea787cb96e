//! Console output: what a machine printed, as `GetConsoleOutput` shows it.

use jiff::Timestamp;

use crate::model::{ApiError, Model};

/// AWS keeps the last 64 KB.
const KEPT: usize = 64 * 1024;

impl Model {
    /// The runner gives the whole output so far; the last 64 KB are kept, cut at a character. Unknown ids are ignored:
    /// a machine may outlive what the API shows of it.
    pub fn set_console_output(&mut self, id: &str, text: String, now: Timestamp) {
        if let Some(instance) = self.instances.get_mut(id) {
            let cut = text.len().saturating_sub(KEPT);
            let start = (cut..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            instance.console = if start == 0 { text } else { text[start..].to_owned() };
            instance.console_at = Some(now);
        }
    }

    /// What an instance printed, and when that was taken.
    pub fn console_output(&self, id: &str) -> Result<(&str, Option<Timestamp>), ApiError> {
        let instance = self.existing_instance(id)?;
        Ok((&instance.console, instance.console_at))
    }
}
