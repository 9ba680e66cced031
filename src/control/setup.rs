//! Setting the machine up by hand is no action, and is written down like one.

use crate::base::{Door, Principal};
use crate::system::setup::{AccessPoint, Setup, SetupError, SetupFor};
use crate::wire::scan::Seen;
use crate::wire::setup::{Form, SetupEnd};

use super::{Control, ControlError};

impl Control {
    /// With somebody who sets the machine up.
    #[must_use]
    pub fn with_setup(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// Who may set the machine up now.
    pub async fn may_set_up(&self) -> SetupFor {
        self.setup.whom(self.provisioning().await.as_ref())
    }

    /// The access point to set it up by, if there is one now.
    pub fn access_point(&self) -> Option<AccessPoint> {
        self.setup.access_point()
    }

    /// The Wi-Fi networks in reach.
    pub async fn networks(&self) -> Result<Vec<Seen>, SetupError> {
        self.setup.networks().await
    }

    /// Passes on what somebody in front of the machine has typed in.
    pub async fn set_up(&self, form: &Form) -> Result<SetupEnd, ControlError> {
        let by = Principal::Kiosk {};
        let taking = async { self.setup.take(form).await.map_err(ControlError::from) };
        let end = self
            .recorded((&by, Door::Web, None), "set-up", taking)
            .await;
        self.machine_changed();
        end
    }
}
