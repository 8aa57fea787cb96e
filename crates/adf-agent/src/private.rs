//! Files and folders that no other user of this host can read, replace or redirect (attack A15).
//!
//! The rule: what the agent writes is 0700 or 0600 and its own, and the last part of a path is never followed
//! when it is a symbolic link.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

/// Makes `path` a folder of our own with mode 0700, or says why it cannot be one.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = std::fs::symlink_metadata(path)?;
    let us = nix::unistd::geteuid().as_raw();
    if !found.is_dir() || found.uid() != us {
        let problem = format!(
            "{} is {}, not a folder of user {us}; somebody else made it, remove it",
            path.display(),
            if found.is_symlink() {
                "a symbolic link".to_owned()
            } else {
                format!("of user {}", found.uid())
            }
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    if found.mode() & 0o777 != 0o700 {
        std::fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Creates or empties a file of ours.
pub fn create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(true).open(path)
}

/// Opens a file of ours for reading and writing, made when it is not there.
pub fn open(path: &Path) -> io::Result<File> {
    options().read(true).write(true).create(true).truncate(false).open(path)
}

/// The content of a file that is not a link.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    options().read(true).open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Replaces a file of ours, whole or not at all, whenever the power goes: written beside, flushed, renamed, and the
/// folder flushed as well, because without that last step the rename itself may be lost.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let beside = path.with_extension("new");
    let mut file = create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options
}

/// Opens a file that came from elsewhere, if only root or the agent's own user can have written it; else says
/// what is wrong with it.
pub fn trusted(path: &Path) -> Result<File, String> {
    // Without O_NONBLOCK the open of a pipe would wait for somebody to write.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == nix::errno::Errno::ELOOP as i32 => unlike("is a symbolic link"),
        _ => error.to_string(),
    })?;
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err(unlike(if found.is_dir() { "is a folder" } else { "is not a regular file" }));
    }
    if found.uid() != 0 && found.uid() != nix::unistd::geteuid().as_raw() {
        return Err(unlike(&format!("belongs to user {}", found.uid())));
    }
    if found.mode() & 0o002 != 0 {
        return Err(unlike("can be written by everybody"));
    }
    Ok(file)
}

fn unlike(problem: &str) -> String {
    format!(
        "it {problem}; a release is a regular file of root or of the agent's user that nobody else can write"
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").mode() & 0o777
    }

    #[test]
    fn attack_a15_folders_and_files_are_ours_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let made = dir.path().join("a/b");
        folder(&made).expect("made");
        assert_eq!(mode(&made), 0o700);
        std::fs::set_permissions(&made, Permissions::from_mode(0o777)).expect("ours");
        folder(&made).expect("put right");
        assert_eq!(mode(&made), 0o700);
        let file = made.join("file");
        create(&file).expect("made");
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn attack_a15_a_symbolic_link_is_never_followed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        std::fs::write(&target, "precious").expect("written");
        symlink(&target, &link).expect("linked");
        assert!(create(&link).is_err() && open(&link).is_err());
        let error = trusted(&link).expect_err("a link");
        assert!(error.starts_with("it is a symbolic link; a release is"), "{error}");
        assert_eq!(std::fs::read_to_string(&target).expect("there"), "precious");
        let folder_link = dir.path().join("run");
        symlink(dir.path(), &folder_link).expect("linked");
        let error = folder(&folder_link).expect_err("a link").to_string();
        assert!(error.contains("is a symbolic link, not a folder of user"), "{error}");
    }

    #[test]
    fn attack_a15_a_release_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let release = dir.path().join("web.tar.gz");
        std::fs::write(&release, "x").expect("written");
        assert!(trusted(&release).is_ok());
        std::fs::set_permissions(&release, Permissions::from_mode(0o666)).expect("ours");
        let error = trusted(&release).expect_err("writable");
        assert!(error.contains("can be written by everybody"), "{error}");
        let error = trusted(dir.path()).expect_err("a folder");
        assert!(error.contains("is a folder"), "{error}");
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("made");
        assert!(trusted(&pipe).expect_err("a pipe").contains("is not a regular file"));
    }

    #[test]
    fn attack_a15_what_another_user_made_is_refused() {
        if !nix::unistd::geteuid().is_root() {
            return; // Only root can give a file away; the tests of CI run as root.
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (file, made) = (dir.path().join("web.tar.gz"), dir.path().join("run"));
        std::fs::write(&file, "x").expect("written");
        std::fs::create_dir(&made).expect("made");
        for path in [&file, &made] {
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("root may");
        }
        assert!(trusted(&file).expect_err("nobody's").contains("belongs to user 65534"));
        let error = folder(&made).expect_err("nobody's").to_string();
        assert!(error.contains("is of user 65534, not a folder of user 0"), "{error}");
    }
}
