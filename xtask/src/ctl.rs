//! Running the real `adf-ctl` as an operator does: in the app's repository, its progress on the terminal.
//!
//! The rule: it can reach the local AWS and nothing else. Whatever the caller's environment says of AWS is
//! taken away first.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::failure::{Failure, Result, While};
use crate::process;

/// No command of the demo takes a minute; one that takes five hangs.
const LIMIT: Duration = Duration::from_mins(5);

#[derive(Debug, Clone)]
pub(crate) struct Ctl {
    pub(crate) program: PathBuf,
    /// The app's repository.
    pub(crate) folder: PathBuf,
    /// What points it at the local AWS.
    pub(crate) environment: Vec<(String, String)>,
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) seconds: f64,
}

/// A command that runs.
#[derive(Debug)]
pub(crate) struct Running {
    command: String,
    child: Child,
    started: Instant,
}

impl Ctl {
    /// Runs it to its end, shown; any exit code but 0 is a failure.
    pub(crate) async fn run(&self, words: &[&str]) -> Result<Done> {
        self.start(words)?.end(0).await
    }

    /// Starts it, shown.
    pub(crate) fn start(&self, words: &[&str]) -> Result<Running> {
        let command = shown(words);
        eprintln!("\n$ {command}");
        self.spawn(words, command, Stdio::inherit())
    }

    /// Starts it without showing it, as in another terminal; what it says is told if it fails.
    pub(crate) fn start_elsewhere(&self, words: &[&str]) -> Result<Running> {
        self.spawn(words, shown(words), Stdio::piped())
    }

    /// Asks it something without showing it.
    pub(crate) async fn ask(&self, words: &[&str]) -> Result<Value> {
        self.start_elsewhere(words)?.end(0).await.map(|done| done.json)
    }

    fn spawn(&self, words: &[&str], command: String, stderr: Stdio) -> Result<Running> {
        let mut run = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                run.env_remove(name);
            }
        }
        run.args(words).arg("--json").current_dir(&self.folder);
        // Nor what the caller keeps in ~/.aws.
        run.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        run.envs(self.environment.iter().map(|(name, value)| (name, value)));
        run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let child = run.spawn().while_(format_args!("starting {}", self.program.display()))?;
        Ok(Running { command, child, started: Instant::now() })
    }
}

impl Running {
    /// Waits for its end, which must have this exit code.
    pub(crate) async fn end(mut self, code: i32) -> Result<Done> {
        let (mut text, mut said) = (String::new(), String::new());
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let ended = async {
            tokio::try_join!(read(stdout, &mut text), read(stderr, &mut said)).while_(&self.command)?;
            self.child.wait().await.while_(&self.command)
        };
        let Ok(status) = tokio::time::timeout(LIMIT, ended).await else {
            process::terminate(&self.child);
            return Err(Failure::new(format!("`{}` still runs after {} s", self.command, LIMIT.as_secs())));
        };
        let seconds = self.started.elapsed().as_secs_f64();
        let status = status?;
        if status.code() != Some(code) {
            let wanted = format!("`{}` ended with {status}, not with exit code {code}", self.command);
            return Err(Failure::new(format!("{wanted}\n{}{}", said, text.trim())));
        }
        let json = match text.trim() {
            "" => Value::Null,
            text => {
                serde_json::from_str(text).while_(format_args!("reading what `{}` printed", self.command))?
            }
        };
        Ok(Done { code, json, seconds })
    }

    /// Whether it has ended already.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().while_(&self.command)?.is_some())
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, text: &mut String) -> std::io::Result<()> {
    match pipe {
        Some(mut pipe) => pipe.read_to_string(text).await.map(drop),
        None => Ok(()),
    }
}

/// The command as one would type it.
pub(crate) fn shown(words: &[&str]) -> String {
    let quoted =
        words.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() });
    std::iter::once("adf-ctl".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}
