//! The account at an authority: made once, its key kept beside the certificate.

use instant_acme::{Account, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};

use crate::policy::settings::server::Acme;

use super::client::Client;
use super::fault::Fault;
use super::state::AcmeFolder;

/// What is kept of an account.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    directory: String,
    contact: Vec<String>,
    credentials: AccountCredentials,
}

/// The account, made if there is none. Asks the directory in any case.
pub(super) async fn open(settings: &Acme, folder: &AcmeFolder) -> Result<Account, Fault> {
    let found = folder.read_account().await;
    let known = found.and_then(|bytes| match serde_json::from_slice::<Stored>(&bytes) {
        Ok(stored) => Some(stored),
        Err(_) => {
            tracing::warn!("the account at the authority can't be read; making a new one");
            None
        }
    });
    match known.filter(|stored| stored.directory == settings.directory) {
        None => make(settings, folder).await,
        Some(mut stored) => {
            // Written again only when there is something new in it.
            let kept = serde_json::to_value(&stored.credentials).ok();
            let client = Box::new(client(settings));
            let builder = Account::builder_with_http(client);
            let account = builder.from_credentials(stored.credentials).await?;
            if stored.contact != settings.contact
                && let Some(kept) = kept
            {
                let urls = urls(settings);
                let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
                account.update_contacts(&urls).await?;
                stored.contact.clone_from(&settings.contact);
                let changed = serde_json::json!({ "directory": stored.directory, "contact": stored.contact, "credentials": kept });
                folder.write_account(changed.to_string()).await?;
            }
            Ok(account)
        }
    }
}

/// A new account with a new key.
pub(super) async fn make(settings: &Acme, folder: &AcmeFolder) -> Result<Account, Fault> {
    let urls = urls(settings);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &urls,
        terms_of_service_agreed: settings.accept_terms,
        only_return_existing: false,
    };
    let builder = Account::builder_with_http(Box::new(client(settings)));
    let (account, credentials) = builder
        .create(&wanted, settings.directory.clone(), None)
        .await?;
    let stored = Stored {
        directory: settings.directory.clone(),
        contact: settings.contact.clone(),
        credentials,
    };
    let text = serde_json::to_string(&stored).map_err(|_| Fault::Broken("writing the account"))?;
    folder.write_account(text).await?;
    Ok(account)
}

fn client(settings: &Acme) -> Client {
    Client {
        ca_file: settings.ca_file.clone(),
    }
}

fn urls(settings: &Acme) -> Vec<String> {
    let contact = settings.contact.iter();
    contact.map(|email| format!("mailto:{email}")).collect()
}
