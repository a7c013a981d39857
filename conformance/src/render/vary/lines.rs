//! Lines of texts: of INFO, CLUSTER INFO, CLUSTER NODES and CLIENT LIST.

use crate::commands::has;
use crate::render::naming::{Naming, replace_values};
use crate::render::pieces::{flush, here};
use crate::transcript::ast::{Class, Count, Piece, Rule, Template, Text, TextLine};

/// Lines of INFO whose numbers are a matter of what the session did, not of when or where.
const TELLING: &str = "cluster_enabled connected_slaves loading master_link_status master_sync_in_progress rdb_last_bgsave_status \
slave_read_only";

/// Keys of lines that naming reads.
const NAMED: [&str; 4] = ["port", "host", "ip", "slot"];

/// The fifth to the seventh word: when it was pinged and answered, and its epoch.
pub(super) fn node_line(template: &mut Template) {
    let Some(line) = template.literal().map(<[u8]>::to_vec) else {
        return;
    };
    let (mut pieces, mut plain) = (Vec::new(), Vec::new());
    for (place, word) in line.split(|byte| *byte == b' ').enumerate() {
        if place > 0 {
            plain.push(b' ');
        }
        if (4..=6).contains(&place) && is_integer(word) {
            flush(&mut pieces, &mut plain);
            pieces.push(here(Piece::Wildcard(Class::Int)));
        } else {
            plain.extend_from_slice(word);
        }
    }
    flush(&mut pieces, &mut plain);
    template.pieces = pieces;
}

pub(super) fn cluster_info(text: &mut Text, naming: &Naming) {
    text.rule = Rule::Has;
    let counts = naming.counts;
    each_line(text, |line| {
        let epochs = ["cluster_current_epoch", "cluster_my_epoch"];
        replace_values(line, &epochs, |_| Some(here(Piece::Wildcard(Class::Int))));
        let Some((nodes, masters)) = counts else {
            return;
        };
        for (key, number, count) in [
            ("cluster_known_nodes", nodes, Count::Nodes),
            ("cluster_size", masters, Count::Masters),
        ] {
            let is_it = |text: &[u8]| text == number.to_string().as_bytes();
            replace_values(line, &[key], |text| {
                is_it(text).then(|| here(Piece::Count(count)))
            });
        }
    });
}

/// Takes away counters of CLUSTER INFO, of which there are not always the same, and titles and blank lines of INFO.
pub(super) fn shortened(text: &mut Text) {
    text.lines.retain(|line| {
        let TextLine::Line { text, .. } = &line.value else {
            return true;
        };
        let first = match text.pieces.first().map(|piece| &piece.value) {
            Some(Piece::Literal(bytes)) => bytes.as_slice(),
            _ => &[],
        };
        let is_counter = ["cluster_stats_", "total_cluster_links"]
            .iter()
            .any(|begin| first.starts_with(begin.as_bytes()));
        first.contains(&b':') && !is_counter
    });
}

/// Lines of `key:value`; those of a server that has more of them hold these, too.
pub(super) fn info(text: &mut Text) {
    text.rule = Rule::Has;
    each_line(text, |line| {
        let literal = line.literal().map(<[u8]>::to_vec).unwrap_or_default();
        if !literal.contains(&b':') {
            return;
        }
        let mut halves = literal.splitn(2, |byte| *byte == b':');
        let key = String::from_utf8_lossy(halves.next().unwrap_or_default()).into_owned();
        let value = halves.next().unwrap_or_default();
        if has(TELLING, &key) || key.starts_with("db") {
            return;
        }
        let is_list = value.contains(&b'=');
        let mut pieces = Vec::new();
        let mut plain = format!("{key}:").into_bytes();
        for (place, field) in value.split(|byte| is_list && *byte == b',').enumerate() {
            if place > 0 {
                plain.push(b',');
            }
            let at = field.iter().position(|byte| is_list && *byte == b'=');
            let (name, value) = field.split_at(at.map_or(0, |at| at + 1));
            plain.extend_from_slice(name);
            let name = String::from_utf8_lossy(name);
            let name = if is_list {
                name.trim_end_matches('=')
            } else {
                &key
            };
            let is_named = NAMED.iter().any(|named| name.ends_with(named));
            match class(value).filter(|_| !is_named) {
                Some(class) => {
                    flush(&mut pieces, &mut plain);
                    pieces.push(here(Piece::Wildcard(class)));
                }
                None => plain.extend_from_slice(value),
            }
        }
        flush(&mut pieces, &mut plain);
        line.pieces = pieces;
    });
}

/// The class of a value that varies.
fn class(value: &[u8]) -> Option<Class> {
    let text = std::str::from_utf8(value).ok()?;
    let number = text.trim_end_matches(['B', 'K', 'M', 'G', 'T', '%']);
    if is_hash(value) {
        // Before integers: a hash may be all digits, as that of a server that never had a master is.
        Some(Class::Hex40)
    } else if is_integer(value) {
        Some(Class::Int)
    } else if text.contains('.') && text.parse::<f64>().is_ok() {
        Some(Class::Float)
    } else if (number.len() < text.len() && number.parse::<f64>().is_ok()) || text.contains('/') {
        Some(Class::Any)
    } else {
        None
    }
}

/// `key=value`, each behind a blank.
pub(super) fn client(line: &mut Template) {
    let literal = line.literal().map(<[u8]>::to_vec).unwrap_or_default();
    let (mut pieces, mut plain) = (Vec::new(), Vec::new());
    for (place, field) in literal.split(|byte| *byte == b' ').enumerate() {
        if place > 0 {
            plain.push(b' ');
        }
        let at = field.iter().position(|byte| *byte == b'=');
        let (name, value) = field.split_at(at.map_or(field.len(), |at| at + 1));
        plain.extend_from_slice(name);
        let class = match name {
            b"addr=" => Some(Class::Address),
            _ => class(value),
        };
        match class {
            Some(class) => {
                flush(&mut pieces, &mut plain);
                pieces.push(here(Piece::Wildcard(class)));
            }
            None => plain.extend_from_slice(value),
        }
    }
    flush(&mut pieces, &mut plain);
    line.pieces = pieces;
}

/// The last word of a line.
pub(super) fn last_word(template: &mut Template, class: Class) {
    let literal = template.literal().map(<[u8]>::to_vec).unwrap_or_default();
    if let Some(blank) = literal.iter().rposition(|byte| *byte == b' ') {
        let mut plain = literal.get(..=blank).unwrap_or_default().to_vec();
        template.pieces.clear();
        flush(&mut template.pieces, &mut plain);
        template.pieces.push(here(Piece::Wildcard(class)));
    }
}

pub(super) fn each_line(text: &mut Text, change: impl Fn(&mut Template)) {
    for line in &mut text.lines {
        if let TextLine::Line { text, .. } = &mut line.value {
            change(text);
        }
    }
}

pub(super) fn is_hash(text: &[u8]) -> bool {
    text.len() == 40
        && text
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
