//! How nodes fare, as reports tell it.

use serde::Serialize;
use shardlab::wire::view::{Link, Vitals};

use crate::term::bytes;

/// The figures of one node; absent where it does not tell them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    keys: Option<u64>,
    /// Bytes of the stream of writes.
    offset: Option<u64>,
    /// By how much a replica's offset is behind its master's.
    lag_bytes: Option<u64>,
    memory_bytes: Option<u64>,
    /// Of a replica, whether the link to its master is up.
    master_link: Option<Link>,
}

impl Figures {
    /// `master` are the figures of the node's master, if it is a replica whose master tells them.
    pub(super) fn of(own: Option<&Vitals>, master: Option<&Vitals>) -> Self {
        let Some(own) = own else {
            return Self::default();
        };
        Self {
            keys: Some(own.keys),
            offset: Some(own.offset),
            lag_bytes: master.map(|master| master.offset.saturating_sub(own.offset)),
            memory_bytes: Some(own.memory),
            master_link: own.link,
        }
    }

    pub(super) fn keys(&self) -> String {
        number(self.keys)
    }

    pub(super) fn offset(&self) -> String {
        number(self.offset)
    }

    pub(super) fn lag(&self) -> String {
        number(self.lag_bytes)
    }

    pub(super) fn memory(&self) -> String {
        self.memory_bytes.map_or_else(nothing, bytes)
    }

    pub(super) fn master_link(&self) -> String {
        self.master_link
            .map_or_else(nothing, |link| link.to_string())
    }
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(nothing, |number| number.to_string())
}

fn nothing() -> String {
    "-".to_owned()
}
