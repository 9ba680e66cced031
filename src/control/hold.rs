//! Keeping a way to open terminals as a user's own account.

use tokio_util::sync::CancellationToken;

use crate::auth::pam::Entry;
use crate::base::UserName;

use super::{Control, ControlError};

impl Control {
    /// Keeps a way to open terminals of a user's own account, until `ended`. The login helper that
    /// let them in is at its other end.
    pub async fn hold(
        &self,
        owner: UserName,
        entry: Entry,
        ended: CancellationToken,
    ) -> Result<(), ControlError> {
        let Entry { who, line } = entry;
        Ok(self.terminals.hold(owner, &who, line, ended).await?)
    }
}
