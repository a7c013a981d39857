//! What varies in the replies to a command from one run to the next, written as wildcards.

mod lines;

use crate::commands::{has, upper};
use crate::transcript::ast::{Class, Item, Pattern, Piece, Rule, Shape, Template};

use super::naming::{Naming, value};
use super::pieces::{flush, here};
use lines::{
    client, cluster_info, each_line, info, is_hash, is_integer, last_word, node_line, shortened,
};

/// Commands whose replies are lists in no order.
const UNORDERED: &str = "HKEYS HVALS KEYS SDIFF SINTER SMEMBERS SUNION";

/// Subcommands of CLUSTER whose replies are lists in no order.
const UNORDERED_BELOW: &str = "GETKEYSINSLOT NODES REPLICAS SHARDS SLAVES SLOTS";

/// Replaces what varies by wildcards, and lets stand in any order what has none.
pub(super) fn loosen(words: &[Vec<u8>], pattern: &mut Pattern, naming: &Naming) {
    let word = |at: usize| words.get(at).map(|word| upper(word)).unwrap_or_default();
    let (name, below) = (word(0), word(1));
    let is_unordered = has(UNORDERED, &name) || (name == "CLUSTER" && has(UNORDERED_BELOW, &below));
    if is_unordered {
        unordered(pattern);
    }
    match (name.as_str(), below.as_str()) {
        ("CLUSTER", "NODES") => {
            if let Shape::Text(text) = &mut pattern.shape {
                each_line(text, node_line);
            }
        }
        ("CLUSTER", "REPLICAS" | "SLAVES") => each_item(pattern, |item| {
            if let Shape::BulkString(line) = &mut item.shape {
                node_line(line);
            }
        }),
        ("CLUSTER", "INFO") => {
            if let Shape::Text(text) = &mut pattern.shape {
                cluster_info(text, naming);
            }
        }
        ("CLUSTER", "SLOTS") => each_item(pattern, |entry| {
            // The replicas of a range, if there are several.
            if matches!(&entry.shape, Shape::Array(_, parts) if parts.len() > 4) {
                unordered(entry);
            }
        }),
        ("CLUSTER", "SHARDS") => shards(pattern),
        ("CLUSTER", "LINKS") => {
            every(pattern, &integers);
            if let Shape::Array(rule, _) = &mut pattern.shape {
                *rule = Rule::Has;
            }
        }
        ("CLUSTER", "BUMPEPOCH") => every(pattern, &|part| {
            if let Shape::SimpleString(text) = &mut part.shape {
                last_word(text, Class::Int);
            }
        }),
        ("INFO", _) => {
            if let Shape::Text(text) = &mut pattern.shape {
                info(text);
            }
        }
        ("ROLE", _) => role(pattern),
        ("CLIENT", "ID") | ("LASTSAVE" | "PTTL" | "PEXPIRETIME" | "TTL" | "EXPIRETIME", _) => {
            positive(pattern);
        }
        ("OBJECT", "FREQ" | "IDLETIME") => every(pattern, &integers),
        ("TIME", _) => every(pattern, &numbers_in_strings),
        ("CLIENT", "LIST" | "INFO") => {
            if let Shape::Text(text) = &mut pattern.shape {
                text.rule = Rule::Has;
                each_line(text, client);
            }
        }
        ("HELLO", _) => hello(pattern),
        _ => {}
    }
}

/// Leaves out the lines of a text that no transcript would look at.
pub(super) fn shorten(words: &[Vec<u8>], pattern: &mut Pattern) {
    let word = |at: usize| words.get(at).map(|word| upper(word)).unwrap_or_default();
    let is_info = word(0) == "INFO" || (word(0) == "CLUSTER" && word(1) == "INFO");
    if let Shape::Text(text) = &mut pattern.shape
        && is_info
    {
        shortened(text);
    }
}

