//! Where a running cluster is, as a user says it: `HOST:PORT`, `redis://user:password@host:port`, `rediss://…`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

/// How an address is written.
const FORMS: &str =
    "write `HOST:PORT`, or `redis://USER:PASSWORD@HOST:PORT`; `rediss://` is with TLS";

/// The port of a URL without one.
const USUAL_PORT: u16 = 6379;

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an address: {problem}")]
pub struct AddressError {
    text: String,
    problem: String,
}

/// With what a client logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// An ACL user; none is the default one.
    pub user: Option<String>,
    /// In clear.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Addresses that nodes tell, and what they are from here: `10.0.0.5:6379` is `127.0.0.1:7001`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressMap(Vec<(Side, Side)>);

/// A host, and a port unless all of its ports are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Side {
    host: String,
    port: Option<u16>,
}

impl Side {
    fn parse(text: &str) -> Result<Self, AddressError> {
        let host = |host: String| Self { host, port: None };
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
            return Ok(host(ip.to_string()));
        }
        if !text.contains(':') {
            return Ok(host(text.to_owned()));
        }
        let Address { host, port } =
            address(text, text).map_err(|_| wrong(text, "write `HOST` or `HOST:PORT`"))?;
        Ok(Self {
            host,
            port: Some(port),
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.clone();
        match self.port {
            Some(port) => write!(f, "{}", Address { host, port }),
            None => f.write_str(&host),
        }
    }
}

impl AddressMap {
    /// Reads `FROM=TO`, both `HOST` or `HOST:PORT`.
    ///
    /// # Errors
    /// There is no equal sign, or a side is empty or is no address.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, AddressError> {
        let entry = |entry: &'a str| {
            let sides = entry.split_once('=');
            let sides = sides.filter(|(from, to)| !from.is_empty() && !to.is_empty());
            let (from, to) = sides.ok_or_else(|| {
                wrong(
                    entry,
                    "write `FROM=TO`, as in `10.0.0.5:6379=127.0.0.1:7001`",
                )
            })?;
            Ok((Side::parse(from)?, Side::parse(to)?))
        };
        entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The entries as they are given.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(from, to)| format!("{from}={to}"))
    }

    /// Where a node is from here.
    pub(super) fn here(&self, host: &str, port: u16) -> (String, u16) {
        let of = |from: Option<u16>| {
            let mut entries = self.0.iter();
            entries.find(move |entry| entry.0.host == host && entry.0.port == from)
        };
        match of(Some(port)).or_else(|| of(None)) {
            Some((_, to)) => (to.host.clone(), to.port.unwrap_or(port)),
            None => (host.to_owned(), port),
        }
    }
}

/// An address as it was said: the host, which may be a name, and the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// The port for clients.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An address, and what a URL says besides.
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) credentials: Option<Credentials>,
    pub(super) over_tls: bool,
}

fn wrong(text: &str, problem: impl Into<String>) -> AddressError {
    AddressError {
        text: text.to_owned(),
        problem: problem.into(),
    }
}

/// Reads addresses with commas between them.
pub(super) fn places(text: &str) -> Result<Vec<Place>, AddressError> {
    let parts = parts(text).into_iter().filter(|part| !part.is_empty());
    let places: Vec<_> = parts.map(place).collect::<Result<_, _>>()?;
    if places.is_empty() {
        return Err(wrong(
            text,
            "it is empty; write `HOST:PORT`, several with commas between them",
        ));
    }
    Ok(places)
}

/// What stands between commas; those in front of a `@` are of a password.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut end) = (Vec::new(), text.len());
    for (comma, _) in text.rmatch_indices(',') {
        let part = text.get(comma + 1..end).unwrap_or_default();
        if part.contains("://") || !part.contains('@') {
            parts.push(part.trim());
            end = comma;
        }
    }
    parts.push(text.get(..end).unwrap_or_default().trim());
    parts.reverse();
    parts
}

/// An address without what may be of a password: what precedes a `@`, or follows a `:` and is no port.
fn shown(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains([':', '@']) => (format!("{scheme}://"), rest),
        _ => (String::new(), text),
    };
    let server = rest.rsplit('@').next().unwrap_or_default();
    let server = server.split(['/', '?']).next().unwrap_or_default();
    let server = match server.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => "…",
        _ => server,
    };
    format!("{scheme}{server}")
}

