//! Logging in with an OpenID Connect provider: the authorization code flow with PKCE (S256), state,
//! nonce and the checks of RFC 9207. `docs/sso.md` says how it is set up.

mod claims;
mod jwt;
mod provider;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::base::{Secret, User};
use crate::policy::settings::SecretSource;
use crate::policy::settings::oidc::OidcProviders;

use super::fetch::{self, Address, FetchError};
use super::prelogin::Prelogins;
use super::sso::{Departure, SsoError};
use super::{query, small_file};

use claims::{ClaimError, Claims, Expected};
use jwt::TokenError;
use provider::{DiscoveryError, Metadata, Provider};

/// Longest code, error or state taken from an answer, in bytes.
const MAX_PARAMETER: usize = 4096;

/// The providers.
#[derive(Debug)]
pub(super) struct Oidc {
    providers: BTreeMap<String, Provider>,
    /// Where others see this server, ending in `/`.
    base: String,
    /// Where systemd puts credentials.
    credentials: Option<PathBuf>,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
    token_type: Option<String>,
}

impl Oidc {
    pub(super) fn new(settings: OidcProviders, base: &str, credentials: Option<PathBuf>) -> Self {
        let providers = settings
            .into_iter()
            .filter_map(|(name, settings)| {
                let issuer = settings.issuer()?.to_owned();
                Some((name, Provider::new(settings, issuer)))
            })
            .collect();
        Self {
            providers,
            base: base.to_owned(),
            credentials,
        }
    }

    /// Name and title of each provider.
    pub(super) fn offers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers
            .iter()
            .map(|(name, provider)| (name.as_str(), provider.settings.title(name)))
    }

    fn redirect_uri(&self, name: &str) -> String {
        format!("{}login/oidc/{name}/callback", self.base)
    }

    fn provider(&self, name: &str) -> Result<&Provider, SsoError> {
        self.providers.get(name).ok_or(SsoError::NotOffered)
    }

    /// Where to send a browser that wants to log in with this provider.
    pub(super) async fn begin(
        &self,
        name: &str,
        prelogins: &Prelogins,
    ) -> Result<Departure, SsoError> {
        let provider = self.provider(name)?;
        let metadata = provider.metadata().await?;
        let prelogin = prelogins.begin(&way(name), Instant::now())?;
        let verifier = prelogin.derive("verifier");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let scope = provider.settings.scopes.join(" ");
        let (redirect_uri, nonce) = (self.redirect_uri(name), prelogin.derive("nonce"));
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &provider.settings.client_id),
            ("redirect_uri", &redirect_uri),
            ("scope", &scope),
            ("state", &prelogin.state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if let Some(prompt) = provider.settings.prompt {
            parameters.push(("prompt", prompt.name()));
        }
        // Judged like any address we would go to ourselves.
        let endpoint = Address::parse(&metadata.authorization_endpoint)?;
        Ok(Departure {
            address: query::add(endpoint.as_str(), &parameters),
            browser: prelogin.browser,
        })
    }

    /// Who came back with this query.
    pub(super) async fn finish(
        &self,
        name: &str,
        query: &str,
        browser: Option<&Secret>,
        prelogins: &Prelogins,
    ) -> Result<User, SsoError> {
        let provider = self.provider(name)?;
        let parameters =
            query::decode(query).ok_or(SsoError::Invalid("the query is broken".to_owned()))?;
        let parameter = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| value.len() <= MAX_PARAMETER)
        };
        // The state first: without it this is not an answer to us, whatever else it says.
        let prelogin = browser
            .zip(parameter("state"))
            .and_then(|(browser, state)| {
                prelogins.finish(&way(name), state, browser, Instant::now())
            })
            .ok_or(SsoError::Stale)?;
        let metadata = provider.metadata().await?;
        check_issuer(&metadata, parameter("iss"))?;
        if let Some(error) = parameter("error") {
            let more = parameter("error_description").unwrap_or_default();
            return Err(SsoError::Declined(format!("{error} {more}")));
        }
        let code = parameter("code")
            .filter(|code| !code.is_empty())
            .ok_or_else(|| SsoError::Invalid("the provider sent no code".to_owned()))?;
        let verifier = prelogin.derive("verifier");
        let tokens = self
            .redeem(name, provider, &metadata, code, &verifier)
            .await?;
        let nonce = prelogin.derive("nonce");
        let mut claims = judge(provider, &tokens.id_token, &nonce).await?;
        let attributes = attributes(provider);
        if provider.settings.userinfo {
            add_userinfo(provider, &metadata, &tokens, &attributes, &mut claims).await?;
        }
        let naming = provider
            .settings
            .naming(name)
            .ok_or_else(|| SsoError::Invalid("there is no name template".to_owned()))?;
        Ok(claims.user(name, &naming, &attributes)?)
    }

    async fn secret(&self, source: SecretSource) -> Result<String, SsoError> {
        let credentials = self.credentials.clone();
        tokio::task::spawn_blocking(move || {
            small_file::from_source(&source, credentials.as_deref())
        })
        .await
        .map_err(|_| SsoError::Setup("reading the secret failed".to_owned()))?
        .map_err(|error| SsoError::Setup(format!("client_secret, {error}")))
    }

    /// Exchanges the code for tokens (RFC 6749, section 4.1.3).
    async fn redeem(
        &self,
        name: &str,
        provider: &Provider,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, SsoError> {
        let settings = &provider.settings;
        let redirect_uri = self.redirect_uri(name);
        let secret = match settings.client_secret.clone() {
            Some(source) => Some(self.secret(source).await?),
            None => None,
        };
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut headers = Vec::new();
        match &secret {
            Some(secret) if !metadata.secret_in_form() => {
                // RFC 6749, section 2.3.1: form-encoded before it is put together.
                let mut pair = String::new();
                query::escape(&mut pair, &settings.client_id);
                pair.push(':');
                query::escape(&mut pair, secret);
                headers.push((
                    header::AUTHORIZATION,
                    format!("Basic {}", STANDARD.encode(pair)),
                ));
            }
            Some(secret) => {
                form.push(("client_id", &settings.client_id));
                form.push(("client_secret", secret));
            }
            None => form.push(("client_id", &settings.client_id)),
        }
        let address = Address::parse(&metadata.token_endpoint)?;
        let answer =
            fetch::post_form(&address, settings.ca_file.as_deref(), &headers, &form).await?;
        if answer.status != StatusCode::OK {
            #[derive(Deserialize)]
            struct Refusal {
                error: String,
                #[serde(default)]
                error_description: String,
            }
            let said = match serde_json::from_slice::<Refusal>(&answer.body) {
                Ok(refusal) => format!("{}: {}", refusal.error, refusal.error_description),
                Err(_) => answer.status.to_string(),
            };
            let said: String = said.chars().take(300).collect();
            return Err(SsoError::Invalid(format!(
                "the provider refuses the code: {said}"
            )));
        }
        let tokens: Tokens = serde_json::from_slice(&answer.body)
            .map_err(|error| SsoError::Invalid(format!("the token endpoint's answer: {error}")))?;
        Ok(tokens)
    }
}

