//! A conversation with a node: orders that it must obey, and questions. What passes by itself is tried
//! again here, and nowhere else.

use std::ops::ControlFlow;
use std::time::Duration;

use super::transient::{ends_connection, is_transient};
use super::{Endpoint, Node};
use crate::error::Error;
use crate::machine::wait::{self, Deadline, Rounds};
use crate::wire::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, Limits, encode_command, encode_commands, escape};

/// How long a node may refuse for a reason that passes by itself, where nobody has set a deadline.
const TRANSIENT: Duration = Duration::from_secs(20);
/// How long a node of a lasting conversation may take for a reply: it may be busy with a large MIGRATE,
/// and it writes its nodes.conf to the disk.
const LASTING_REPLY: Duration = Duration::from_secs(60);
/// Between two tries.
const ROUND: Duration = Duration::from_millis(10);
/// How many words of a command stand in an error: enough to know it by.
const WORDS_SHOWN: usize = 4;
/// And how many bytes of a word: one may be the description of a whole cluster.
const LETTERS_SHOWN: usize = 80;

/// A connection to a node that is ordered or asked something.
///
/// A command that is [refused for a moment](is_transient) is given again, with all others of the same write,
/// which must therefore be of a kind that can be repeated. Only [`Session::call`] and [`Session::pipeline`]
/// say everything once, for who counts or times the tries.
#[derive(Debug)]
pub(crate) struct Session {
    endpoint: Endpoint,
    /// None after it has broken, or as long as replies are outstanding.
    connection: Option<Connection>,
    /// The database that commands are meant for, and the one that is selected on the connection.
    database: u32,
    selected: u32,
    /// When the work that this is a part of must be done; none if each call has its own time.
    deadline: Option<Deadline>,
    /// How long each reply may take.
    reply: Duration,
    /// Whether commands are given again on a new connection when one breaks.
    repeats: bool,
}

impl Session {
    /// Connects, again and again until the node listens. A connection that breaks later is an error: nobody
    /// knows whether the node has obeyed.
    ///
    /// # Errors
    /// It does not listen until the deadline, or its process has ended.
    pub(crate) async fn open(node: &Node, deadline: Deadline) -> Result<Self, Error> {
        let endpoint = node.endpoint();
        let opened = wait::until(deadline, Duration::from_millis(5), async || {
            match endpoint.connect(deadline).await {
                // A server that has just been started may not listen yet, and one that dies never will.
                Err(error) if node.may_answer() => ControlFlow::Continue(error),
                opened => ControlFlow::Break(opened),
            }
        });
        let opened = opened.await.unwrap_or_else(Err);
        let connection = opened.map_err(|source| endpoint.failed(source))?;
        Ok(Self::on(connection, endpoint, deadline))
    }

