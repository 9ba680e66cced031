//! HTTP for the ACME client: one request to a connection, with the limits and the authorities that
//! every question to another server has here.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use crate::auth::fetch::{self, Address};

/// Asks with these authorities, or the system's.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) ca_file: Option<PathBuf>,
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let ca_file = self.ca_file.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let address = Address::parse(&head.uri.to_string()).map_err(boxed)?;
            let Ok(body) = body.collect().await;
            let text = |(name, value): (&HeaderName, &http::HeaderValue)| {
                // Our own name goes with every request already.
                let kept = *name != http::header::USER_AGENT;
                let value = value.to_str().ok().filter(|_| kept)?;
                Some((name.clone(), value.to_owned()))
            };
            let headers: Vec<_> = head.headers.iter().filter_map(text).collect();
            let answer = fetch::ask(
                &address,
                ca_file.as_deref(),
                head.method,
                &headers,
                body.to_bytes(),
            );
            let answer = answer.await.map_err(boxed)?;
            let mut response = Response::new(Full::new(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(BytesResponse::from(response))
        })
    }
}

fn boxed(error: fetch::FetchError) -> Error {
    Error::Other(Box::new(error))
}
