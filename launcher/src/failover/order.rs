//! What is told to nodes while a shard fails over: to take over, to follow, and to accept a write.

use std::time::Duration;

use super::watch::{Heard, Teller};
use super::{FailoverError, Mode};
use crate::error::Error;
use crate::machine::wait::{Deadline, pause};
use crate::node::{Endpoint, Node, Session, Temporary};
use crate::plan::Sentinels;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::resp::Frame;
use crate::wire::slots::{Slot, key_slot};
use crate::wire::view::{self, HostPort, Link};

/// How long a server tries by itself: `CLUSTER_MF_TIMEOUT` in `cluster_legacy.c`, a setting since
/// Valkey 9.0.
const SERVER_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT_SETTING: &str = "cluster-manual-failover-timeout";
/// How much later it is told again: it looks at the clock ten times a second.
const MARGIN: Duration = Duration::from_millis(300);
/// A replica whose bus link to its master is being made anew refuses the order for a moment.
const AFTER_REFUSAL: Duration = Duration::from_millis(200);
const MOST_REFUSALS: u32 = 15;
/// A sentinel takes no replica for good (NOGOODSLAVE) of which it has not heard lately, and it hears
/// every ten seconds (`SENTINEL_INFO_PERIOD`, sentinel.c).
const MOST_REFUSALS_OF_SENTINEL: u32 = 75;
/// How often a node is told to follow.
const EVERY_ORDER: Duration = Duration::from_millis(20);
/// How often a write is tried.
const EVERY_WRITE: Duration = Duration::from_millis(2);
/// How long the key may live, in milliseconds, should the connection break between SET and DEL.
const KEY_LIFE: &str = "60000";

/// What a node is told, until somebody else is the master. How often it is told counts, so that each order is
/// given once and what the node answers is judged here.
#[derive(Debug)]
pub(super) struct Order {
    session: Session,
    words: Vec<String>,
    /// How long the server tries.
    patience: Duration,
    most_refusals: u32,
}

/// What must be so before an order is given again that a server has carried out in vain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    /// How much time must have passed.
    pub(super) after: Duration,
    /// Whether the replica's link to its master must be up.
    pub(super) needs_link: bool,
}

impl Again {
    /// After a claim in a cluster of this node timeout, by the votes of an election that the replica had
    /// won before. An election is valid for max(2T, 2 s), and no other one begins for twice as long
    /// (`auth_timeout`, `auth_retry_time`, `clusterHandleReplicaFailover`, `cluster_legacy.c`). So it is
    /// told once the old election is no longer valid and the new one begins before the server gives up,
    /// since its master accepts no writes meanwhile.
    pub(super) fn after_stale_votes(node_timeout: Duration, needs_link: bool) -> Self {
        let valid = node_timeout.saturating_mul(2).max(Duration::from_secs(2));
        let next = valid.saturating_mul(2).saturating_sub(SERVER_TIMEOUT);
        Self {
            after: valid.max(next) + MARGIN,
            needs_link,
        }
    }
}

impl Order {
    /// To a replica in a cluster: CLUSTER FAILOVER.
    ///
    /// # Errors
    /// The node cannot be talked to.
    pub(super) async fn to_cluster(endpoint: Endpoint, mode: Mode) -> Result<Self, Error> {
        let words: &[&str] = match mode {
            Mode::Force => &["CLUSTER", "FAILOVER", "FORCE"],
            Mode::Takeover => &["CLUSTER", "FAILOVER", "TAKEOVER"],
            Mode::Graceful | Mode::Crash => &["CLUSTER", "FAILOVER"],
        };
        let mut order = Self::open(endpoint, words).await?;
        let get = ["CONFIG", "GET", TIMEOUT_SETTING];
        let setting = order.session.call(&get, Deadline::after(REPLY_TIMEOUT));
        let setting = setting.await;
        let setting = setting.map_err(|source| order.session.endpoint().failed(source))?;
        let value = setting
            .as_array()
            .and_then(|pair| std::str::from_utf8(pair.get(1)?.as_text()?).ok())
            .and_then(|text| text.parse().ok());
        order.patience = value.map_or(SERVER_TIMEOUT, Duration::from_millis);
        Ok(order)
    }