    /// As [`Session::open`] for who has no node at hand: connects once.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) async fn to(endpoint: Endpoint, deadline: Deadline) -> Result<Self, Error> {
        let opened = endpoint.connect(deadline).await;
        let connection = opened.map_err(|source| endpoint.failed(source))?;
        Ok(Self::on(connection, endpoint, deadline))
    }

    /// A session that connects when something is said for the first time.
    pub(crate) fn unconnected(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            connection: None,
            database: 0,
            selected: 0,
            deadline: None,
            reply: REPLY_TIMEOUT,
            repeats: false,
        }
    }

    fn on(connection: Connection, endpoint: Endpoint, deadline: Deadline) -> Self {
        Self {
            connection: Some(connection),
            deadline: Some(deadline),
            ..Self::unconnected(endpoint)
        }
    }

    /// Connects for commands all of which can be repeated, as long as it takes: a connection that breaks, as
    /// when the node changes its role, is made anew, and the commands are given again.
    ///
    /// # Errors
    /// The node does not listen within five seconds.
    pub(crate) async fn lasting(endpoint: Endpoint) -> Result<Self, Error> {
        let connection = connected(&endpoint).await?;
        Ok(Self {
            deadline: None,
            reply: LASTING_REPLY,
            repeats: true,
            ..Self::on(connection, endpoint, Deadline::after(REPLY_TIMEOUT))
        })
    }

    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        &self.endpoint.name
    }

    /// Has all further commands mean this database.
    pub(crate) fn select(&mut self, database: u32) {
        self.database = database;
    }

    /// Where the node is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends one command once and gives the reply, which may be an error reply. A connection that has broken
    /// is made anew before.
    ///
    /// # Errors
    /// The node does not answer by the deadline.
    pub(crate) async fn call<A: AsRef<[u8]>>(
        &mut self,
        command: &[A],
        deadline: Deadline,
    ) -> Result<Frame, ClientError> {
        let mut connection = self.take_connection(deadline).await?;
        let reply = connection.call(command, deadline).await?;
        self.connection = Some(connection);
        Ok(reply)
    }

    /// As [`Session::call`], for several commands in one write.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub(crate) async fn pipeline<A: AsRef<[u8]>>(
        &mut self,
        commands: &[&[A]],
        deadline: Deadline,
    ) -> Result<Vec<Frame>, ClientError> {
        let mut connection = self.take_connection(deadline).await?;
        let replies = connection.pipeline(commands, deadline).await?;
        self.connection = Some(connection);
        Ok(replies)
    }

    /// The connection, until it is known that no replies are outstanding.
    async fn take_connection(&mut self, deadline: Deadline) -> Result<Connection, ClientError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        self.selected = 0;
        self.endpoint.connect(deadline).await
    }

    /// Gives an order; the reply is no error.
    ///
    /// # Errors
    /// The node does not answer, or refuses.
    pub(crate) async fn give<A: AsRef<[u8]>>(&mut self, command: &[A]) -> Result<Frame, Error> {
        let replies = self.converse(&[command], self.reply).await?;
        self.accepted(command, replies.into_iter().next())
    }

    /// Gives orders in one write, so that the node carries them out one after the other without listening
    /// to anybody else in between (as long as they fit into one read).
    ///
    /// # Errors
    /// As [`Session::give`]: the first refusal is told, the orders after it have been carried out all the
    /// same.
    pub(crate) async fn give_all<A: AsRef<[u8]>>(
        &mut self,
        commands: &[Vec<A>],
    ) -> Result<Vec<Frame>, Error> {
        let mut replies = self.ask(commands).await?.into_iter();
        commands
            .iter()
            .map(|command| self.accepted(command, replies.next()))
            .collect()
    }

    /// Sends commands in one write and gives the replies, errors among them; fewer only if the last one
    /// is an error behind which the node says nothing, as when it lacks the database.
    ///
    /// # Errors
    /// The node does not answer.
    pub(crate) async fn ask<A: AsRef<[u8]>>(
        &mut self,
        commands: &[Vec<A>],
    ) -> Result<Vec<Frame>, Error> {
        self.ask_within(commands, self.reply).await
    }

    /// The same, where each reply may take so long.
    ///
    /// # Errors
    /// As [`Session::ask`].
    pub(crate) async fn ask_within<A: AsRef<[u8]>>(
        &mut self,
        commands: &[Vec<A>],
        reply: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let commands: Vec<&[A]> = commands.iter().map(Vec::as_slice).collect();
        self.converse(&commands, reply).await
    }

    async fn converse<A: AsRef<[u8]>>(
        &mut self,
        commands: &[&[A]],
        reply: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let requests = encode_commands(commands.iter().copied());
        let deadline = self.deadline.unwrap_or_else(|| Deadline::after(TRANSIENT));
        let mut rounds = Rounds::until(deadline, ROUND);
        loop {
            let said = self.once(&requests, commands.len(), reply).await;
            let passes = match &said {
                Ok(replies) => replies.iter().filter_map(Frame::as_error).any(is_transient),
                Err(error) => self.repeats && is_broken(error),
            };
            if !passes || !rounds.next().await {
                return said;
            }
        }
    }

    /// Says it once. A connection on which replies may be outstanding is never used again.
    async fn once(
        &mut self,
        requests: &[u8],
        replies: usize,
        patience: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            self.selected = 0;
            connected(&self.endpoint).await?
        };
        let failed = |source| self.endpoint.failed(source);
        // In front of the commands, so that it costs no round of its own.
        let select = (self.selected != self.database)
            .then(|| encode_command(&["SELECT", &self.database.to_string()]));
        let all = [select.as_deref().unwrap_or_default(), requests].concat();
        let sent = connection.send(&all, Deadline::after(patience)).await;
        sent.map_err(failed)?;
        if select.is_some() {
            let selected = connection.read(Deadline::after(patience)).await;
            let selected = selected.map_err(failed)?;
            if selected.as_error().is_some() {
                return Ok(vec![selected]);
            }
            self.selected = self.database;
        }
        let mut said = Vec::with_capacity(replies);
        for _ in 0..replies {
            let reply = connection.read(Deadline::after(patience)).await;
            let reply = reply.map_err(failed)?;
            let ends = reply.as_error().is_some_and(ends_connection);
            said.push(reply);
            if ends {
                return Ok(said);
            }
        }
        self.connection = Some(connection);
        Ok(said)
    }

    pub(super) fn accepted<A: AsRef<[u8]>>(
        &self,
        command: &[A],
        reply: Option<Frame>,
    ) -> Result<Frame, Error> {
        let reply = reply.ok_or_else(|| self.refused(command, b"nothing"))?;
        match reply.as_error() {
            None => Ok(reply),
            Some(error) => Err(self.refused(command, error)),
        }
    }

    /// The error of an answer that is none.
    pub(crate) fn refused<A: AsRef<[u8]>>(&self, command: &[A], reply: &[u8]) -> Error {
        let words = command.iter().take(WORDS_SHOWN);
        let words: Vec<_> = words.map(|word| shown(word.as_ref())).collect();
        Error::Reply {
            node: self.endpoint.name.clone(),
            command: words.join(" "),
            reply: escape(reply),
        }
    }
}

