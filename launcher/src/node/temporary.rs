//! Settings of a node that have another value for a while.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::time::Duration;

use super::{Endpoint, Session};
use crate::error::failover::FailoverError;
use crate::machine::wait::{Deadline, until_blocking};
use crate::plan::Setting;
use crate::wire::client::{ClientError, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, encode_command};

/// How long a node is waited for that gets its settings back; it may just have been started.
const PATIENCE: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_millis(5);

/// A setting and its value for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Override {
    /// Its name since Redis 5.0.
    pub(crate) key: &'static str,
    /// Its older name, which a user may use.
    pub(crate) alias: &'static str,
    /// The server's default.
    pub(crate) usual: &'static str,
    /// The value for now; one that nobody would choose, so that what a killed launcher has left is
    /// known by it.
    pub(crate) now: &'static str,
}

impl Override {
    /// Whether the node that gives this reply to CONFIG GET has the value for now.
    pub(crate) fn is_in_force(&self, reply: &Frame) -> bool {
        value_of(reply).is_some_and(|value| value == self.now)
    }
}

/// No replicas are enough for a write: a master that has these refuses every one with NOREPLICAS, and
/// goes on answering reads, replicas and sentinels (`processCommand`, server.c).
pub(crate) const NO_WRITES: [Override; 2] = [
    Override {
        key: "min-replicas-max-lag",
        alias: "min-slaves-max-lag",
        usual: "10",
        now: "86399",
    },
    Override {
        key: "min-replicas-to-write",
        alias: "min-slaves-to-write",
        usual: "0",
        now: "2147483647",
    },
];

/// Of all replicas the first one that Sentinel takes. A user may choose it as well, with `--set`.
pub(crate) const PREFERRED: [Override; 1] = [Override {
    key: "replica-priority",
    alias: "slave-priority",
    usual: "100",
    now: "1",
}];

/// Values that a node gets back when this is dropped, however the command ends: on the calling thread,
/// since whoever is interrupted cannot await.
#[derive(Debug)]
pub(crate) struct Temporary {
    endpoint: Endpoint,
    back: Vec<(String, String)>,
    /// Whether the node's config is to say so as well: Sentinel has it rewritten at any time.
    rewrite: bool,
}

/// Values that several nodes get back when this is dropped, all at the same time: it takes no longer than
/// one of them that is silent.
#[derive(Debug)]
pub(crate) struct Temporaries(Vec<Temporary>);

impl Temporaries {
    /// The values that nodes that were started with others are to have at last.
    pub(crate) fn until_dropped(
        endpoints: impl Iterator<Item = Endpoint>,
        back: &[(String, String)],
    ) -> Self {
        let of_node = |endpoint| Temporary {
            endpoint,
            back: back.to_vec(),
            rewrite: false,
        };
        Self(endpoints.map(of_node).collect())
    }

    /// The nodes have their values again: there is nothing left to do.
    pub(crate) fn settled(mut self) {
        self.0.iter_mut().for_each(|of_node| of_node.back.clear());
    }
}

impl Drop for Temporaries {
    fn drop(&mut self) {
        std::thread::scope(|threads| {
            for of_node in self.0.drain(..).filter(|of_node| !of_node.back.is_empty()) {
                // Where no thread is to be had, it is dropped on this one.
                let _ = std::thread::Builder::new().spawn_scoped(threads, || drop(of_node));
            }
        });
    }
}

impl Temporary {
    /// Gives the node the values for now. `settings` are the user's.
    ///
    /// # Errors
    /// The node cannot be talked to, or refuses one: then it has those that it had.
    pub(crate) async fn take(
        endpoint: Endpoint,
        overrides: &[Override],
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
        let mut session = Session::unconnected(endpoint.clone());
        let mut taken = Self {
            endpoint: endpoint.clone(),
            back: Vec::new(),
            rewrite,
        };
        for setting in overrides {
            let get = ["CONFIG", "GET", setting.key];
            let got = session.call(&get, deadline).await;
            let got = got.map_err(|error| refused(get.join(" "), error.to_string()))?;
            let value = value_of(&got).filter(|value| value != setting.now);
            let value = value.unwrap_or_else(|| users(setting, settings));
            taken.back.push((setting.key.to_owned(), value));
            let set = ["CONFIG", "SET", setting.key, setting.now];
            let reply = session.call(&set, deadline).await;
            let reply = reply.map_err(|error| refused(set.join(" "), error.to_string()))?;
            if let Some(error) = reply.as_error() {
                return Err(refused(set.join(" "), crate::wire::resp::escape(error)));
            }
        }
        Ok(taken)
    }

