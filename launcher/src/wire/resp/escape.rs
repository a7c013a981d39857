//! Bytes as printable text, and back, as redis-cli writes quoted strings (`sdscatrepr` in sds.c).

use std::fmt::Write as _;

/// Printable ASCII as it is, `\\ \" \n \r \t \a \b` by name, all else as `\xhh`.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' '..=b'~' if !matches!(byte, b'\\' | b'"') => text.push(char::from(*byte)),
            _ => match NAMES.iter().find(|(_, named)| named == byte) {
                Some((name, _)) => text.extend(['\\', char::from(*name)]),
                None => {
                    let _ = write!(text, "\\x{byte:02x}"); // a String takes all that is written
                }
            },
        }
    }
    text
}

/// The same between quotation marks.
pub fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", escape(bytes))
}

/// The bytes of an escaped text without its quotation marks. Stricter than the servers'
/// `sdssplitargs`, which reads `\q` as `q`: one text has one meaning. What is not ASCII stands for its UTF-8 bytes.
pub fn unescape(text: &str) -> Result<Vec<u8>, UnescapeError> {
    let (bytes, end) = read(text.as_bytes(), 0)?;
    if end < text.len() {
        return Err(UnescapeError {
            offset: end,
            problem: "a quotation mark is written `\\\"`",
        });
    }
    Ok(bytes)
}

/// The bytes of the quoted string that the text begins with, and what follows it.
pub fn unquote(text: &str) -> Result<(Vec<u8>, &str), UnescapeError> {
    if !text.starts_with('"') {
        return Err(UnescapeError {
            offset: 0,
            problem: "a quoted string begins with `\"`",
        });
    }
    let (bytes, end) = read(text.as_bytes(), 1)?;
    match text.get(end + 1..) {
        Some(rest) => Ok((bytes, rest)),
        None => Err(UnescapeError {
            offset: end,
            problem: "the closing `\"` is missing",
        }),
    }
}

/// What is wrong with an escaped text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {problem}")]
pub struct UnescapeError {
    /// Bytes before the wrong part; an escape begins with its backslash.
    pub offset: usize,
    /// What is wrong.
    pub problem: &'static str,
}

const NAMES: [(u8, u8); 7] = [
    (b'\\', b'\\'),
    (b'"', b'"'),
    (b'n', b'\n'),
    (b'r', b'\r'),
    (b't', b'\t'),
    (b'a', 0x07),
    (b'b', 0x08),
];

/// The bytes from `at` to the next quotation mark or the end, and where that is.
fn read(text: &[u8], mut at: usize) -> Result<(Vec<u8>, usize), UnescapeError> {
    let mut bytes = Vec::new();
    while let Some(byte) = text.get(at).filter(|byte| **byte != b'"') {
        let (read, length) = if *byte == b'\\' {
            escaped(text.get(at + 1..).unwrap_or_default()).map_err(|problem| UnescapeError {
                offset: at,
                problem,
            })?
        } else {
            (*byte, 1)
        };
        bytes.push(read);
        at += length;
    }
    Ok((bytes, at))
}

/// The byte that stands after a backslash, and how long the escape is with it.
fn escaped(text: &[u8]) -> Result<(u8, usize), &'static str> {
    match text {
        [] => Err("the escape is cut off after `\\`"),
        [b'x', high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => Ok((high * 16 + low, 4)),
            _ => Err("`\\x` takes two hexadecimal digits"),
        },
        [b'x', ..] => Err("`\\x` takes two hexadecimal digits"),
        [name, ..] => NAMES
            .iter()
            .find(|(named, _)| named == name)
            .map(|(_, byte)| (*byte, 2))
            .ok_or("the escapes are `\\\\ \\\" \\n \\r \\t \\a \\b` and `\\xhh`"),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_written_as_redis_cli_writes_them() {
        let bytes = b"a b\\\"\n\r\t\x07\x08\x00\x1b\x7f\xc3\xa9'";
        assert_eq!(quote(bytes), r#""a b\\\"\n\r\t\a\b\x00\x1b\x7f\xc3\xa9'""#);
    }

    #[test]
    fn hexadecimal_digits_come_in_both_cases() {
        assert_eq!(unescape(r"\xfF"), Ok(vec![0xff]));
    }

    #[test]
    fn a_quoted_string_ends_at_its_closing_mark() {
        assert_eq!(unquote(r#""a\"b" "c""#), Ok((b"a\"b".to_vec(), r#" "c""#)));
    }

    #[test]
    fn the_error_points_at_the_escape() {
        let offset = |text| unescape(text).unwrap_err().to_string();
        assert_eq!(
            offset(r"é\x0g"),
            r"at byte 2: `\x` takes two hexadecimal digits"
        );
        assert_eq!(
            offset(r"ab\x0"),
            r"at byte 2: `\x` takes two hexadecimal digits"
        );
        assert_eq!(
            offset(r"ab\"),
            r"at byte 2: the escape is cut off after `\`"
        );
        assert_eq!(
            offset(r"\q"),
            r#"at byte 0: the escapes are `\\ \" \n \r \t \a \b` and `\xhh`"#
        );
        assert_eq!(
            offset(r#"a"b"#),
            r#"at byte 1: a quotation mark is written `\"`"#
        );
    }

    #[test]
    fn a_quoted_string_has_both_marks() {
        let message = |text| unquote(text).unwrap_err().to_string();
        assert_eq!(message("a"), "at byte 0: a quoted string begins with `\"`");
        assert_eq!(message(r#""a\""#), "at byte 4: the closing `\"` is missing");
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(bytes: Vec<u8>, rest: String) {
            prop_assert_eq!(unescape(&escape(&bytes)), Ok(bytes.clone()));
            let text = quote(&bytes) + &rest;
            prop_assert_eq!(unquote(&text), Ok((bytes, &*rest)));
        }

        #[test]
        fn no_text_is_too_odd_to_read(text: String) {
            let _ = unescape(&text);
            let _ = unquote(&text);
        }
    }
}
