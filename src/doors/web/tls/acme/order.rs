//! One order: names proved, key made, certificate fetched.

use std::time::Duration;

use instant_acme::{
    AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};

use crate::policy::settings::server::Acme;

use super::account;
use super::challenge::Challenges;
use super::fault::Fault;
use super::state::AcmeFolder;

/// How long the authority may take for each of its two verdicts.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// What an authority says that has lost our account, or was another one before.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// The chain and its key, as PEM.
pub(super) async fn obtain(
    settings: &Acme,
    folder: &AcmeFolder,
    challenges: &Challenges,
) -> Result<String, Fault> {
    let names = settings.names.iter();
    let names: Vec<_> = names
        .map(|name| Identifier::Dns(name.to_string()))
        .collect();
    let wanted = NewOrder::new(&names);
    let account = account::open(settings, folder).await?;
    let mut order = match account.new_order(&wanted).await {
        Err(Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
            tracing::info!("the authority doesn't know our account any more; making a new one");
            let account = account::make(settings, folder).await?;
            account.new_order(&wanted).await?
        }
        other => other?,
    };
    prove(&mut order, challenges).await?;
    let patience = RetryPolicy::new().timeout(PATIENCE);
    match order.poll_ready(&patience).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) | Err(Error::Api(_)) => return Err(refusal(&mut order).await),
        Err(error) => return Err(error.into()),
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&patience).await?;
    Ok(format!("{}\n{key}", chain.trim_end()))
}

/// Gets ready to prove each name, and says so.
async fn prove(order: &mut Order, challenges: &Challenges) -> Result<(), Fault> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            // Proved not long ago.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(Fault::refused(&format!("an authorization is {other:?}"))),
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(Fault::refused(&format!(
                "it doesn't offer tls-alpn-01 for {name}, which is all that can be done here"
            )));
        };
        let digest = challenge.key_authorization().digest();
        challenges.add(&name, digest.as_ref())?;
        // It may have looked, and answer at once.
        let told = challenge.set_ready().await;
        told.map_err(|error| Fault::from(error).of(&name))?;
    }
    Ok(())
}

/// Which name wasn't believed, and why.
async fn refusal(order: &mut Order) -> Fault {
    let whole = order.state().error.as_ref().map(Fault::problem);
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let mut all = state.challenges.iter();
        if let Some(error) = all.find_map(|one| one.error.as_ref()) {
            return Fault::problem(error).of(&name);
        }
    }
    whole.unwrap_or_else(|| Fault::refused("it doesn't say why"))
}