/// The way's name in states: one provider's state is worth nothing at another's callback.
fn way(name: &str) -> String {
    format!("oidc/{name}")
}

/// RFC 9207: the answer names its issuer, so that an answer of one provider can't be passed off as
/// another's.
fn check_issuer(metadata: &Metadata, said: Option<&str>) -> Result<(), SsoError> {
    match said {
        Some(issuer) if issuer == metadata.issuer => Ok(()),
        None if !metadata.authorization_response_iss_parameter_supported => Ok(()),
        _ => Err(SsoError::Invalid(
            "the answer is not from this provider (iss)".to_owned(),
        )),
    }
}

/// Judges an ID token, with new keys if the provider has changed them.
async fn judge(provider: &Provider, token: &str, nonce: &str) -> Result<Claims, SsoError> {
    let keys = provider.keys(false).await?;
    let payload = match jwt::verify(token, &keys) {
        Err(TokenError::UnknownKey) => jwt::verify(token, &*provider.keys(true).await?),
        other => other,
    };
    let payload = payload.map_err(|error| SsoError::Invalid(format!("the ID token: {error}")))?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |age| age.as_secs());
    let expected = Expected {
        issuer: &provider.issuer,
        client_id: &provider.settings.client_id,
        nonce,
        now,
    };
    Claims::judge(&payload, expected)
        .map_err(|error| SsoError::Invalid(format!("the ID token: {error}")))
}

/// Attribute → claim.
fn attributes(provider: &Provider) -> BTreeMap<&str, &str> {
    let settings = &provider.settings;
    let mut attributes = BTreeMap::from([
        ("groups", settings.groups_claim.as_str()),
        ("name", "name"),
        ("hosted_domain", "hd"),
    ]);
    for (attribute, claim) in &settings.attributes {
        attributes.insert(attribute, claim);
    }
    attributes
}

/// Asks userinfo, if the ID token leaves out anything that could be of use.
async fn add_userinfo(
    provider: &Provider,
    metadata: &Metadata,
    tokens: &Tokens,
    attributes: &BTreeMap<&str, &str>,
    claims: &mut Claims,
) -> Result<(), SsoError> {
    let mut wanted: Vec<&str> = attributes.values().copied().collect();
    wanted.extend(["email", "email_verified"]);
    let (Some(endpoint), Some(token)) = (&metadata.userinfo_endpoint, &tokens.access_token) else {
        return Ok(());
    };
    let bearer = tokens
        .token_type
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    if claims.suffice(&wanted) || !bearer {
        return Ok(());
    }
    let address = Address::parse(endpoint)?;
    let headers = [(header::AUTHORIZATION, format!("Bearer {token}"))];
    let answer = fetch::get(&address, provider.settings.ca_file.as_deref(), &headers).await?;
    claims
        .add_userinfo(&answer.good(&address)?)
        .map_err(|error| SsoError::Invalid(format!("userinfo: {error}")))
}

impl From<DiscoveryError> for SsoError {
    fn from(error: DiscoveryError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<FetchError> for SsoError {
    fn from(error: FetchError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<ClaimError> for SsoError {
    fn from(error: ClaimError) -> Self {
        Self::Invalid(error.to_string())
    }
}