/// Ids of nodes that have no name, and other hashes, in replies that tell of the servers.
pub(super) fn hashes(words: &[Vec<u8>], pattern: &mut Pattern) {
    let name = words.first().map(|word| upper(word)).unwrap_or_default();
    if !has("CLUSTER INFO SENTINEL", &name) {
        return;
    }
    every(pattern, &|part| match &mut part.shape {
        Shape::BulkString(text) | Shape::SimpleString(text) => hex(text),
        Shape::Text(text) => each_line(text, hex),
        _ => {}
    });
}

fn hex(template: &mut Template) {
    let pieces = std::mem::take(&mut template.pieces);
    for piece in pieces {
        let Piece::Literal(bytes) = &piece.value else {
            template.pieces.push(piece);
            continue;
        };
        let mut plain = Vec::new();
        for run in bytes
            .chunk_by(|one, other| one.is_ascii_alphanumeric() == other.is_ascii_alphanumeric())
        {
            if is_hash(run) {
                flush(&mut template.pieces, &mut plain);
                template.pieces.push(here(Piece::Wildcard(Class::Hex40)));
            } else {
                plain.extend_from_slice(run);
            }
        }
        flush(&mut template.pieces, &mut plain);
    }
}

fn unordered(pattern: &mut Pattern) {
    match &mut pattern.shape {
        Shape::Array(rule, items) if items.len() > 1 => *rule = Rule::AnyOrder,
        Shape::Text(text) if text.lines.len() > 1 => text.rule = Rule::AnyOrder,
        _ => {}
    }
}

fn each_item(pattern: &mut Pattern, mut change: impl FnMut(&mut Pattern)) {
    if let Shape::Array(_, items) | Shape::Set(_, items) = &mut pattern.shape {
        for item in items {
            if let Item::One(item) = &mut item.value {
                change(item);
            }
        }
    }
}

/// Every value in a pattern, and the pattern itself.
fn every(pattern: &mut Pattern, change: &impl Fn(&mut Pattern)) {
    change(pattern);
    match &mut pattern.shape {
        Shape::Array(_, items) | Shape::Set(_, items) | Shape::Push(_, items) => {
            for item in items {
                if let Item::One(item) = &mut item.value {
                    every(item, change);
                }
            }
        }
        Shape::Map(_, entries) => {
            for entry in entries {
                every(&mut entry.value.value.value, change);
            }
        }
        _ => {}
    }
}

/// The value behind each key, in a map or in an array of keys and values.
fn each_value(pattern: &mut Pattern, change: &impl Fn(&[u8], &mut Pattern)) {
    match &mut pattern.shape {
        Shape::Map(_, entries) => {
            for entry in entries {
                let entry = &mut entry.value;
                if let Some(key) = value(&entry.key.value) {
                    change(key, &mut entry.value.value);
                }
            }
        }
        Shape::Array(_, items) => {
            let mut key: Option<Vec<u8>> = None;
            for item in items {
                let Item::One(item) = &mut item.value else {
                    continue;
                };
                match key.take() {
                    Some(key) => change(&key, item),
                    None => key = value(item).map(<[u8]>::to_vec),
                }
            }
        }
        _ => {}
    }
}

fn wildcard(class: Class) -> Template {
    Template {
        pieces: vec![here(Piece::Wildcard(class))],
    }
}

fn integers(pattern: &mut Pattern) {
    if let Shape::Integer(number) = &mut pattern.shape {
        *number = wildcard(Class::Int);
    }
}

/// An integer, unless it says that there is none.
fn positive(pattern: &mut Pattern) {
    if value(pattern).is_some_and(|number| !number.starts_with(b"-")) {
        integers(pattern);
    }
}

fn numbers_in_strings(pattern: &mut Pattern) {
    if let Shape::BulkString(text) = &mut pattern.shape
        && text.literal().is_some_and(is_integer)
    {
        *text = wildcard(Class::Int);
    }
}

