//! Which service a request is for: the SigV4 credential scope says it, whatever host it was sent to.
//!
//! `Authorization: AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/dynamodb/aws4_request, ...`, or the same
//! value in the query of a presigned URL. Older presigned URLs, which boto3 still makes, have no scope; only S3 takes them.

use winterbaume_core::{MockRequest, percent_decode};

/// The service part of the credential scope, such as `dynamodb`.
pub(super) fn service(request: &MockRequest) -> Option<String> {
    if query(request).any(|pair| pair.starts_with("AWSAccessKeyId=")) {
        return Some("s3".to_owned());
    }
    credential(request)?.split('/').nth(3).map(str::to_owned)
}

/// The first part of the credential: whose key signed.
pub(super) fn access_key(request: &MockRequest) -> Option<String> {
    credential(request)?.split('/').next().map(str::to_owned)
}

fn credential(request: &MockRequest) -> Option<String> {
    if let Some(header) = request.headers.get(http::header::AUTHORIZATION) {
        let (_, rest) = header.to_str().ok()?.split_once("Credential=")?;
        return rest.split([',', ' ']).next().map(str::to_owned);
    }
    let value = query(request).find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    Some(percent_decode(value))
}

fn query(request: &MockRequest) -> impl Iterator<Item = &str> {
    request.uri.split_once('?').into_iter().flat_map(|(_, query)| query.split('&'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, authorization: Option<&str>) -> MockRequest {
        let mut headers = http::HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(http::header::AUTHORIZATION, value.parse().expect("plain text"));
        }
        MockRequest { method: "GET".to_owned(), uri: uri.to_owned(), headers, body: bytes::Bytes::new() }
    }

    #[test]
    fn the_header_names_the_service() {
        let header = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/autoscaling/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(service(&request("http://127.0.0.1/", Some(header))).as_deref(), Some("autoscaling"));
    }

    #[test]
    fn a_presigned_url_names_the_service() {
        let uri = "http://127.0.0.1/b/k?X-Amz-Credential=local%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=0";
        assert_eq!(service(&request(uri, None)).as_deref(), Some("s3"));
    }

    #[test]
    fn an_older_presigned_url_is_for_s3() {
        let uri = "http://127.0.0.1/b/k?AWSAccessKeyId=local&Signature=0&Expires=1";
        assert_eq!(service(&request(uri, None)).as_deref(), Some("s3"));
    }

    #[test]
    fn an_unsigned_request_names_none() {
        assert_eq!(service(&request("http://127.0.0.1/b/k", None)), None);
        assert_eq!(service(&request("http://127.0.0.1/b/k", Some("Basic Zm9vOmJhcg=="))), None);
    }
}
