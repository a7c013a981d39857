//! Errors that send a client to another node.

use super::Frame;
use crate::wire::slots::Slot;

/// `-MOVED 3999 127.0.0.1:6381` or `-ASK …`: where a key's slot is, or is on its way to
/// (cluster specification, "Redirection and resharding").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// For good, or for this one command.
    pub kind: RedirectKind,
    /// The slot of the key that was asked for.
    pub slot: Slot,
    /// Where to ask instead.
    pub host: Host,
    /// The client port there.
    pub port: u16,
}

/// For how long a redirection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// `MOVED`: the slot is served there; ask there from now on.
    Moved,
    /// `ASK`: the slot is on its way there; ask there once, after `ASKING`.
    Ask,
}

/// The host part of a redirection. What servers put there is up to their
/// `cluster-preferred-endpoint-type` (Redis 7.0 and Valkey).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Nothing: the host that was asked, on another port (`unknown-endpoint`).
    SameAsAsked,
    /// `?`: the node has no host name although one was to be announced.
    Unknown,
    /// An address or a name; IPv6 without brackets, as servers write it.
    Named(String),
}

impl Redirect {
    /// The redirection that an error is; `None` for any other frame, and for a redirection
    /// that is not spelled as servers spell it.
    pub fn parse(frame: &Frame) -> Option<Self> {
        let mut words = std::str::from_utf8(frame.as_error()?).ok()?.split(' ');
        let kind = match words.next()? {
            "MOVED" => RedirectKind::Moved,
            "ASK" => RedirectKind::Ask,
            _ => return None,
        };
        let slot = words.next()?.parse().ok()?;
        // The last colon: an IPv6 address has its own.
        let (host, port) = words.next()?.rsplit_once(':')?;
        if words.next().is_some() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let host = match host {
            "" => Host::SameAsAsked,
            "?" => Host::Unknown,
            name => Host::Named(name.to_owned()),
        };
        Some(Self {
            kind,
            slot,
            host,
            port: port.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn parse(error: &'static str) -> Option<Redirect> {
        Redirect::parse(&Frame::from_value(Value::SimpleError(error.into())))
    }

    fn moved(slot: u16, host: Host, port: u16) -> Option<Redirect> {
        Some(Redirect {
            kind: RedirectKind::Moved,
            slot: Slot::new(slot)?,
            host,
            port,
        })
    }

    fn named(host: &str) -> Host {
        Host::Named(host.to_owned())
    }

    #[test]
    fn moved_names_the_owner_of_the_slot() {
        assert_eq!(
            parse("MOVED 3999 127.0.0.1:6381"),
            moved(3999, named("127.0.0.1"), 6381)
        );
        assert_eq!(
            parse("MOVED 0 node-1.example:1"),
            moved(0, named("node-1.example"), 1)
        );
    }

    #[test]
    fn ask_is_told_apart_from_moved() {
        let kinds = ["ASK 1 h:1", "MOVED 1 h:1"].map(|error| parse(error).unwrap().kind);
        assert_eq!(kinds, [RedirectKind::Ask, RedirectKind::Moved]);
    }

    #[test]
    fn an_ipv6_address_ends_at_the_last_colon() {
        assert_eq!(parse("MOVED 5 ::1:7001"), moved(5, named("::1"), 7001));
    }

    #[test]
    fn a_host_may_be_missing_or_unknown() {
        assert_eq!(parse("MOVED 5 :7001"), moved(5, Host::SameAsAsked, 7001));
        assert_eq!(parse("MOVED 5 ?:7001"), moved(5, Host::Unknown, 7001));
    }

    #[test]
    fn what_is_spelled_otherwise_is_no_redirection() {
        let others = [
            "ERR no",
            "MOVED",
            "MOVED 1",
            "MOVED 1 h",
            "MOVED 1 h:",
            "MOVED 1 h:+1",
            "MOVED 1 h:65536",
            "MOVED 16384 h:1",
            "MOVED -1 h:1",
            "MOVED 1 h:1 more",
            "MOVED  1 h:1",
            "moved 1 h:1",
        ];
        for other in others {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(
            Redirect::parse(&Frame::from_value(Value::SimpleString(
                "MOVED 1 h:1".into()
            ))),
            None
        );
    }
}