    /// To a sentinel, which chooses the replica and asks nobody. It gives up after
    /// [`Sentinels::failover_timeout`].
    ///
    /// # Errors
    /// As [`Order::to_cluster`].
    pub(super) async fn to_sentinel(
        endpoint: Endpoint,
        sentinels: &Sentinels,
    ) -> Result<Self, Error> {
        let words = ["SENTINEL", "FAILOVER", &sentinels.master_name];
        Ok(Self {
            patience: sentinels.failover_timeout,
            most_refusals: MOST_REFUSALS_OF_SENTINEL,
            ..Self::open(endpoint, &words).await?
        })
    }

    /// To a master: it stops writing, waits until the replica has everything, and changes places with
    /// it (FAILOVER, Redis 6.2).
    ///
    /// # Errors
    /// As [`Order::to_cluster`].
    pub(super) async fn to_master(endpoint: Endpoint, replica: &HostPort) -> Result<Self, Error> {
        let (port, tries) = (
            replica.port.to_string(),
            SERVER_TIMEOUT.as_millis().to_string(),
        );
        let words = ["FAILOVER", "TO", &replica.host, &port, "TIMEOUT", &tries];
        Self::open(endpoint, &words).await
    }

    /// To a replica, which asks nobody.
    ///
    /// # Errors
    /// As [`Order::to_cluster`].
    pub(super) async fn to_replica(endpoint: Endpoint) -> Result<Self, Error> {
        Self::open(endpoint, &["REPLICAOF", "NO", "ONE"]).await
    }

    /// Connects, so that the first order goes out at once.
    async fn open(endpoint: Endpoint, words: &[&str]) -> Result<Self, Error> {
        Ok(Self {
            session: Session::to(endpoint, Deadline::after(REPLY_TIMEOUT)).await?,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            patience: SERVER_TIMEOUT,
            most_refusals: MOST_REFUSALS,
        })
    }

    /// The same order, for a connection that is yet to be made.
    pub(super) fn anew(&self) -> Self {
        Self {
            session: Session::unconnected(self.session.endpoint().clone()),
            words: self.words.clone(),
            ..*self
        }
    }

    /// Tells the node again, once it may, as [`Order::give`].
    pub(super) async fn give_again(mut self, again: Again, teller: Teller) {
        pause(again.after).await;
        let info = ["INFO", "replication"];
        loop {
            let info = self.session.call(&info, Deadline::after(REPLY_TIMEOUT));
            let is_up = |info: &Frame| Link::in_info(info) == Some(Link::Up);
            if info
                .await
                .is_ok_and(|info| !again.needs_link || is_up(&info))
            {
                return self.give(teller).await;
            }
            pause(EVERY_ORDER).await;
        }
    }

    /// Tells the node, and again whenever the server's own attempt has run out of time, until this is
    /// dropped; servers answer OK before they have begun.
    pub(super) async fn give(mut self, teller: Teller) {
        let mut refusals = 0;
        loop {
            if teller.send(Heard::Ordered).is_err() {
                return;
            }
            let deadline = Deadline::after(REPLY_TIMEOUT);
            let refusal = match self.session.call(&self.words, deadline).await {
                // Sentinel is at it already.
                Ok(reply) if reply.error_code() == Some("INPROG") => None,
                Ok(reply) => reply.as_error().map(crate::wire::resp::escape),
                Err(error) => Some(error.to_string()),
            };
            let Some(reply) = refusal else {
                refusals = 0;
                let again = self.patience + MARGIN;
                pause(again).await;
                continue;
            };
            refusals += 1;
            if refusals == self.most_refusals {
                let _ = teller.send(Heard::Refused(FailoverError::Refused {
                    node: self.session.name().to_owned(),
                    command: self.words.join(" "),
                    reply,
                    times: refusals,
                }));
                return;
            }
            pause(AFTER_REFUSAL).await;
        }
    }
}

