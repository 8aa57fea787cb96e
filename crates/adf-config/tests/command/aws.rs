//! The AWS that the commands of a test reach.
//!
//! To try one more: a type here that implements [`Aws`], and a file that runs the tests against it, as moto.rs does.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;

use crate::python;

/// An empty account behind an endpoint of its own, for as long as it is held.
///
/// The constants are what AWS does. Where another does something else it says so, with the reason, and the tests hold it to
/// that, so that no difference stays here that is none any more.
pub(crate) trait Aws: Sized {
    /// Names that one change can have.
    const MOST_NAMES: usize = 97;
    /// Whether a disabled KMS key decrypts nothing.
    const DISABLES_KEYS: bool = true;
    /// Whether a transaction that names other keys than the table has is told so.
    const TELLS_OF_KEYS: bool = true;

    async fn start() -> Self;

    fn url(&self) -> String;

    /// What a tool of AWS has that is pointed at it.
    fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new("local", "local", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.url())
            .build()
    }
}

/// The one that is written here.
pub(crate) struct AdfLocal(Front);

impl Aws for AdfLocal {
    async fn start() -> Self {
        let cloud = Cloud::new("us-east-1", Timestamp::now());
        Self(Front::open(cloud, 0).await.expect("a free port"))
    }

    fn url(&self) -> String {
        self.0.url()
    }
}

/// The second opinion, which nobody here wrote. <https://docs.getmoto.org>
pub(crate) struct Moto {
    process: Child,
    port: u16,
}

impl Aws for Moto {
    // moto takes 25 questions in one TransactGetItems, as AWS did until 2022; one of them is for the version.
    const MOST_NAMES: usize = 24;
    // moto remembers that a key is disabled, and uses it all the same.
    const DISABLES_KEYS: bool = false;
    // moto says "Validation Exception" and no more.
    const TELLS_OF_KEYS: bool = false;

    async fn start() -> Self {
        let mut command = Command::new(python::virtual_environment());
        command.arg(python::scripts().join("moto_endpoint.py"));
        // What it says of each request goes where the test's own words go.
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the environment's Python");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("just piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line of text");
        let port = line.trim().parse().expect("moto prints its port, or above why it does not start");
        Self { process, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A test process that is killed closes the pipe that moto waits on; one that ends need not wait for that.
impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
