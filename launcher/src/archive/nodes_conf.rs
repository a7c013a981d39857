//! nodes.conf, read and written for other addresses. Pure.
//!
//! A line is `id ip:port@cport[,hostname[,aux=value…]] flags master ping pong epoch link [slot…]`, the
//! last one `vars currentEpoch E lastVoteEpoch E` (`clusterLoadConfig`, `cluster.c`, Redis 5 to 7;
//! `cluster_legacy.c`, Redis 7.2 to 8 and Valkey). The auxiliary fields came with Redis 7.2.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where a node is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The address that the others are told.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) bus_port: u16,
    /// The name that clients are told; empty if there is none.
    pub(super) hostname: String,
}

/// The nodes of a cluster by their ids, where they are to be found from now on, and the ids of
/// their shards, by the master's id, if the server knows shards.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) nodes: BTreeMap<String, Place>,
    pub(super) shards: Option<BTreeMap<String, String>>,
}

/// Splits a nodes.conf into its lines about nodes, each in words.
fn node_lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("vars "))
        .map(|line| line.split_ascii_whitespace().collect())
}

/// What a nodes.conf says of the node that it belongs to: its id, and its master's if it has one.
pub(super) fn myself(text: &str) -> Result<(String, Option<String>), String> {
    let mut own = node_lines(text).filter(|words| flags(words).any(|flag| flag == "myself"));
    match (own.next(), own.next()) {
        (Some(words), None) => match words.as_slice() {
            [id, _, _, master, ..] => {
                let is_id = id.len() == 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
                let master = (*master != "-").then(|| (*master).to_owned());
                if is_id {
                    Ok(((*id).to_owned(), master))
                } else {
                    Err("the node's own id is not 40 hex digits".to_owned())
                }
            }
            _ => Err("the line of the node itself is too short".to_owned()),
        },
        (None, _) => Err("no line is about the node itself".to_owned()),
        (Some(_), Some(_)) => Err("two lines are about the node itself".to_owned()),
    }
}

/// Whether a nodes.conf is whole: servers write the line with the epochs last.
pub(super) fn is_whole(text: &str) -> bool {
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.is_some_and(|line| line.starts_with("vars ")) && myself(text).is_ok()
}

/// The first stranger without whom the cluster would not be whole: it owns slots, or one of ours
/// replicates it.
pub(super) fn needed_stranger(text: &str, ours: &dyn Fn(&str) -> bool) -> Option<String> {
    node_lines(text).find_map(|words| match words.as_slice() {
        [id, _, _, _, _, _, _, _, first, ..] if !ours(id) && !first.starts_with('[') => {
            Some((*id).to_owned())
        }
        [id, _, _, master, ..] if ours(id) && *master != "-" && !ours(master) => {
            Some((*master).to_owned())
        }
        _ => None,
    })
}

/// The same memory of a cluster whose nodes live elsewhere. Ids, roles, slots, epochs and shard
/// ids stay. Strangers are left out, and with them slots that were on their way to or from them: a
/// node dials every address in its nodes.conf, and that of a stranger may be another cluster's by now. So
/// is what was suspected of anybody, since all nodes are about to start.
pub(super) fn relocate(text: &str, places: &Places) -> Result<String, String> {
    // A server reads quotes and backslashes (`sdssplitargs`), and would split such a line elsewhere.
    let strange = |letter: &char| {
        let is_text = letter.is_ascii_graphic() || matches!(letter, ' ' | '\n' | '\r');
        !is_text || matches!(letter, '"' | '\'' | '\\')
    };
    if let Some(letter) = text.chars().find(strange) {
        return Err(format!("it holds {letter:?}"));
    }
    let mut moved = String::with_capacity(text.len());
    for words in node_lines(text) {
        let [id, address, _, master, times @ ..] = words.as_slice() else {
            return Err(format!("a line has {} words", words.len()));
        };
        // PING, PONG, epoch, link; then the slots.
        let Some((rest, slots)) = times.split_at_checked(4) else {
            return Err(format!("a line has {} words", words.len()));
        };
        let Some(place) = places.nodes.get(*id) else {
            continue;
        };
        let shard = if *master == "-" { id } else { master };
        let shard = places.shards.as_ref().and_then(|shards| shards.get(*shard));
        let address = address_of(address, place, places.shards.is_some(), shard);
        let passing = ["fail", "fail?", "noaddr", "handshake"];
        let flags: Vec<_> = flags(&words)
            .filter(|flag| !passing.contains(flag))
            .collect();
        let flags = flags.join(",");
        let slots = slots
            .iter()
            .filter(|slot| !leads_to_a_stranger(slot, places));
        let front = [*id, address.as_str(), flags.as_str(), *master];
        let all: Vec<_> = front.iter().chain(rest).chain(slots).copied().collect();
        moved.push_str(&all.join(" "));
        moved.push('\n');
    }
    let vars = text.lines().filter(|line| line.starts_with("vars "));
    for line in vars {
        moved.push_str(line.trim_end());
        moved.push('\n');
    }
    Ok(moved)
}

