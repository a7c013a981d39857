//! The commands in bytes. Pure.

use bytes::BytesMut;
use shardlab::wire::resp::{Decoder, Protocol, unquote};

/// The commands in bytes that are sent, as far as they are whole; also inline ones.
pub(crate) fn requests(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut commands = Vec::new();
    let mut rest = BytesMut::from(bytes);
    while let Some(first) = rest.first() {
        if *first == b'*' {
            let Ok(Some(frame)) = Decoder::new(Protocol::Resp2).decode(&mut rest) else {
                break;
            };
            let words = frame.as_array().unwrap_or_default().iter();
            commands.push(
                words
                    .filter_map(|word| Some(word.as_text()?.to_vec()))
                    .collect(),
            );
        } else {
            let end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |end| end + 1);
            let line = rest.split_to(end);
            commands.push(inline(&line));
        }
    }
    commands
}

/// The words of a line, which may be quoted.
fn inline(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let text = String::from_utf8_lossy(line);
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = unquote(rest).unwrap_or_else(|_| {
            let end = rest.find(|c: char| c.is_ascii_whitespace());
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            (word.as_bytes().to_vec(), after)
        });
        words.push(word);
        rest = after.trim_ascii_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_in_both_forms() {
        let words = |text: &str| {
            text.split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            requests(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nSET \"b\" 1\r\n*1\r\n$4\r\nPI"),
            [words("GET a"), words("SET b 1")]
        );
    }
}