async fn connected(endpoint: &Endpoint) -> Result<Connection, Error> {
    let deadline = Deadline::after(REPLY_TIMEOUT);
    let connected = wait::retry(deadline, || endpoint.connect(deadline)).await;
    let connection = connected.map_err(|source| endpoint.failed(source))?;
    // Keys may be of any size, and a thousand of them are told in one reply.
    Ok(connection.with_limits(Limits::default()))
}

/// A word of a command as far as it is needed to know it.
fn shown(word: &[u8]) -> String {
    match word.get(..LETTERS_SHOWN) {
        Some(beginning) if beginning.len() < word.len() => format!("{}…", escape(beginning)),
        _ => escape(word),
    }
}

/// Whether a connection has ended in the midst of it, as it does when the node changes its role.
fn is_broken(error: &Error) -> bool {
    let Error::Client { source, .. } = error else {
        return false;
    };
    matches!(source, ClientError::Closed { .. } | ClientError::Io { .. })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::wire::slots::Slot;

    /// A node that answers the requests of each connection with these replies, then closes it.
    async fn node(connections: Vec<Vec<&'static str>>) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for replies in connections {
                let (mut stream, _) = listener.accept().await.unwrap();
                for reply in replies {
                    assert!(stream.read(&mut [0_u8; 1024]).await.unwrap() > 0);
                    stream.write_all(reply.as_bytes()).await.unwrap();
                }
            }
        });
        Endpoint {
            name: "n1".to_owned(),
            address,
            password: None,
        }
    }

    async fn once(endpoint: Endpoint) -> Session {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        Session::to(endpoint, deadline).await.unwrap()
    }

    #[tokio::test]
    async fn all_commands_are_given_again_when_one_is_refused_for_a_moment() {
        let replies = vec!["+OK\r\n-NOREPLICAS Not enough\r\n", "+OK\r\n:1\r\n"];
        let mut session = once(node(vec![replies]).await).await;
        let replies = session.give_all(&[vec!["A"], vec!["B"]]).await.unwrap();
        assert_eq!(replies.last().and_then(Frame::as_integer), Some(1));
    }

    #[tokio::test]
    async fn a_slot_that_the_node_has_lost_meanwhile_is_opened_the_other_way() {
        let slots = [1, 2].map(|slot| Slot::new(slot).unwrap());
        let (lost, own) = (
            "-ERR I'm not the owner of hash slot 1\r\n",
            "-ERR I'm already the owner of hash slot 2\r\n",
        );
        let opened = async |replies: &[&str]| {
            let replies = replies.concat().leak();
            let mut session = once(node(vec![vec![replies]]).await).await;
            session.open_slots(&slots, &"aa".into()).await
        };
        opened(&[lost, "+OK\r\n", "+OK\r\n", own]).await.unwrap();
        let neither = [lost, "+OK\r\n", "-ERR I don't know about node aa\r\n", own];
        let refused = opened(&neither).await.unwrap_err().to_string();
        assert_eq!(
            refused,
            "node `n1` answers `CLUSTER SETSLOT 1 MIGRATING` with `ERR I'm not the owner of hash slot 1`"
        );
    }

    #[tokio::test]
    async fn what_does_not_pass_until_the_deadline_is_told() {
        let refusing = vec!["-LOADING data\r\n"; 1000];
        let mut session = once(node(vec![refusing]).await).await;
        session.deadline = Some(Deadline::after(Duration::from_millis(30)));
        let error = session.give(&["SET", "a", "1"]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "node `n1` answers `SET a 1` with `LOADING data`"
        );
    }

    #[tokio::test]
    async fn a_node_that_changes_its_role_is_told_again_on_a_new_connection() {
        let changes = "+OK\r\n-UNBLOCKED instance state changed\r\n";
        for first in [changes, "+OK\r\n"] {
            let replies = vec![vec![first], vec!["+OK\r\n+OK\r\n"]];
            let mut session = Session::lasting(node(replies).await).await.unwrap();
            session.give_all(&[vec!["A"], vec!["B"]]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_said_once_is_not_tried_again_and_finds_a_new_connection_after_a_broken_one() {
        let replies = vec![vec!["-LOADING data\r\n"], vec!["+OK\r\n"]];
        let mut session = Session::unconnected(node(replies).await);
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let refused = session.call(&["A"], deadline).await.unwrap();
        assert_eq!(refused.error_code(), Some("LOADING"));
        session.call(&["A"], deadline).await.unwrap_err();
        let obeyed = session.call(&["A"], deadline).await.unwrap();
        assert_eq!(obeyed.as_error(), None);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_an_error_for_what_cannot_be_repeated() {
        let replies = vec![vec!["+OK\r\n"], vec!["+OK\r\n+OK\r\n"]];
        let mut session = once(node(replies).await).await;
        let error = session.give_all(&[vec!["A"], vec!["B"]]).await.unwrap_err();
        assert!(
            error.to_string().contains("closed the connection"),
            "{error}"
        );
    }
}
