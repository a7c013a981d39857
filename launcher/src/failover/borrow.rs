//! Settings of one node that have another value while its set fails over.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::FailoverError;
use crate::client::REPLY_TIMEOUT;
use crate::node::Endpoint;
use crate::plan::Setting;
use crate::resp::encode_command;
use crate::wait::Deadline;

/// How long a node is waited for that is given its settings back.
const PATIENCE: Duration = Duration::from_secs(1);

/// A setting that is borrowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loan {
    /// Its name since Redis 5.0.
    pub(super) key: &'static str,
    /// Its older name, which a user may use.
    pub(super) alias: &'static str,
    /// The server's default.
    pub(super) usual: &'static str,
    /// The value for now; one that nobody would choose, so that what a killed launcher has left is
    /// known by it.
    pub(super) now: &'static str,
}

/// No replicas are enough for a write: a master that has these refuses every one with NOREPLICAS, and
/// goes on answering reads, replicas and sentinels (`processCommand`, server.c).
pub(super) const NO_WRITES: [Loan; 2] = [
    Loan {
        key: "min-replicas-max-lag",
        alias: "min-slaves-max-lag",
        usual: "10",
        now: "86399",
    },
    Loan {
        key: "min-replicas-to-write",
        alias: "min-slaves-to-write",
        usual: "0",
        now: "2147483647",
    },
];

/// Of all replicas the first one that Sentinel takes.
pub(super) const PREFERRED: [Loan; 1] = [Loan {
    key: "replica-priority",
    alias: "slave-priority",
    usual: "100",
    now: "1",
}];

/// What is given back when this is dropped, however a failover ends: on the calling thread, since
/// whoever is interrupted cannot await.
#[derive(Debug)]
pub(super) struct Borrowed {
    endpoint: Endpoint,
    back: Vec<(&'static str, String)>,
    /// Whether the node's config is to say so as well: Sentinel has it rewritten at any time.
    rewrite: bool,
}

impl Borrowed {
    /// Gives the node the values for now. `settings` are the user's.
    ///
    /// # Errors
    /// The node cannot be talked to, or refuses one: then it has those that it had.
    pub(super) async fn take(
        endpoint: Endpoint,
        loans: &[Loan],
        settings: &[Setting],
        rewrite: bool,
    ) -> Result<Self, FailoverError> {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let refused = |command: String, reply: String| FailoverError::Refused {
            node: endpoint.name.clone(),
            command,
            reply,
            times: 1,
        };
        let opened = endpoint.connect(deadline).await;
        let mut connection =
            opened.map_err(|error| refused("CONFIG GET".to_owned(), error.to_string()))?;
        let mut borrowed = Self {
            endpoint: endpoint.clone(),
            back: Vec::new(),
            rewrite,
        };
        for loan in loans {
            let get = ["CONFIG", "GET", loan.key];
            let got = connection.call(&get, deadline).await;
            let got = got.map_err(|error| refused(get.join(" "), error.to_string()))?;
            let value = got
                .as_array()
                .and_then(|pair| String::from_utf8(pair.get(1)?.as_text()?.to_vec()).ok())
                .filter(|value| value != loan.now);
            let value = value.unwrap_or_else(|| users(loan, settings));
            borrowed.back.push((loan.key, value));
            let set = ["CONFIG", "SET", loan.key, loan.now];
            let reply = connection.call(&set, deadline).await;
            let reply = reply.map_err(|error| refused(set.join(" "), error.to_string()))?;
            if let Some(error) = reply.as_error() {
                return Err(refused(set.join(" "), crate::resp::escape(error)));
            }
        }
        Ok(borrowed)
    }

    fn give_back(&self) -> std::io::Result<()> {
        let mut requests = Vec::new();
        let mut replies = 0;
        let mut ask = |command: &[&str]| {
            requests.extend(encode_command(command));
            replies += 1;
        };
        if let Some(password) = &self.endpoint.password {
            ask(&["AUTH", password]);
        }
        for (key, value) in &self.back {
            ask(&["CONFIG", "SET", key, value]);
        }
        if self.rewrite {
            ask(&["CONFIG", "REWRITE"]);
        }
        let mut stream = TcpStream::connect_timeout(&self.endpoint.address, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&requests)?;
        // Each reply is one line. A connection that is closed before them may take the commands along.
        let mut lines = 0;
        let mut bytes = [0_u8; 512];
        while lines < replies {
            let read = stream.read(&mut bytes)?;
            if read == 0 {
                break;
            }
            lines += bytes
                .iter()
                .take(read)
                .filter(|byte| **byte == b'\n')
                .count();
        }
        Ok(())
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // A node that is dead has nothing to be given back.
        let _ = self.give_back();
    }
}

/// The value that the user has asked for, or the server's default.
fn users(loan: &Loan, settings: &[Setting]) -> String {
    let mut asked = settings.iter().rev();
    let asked = asked.find(|setting| setting.key == loan.key || setting.key == loan.alias);
    asked.map_or_else(|| loan.usual.to_owned(), |setting| setting.value.clone())
}