fn flags<'a>(words: &[&'a str]) -> impl Iterator<Item = &'a str> + use<'a> {
    words.get(2).copied().unwrap_or_default().split(',')
}

/// The new address field. `knows_shards` says whether the server to come reads auxiliary fields.
fn address_of(old: &str, place: &Place, knows_shards: bool, shard: Option<&String>) -> String {
    let mut fields = old.split(',');
    let old_host = fields.next().and_then(|address| address.rsplit_once(':'));
    let had_host = old_host.is_some_and(|(host, _)| !host.is_empty());
    // A node that was never met does not know its own address.
    let host = if had_host { place.host.as_str() } else { "" };
    let mut address = format!("{host}:{}@{}", place.port, place.bus_port);
    let aux: Vec<_> = fields.skip(1).filter(|_| knows_shards).collect();
    if !place.hostname.is_empty() || !aux.is_empty() || shard.is_some() {
        address.push(',');
        address.push_str(&place.hostname);
    }
    let has_shard = aux.iter().any(|field| field.starts_with("shard-id="));
    for field in aux {
        address.push(',');
        match field.split_once('=') {
            Some(("tcp-port", _)) => {
                let _ = write!(address, "tcp-port={}", place.port);
            }
            _ => address.push_str(field),
        }
    }
    if let (Some(shard), false) = (shard, has_shard) {
        address.push_str(",shard-id=");
        address.push_str(shard);
    }
    address
}