    /// Sets right what a killed launcher has left: what a node still has that nobody would choose.
    ///
    /// # Errors
    /// As [`Temporary::take`].
    pub(crate) async fn set_right(
        endpoint: Endpoint,
        overrides: &[Override],
        settings: &[Setting],
        rewrite: bool,
    ) -> Result<(), ClientError> {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let mut session = Session::unconnected(endpoint.clone());
        let mut left = Self {
            endpoint,
            back: Vec::new(),
            rewrite,
        };
        for setting in overrides {
            let get = ["CONFIG", "GET", setting.key];
            if setting.is_in_force(&session.call(&get, deadline).await?) {
                left.back
                    .push((setting.key.to_owned(), users(setting, settings)));
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
            requests.extend_from_slice(&encode_command(command));
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
        let deadline = Deadline::after(PATIENCE);
        let mut stream = until_blocking(deadline, RETRY, || {
            match TcpStream::connect_timeout(&self.endpoint.address, left(deadline)) {
                Ok(stream) => ControlFlow::Break(stream),
                Err(error) => ControlFlow::Continue(error),
            }
        })?;
        stream.set_write_timeout(Some(left(deadline)))?;
        stream.write_all(&requests)?;
        // Each reply is one line. A connection that is closed before them may take the commands along.
        let mut lines = 0;
        let mut bytes = [0_u8; 512];
        while lines < replies {
            stream.set_read_timeout(Some(left(deadline)))?;
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

impl Drop for Temporary {
    fn drop(&mut self) {
        // A node that is dead has nothing to be given back.
        let _ = self.give_back();
    }
}

/// The time that is left; sockets take none for an endless one.
fn left(deadline: Deadline) -> Duration {
    deadline.remaining().max(RETRY)
}

/// The value in the reply of CONFIG GET.
fn value_of(reply: &Frame) -> Option<String> {
    let value = reply.as_array()?.get(1)?.as_text()?;
    String::from_utf8(value.to_vec()).ok()
}

/// The value that the user has asked for, or the server's default.
fn users(own: &Override, settings: &[Setting]) -> String {
    let asked = Setting::value_in(settings, &[own.key, own.alias]);
    asked.unwrap_or(own.usual).to_owned()
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

    fn settings_of(lag: &str, replicas: &str) -> Settings {
        let settings = [
            ("min-replicas-max-lag", lag),
            ("min-replicas-to-write", replicas),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Arc::new(Mutex::new(settings.into()))
    }

    async fn take_and_drop(settings: &Settings, asked: &[Setting]) {
        let taken = Temporary::take(server(settings), &NO_WRITES, asked, false).await;
        let taken = taken.unwrap();
        assert_eq!(
            *settings.lock().unwrap(),
            *settings_of("86399", "2147483647").lock().unwrap()
        );
        drop(taken);
    }

    #[tokio::test]
    async fn the_values_from_before_come_back_by_whatever_way_it_ends() {
        let settings = settings_of("0", "1");
        take_and_drop(&settings, &[]).await;
        assert_eq!(
            *settings.lock().unwrap(),
            *settings_of("0", "1").lock().unwrap()
        );
    }

    #[test]
    fn nodes_that_are_silent_are_told_at_the_same_time() {
        let talks = Arc::new(Mutex::new((0, 0)));
        let silent = |_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let talks = Arc::clone(&talks);
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let count = |step: i32| {
                    let (now, most) = &mut *talks.lock().unwrap();
                    *now += step;
                    *most = (*most).max(*now);
                };
                count(1);
                // Until the other end is closed.
                let _ = stream.read_to_end(&mut Vec::new());
                count(-1);
            });
            (address, server)
        };
        let (addresses, servers): (Vec<_>, Vec<_>) = (0..3).map(silent).unzip();
        let endpoints = addresses.into_iter().map(|address| Endpoint {
            name: "n1".to_owned(),
            address,
            password: None,
        });
        let back = [("a".to_owned(), "b".to_owned())];
        drop(Temporaries::until_dropped(endpoints, &back));
        for server in servers {
            server.join().unwrap();
        }
        assert_eq!(*talks.lock().unwrap(), (0, 3), "now, at most");
    }

    #[tokio::test]
    async fn what_a_killed_launcher_has_left_is_set_right() {
        let settings = settings_of("86399", "2147483647");
        let asked = [Setting {
            key: "min-slaves-to-write".to_owned(),
            value: "1".to_owned(),
        }];
        take_and_drop(&settings, &asked).await;
        assert_eq!(
            *settings.lock().unwrap(),
            *settings_of("10", "1").lock().unwrap()
        );

        for (before, after) in [("2147483647", "0"), ("2", "2")] {
            let settings = settings_of("10", before);
            let set_right = Temporary::set_right(server(&settings), &NO_WRITES, &[], false);
            set_right.await.unwrap();
            assert_eq!(
                *settings.lock().unwrap(),
                *settings_of("10", after).lock().unwrap()
            );
        }
    }
}
