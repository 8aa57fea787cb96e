//! What is put before the off-the-shelf S3: request bodies that SDKs send in the `aws-chunked` coding.
//!
//! Current SDKs stream uploads as `SIZE[;chunk-signature=..]CRLF bytes CRLF ... 0 CRLF trailers CRLF` so that the
//! checksum can follow the bytes. The object is the bytes alone.
//! Source: "Signature calculations for the Authorization header: transferring a payload in multiple chunks".

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use winterbaume_core::{MockRequest, MockResponse};

const CODING: &str = "aws-chunked";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

/// The request with its plain body, or S3's answer to a body that is not what its headers say.
pub(super) fn plain(mut request: MockRequest) -> Result<MockRequest, Box<MockResponse>> {
    if !is_chunked(&request.headers) {
        return Ok(request);
    }
    let body = decode(&request.body).ok_or_else(|| refusal("the aws-chunked body is not well formed"))?;
    if let Some(length) = declared_length(&request.headers)
        && length != body.len()
    {
        return Err(refusal(&format!("the body has {} bytes; its headers say {length}", body.len())));
    }
    strip_coding(&mut request.headers);
    request.body = body;
    Ok(request)
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let coded = |value: &str| value.split(',').any(|coding| coding.trim() == CODING);
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    text("content-encoding").is_some_and(coded)
        || text("x-amz-content-sha256").is_some_and(|v| v.starts_with("STREAMING-"))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(DECODED_LENGTH)?.to_str().ok()?.parse().ok()
}

/// S3 stores the other codings of `Content-Encoding`, never `aws-chunked`.
fn strip_coding(headers: &mut HeaderMap) {
    let Some(value) = headers.remove("content-encoding") else { return };
    let kept: Vec<_> =
        value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|c| *c != CODING).collect();
    if let Some(value) = (!kept.is_empty()).then(|| kept.join(",").parse().ok()).flatten() {
        headers.insert("content-encoding", value);
    }
}

/// `None` when a size, a line end or the last chunk is missing.
fn decode(body: &Bytes) -> Option<Bytes> {
    let mut plain = BytesMut::with_capacity(body.len());
    let mut rest: &[u8] = body;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(plain.freeze());
        }
        plain.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn refusal(message: &str) -> Box<MockResponse> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>IncompleteBody</Code><Message>{message}</Message></Error>"
    );
    Box::new(MockResponse::xml(400, xml))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str, decoded_length: &'static str) -> MockRequest {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", "aws-chunked,gzip".parse().expect("plain"));
        headers.insert(DECODED_LENGTH, decoded_length.parse().expect("plain"));
        let body = Bytes::from_static(body.as_bytes());
        MockRequest { method: "PUT".to_owned(), uri: "http://h/b/k".to_owned(), headers, body }
    }

    #[test]
    fn chunks_signatures_and_trailers_leave_only_the_bytes() {
        let body =
            "5;chunk-signature=ab\r\nhello\r\nB\r\n\r\n 0\r\nworld\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        let plain = plain(request(body, "16")).expect("well formed");
        assert_eq!(plain.body, "hello\r\n 0\r\nworld");
        assert_eq!(plain.headers["content-encoding"], "gzip");
    }

    #[test]
    fn a_body_that_stops_early_is_refused() {
        for (body, length) in [("5\r\nhel", "5"), ("5\r\nhello\r\n", "5"), ("5\r\nhello\r\n0\r\n\r\n", "6")] {
            let answer = plain(request(body, length)).expect_err(body);
            assert_eq!(answer.status, 400, "{body:?}");
        }
    }

    #[test]
    fn a_plain_body_stays_as_it_is() {
        let mut plain_request = request("5\r\nhello", "5");
        plain_request.headers.clear();
        assert_eq!(plain(plain_request).expect("plain").body, "5\r\nhello");
    }
}
