//! Settings of one node that have another value while its set fails over.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::FailoverError;
use crate::client::{ClientError, REPLY_TIMEOUT};
use crate::node::Endpoint;
use crate::plan::Setting;
use crate::resp::{Frame, encode_command};
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
            let value = value_of(&got).filter(|value| value != loan.now);
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

    /// Sets right what a killed launcher has left: what a node still has that nobody would choose.
    ///
    /// # Errors
    /// As [`Borrowed::take`].
    pub(super) async fn set_right(
        endpoint: Endpoint,
        loans: &[Loan],
        settings: &[Setting],
        rewrite: bool,
    ) -> Result<(), ClientError> {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let mut connection = endpoint.connect(deadline).await?;
        let mut left = Self {
            endpoint,
            back: Vec::new(),
            rewrite,
        };
        for loan in loans {
            let got = connection
                .call(&["CONFIG", "GET", loan.key], deadline)
                .await?;
            if value_of(&got).is_some_and(|value| value == loan.now) {
                left.back.push((loan.key, users(loan, settings)));
            }
        }
        Ok(())
    }

    fn give_back(&self) -> std::io::Result<()> {
        if self.back.is_empty() {
            return Ok(());
        }
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

/// The value in the reply of CONFIG GET.
fn value_of(reply: &Frame) -> Option<String> {
    let value = reply.as_array()?.get(1)?.as_text()?;
    String::from_utf8(value.to_vec()).ok()
}

/// The value that the user has asked for, or the server's default.
fn users(loan: &Loan, settings: &[Setting]) -> String {
    let mut asked = settings.iter().rev();
    let asked = asked.find(|setting| setting.key == loan.key || setting.key == loan.alias);
    asked.map_or_else(|| loan.usual.to_owned(), |setting| setting.value.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use super::*;

    type Settings = Arc<Mutex<BTreeMap<String, String>>>;

    /// Answers CONFIG GET and CONFIG SET on any number of connections.
    fn server(settings: &Settings) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Arc::clone(settings);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, settings) = (stream.unwrap(), Arc::clone(&settings));
                std::thread::spawn(move || serve(&stream, &settings));
            }
        });
        Endpoint {
            name: "n1".to_owned(),
            address,
            password: None,
        }
    }

    fn serve(mut stream: &TcpStream, settings: &Settings) {
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(head)) = lines.next() {
            let words: usize = head.trim_start_matches('*').parse().unwrap();
            let mut word = || {
                lines.next().unwrap().unwrap();
                lines.next().unwrap().unwrap()
            };
            let words: Vec<String> = (0..words).map(|_| word()).collect();
            let mut settings = settings.lock().unwrap();
            let reply = match words.as_slice() {
                [_, _, key] => {
                    let value = &settings[key];
                    format!(
                        "*2\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n",
                        key.len(),
                        value.len()
                    )
                }
                [_, _, key, value] => {
                    settings.insert(key.clone(), value.clone());
                    "+OK\r\n".to_owned()
                }
                other => panic!("{other:?}"),
            };
            stream.write_all(reply.as_bytes()).unwrap();
        }
    }

    fn held(lag: &str, replicas: &str) -> Settings {
        let settings = [
            ("min-replicas-max-lag", lag),
            ("min-replicas-to-write", replicas),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Arc::new(Mutex::new(settings.into()))
    }

    async fn borrow_and_drop(settings: &Settings, asked: &[Setting]) {
        let borrowed = Borrowed::take(server(settings), &NO_WRITES, asked, false).await;
        let borrowed = borrowed.unwrap();
        assert_eq!(
            *settings.lock().unwrap(),
            *held("86399", "2147483647").lock().unwrap()
        );
        drop(borrowed);
    }

    #[tokio::test]
    async fn what_was_borrowed_is_given_back_by_whatever_way_it_ends() {
        let settings = held("0", "1");
        borrow_and_drop(&settings, &[]).await;
        assert_eq!(*settings.lock().unwrap(), *held("0", "1").lock().unwrap());
    }

    #[tokio::test]
    async fn what_a_killed_launcher_has_left_is_set_right() {
        let settings = held("86399", "2147483647");
        let asked = [Setting {
            key: "min-slaves-to-write".to_owned(),
            value: "1".to_owned(),
        }];
        borrow_and_drop(&settings, &asked).await;
        assert_eq!(*settings.lock().unwrap(), *held("10", "1").lock().unwrap());

        for (before, after) in [("2147483647", "0"), ("2", "2")] {
            let settings = held("10", before);
            let set_right = Borrowed::set_right(server(&settings), &NO_WRITES, &[], false);
            set_right.await.unwrap();
            assert_eq!(
                *settings.lock().unwrap(),
                *held("10", after).lock().unwrap()
            );
        }
    }
}