/// Whether a word is a slot on its way, `[7->-<id>]` or `[7-<-<id>]`, to or from somebody unknown.
fn leads_to_a_stranger(word: &str, places: &Places) -> bool {
    let inner = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    let other = inner
        .and_then(|inner| inner.rsplit_once('-'))
        .map(|(_, other)| other);
    other.is_some_and(|other| !places.nodes.contains_key(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn places(shards: bool) -> Places {
        let place = |port: u16| Place {
            host: "127.0.0.1".to_owned(),
            port,
            bus_port: port + 10_000,
            hostname: String::new(),
        };
        let nodes = BTreeMap::from([
            (id('a'), place(8001)),
            (id('b'), place(8002)),
            (id('c'), place(8003)),
        ]);
        let shards = shards.then(|| BTreeMap::from([(id('a'), id('1')), (id('b'), id('2'))]));
        Places { nodes, shards }
    }

    fn short(text: &str) -> String {
        ('1'..='9')
            .chain('a'..='f')
            .fold(text.to_owned(), |text, digit| {
                text.replace(&id(digit), &digit.to_string())
            })
    }

    fn moved(text: &str, shards: bool) -> String {
        let long = |word: &str| match word {
            "a" | "b" | "c" | "d" => word.repeat(40),
            other => other.to_owned(),
        };
        let line = |line: &str| line.split(' ').map(long).collect::<Vec<_>>().join(" ") + "\n";
        let text: String = text.lines().map(line).collect();
        short(&relocate(&text, &places(shards)).unwrap())
    }

    #[test]
    fn only_addresses_change() {
        let text = "a 127.0.0.1:7001@17001,,tls-port=0,shard-id=x myself,master - 0 0 7 connected 0-99 200\n\
                    b 127.0.0.1:7002@17002,,tls-port=0,shard-id=y slave a 0 1600 7 connected\n\
                    vars currentEpoch 9 lastVoteEpoch 8\n";
        assert_eq!(moved(text, true), text.replace("700", "800"));
    }

    #[test]
    fn a_stranger_is_left_out_with_the_slots_on_their_way_to_it() {
        let text = format!(
            "a 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-9 [5->-{}] [6->-{}]\n\
             d 127.0.0.1:9999@19999 master,noaddr - 0 0 3 disconnected\n\
             vars currentEpoch 3 lastVoteEpoch 0\n",
            id('b'),
            id('d')
        );
        assert_eq!(
            moved(&text, false),
            "a 127.0.0.1:8001@18001 myself,master - 0 0 1 connected 0-9 [5->-b]\nvars currentEpoch 3 lastVoteEpoch 0\n"
        );
    }

    #[test]
    fn who_was_taken_for_dead_is_so_no_more() {
        assert_eq!(
            moved(
                "a :7001@17001 myself,master - 0 0 1 connected 0-9\nb 127.0.0.1:7002@17002 slave,fail a 5 0 1 disconnected\nc 127.0.0.1:7003@17003 master,fail? - 0 0 2 connected\n",
                false
            ),
            "a :8001@18001 myself,master - 0 0 1 connected 0-9\nb 127.0.0.1:8002@18002 slave a 5 0 1 disconnected\nc 127.0.0.1:8003@18003 master - 0 0 2 connected\n"
        );
    }

    #[test]
    fn a_server_that_wants_shard_ids_gets_one_for_each_shard() {
        let text = "a 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-9\nb 127.0.0.1:7002@17002 slave a 0 0 1 connected\n";
        assert_eq!(
            moved(text, true),
            "a 127.0.0.1:8001@18001,,shard-id=1 myself,master - 0 0 1 connected 0-9\nb 127.0.0.1:8002@18002,,shard-id=1 slave a 0 0 1 connected\n"
        );
        let old = moved(&moved(text, true).replace("80", "70"), false);
        assert_eq!(
            old,
            text.replace("70", "80"),
            "and one that knows none gets none"
        );
    }

    #[test]
    fn an_announced_name_and_an_ipv6_address_are_written_as_servers_do() {
        let mut places = places(true);
        let place = places.nodes.get_mut(&id('a')).unwrap();
        "::1".clone_into(&mut place.host);
        "lab.example".clone_into(&mut place.hostname);
        let text = format!(
            "{} ::1:7001@17001,old.example,tcp-port=7001,shard-id=x myself,master - 0 0 1 connected\n",
            id('a')
        );
        assert_eq!(
            short(&relocate(&text, &places).unwrap()),
            "a ::1:8001@18001,lab.example,tcp-port=8001,shard-id=x myself,master - 0 0 1 connected\n"
        );
    }

    #[test]
    fn a_stranger_that_matters_is_named() {
        let ours = |id: &str| id == "a" || id == "b";
        let table = [
            (
                "a x myself,master - 0 0 1 c 0-9\nd x master - 0 0 1 c 10-20\n",
                Some("d"),
            ),
            ("a x myself,slave d 0 0 1 c\n", Some("d")),
            (
                "a x myself,master - 0 0 1 c [7->-d]\nd x master - 0 0 1 c\n",
                None,
            ),
        ];
        for (text, expected) in table {
            assert_eq!(needed_stranger(text, &ours).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_no_server_has_written_is_refused() {
        assert!(myself("").unwrap_err().contains("no line"));
        assert!(
            myself("zz x myself,master - 0 0 1 c\n")
                .unwrap_err()
                .contains("40 hex")
        );
        assert!(myself("a x myself\n").unwrap_err().contains("too short"));
        let two = format!("{0} x myself - - \n{0} x myself - -\n", id('a'));
        assert!(myself(&two).unwrap_err().contains("two lines"));
        assert!(!is_whole(&format!(
            "{} x myself,master - 0 0 1 c\n",
            id('a')
        )));
        assert!(is_whole(&format!(
            "{} x myself,master - 0 0 1 c\nvars currentEpoch 1 lastVoteEpoch 0\n\n",
            id('a')
        )));
        assert!(relocate("a b\n", &places(false)).is_err());
        for strange in ["\"", "'", "\\", "\0", "\u{1b}", "é"] {
            let line = format!("a 127.0.0.1:1@2,,x={strange} myself,master - 0 0 1 connected\n");
            let refused = relocate(&line, &places(false)).unwrap_err();
            assert!(refused.starts_with("it holds "), "{refused}");
        }
    }
}
