//! Single sign-on: ways to log in where somebody else knows who it is. Each ends in a [`User`] whose
//! attributes that somebody vouches for.

use std::path::PathBuf;

use tokio::sync::Semaphore;

use crate::base::{Secret, User, Way};
use crate::policy::settings::cas::{CasFault, CasServer};
use crate::policy::settings::certificate::CertificateNaming;
use crate::policy::settings::kerberos::{KerberosFault, KerberosService};
use crate::policy::settings::oidc::{self, OidcFault, OidcProviders};

use super::AuthError;
use super::cas::Cas;
use super::certificate;
use super::kerberos::Kerberos;
use super::oidc::Oidc;
use super::prelogin::Prelogins;

/// Most logins at a time that wait for another server: each costs a connection and up to a
/// megabyte.
const AT_A_TIME: usize = 8;

/// What this room is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SsoSettings {
    /// Section `oidc`.
    pub oidc: OidcProviders,
    /// Section `cas`.
    pub cas: CasServer,
    /// Section `certificate`.
    pub certificate: CertificateNaming,
    /// Section `kerberos`.
    pub kerberos: KerberosService,
    /// Where systemd puts credentials (`CREDENTIALS_DIRECTORY`).
    pub credentials: Option<PathBuf>,
}

impl SsoSettings {
    /// Checks what the types alone don't.
    pub fn check(&self) -> Result<(), SsoSetupError> {
        oidc::check(&self.oidc)?;
        self.cas.check()?;
        self.kerberos.check()?;
        if self.kerberos.service.is_some() && !Kerberos::is_built_in() {
            return Err(SsoSetupError::NoKerberos);
        }
        Ok(())
    }
}

/// Why single sign-on can't be offered as it is set up.
#[derive(Debug, thiserror::Error)]
pub enum SsoSetupError {
    /// Section `oidc`.
    #[error(transparent)]
    Oidc(#[from] OidcFault),
    /// Section `cas`.
    #[error(transparent)]
    Cas(#[from] CasFault),
    /// Section `kerberos`.
    #[error(transparent)]
    Kerberos(#[from] KerberosFault),
    /// Not in this executable.
    #[error(
        "kerberos.service: this gatepost was built without Kerberos; build it with --features kerberos"
    )]
    NoKerberos,
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] AuthError),
}

/// Why somebody is not logged in. What a page may show is [`SsoError::public`]; the rest is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// There is no such way, or no such provider.
    #[error("this way to log in is not set up here")]
    NotOffered,
    /// State and cookie don't belong together (any more).
    #[error(
        "this login was begun in another browser, more than ten minutes ago, or is finished already"
    )]
    Stale,
    /// The provider says no: the user didn't want to, or isn't allowed to.
    #[error("the provider didn't agree: {0}")]
    Declined(String),
    /// The provider can't be asked.
    #[error("{0}")]
    Unreachable(String),
    /// The provider's answer is not to be believed.
    #[error("{0}")]
    Invalid(String),
    /// Something is missing on this machine.
    #[error("{0}")]
    Setup(String),
    /// [`AT_A_TIME`] are under way.
    #[error("too many logins are waiting for other servers")]
    Busy,
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] AuthError),
}

impl SsoError {
    /// What the person may know: what to do, and nothing that helps to forge.
    pub fn public(&self) -> &'static str {
        match self {
            Self::NotOffered => "This way to log in is not set up on this server.",
            Self::Stale => {
                "This login was begun in another browser, more than ten minutes ago, or is finished already. Begin again."
            }
            Self::Declined(_) => {
                "The other side didn't let you in. Begin again, perhaps as somebody else."
            }
            Self::Unreachable(_) => {
                "The server that knows you can't be reached. Try again in a minute; the log of this server says what is wrong."
            }
            Self::Invalid(_) => {
                "The answer of the server that knows you is not accepted here. The log of this server says why."
            }
            Self::Setup(_) | Self::Random(_) => {
                "This server can't do that now; its log says what has to be put right."
            }
            Self::Busy => "Too many people are logging in at this moment. Try again in a minute.",
        }
    }
}

/// Where to send a browser, and the secret for its cookie until it comes back.
#[derive(Debug)]
pub struct Departure {
    /// The other server's page.
    pub address: String,
    /// For the cookie.
    pub browser: Secret,
}

