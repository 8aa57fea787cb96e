//! Secrets as files: `[config] secrets = "files"` in adf.toml.
//!
//! Each set of secrets has a folder of its own, `<run_dir>/secrets/<hash>`, in memory; its container sees it,
//! read-only, as [`INSIDE`]. The files belong to the container's user and nobody else may read them; on the host
//! the run folder above them is root's alone. The folder of a container that is adopted stays, every other one
//! goes once its container has gone. A reboot empties the memory, and the next start writes them again from the
//! table.
//!
//! The rule: a value is in no image layer, no label, no environment, and on no disk.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use adf_types::{Config, Digest, SecretDelivery};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};

use crate::failure::Failure;
use crate::private;
use crate::world::{Docker, Owner, SecretFiles};

/// Where an app finds its secrets, one file each, called after the config's name.
pub const INSIDE: &str = "/run/adf/secrets";

/// The container's user may read, nobody may write.
const FILE_MODE: u32 = 0o400;
/// The folder stays root's: so the agent needs no right over other users' files to remove it again. What is in it
/// can be listed by the container; on the host the folder above it keeps everybody else out.
const FOLDER_MODE: u32 = 0o755;

/// Linux's other file system in memory, whose pages are not even swapped. nix has no name for it.
const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);

/// A memory file system made here holds every secret of a config twice, for a reload, and no more.
const MOUNT_OPTIONS: &str = "mode=0700,size=16m";

/// What a container of this config is given, if it is given files at all.
pub(super) fn files(config: &Config, delivery: SecretDelivery, run_dir: &Path) -> Option<SecretFiles> {
    if delivery == SecretDelivery::Environment {
        return None;
    }
    let files: Vec<_> =
        config.secrets().map(|(name, value)| (name.clone(), adf_types::ConfigValue::secret(value))).collect();
    let names: String = files.iter().flat_map(|(name, _)| [name.as_str(), "\n"]).collect();
    let hash = Digest::of_bytes(format!("{}\n{names}", config.hash()).as_bytes()).short();
    (!files.is_empty()).then(|| SecretFiles { folder: all(run_dir).join(hash), files })
}

fn all(run_dir: &Path) -> PathBuf {
    run_dir.join("secrets")
}

/// Writes the files, root's alone for now: the container that will own them does not exist yet.
pub(super) fn write(secrets: &SecretFiles) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::permanent(format!("E157 the secrets' files cannot be written: {error}"));
    let parent = secrets.folder.parent().unwrap_or(&secrets.folder);
    private::folder(parent).map_err(failed)?;
    in_memory(parent)?;
    remove(&secrets.folder).map_err(failed)?;
    private::folder(&secrets.folder).map_err(failed)?;
    for (name, value) in &secrets.files {
        let mut file = private::create(&secrets.folder.join(name.as_str())).map_err(failed)?;
        file.write_all(value.expose().as_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// Gives the files to the user as whom the container runs.
pub(super) async fn give(docker: &dyn Docker, container: &str, secrets: &SecretFiles) -> Result<(), Failure> {
    let owner = docker.owner(container).await?;
    std::fs::set_permissions(&secrets.folder, Permissions::from_mode(FOLDER_MODE))
        .map_err(|error| not_given(&secrets.folder, owner, &error))?;
    for (name, _) in &secrets.files {
        let path = secrets.folder.join(name.as_str());
        hand_over(&path, owner).map_err(|error| not_given(&path, owner, &error))?;
    }
    Ok(())
}

fn hand_over(path: &Path, Owner { user, group }: Owner) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(FILE_MODE))?;
    chown(path, Some(user), Some(group))
}

fn not_given(path: &Path, owner: Owner, error: &io::Error) -> Failure {
    Failure::permanent(format!(
        "E157 {} cannot be given to the container's user {}: {error}; the agent needs CAP_CHOWN",
        path.display(),
        owner.user
    ))
}

