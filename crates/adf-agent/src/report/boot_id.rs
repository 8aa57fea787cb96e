//! Which boot of the machine this is: `<run_dir>/boot-id`, in memory that a reboot empties.
//!
//! The rule: an agent that is started again within a boot finds the id of the one before it.

use std::path::Path;

use uuid::Uuid;

use crate::private;

/// The id of this boot, made where it is not there. `None` where it can be neither read nor written: then nobody can tell
/// this boot from the next.
pub(super) fn of(run_dir: &Path) -> Option<Uuid> {
    let path = run_dir.join("boot-id");
    let kept = private::read(&path).ok().and_then(|id| Uuid::try_parse_ascii(id.trim_ascii()).ok());
    if kept.is_some() {
        return kept;
    }
    let new = Uuid::new_v4();
    match private::folder(run_dir).and_then(|()| private::replace(&path, new.to_string().as_bytes())) {
        Ok(()) => Some(new),
        Err(error) => {
            tracing::warn!(
                "{} cannot be kept, so a restart will not notice this boot: {error}",
                path.display()
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_lasts_as_long_as_the_memory_that_a_reboot_empties() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run_dir = folder.path().join("run");
        let first = of(&run_dir).expect("made");
        assert_eq!(of(&run_dir), Some(first));
        std::fs::remove_dir_all(&run_dir).expect("emptied");
        assert_ne!(of(&run_dir).expect("made"), first);
    }

    #[test]
    fn an_id_that_was_damaged_is_made_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("boot-id"), [0xff, 0]).expect("written");
        let made = of(folder.path()).expect("made");
        assert_eq!(of(folder.path()), Some(made));
    }
}