/// Offsets; what is named is named afterwards.
fn role(pattern: &mut Pattern) {
    let Shape::Array(_, items) = &mut pattern.shape else {
        return;
    };
    // 1) "master" 2) offset 3) replicas, or 1) "slave" 2) host 3) port 4) state 5) offset
    for place in [1, 4] {
        if let Some(Item::One(item)) = items.get_mut(place).map(|item| &mut item.value) {
            integers(item);
        }
    }
    if let Some(Item::One(replicas)) = items.get_mut(2).map(|item| &mut item.value) {
        unordered(replicas);
        each_item(replicas, |replica| {
            if let Shape::Array(_, parts) = &mut replica.shape
                && let Some(Item::One(offset)) = parts.get_mut(2).map(|part| &mut part.value)
            {
                numbers_in_strings(offset);
            }
        });
    }
}

fn shards(pattern: &mut Pattern) {
    each_item(pattern, |shard| {
        each_value(shard, &|key, nodes| {
            if key != b"nodes" {
                return;
            }
            unordered(nodes);
            each_item(nodes, |node| {
                each_value(node, &|key, value| {
                    if key == b"replication-offset" {
                        integers(value);
                    }
                });
            });
        });
    });
}

fn hello(pattern: &mut Pattern) {
    each_value(pattern, &|key, value| match (key, &mut value.shape) {
        (b"id", _) => integers(value),
        (b"version", Shape::BulkString(text)) => *text = wildcard(Class::Word),
        _ => {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{notation, tests::received};
    use crate::transcript::print_pattern;

    #[track_caller]
    fn becomes(command: &str, reply: &str, expected: &str) {
        let words: Vec<_> = command
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        let naming = Naming::new(&[], Some((6, 3)), |_, _| None);
        let pattern = notation(&words, &received(reply), &naming);
        assert_eq!(print_pattern(&pattern), expected, "{command}");
    }

    #[test]
    fn times_offsets_and_epochs_are_wildcards() {
        becomes("TIME", "*2 $1700000000 $5", "1) \"<int>\"\n2) \"<int>\"");
        becomes("PTTL a", ":99", "(integer) <int>");
        becomes("PTTL a", ":-2", "(integer) -2");
        becomes("CLUSTER BUMPEPOCH", "+BUMPED 7", "BUMPED <int>");
        becomes("CLUSTER BUMPEPOCH", "+STILL", "STILL");
        becomes(
            "ROLE",
            "*3 $master :42 *1 *3 $x $y $42",
            "1) \"master\"\n2) (integer) <int>\n3) 1) 1) \"x\"\n      2) \"y\"\n      3) \"<int>\"",
        );
        becomes("INCR a", ":42", "(integer) 42");
    }

    #[test]
    fn info_has_lines_whose_numbers_are_wildcards() {
        becomes(
            "INFO",
            "$# Server;redis_version:7.0.15;uptime:5;ratio:1.25;used_human:1.05M;executable:/x/y;cmdstat_get:calls=1,usec=2;db0:keys=1,expires=0",
            "(has)\n| redis_version:7.0.15\n| uptime:<int>\n| ratio:<float>\n| used_human:<any>\n| executable:<any>\n\
             | cmdstat_get:calls=<int>,usec=<int>\n| db0:keys=1,expires=0",
        );
        becomes(
            "CLUSTER INFO",
            "$cluster_state:ok;cluster_known_nodes:6;cluster_size:2;cluster_my_epoch:3;cluster_stats_messages_sent:9",
            "(has)\n| cluster_state:ok\n| cluster_known_nodes:<nodes>\n| cluster_size:2\n| cluster_my_epoch:<int>",
        );
    }

    #[test]
    fn lists_without_an_order_are_in_any() {
        becomes("KEYS *", "*2 $a $b", "(any order)\n1) \"a\"\n2) \"b\"");
        becomes("KEYS *", "*1 $a", "1) \"a\"");
        becomes("LRANGE l 0 -1", "*2 $a $b", "1) \"a\"\n2) \"b\"");
    }
}
