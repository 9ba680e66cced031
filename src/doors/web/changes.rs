//! What the configuration may change while the door is open. Nobody's connection ends by it; a request
//! goes by what it found first.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::auth::Sso;
use crate::policy::settings::server::Server;

use super::Web;
use super::guard::Guard;
use super::headers::Headers;
use super::proxy::Proxies;

/// Judges and headers, as configured last.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) guard: Guard,
    pub(super) headers: Headers,
    pub(super) proxies: Proxies,
    pub(super) sso: Arc<Sso>,
}

/// Where they are.
// Read once for each request, written when the configuration changes.
#[derive(Debug)]
pub(super) struct InForceNow(RwLock<Arc<InForce>>);

/// What the server is called whatever the configuration says.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) machine: Vec<String>,
    pub(super) own: Vec<IpAddr>,
}

impl InForce {
    fn new(server: &Server, names: &Names, sso: Arc<Sso>) -> Self {
        Self {
            guard: Guard::new(server, names.machine.clone(), &names.own),
            headers: Headers::new(server),
            proxies: Proxies::new(server),
            sso,
        }
    }
}

impl InForceNow {
    pub(super) fn new(server: &Server, names: &Names, sso: Arc<Sso>) -> Self {
        Self(RwLock::new(Arc::new(InForce::new(server, names, sso))))
    }
}

impl Web {
    /// What is in force just now.
    pub(super) fn now(&self) -> Arc<InForce> {
        let in_force = self.in_force.0.read();
        in_force.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An open door, to tell it what has changed.
#[derive(Debug)]
pub struct Open {
    web: Web,
    server: Server,
    names: Names,
}

impl Open {
    pub(super) fn new(web: Web, server: Server, names: Names) -> Self {
        Self { web, server, names }
    }

    /// Takes up what can change in section `server`, and other ways to log in where there are some.
    pub fn change(&self, server: &Server, sso: Option<Arc<Sso>>) {
        // The address people use is in cookies and in links that are out.
        let server = Server {
            url_prefix: self.server.url_prefix.clone(),
            public_url: self.server.public_url.clone(),
            ..server.clone()
        };
        let sso = sso.unwrap_or_else(|| self.web.now().sso.clone());
        let new = Arc::new(InForce::new(&server, &self.names, sso));
        let in_force = self.web.in_force.0.write();
        *in_force.unwrap_or_else(PoisonError::into_inner) = new;
    }
}
