//! Text for a terminal and a report: what somebody else has written, made fit, and counts. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with each control character but line feeds and tabs as `\x1b`, and others that a terminal
/// obeys or XML forbids as `\u{202e}`: it cannot move the cursor, clear the screen, name the window,
/// ring the bell or turn the direction of a line.
pub fn printable(text: &str) -> Cow<'_, str> {
    let harmless = |letter: char| match letter {
        '\n' | '\t' => true,
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => false,
        letter => !letter.is_control(),
    };
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut fit = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        // A String takes all that is written.
        let _ = match u32::from(letter) {
            _ if harmless(letter) => write!(fit, "{letter}"),
            code @ ..=0xff => write!(fit, "\\x{code:02x}"),
            code => write!(fit, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(fit)
}

/// So many things, as in `1 slot` and `2 slots`.
pub fn counted(count: impl TryInto<u64>, thing: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// At most `most` bytes of the beginning of a line, printable, and how many more there are.
/// `more` counts those that the caller has left out already.
pub fn excerpt(line: &[u8], most: usize, more: u64) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown = line.get(..most).unwrap_or(line);
    let more = more + (line.len() - shown.len()) as u64;
    let shown = String::from_utf8_lossy(shown);
    // No line end is within a line, wherever it comes from.
    let shown = printable(&shown).replace('\n', "\\n");
    match more {
        0 => shown,
        1 => format!("{shown}… (1 more byte)"),
        more => format!("{shown}… ({more} more bytes)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\u{7}\u{7f}\u{9b}1m\0"),
            r"a\x1b[2Jb\x0d\x07\x7f\x9b1m\x00"
        );
        assert_eq!(
            printable("a\u{202e}b\u{200f}\u{2069}\u{fffe}\u{ffff}"),
            r"a\u{202e}b\u{200f}\u{2069}\u{fffe}\u{ffff}"
        );
        assert!(matches!(printable("é\tok\n"), Cow::Borrowed("é\tok\n")));
    }

    #[test]
    fn a_long_line_is_cut_and_says_by_how_much() {
        assert_eq!(excerpt(b"short\r", 8, 0), "short");
        assert_eq!(excerpt(b"0123456789", 8, 0), "01234567… (2 more bytes)");
        assert_eq!(excerpt(b"01234567", 8, 1), "01234567… (1 more byte)");
        assert_eq!(excerpt(b"two\nlines", 20, 0), r"two\nlines");
    }
}
