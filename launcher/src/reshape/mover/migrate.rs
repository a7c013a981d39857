//! Keys from one node to another by MIGRATE, in parcels that do not block the nodes for long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::end::End;
use super::progress::{Tell, Tick};
use crate::error::Error;
use crate::node::Session;
use crate::reshape::{Keep, MoveError, MoveOptions, SlowKey};
use crate::wire::resp::{Frame, escape};
use crate::wire::slots::Slot;
use crate::wire::view;

/// How much one MIGRATE, or several in one pipeline, may carry, unless a single key is larger. A
/// node serves nobody else meanwhile; a megabyte takes it a few milliseconds.
const BYTES_AT_ONCE: u64 = 1 << 20;
/// How many keys one MIGRATE may carry, or several in one pipeline: a node serves its clients between
/// two pipelines, and all sources of a target wait for each other. With more of them moves are hardly
/// faster, while clients get a fraction of their commands through.
const KEYS_AT_ONCE: usize = 16;
/// A source with so few bytes of data in all is not asked for the size of each key: whatever goes
/// together takes it a moment. Sizing costs it a tenth of what moving does.
const SMALL_DATASET: u64 = 64 << 20;
/// How often a key is tried that is too slow.
const TRIES: u32 = 4;
/// By how much its time-out grows each time.
const MORE_TIME: u32 = 5;
/// What a node may take for a reply besides the time-out of MIGRATE itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys of one slot that go together.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) slot: Slot,
    keys: Vec<Bytes>,
    bytes: u64,
}

impl Parcel {
    fn takes(&self, slot: Slot, bytes: u64) -> bool {
        self.slot == slot
            && self.keys.len() < KEYS_AT_ONCE
            && self.bytes.saturating_add(bytes) <= BYTES_AT_ONCE
    }
}

/// What carries keys to one node.
#[derive(Debug)]
pub(super) struct Carrier {
    host: String,
    port: String,
    password: Option<Arc<str>>,
    /// The database of the keys.
    pub(super) database: u32,
    pub(super) keep: Keep,
    migrate_timeout: Duration,
    /// Whether keys are sized up before they go.
    sizing: bool,
    tell: Tell,
}

impl Carrier {
    pub(super) async fn new(
        source: &mut Session,
        to: &End,
        options: MoveOptions,
        tell: Tell,
    ) -> Result<Self, Error> {
        let info = source.ask(&[vec!["INFO", "memory"]]).await?;
        let dataset = info
            .first()
            .and_then(|info| view::info_field(info, "used_memory_dataset"))
            .and_then(|bytes| bytes.parse().ok());
        let address = to.endpoint.address;
        Ok(Self {
            host: address.ip().to_string(),
            port: address.port().to_string(),
            password: to.endpoint.password.clone(),
            database: 0,
            keep: Keep::default(),
            migrate_timeout: options.migrate_timeout,
            sizing: dataset.is_none_or(|bytes: u64| bytes > SMALL_DATASET),
            tell,
        })
    }

    /// Sizes the keys up, with their source's help, where that matters, and puts them into parcels. Neighbours of
    /// one slot go together.
    pub(super) async fn pack(
        &self,
        source: &mut Session,
        keys: Vec<(Slot, Bytes)>,
    ) -> Result<Vec<Parcel>, Error> {
        let sizes = if self.sizing {
            self.sizes(source, keys.iter().map(|(_, key)| key)).await?
        } else {
            vec![0; keys.len()]
        };
        let mut parcels: Vec<Parcel> = Vec::new();
        for ((slot, key), bytes) in keys.into_iter().zip(sizes) {
            match parcels.last_mut().filter(|last| last.takes(slot, bytes)) {
                Some(last) => {
                    last.keys.push(key);
                    last.bytes += bytes;
                }
                None => parcels.push(Parcel {
                    slot,
                    keys: vec![key],
                    bytes,
                }),
            }
        }
        Ok(parcels)
    }

