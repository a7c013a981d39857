//! Waiting for a node that has just been started to answer.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Node;
use crate::error::Error;
use crate::wait::{self, Deadline};

impl Node {
    /// Waits until the node answers PING without an error.
    ///
    /// # Errors
    /// It has died, or what came last when time ran out.
    pub(crate) async fn answer_ping(&self, deadline: Deadline) -> Result<(), Error> {
        wait::until(deadline, Duration::from_millis(5), || async {
            match (self.died(), self.call(&["PING"]).await) {
                (Some(died), _) => ControlFlow::Break(Err(died)),
                (None, Ok(reply)) if reply.as_error().is_none() => ControlFlow::Break(Ok(())),
                (None, Ok(reply)) => ControlFlow::Continue(Error::Reply {
                    node: self.name().to_owned(),
                    command: "PING".to_owned(),
                    reply: crate::resp::escape(reply.as_error().unwrap_or_default()),
                }),
                (None, Err(error)) => ControlFlow::Continue(error),
            }
        })
        .await
        .unwrap_or_else(Err)
    }
}