/// Removes every set but `kept`; what cannot be removed is told, the app does not suffer from it.
pub fn keep_only(run_dir: &Path, kept: Option<&Path>) {
    let Ok(folders) = std::fs::read_dir(all(run_dir)) else { return };
    for folder in folders.flatten().map(|entry| entry.path()).filter(|path| Some(path.as_path()) != kept) {
        if let Err(error) = remove(&folder) {
            tracing::warn!("{} was left behind: {error}", folder.display());
        }
    }
}

/// Removes all of them, and the memory they were in, where it was made here.
pub fn forget(run_dir: &Path) {
    keep_only(run_dir, None);
    let all = all(run_dir);
    let device = |path: &Path| std::fs::symlink_metadata(path).map(|found| found.dev()).ok();
    if device(&all).is_some() && device(&all) != device(run_dir) {
        let _ = umount2(&all, MntFlags::MNT_DETACH);
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// On an AMI the run folder is in memory already; elsewhere root makes it so.
fn in_memory(folder: &Path) -> Result<(), Failure> {
    let is = || statfs(folder).map(|found| [TMPFS_MAGIC, RAMFS_MAGIC].contains(&found.filesystem_type()));
    if is() == Ok(true) {
        return Ok(());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let made = mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(MOUNT_OPTIONS));
    match (made, is()) {
        (Ok(()), Ok(true)) => Ok(()),
        (made, _) => Err(Failure::permanent(format!(
            "E156 {} is on a disk, where secrets must not be, and no memory could be mounted there ({}); put run_dir \
             (agent.toml) below /run, or give secrets in the environment: [config] secrets = \"environment\" in adf.toml",
            folder.display(),
            made.map_or_else(|error| error.to_string(), |()| "it does not show".to_owned())
        ))),
    }
}

#[cfg(test)]
mod tests {
    use adf_types::{ConfigName, ConfigValue};

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        let name = |n: &str| n.parse::<ConfigName>().expect("a name");
        let secrets = pairs.iter().map(|(n, v)| (name(n), ConfigValue::secret(*v)));
        secrets.chain([(name("PLAIN"), ConfigValue::plain("1"))]).collect()
    }

    #[test]
    fn files_are_for_secrets_and_for_those_who_asked() {
        let run = Path::new("/run/adf");
        let one = config(&[("A", "hunter2")]);
        assert!(files(&one, SecretDelivery::Environment, run).is_none());
        assert!(files(&config(&[]), SecretDelivery::Files, run).is_none());
        let given = files(&one, SecretDelivery::Files, run).expect("a secret");
        assert_eq!(given.files.len(), 1);
        assert!(given.folder.starts_with("/run/adf/secrets"));
        let other = files(&config(&[("A", "hunter3")]), SecretDelivery::Files, run).expect("a secret");
        assert_ne!(given.folder, other.folder, "a reload has both at once");
        assert!(!format!("{given:?}").contains("hunter2"));
    }

    #[test]
    fn attack_a08_files_are_in_memory_for_one_reader_and_go_when_they_are_not_used() {
        if !nix::unistd::geteuid().is_root() {
            return; // Only root can mount; the tests of CI run as root.
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let set = |value: &str| {
            files(&config(&[("A", value)]), SecretDelivery::Files, dir.path()).expect("a secret")
        };
        let (first, second) = (set("hunter2"), set("hunter3"));
        write(&first).expect("written");
        write(&second).expect("written");
        write(&second).expect("written again");
        assert_eq!(statfs(&first.folder).expect("there").filesystem_type(), TMPFS_MAGIC);
        let file = second.folder.join("A");
        hand_over(&file, Owner { user: 1000, group: 50 }).expect("root may");
        let found = std::fs::metadata(&file).expect("there");
        assert_eq!((found.mode() & 0o777, found.uid(), found.gid(), found.len()), (0o400, 1000, 50, 7));
        keep_only(dir.path(), Some(&second.folder));
        assert!(!first.folder.exists() && second.folder.exists());
        forget(dir.path());
        assert!(!second.folder.exists());
        std::fs::remove_dir_all(dir.path()).expect("nothing is mounted there any more");
    }
}
