//! What a provider publishes about itself (OpenID Connect Discovery 1.0) and its keys, fetched when
//! somebody logs in and kept for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use crate::auth::fetch::{self, Address, FetchError};
use crate::policy::settings::oidc::OidcProvider;

use super::jwt::Keys;

/// How long what was fetched is good.
const FRESH: Duration = Duration::from_secs(3600);
/// Pause after a fetch, good or bad, before the next for the same reason: strangers can make us
/// fetch, and shall not make us hammer.
const PAUSE: Duration = Duration::from_secs(10);

/// A provider and what is known about it.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) settings: OidcProvider,
    pub(super) issuer: String,
    // Held while fetching, so that a hundred logins at a time fetch once.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    keys: Option<(Instant, Arc<Keys>)>,
    /// When keys were last fetched because a token was signed with an unknown one.
    renewed: Option<Instant>,
    failed: Option<Instant>,
}

/// What we use of a provider's metadata.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Whether our secret goes into the form, because the provider takes it nowhere else.
    pub(super) fn secret_in_form(&self) -> bool {
        self.token_endpoint_auth_methods_supported
            .as_ref()
            .is_some_and(|methods| {
                let takes = |method: &str| methods.iter().any(|known| known == method);
                takes("client_secret_post") && !takes("client_secret_basic")
            })
    }
}

/// Why nothing is known about a provider.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{0}: {1}")]
    Form(String, serde_json::Error),
    #[error(
        "{0} says that it is the issuer {1:?}; write the setting `issuer` exactly like that, if that is who you mean"
    )]
    OtherIssuer(String, String),
    #[error("the last attempt failed less than {PAUSE:?} ago; not trying again yet")]
    Pause,
}

impl Provider {
    pub(super) fn new(settings: OidcProvider, issuer: String) -> Self {
        Self {
            settings,
            issuer,
            known: Mutex::default(),
        }
    }

    /// The metadata, at most an hour old.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, DiscoveryError> {
        let mut known = self.known.lock().await;
        self.fresh_metadata(&mut known).await
    }

    async fn fresh_metadata(&self, known: &mut Known) -> Result<Arc<Metadata>, DiscoveryError> {
        if let Some((at, metadata)) = &known.metadata
            && at.elapsed() < FRESH
        {
            return Ok(metadata.clone());
        }
        if known.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(DiscoveryError::Pause);
        }
        let fetched = self.fetch_metadata().await;
        known.failed = fetched.is_err().then(Instant::now);
        let metadata = Arc::new(fetched?);
        known.metadata = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    async fn fetch_metadata(&self) -> Result<Metadata, DiscoveryError> {
        let text = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let metadata: Metadata = self.json(&text).await?;
        // Who may speak for an issuer is the address of the issuer itself.
        if metadata.issuer != self.issuer {
            let said = metadata.issuer.chars().take(200).collect();
            return Err(DiscoveryError::OtherIssuer(text, said));
        }
        Ok(metadata)
    }

    /// The keys, at most an hour old. `renew` when a token is signed with one that isn't among them.
    pub(super) async fn keys(&self, renew: bool) -> Result<Arc<Keys>, DiscoveryError> {
        let mut known = self.known.lock().await;
        let metadata = self.fresh_metadata(&mut known).await?;
        let renew = renew && known.renewed.is_none_or(|at| at.elapsed() >= PAUSE);
        if let Some((at, keys)) = &known.keys
            && at.elapsed() < FRESH
            && !renew
        {
            return Ok(keys.clone());
        }
        if renew {
            known.renewed = Some(Instant::now());
        }
        let body = self.body(&metadata.jwks_uri).await?;
        let keys = Keys::parse(&body)
            .map_err(|error| DiscoveryError::Form(metadata.jwks_uri.clone(), error))?;
        let keys = Arc::new(keys);
        known.keys = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }

    async fn json<T: for<'de> Deserialize<'de>>(&self, text: &str) -> Result<T, DiscoveryError> {
        let body = self.body(text).await?;
        serde_json::from_slice(&body).map_err(|error| DiscoveryError::Form(text.to_owned(), error))
    }

    async fn body(&self, text: &str) -> Result<bytes::Bytes, DiscoveryError> {
        let address = Address::parse(text)?;
        let answer = fetch::get(&address, self.settings.ca_file.as_deref(), &[]).await?;
        Ok(answer.good(&address)?)
    }
}
