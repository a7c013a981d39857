//! Waiting for a node that has just been started to answer.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Node;
use crate::error::Error;
use crate::machine::wait::{self, Deadline};

impl Node {
    /// Waits until the node answers PING without an error.
    ///
    /// # Errors
    /// It has died, or what came last when time ran out.
    pub(crate) async fn answer_ping(&self, deadline: Deadline) -> Result<(), Error> {
        wait::until(deadline, Duration::from_millis(5), || async {
            let answered = self.call(&["PING"]).await;
            let accepted = answered.and_then(|reply| self.accepted("PING", reply));
            match (self.died(), accepted) {
                (Some(died), _) => ControlFlow::Break(Err(died)),
                (None, Ok(_)) => ControlFlow::Break(Ok(())),
                (None, Err(error)) => ControlFlow::Continue(error),
            }
        })
        .await
        .unwrap_or_else(Err)
    }
}
