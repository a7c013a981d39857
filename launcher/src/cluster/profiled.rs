//! When servers are ready that do not take Redis's configuration: they answer PING, and say what their
//! profile has them say.

use std::time::Duration;

use super::Cluster;
use crate::error::Error;
use crate::ladder::{Rung, Standing};
use crate::machine::wait::{Deadline, next_round};
use crate::node::Node;
use crate::probe::prober::Climb;
use crate::server::Profile;
use crate::wire::resp::escape;

/// How often they are asked.
const EVERY: Duration = Duration::from_millis(20);

impl Cluster {
    /// Waits until all nodes answer, and above [`Rung::Listening`] say that they are ready; the last look
    /// if time runs out.
    pub(super) async fn await_signs(
        &self,
        profile: &Profile,
        wanted: Rung,
        deadline: Deadline,
        mut observe: impl FnMut(&[Standing]) -> Result<(), Error>,
    ) -> Result<Result<Climb, Vec<Standing>>, Error> {
        loop {
            let standings = self.signs(profile, wanted).await;
            observe(&standings)?;
            if standings
                .iter()
                .all(|standing| standing.rung >= Some(wanted))
            {
                return Ok(Ok(Climb::default()));
            }
            if deadline.passed() {
                return Ok(Err(standings));
            }
            next_round(EVERY, deadline).await;
        }
    }

    /// One look at all nodes.
    pub(super) async fn signs(&self, profile: &Profile, wanted: Rung) -> Vec<Standing> {
        let mut standings = Vec::new();
        for node in self.nodes() {
            let (rung, why) = stands(node, profile, wanted).await;
            standings.push(Standing {
                node: node.name().to_owned(),
                rung,
                why,
            });
        }
        standings
    }
}

async fn stands(node: &Node, profile: &Profile, wanted: Rung) -> (Option<Rung>, Option<String>) {
    match node.call(&["PING"]).await {
        Err(error) => return (None, Some(error.to_string())),
        Ok(reply) => {
            if let Some(error) = reply.as_error() {
                return (None, Some(escape(error)));
            }
        }
    }
    if wanted == Rung::Listening {
        return (Some(Rung::Listening), None);
    }
    for sign in &profile.ready {
        match node.call(&sign.ask).await {
            Ok(reply) if sign.is_in(&reply.raw) => {}
            Ok(_) => return (Some(Rung::Listening), Some(sign.to_string())),
            Err(error) => return (None, Some(error.to_string())),
        }
    }
    (Some(Rung::Ready), None)
}