fn place(text: &str) -> Result<Place, AddressError> {
    let shown = shown(text);
    let Some((scheme, rest)) = text.split_once("://") else {
        if text.contains('@') {
            return Err(wrong(&shown, FORMS));
        }
        return Ok(Place {
            address: address(text, &shown)?,
            credentials: None,
            over_tls: false,
        });
    };
    let (login, server) = rest
        .rsplit_once('@')
        .map_or((None, rest), |(login, server)| (Some(login), server));
    let over_tls = match scheme {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        _ => return Err(wrong(&shown, FORMS)),
    };
    let server = server.split(['/', '?']).next().unwrap_or_default();
    let has_port = server
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let whole = if has_port {
        server.to_owned()
    } else {
        format!("{server}:{USUAL_PORT}")
    };
    let credentials = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or(("", login));
        Credentials {
            user: Some(decoded(user)).filter(|user| !user.is_empty()),
            password: decoded(password),
        }
    });
    Ok(Place {
        address: address(&whole, &shown)?,
        credentials,
        over_tls,
    })
}

fn address(place: &str, shown: &str) -> Result<Address, AddressError> {
    if let Ok(address) = place.parse::<SocketAddr>() {
        return Ok(Address {
            host: address.ip().to_string(),
            port: address.port(),
        });
    }
    let parts = place.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let is_name = |host: &str| !host.is_empty() && !host.contains([':', '[', ']', ' ']);
    match parts {
        Some((host, port)) if is_name(host) => Ok(Address {
            host: host.to_owned(),
            port,
        }),
        _ => Err(wrong(
            shown,
            "write `HOST:PORT`, several with commas between them",
        )),
    }
}

/// `%40` is `@`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_url() {
        for (text, address, login) in [
            ("127.0.0.1:7001", "127.0.0.1:7001", None),
            ("rediss://127.0.0.1", "127.0.0.1:6379", None),
            ("redis://127.0.0.1:7001/0", "127.0.0.1:7001", None),
            (
                "redis://:secret@127.0.0.1:7001",
                "127.0.0.1:7001",
                Some((None, "secret")),
            ),
            (
                "redis://ann:p%40ss%2c%@127.0.0.1:7001",
                "127.0.0.1:7001",
                Some((Some("ann"), "p@ss,%")),
            ),
            (
                "redis://secret@[::1]:7001",
                "[::1]:7001",
                Some((None, "secret")),
            ),
            ("cache.example:7001", "cache.example:7001", None),
            (
                "redis://ann:sec,ret@127.0.0.1:7001",
                "127.0.0.1:7001",
                Some((Some("ann"), "sec,ret")),
            ),
        ] {
            let [place] = &places(text).unwrap()[..] else {
                panic!("{text} is one address");
            };
            assert_eq!(place.address.to_string(), address, "{text}");
            let credentials = login.map(|(user, password): (Option<&str>, &str)| Credentials {
                user: user.map(ToOwned::to_owned),
                password: password.to_owned(),
            });
            assert_eq!(place.credentials, credentials, "{text}");
            assert_eq!(place.over_tls, text.starts_with("rediss"), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in [
            "",
            " , ",
            "7001",
            ":7001",
            "::1:7001",
            "127.0.0.1:70010",
            "tcp://x:secret@127.0.0.1:1",
            "rediss://:secret@127.0.0.1:",
            "redis://:secret@",
            "ann:secret@127.0.0.1:7001",
            "redis:/ann:secret@127.0.0.1:7001",
            "redis://:secret",
            "ann:secret",
            "tcp://ann:sec,secret@127.0.0.1:1",
            "127.0.0.1:1,ann:secret,secret@127.0.0.1:1",
        ] {
            let error = places(text).map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn nodes_may_be_elsewhere_from_here() {
        let entries = [
            "10.0.0.5:6379=127.0.0.1:7001",
            "10.0.0.6=10.1.0.6",
            "[fd00::5]:6379=[::1]:7001",
            "fd00::6=[::1]",
        ];
        let map = AddressMap::parse(entries).unwrap();
        for (told, here) in [
            (("10.0.0.5", 6379), ("127.0.0.1", 7001)),
            (("10.0.0.5", 6380), ("10.0.0.5", 6380)),
            (("10.0.0.6", 6379), ("10.1.0.6", 6379)),
            (("fd00::5", 6379), ("::1", 7001)),
            (("fd00::6", 6379), ("::1", 6379)),
            (("::1", 6379), ("::1", 6379)),
        ] {
            assert_eq!(map.here(told.0, told.1), (here.0.to_owned(), here.1));
        }
        let again: Vec<_> = map.entries().collect();
        assert_eq!(AddressMap::parse(again.iter().map(String::as_str)), Ok(map));
        for wrong in [
            "10.0.0.5",
            "=x",
            "x=",
            "x=HOST:PORT",
            "x:1=::1:70000",
            "x=y:z:1",
        ] {
            assert!(AddressMap::parse([wrong]).is_err());
        }
    }
}
