//! Archives in S3, read with the instance's role.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;

use super::clock;
use super::resume::{NotResumed, Pieces, Reopen, check_range, resuming};
use crate::failure::{Fault as _, Kind, chain};
use crate::world::{ConnectStep, Download, FetchError};

pub(super) async fn open(client: &Client, bucket: &str, key: &str) -> Result<Download, FetchError> {
    let place = Place { bucket: bucket.to_owned(), key: key.to_owned() };
    let object = client.get_object().bucket(bucket).key(key).send().await.map_err(|e| place.refused(&e))?;
    let content_type = object.content_type().map(str::to_owned);
    let total = object.content_length().and_then(|n| u64::try_from(n).ok());
    let url = place.to_string();
    // Without an ETag the rest could be of another object.
    let etag = object.e_tag().map(str::to_owned);
    let rest = etag.map(|etag| Rest { client: client.clone(), place, etag, total });
    let reopen = rest.map(|rest| Box::new(rest) as Box<dyn Reopen>);
    Ok(Download { content_type, body: resuming(url, total, pieces(object.body), reopen) })
}

/// An object of which the rest can be asked for.
struct Rest {
    client: Client,
    place: Place,
    etag: String,
    total: Option<u64>,
}

#[async_trait]
impl Reopen for Rest {
    async fn reopen(&mut self, offset: u64) -> Result<Pieces, NotResumed> {
        let Place { bucket, key } = &self.place;
        let request = self.client.get_object().bucket(bucket).key(key);
        let sent = request.if_match(&self.etag).range(format!("bytes={offset}-")).send().await;
        let object = sent.map_err(|error| {
            if error.raw_response().is_some_and(|r| r.status().as_u16() == 412) {
                return NotResumed::Never("the object has changed meanwhile".to_owned());
            }
            let error = self.place.refused(&error);
            match error.kind() {
                Kind::Transient => NotResumed::YetAgain(error.to_string()),
                Kind::Permanent => NotResumed::Never(error.to_string()),
            }
        })?;
        check_range(object.content_range(), offset, self.total)?;
        Ok(pieces(object.body))
    }
}

fn pieces(body: ByteStream) -> Pieces {
    let next = |mut body: ByteStream| async {
        let piece = body.next().await?;
        Some((piece.map_err(|error| chain(&error)), body))
    };
    stream::unfold(body, next).boxed()
}

/// Where an object is.
struct Place {
    bucket: String,
    key: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl Place {
    fn refused(&self, error: &SdkError<GetObjectError>) -> FetchError {
        let (url, host) = (self.to_string(), format!("S3 (bucket {})", self.bucket));
        let Some(response) = error.raw_response() else {
            return FetchError::Connect { host, step: ConnectStep::Connect, problem: chain(error) };
        };
        let status = response.status().as_u16();
        let code = error.code().map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
        match status {
            403 if error.code() == Some("RequestTimeTooSkewed") => {
                let theirs = response.headers().get("date").and_then(clock::http_date);
                let off = theirs.and_then(|theirs| clock::off(Timestamp::now(), theirs));
                FetchError::Clock { host, off: off.unwrap_or_else(|| "off against".to_owned()) }
            }
            301 | 307 => FetchError::Redirect {
                url,
                problem: format!("{code}: the bucket is in another region than this instance"),
            },
            400..=499 => FetchError::NotFound { url, status: code, advice: advice(error.code()) },
            _ => FetchError::Server { url, status: code, wait: None },
        }
    }
}

/// S3 says `AccessDenied` for an object that is not there to a role that may not list the bucket.
fn advice(code: Option<&str>) -> &'static str {
    match code {
        Some("AccessDenied") => {
            "the instance's role needs s3:GetObject on it; without s3:ListBucket an object that is missing looks the same"
        }
        _ => "check the bucket and the key, and that the release was uploaded",
    }
}