    async fn sizes(
        &self,
        source: &mut Session,
        keys: impl Iterator<Item = &Bytes>,
    ) -> Result<Vec<u64>, Error> {
        let word = Bytes::from_static;
        let commands: Vec<Vec<Bytes>> = keys
            .map(|key| vec![word(b"MEMORY"), word(b"USAGE"), key.clone()])
            .collect();
        let replies = source.ask(&commands).await?;
        // A key that has expired meanwhile has no size.
        let size = |reply: &Frame| reply.as_integer().and_then(|size| u64::try_from(size).ok());
        Ok(replies
            .iter()
            .map(|reply| size(reply).unwrap_or(0))
            .collect())
    }

    /// Moves the parcels; gives the number of keys that are no longer at the source.
    pub(super) async fn carry(
        &self,
        source: &mut Session,
        target: &mut Session,
        parcels: &[Parcel],
    ) -> Result<usize, Error> {
        let mut gone = 0;
        let mut rest = parcels;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(together(rest));
            let commands: Vec<_> = now
                .iter()
                .map(|parcel| self.command(&parcel.keys, self.migrate_timeout))
                .collect();
            let replies = source
                .ask_within(&commands, patience(self.migrate_timeout))
                .await?;
            let mut moved = 0;
            for (parcel, reply) in now.iter().zip(&replies) {
                moved += match Answer::of(reply) {
                    Answer::Gone => parcel.keys.len(),
                    Answer::Slow(reply) => {
                        self.one_by_one(source, target, parcel, Some(reply)).await?
                    }
                    Answer::Busy => self.one_by_one(source, target, parcel, None).await?,
                    Answer::Refused(error) => return Err(source.refused(&["MIGRATE"], &error)),
                };
            }
            self.tell.send(Tick::Keys(moved));
            gone += moved;
            rest = later;
        }
        Ok(gone)
    }

    /// What did not go together goes alone, so that it is known which key is the reason.
    async fn one_by_one(
        &self,
        source: &mut Session,
        target: &mut Session,
        parcel: &Parcel,
        late: Option<String>,
    ) -> Result<usize, Error> {
        // Who was alone already is the reason.
        let late = late.filter(|_| parcel.keys.len() == 1);
        let mut gone = 0;
        for key in &parcel.keys {
            let late = late.clone();
            gone += self.alone(source, target, parcel.slot, key, late).await?;
        }
        Ok(gone)
    }

    /// Moves one key, with more time whenever it was too `late`: then that is the last answer.
    async fn alone(
        &self,
        source: &mut Session,
        target: &mut Session,
        slot: Slot,
        key: &Bytes,
        mut late: Option<String>,
    ) -> Result<usize, Error> {
        let mut timeout = self.migrate_timeout;
        let mut tries = 1;
        loop {
            if let Some(reply) = late {
                let known = SlowKey {
                    key: escape(key),
                    bytes: self.size(source, key).await?,
                    slot,
                    from: source.name().to_owned(),
                    to: target.name().to_owned(),
                    timeout,
                };
                if tries == TRIES {
                    return Err(MoveError::Stuck {
                        slow: Box::new(known),
                        tries,
                        reply,
                    }
                    .into());
                }
                tries += 1;
                timeout = timeout.saturating_mul(MORE_TIME);
                self.tell.send(Tick::Slow(SlowKey { timeout, ..known }));
            }
            // A target that is still at work on what it was sent last answers when it is done; one
            // that is dead is told from a slow one.
            target
                .ask_within(&[vec!["PING"]], patience(timeout))
                .await?;
            let command = self.command(std::slice::from_ref(key), timeout);
            let replies = source.ask_within(&[command], patience(timeout)).await?;
            late = match replies.first().map(Answer::of) {
                Some(Answer::Slow(reply)) => Some(reply),
                Some(Answer::Busy) => return self.discard(source, key).await,
                Some(Answer::Refused(error)) => return Err(source.refused(&["MIGRATE"], &error)),
                Some(Answer::Gone) | None => return Ok(1),
            };
        }
    }

    async fn size(&self, source: &mut Session, key: &Bytes) -> Result<u64, Error> {
        let sizes = self.sizes(source, std::iter::once(key)).await?;
        Ok(sizes.first().copied().unwrap_or(0))
    }

    /// Deletes a key of which the target has the one that counts.
    async fn discard(&self, source: &mut Session, key: &Bytes) -> Result<usize, Error> {
        let word = Bytes::from_static;
        let commands = [vec![word(b"ASKING")], vec![word(b"DEL"), key.clone()]];
        let replies = source.ask(&commands).await?;
        match replies.last().and_then(Frame::as_error) {
            Some(error) => Err(source.refused(&["DEL"], error)),
            None => Ok(1),
        }
    }

    /// `MIGRATE host port "" database timeout [REPLACE] [AUTH password] KEYS key…`
    fn command(&self, keys: &[Bytes], timeout: Duration) -> Vec<Bytes> {
        let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let word = Bytes::from_static;
        let mut command = vec![word(b"MIGRATE"), text(&self.host), text(&self.port)];
        command.extend([
            word(b""),
            text(&self.database.to_string()),
            text(&timeout.as_millis().to_string()),
        ]);
        // What an interrupted MIGRATE has left at the target is older than what is here.
        command.extend((self.keep == Keep::Source).then(|| word(b"REPLACE")));
        if let Some(password) = &self.password {
            command.extend([word(b"AUTH"), text(password)]);
        }
        command.push(word(b"KEYS"));
        command.extend_from_slice(keys);
        command
    }
}

