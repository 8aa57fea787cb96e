//! The app's git repository: docs/examples/hello, committed and tagged as a team would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Result, While};
use crate::{process, workspace};

/// What belongs to the app. Its binary comes from the build: the Dockerfile copies it.
const FILES: [&str; 8] = [
    ".cargo/config.toml",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "adf.toml",
    "answer.txt",
    "src/main.rs",
];

/// What v2 changes: the answer has a second sentence, and so the app needs one more name of its config.
const CHANGES: [(&str, &str, &str); 2] = [
    ("answer.txt", "from $RELEASE", "from $RELEASE. $MOTD"),
    ("adf.toml", r#"required = ["FOO"]"#, r#"required = ["FOO", "MOTD"]"#),
];

#[derive(Debug)]
pub(super) struct Repository {
    pub(super) folder: PathBuf,
}

impl Repository {
    /// A repository with one commit, tagged `v1`.
    pub(super) fn create(folder: PathBuf, hello: &Path) -> Result<Self> {
        let example = workspace::root().join("docs/examples/hello");
        for file in FILES {
            copy(&example.join(file), &folder.join(file))?;
        }
        copy(hello, &folder.join("hello"))?;
        let repository = Self { folder };
        repository.git(&["init", "--quiet", "--initial-branch", "main"])?;
        repository.commit("hello: answers", "v1")?;
        Ok(repository)
    }

    /// A second commit with a real change, tagged `v2`.
    pub(super) fn change(&self) -> Result<()> {
        for (file, old, new) in CHANGES {
            let path = self.folder.join(file);
            let text = fs::read_to_string(&path).while_(path.display())?;
            fs::write(&path, text.replace(old, new)).while_(path.display())?;
        }
        self.commit("hello: has a message of the day", "v2")
    }

    fn commit(&self, message: &str, tag: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.git(&["tag", tag])
    }

    /// git as if nobody had configured it: no signing, no hooks, no other default branch.
    fn git(&self, arguments: &[&str]) -> Result<()> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "demo").env(format!("GIT_{who}_EMAIL"), "demo@example.com");
        }
        process::output(&mut git).map(drop)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().expect("a file has a folder");
    fs::create_dir_all(folder).while_(folder.display())?;
    fs::copy(from, to).while_(format_args!("copying {} to {}", from.display(), to.display())).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{CHANGES, FILES, Repository};

    #[test]
    fn the_second_tag_differs_from_the_first_in_every_changed_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let binary = folder.path().join("binary");
        std::fs::write(&binary, "x").expect("a file");
        let repository = Repository::create(folder.path().join("web"), &binary).expect("v1");
        repository.change().expect("v2");
        for (file, _, new) in CHANGES {
            let text = std::fs::read_to_string(repository.folder.join(file)).expect("a file");
            assert!(FILES.contains(&file) && text.contains(new), "{file}: {text}");
        }
        repository.git(&["diff", "--exit-code", "v2", "HEAD"]).expect("v2 is the last commit");
        repository.git(&["diff", "--exit-code", "v1", "v2"]).expect_err("v1 and v2 differ");
    }
}
