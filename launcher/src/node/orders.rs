//! Orders to a node, all of which it must obey.

use super::Node;
use crate::client::{Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::resp::Frame;
use crate::server::Identity;
use crate::wait::Deadline;

impl Node {
    /// What another node is told so that it gets to know this one.
    pub(crate) fn meet_command(&self, server: &Identity) -> Vec<String> {
        let address = self.address();
        let mut command = vec![
            "CLUSTER".to_owned(),
            "MEET".to_owned(),
            address.ip().to_string(),
            address.port().to_string(),
        ];
        // Older servers have no third argument and take the bus port for granted.
        if server.cluster_port_setting() {
            command.extend(self.bus_port().map(|port| port.to_string()));
        }
        command
    }

    /// Sends commands in one write, so that the node carries them out one after the other without
    /// listening to anybody else in between (as long as they fit into one read), and gives the replies.
    ///
    /// # Errors
    /// The node does not answer within five seconds, or refuses a command: the first one that it
    /// refused is told, those after it have been carried out all the same.
    pub(crate) async fn obey<A: AsRef<str>>(
        &self,
        connection: &mut Connection,
        commands: &[Vec<A>],
    ) -> Result<Vec<Frame>, Error> {
        let words: Vec<Vec<&str>> = commands
            .iter()
            .map(|command| command.iter().map(AsRef::as_ref).collect())
            .collect();
        let words: Vec<&[&str]> = words.iter().map(Vec::as_slice).collect();
        let replies = connection
            .pipeline(&words, Deadline::after(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source))?;
        for (reply, command) in replies.iter().zip(&words) {
            if let Some(error) = reply.as_error() {
                return Err(Error::Reply {
                    node: self.name().to_owned(),
                    command: command.join(" "),
                    reply: crate::resp::escape(error),
                });
            }
        }
        Ok(replies)
    }
}