/// A way to log in, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Offer {
    /// The way.
    pub way: Way,
    /// What its button says.
    pub label: String,
    /// Its address, relative to the page.
    pub link: String,
    /// Whether the page has to POST there (and gets a cookie) instead of going there.
    pub post: bool,
}

/// Every way of single sign-on that is set up.
#[derive(Debug)]
pub struct Sso {
    oidc: Oidc,
    cas: Option<Cas>,
    certificate: CertificateNaming,
    kerberos: Option<Kerberos>,
    prelogins: Prelogins,
    waiting: Semaphore,
}

impl Sso {
    /// Ways that lead back to `base`, where others see this server, which ends in `/`. Asks nobody
    /// anything yet.
    pub fn new(settings: SsoSettings, base: &str) -> Result<Self, SsoSetupError> {
        settings.check()?;
        Ok(Self {
            oidc: Oidc::new(settings.oidc, base, settings.credentials),
            cas: Cas::new(settings.cas, base),
            certificate: settings.certificate,
            kerberos: Kerberos::new(settings.kerberos),
            prelogins: Prelogins::new()?,
            waiting: Semaphore::new(AT_A_TIME),
        })
    }

    /// What there is.
    pub fn offers(&self) -> Vec<Offer> {
        let offer = |way, title: &str, link: String, post| Offer {
            way,
            label: format!("Log in with {title}"),
            link,
            post,
        };
        let mut offers: Vec<Offer> = self
            .oidc
            .offers()
            .map(|(name, title)| offer(Way::Oidc, title, format!("login/oidc/{name}"), false))
            .collect();
        if let Some(cas) = &self.cas {
            offers.push(offer(Way::Cas, cas.title(), "login/cas".to_owned(), false));
        }
        let title = &self.certificate.title;
        offers.push(offer(
            Way::Certificate,
            title,
            "login/certificate".to_owned(),
            true,
        ));
        if let Some(kerberos) = &self.kerberos {
            let link = "login/kerberos".to_owned();
            offers.push(offer(Way::Kerberos, kerberos.title(), link, true));
        }
        offers
    }

    /// Begins a login with the CAS server.
    pub fn begin_cas(&self) -> Result<Departure, SsoError> {
        let cas = self.cas.as_ref().ok_or(SsoError::NotOffered)?;
        cas.begin(&self.prelogins)
    }

    /// Ends it: the state and query the browser came back with, and the secret from its cookie.
    pub async fn finish_cas(
        &self,
        state: &str,
        query: &str,
        browser: Option<&Secret>,
    ) -> Result<User, SsoError> {
        let cas = self.cas.as_ref().ok_or(SsoError::NotOffered)?;
        let _place = self.waiting.try_acquire().map_err(|_| SsoError::Busy)?;
        cas.finish(state, query, browser, &self.prelogins).await
    }

    /// Who the verified certificate of a connection names.
    pub fn by_certificate(&self, der: &[u8]) -> Result<User, SsoError> {
        certificate::user(der, &self.certificate)
    }

    /// Who sent this `Authorization` header, and the `WWW-Authenticate` to answer with.
    pub async fn by_kerberos(&self, header: &str) -> Result<(User, String), SsoError> {
        let kerberos = self.kerberos.as_ref().ok_or(SsoError::NotOffered)?;
        let _place = self.waiting.try_acquire().map_err(|_| SsoError::Busy)?;
        kerberos.accept(header).await
    }

    /// Begins a login with an OpenID Connect provider.
    pub async fn begin_oidc(&self, name: &str) -> Result<Departure, SsoError> {
        let _place = self.waiting.try_acquire().map_err(|_| SsoError::Busy)?;
        self.oidc.begin(name, &self.prelogins).await
    }

    /// Ends it: the query the browser came back with, and the secret from its cookie.
    pub async fn finish_oidc(
        &self,
        name: &str,
        query: &str,
        browser: Option<&Secret>,
    ) -> Result<User, SsoError> {
        let _place = self.waiting.try_acquire().map_err(|_| SsoError::Busy)?;
        self.oidc
            .finish(name, query, browser, &self.prelogins)
            .await
    }
}