/// Tells a node to follow the new master until it obeys (a master that is changing places refuses for a
/// moment); then it gets the settings back that kept it from taking writes. `rewrite`: its config is to say
/// so as well.
pub(super) async fn follow(
    endpoint: Endpoint,
    master: HostPort,
    without_writes: Option<Temporary>,
    rewrite: bool,
) {
    let port = master.port.to_string();
    let words = ["REPLICAOF", &master.host, &port];
    let mut session = Session::unconnected(endpoint);
    loop {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        if let Ok(reply) = session.call(&words, deadline).await
            && reply.as_error().is_none()
        {
            drop(without_writes);
            if rewrite {
                // A server without a config file of its own has nothing to rewrite.
                let _ = session.call(&["CONFIG", "REWRITE"], deadline).await;
            }
            return;
        }
        pause(EVERY_ORDER).await;
    }
}

/// Writes a key to a node until one write is accepted, and deletes it in the same breath, so that none
/// is left behind however this ends.
pub(super) async fn write(node: usize, endpoint: Endpoint, key: String, teller: Teller) {
    let mut session = Session::unconnected(endpoint);
    let commands: [&[&str]; 2] = [&["SET", &key, "1", "PX", KEY_LIFE], &["DEL", &key]];
    loop {
        let replies = session.pipeline(&commands, Deadline::after(REPLY_TIMEOUT));
        // Otherwise not yet: CLUSTERDOWN, MOVED, LOADING, …
        if let Ok([set, ..]) = replies.await.as_deref()
            && set.as_error().is_none()
        {
            let _ = teller.send(Heard::Written(node));
            return;
        }
        pause(EVERY_WRITE).await;
    }
}

/// Moves a master's offset off 0. Up to Redis 6.0 a replica takes the offset 0 for one that it has not
/// been told yet (`clusterHandleManualFailover`, cluster.c) and waits for another one until its time is
/// up; and a master that is told again and again finds no time to ping.
///
/// # Errors
/// It cannot be talked to.
pub(super) async fn leave_offset_0(master: &Node) -> Result<(), Error> {
    let info = master.call(&["INFO", "replication"]).await?;
    if view::info_field(&info, "master_repl_offset") == Some("0") {
        // For more replicas than there are: the master asks them for an acknowledgement, whether the
        // cluster takes writes or not.
        master.call(&["WAIT", "1000", "1"]).await?;
    }
    Ok(())
}

/// The key where there are no slots.
pub(super) fn any_key() -> String {
    key_number(0)
}

/// A key of ours in the slot; one in 16384 is, so that it takes some milliseconds to find.
pub(super) fn key_in(slot: Slot) -> String {
    let mut number = 0_u64;
    loop {
        let key = key_number(number);
        if key_slot(key.as_bytes()) == slot {
            return key;
        }
        number += 1;
    }
}

fn key_number(number: u64) -> String {
    format!("shardlab:failover:{number}")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    /// A server that takes every order, says that it tries for 10 ms, and never does anything.
    async fn idle_server(listener: TcpListener) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0_u8; 1024];
        while let Ok(read @ 1..) = stream.read(&mut request).await {
            let asked = String::from_utf8_lossy(&request[..read]);
            let reply = if asked.contains("CONFIG") {
                format!("*2\r\n$31\r\n{TIMEOUT_SETTING}\r\n$2\r\n10\r\n")
            } else {
                "+OK\r\n".to_owned()
            };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_order_is_given_again_when_the_servers_own_attempt_has_timed_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint {
            name: "r1".to_owned(),
            address: listener.local_addr().unwrap(),
            password: None,
        };
        tokio::spawn(idle_server(listener));
        let order = Order::to_cluster(endpoint, Mode::Graceful).await.unwrap();
        let (teller, mut heard) = unbounded_channel();
        let giving = tokio::spawn(order.give(teller));
        for _ in 0..3 {
            assert!(matches!(heard.recv().await, Some(Heard::Ordered)));
        }
        giving.abort();
    }

    #[test]
    fn every_slot_has_a_key_of_ours() {
        for slot in [Slot::FIRST, Slot::new(5461).unwrap(), Slot::LAST] {
            assert_eq!(key_slot(key_in(slot).as_bytes()), slot);
        }
    }
}