/// The time-out of MIGRATE is for each time that nothing comes, there and back.
fn patience(timeout: Duration) -> Duration {
    PATIENCE.saturating_add(timeout.saturating_mul(4))
}

/// How many of the next parcels, at least one, go in one pipeline.
fn together(parcels: &[Parcel]) -> usize {
    let (mut bytes, mut keys) = (0_u64, 0);
    let fitting = parcels.iter().take_while(|parcel| {
        bytes = bytes.saturating_add(parcel.bytes);
        keys += parcel.keys.len();
        bytes <= BYTES_AT_ONCE && keys <= KEYS_AT_ONCE
    });
    fitting.count().max(1)
}

/// What came of one MIGRATE.
enum Answer {
    /// The keys are no longer at the source: moved, or expired before they were (`NOKEY`).
    Gone,
    /// The target did not answer in time; some or all keys may be on both sides.
    Slow(String),
    /// The target has such a key already.
    Busy,
    /// Anything else.
    Refused(Vec<u8>),
}

impl Answer {
    fn of(reply: &Frame) -> Self {
        let Some(error) = reply.as_error() else {
            return Self::Gone;
        };
        let text = escape(error);
        if text.starts_with("IOERR") {
            Self::Slow(text)
        } else if text.contains("BUSYKEY") {
            Self::Busy
        } else {
            Self::Refused(error.to_vec())
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn parcel(bytes: u64) -> Parcel {
        Parcel {
            slot: Slot::FIRST,
            keys: Vec::new(),
            bytes,
        }
    }

    #[test]
    fn what_goes_together_is_bounded_but_never_nothing() {
        assert_eq!(together(&[parcel(u64::MAX), parcel(1)]), 1);
        assert_eq!(together(&[parcel(BYTES_AT_ONCE), parcel(1)]), 1);
        assert_eq!(together(&[parcel(1), parcel(1), parcel(BYTES_AT_ONCE)]), 2);
    }

    #[test]
    fn a_parcel_takes_keys_of_its_slot_until_it_is_full() {
        let full = parcel(BYTES_AT_ONCE);
        assert!(full.takes(Slot::FIRST, 0) && !full.takes(Slot::FIRST, 1));
        assert!(!parcel(0).takes(Slot::LAST, 1));
    }

    #[test]
    fn outcomes_are_told_apart() {
        let of =
            |error: &'static str| Answer::of(&Frame::from_value(Value::SimpleError(error.into())));
        assert!(matches!(
            of("IOERR error or timeout reading to target instance"),
            Answer::Slow(_)
        ));
        assert!(matches!(
            of("ERR Target instance replied with error: BUSYKEY Target key name already exists."),
            Answer::Busy
        ));
        assert!(matches!(
            of("ERR Target instance replied with error: OOM"),
            Answer::Refused(_)
        ));
        let ok = Frame::from_value(Value::SimpleString("NOKEY".into()));
        assert!(matches!(Answer::of(&ok), Answer::Gone));
    }
}
