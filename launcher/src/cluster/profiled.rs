//! When servers are ready that do not take Redis's configuration: they answer PING, and say what their
//! profile has them say.

use std::time::Duration;

use super::Cluster;
use crate::error::Error;
use crate::ladder::{Rung, Standing, common};
use crate::machine::text::excerpt;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::Session;
use crate::probe::ask_all;
use crate::probe::prober::Climb;
use crate::server::{Profile, Sign};
use crate::wire::client::{ClientError, REPLY_TIMEOUT};

/// How often they are asked.
const EVERY: Duration = Duration::from_millis(20);
/// How many bytes of an error are shown.
const SHOWN: usize = 200;

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
        let mut rounds = Rounds::until(deadline, EVERY);
        loop {
            let look = rounds.look(REPLY_TIMEOUT);
            let standings = self.signs(profile, wanted, look).await;
            observe(&standings)?;
            if common(&standings) >= Some(wanted) {
                return Ok(Ok(Climb::default()));
            }
            if !rounds.next().await {
                return Ok(Err(standings));
            }
        }
    }

    /// One look at all nodes, all at the same time.
    pub(super) async fn signs(
        &self,
        profile: &Profile,
        wanted: Rung,
        deadline: Deadline,
    ) -> Vec<Standing> {
        let signs = profile.ready(self.record.options.topology.is_cluster());
        let looks = self.nodes().iter().map(|node| {
            let endpoint = node.endpoint();
            let signs = signs.clone();
            async move {
                let node = endpoint.name.clone();
                let session = Session::unconnected(endpoint);
                let (rung, why) = match stands(session, &signs, wanted, deadline).await {
                    Ok(stands) => stands,
                    Err(silent) => (None, Some(silent.to_string())),
                };
                Standing { node, rung, why }
            }
        });
        ask_all(looks).await
    }
}

/// The rung that it stands on, and what it waits for.
async fn stands(
    mut session: Session,
    signs: &[Sign],
    wanted: Rung,
    deadline: Deadline,
) -> Result<(Option<Rung>, Option<String>), ClientError> {
    let pong = session.call(&["PING"], deadline).await?;
    if let Some(error) = pong.as_error() {
        return Ok((None, Some(excerpt(error, SHOWN, 0))));
    }
    if wanted == Rung::Listening {
        return Ok((Some(Rung::Listening), None));
    }
    for sign in signs {
        let reply = session.call(&sign.ask, deadline).await?;
        if !sign.is_in(&reply.raw) {
            let said = reply
                .as_error()
                .map(|error| format!(": `{}`", excerpt(error, SHOWN, 0)));
            let why = format!("{sign}{}", said.unwrap_or_default());
            return Ok((Some(Rung::Listening), Some(why)));
        }
    }
    Ok((Some(Rung::Ready), None))
}
