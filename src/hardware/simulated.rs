//! Lines of no machine: nothing ever happens on them by itself, and lamps light for nobody.

use std::task::{Context, Poll};

use super::lines::{Bias, Edge, Input, LineError, Lines, Output};
use crate::policy::settings::line::LineName;

/// No lines at all.
#[derive(Debug)]
pub(super) struct Simulated;

impl Lines for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn input(&self, _: &LineName, _: Bias, _: bool) -> Result<Box<dyn Input>, LineError> {
        Ok(Box::new(Nothing))
    }

    fn output(&self, _: &LineName, _: bool) -> Result<Box<dyn Output>, LineError> {
        Ok(Box::new(Nothing))
    }
}

#[derive(Debug)]
struct Nothing;

impl Input for Nothing {
    fn drain(&mut self, _: &mut Vec<Edge>) -> Result<(), LineError> {
        Ok(())
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn level(&self) -> Option<bool> {
        None
    }
}

impl Output for Nothing {
    fn light(&mut self, _: bool) -> Result<(), LineError> {
        Ok(())
    }
}
