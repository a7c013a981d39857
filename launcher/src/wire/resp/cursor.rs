//! Reading from the front of bytes of which more may come.

use std::ops::Range;
use std::str;

use bytes::Bytes;

use super::{Expected, ProtocolError};

/// Why reading went no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes end here; they are right so far.
    Incomplete,
    /// The bytes are wrong.
    Broken(ProtocolError),
}

/// A place in a frame's bytes. Reads byte by byte, so that what is wrong is told as soon as
/// it is there, and told alike in however many pieces it came.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// No line ends before here: a long line that comes in pieces is searched once.
    pub(super) searched: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize, searched: usize) -> Self {
        Self {
            bytes,
            at,
            searched,
        }
    }

    pub(super) fn peek(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// Steps over the byte if it is this one.
    pub(super) fn skip(&mut self, byte: u8) -> Result<bool, Stop> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Steps over the byte, which has to be this one.
    pub(super) fn require(&mut self, byte: u8, expected: Expected) -> Result<(), Stop> {
        if self.skip(byte)? {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    pub(super) fn line_end(&mut self, after: &'static str) -> Result<(), Stop> {
        self.require(b'\r', Expected::LineEnd(after))?;
        self.require(b'\n', Expected::LineEnd(after))
    }

    /// The rest of the line. Neither `\r` nor `\n` may stand alone in it.
    pub(super) fn line(&mut self, what: &'static str) -> Result<Range<usize>, Stop> {
        let start = self.at;
        let from = start.max(self.searched);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            self.searched = self.bytes.len();
            return Err(Stop::Incomplete);
        };
        self.searched = from + length;
        self.at = self.searched;
        self.line_end(what)?;
        Ok(start..self.searched)
    }

    /// A line of digits with an optional sign.
    pub(super) fn integer(&mut self) -> Result<i64, Stop> {
        let start = self.at;
        let _signed = self.skip(b'+')? || self.skip(b'-')?;
        self.digits()?;
        let number = self
            .number(start)
            .ok_or_else(|| self.wrong(start..self.at, Expected::Integer))?;
        self.line_end("integer")?;
        Ok(number)
    }

    /// A line of digits, of at most that value.
    pub(super) fn length(&mut self, max: usize) -> Result<usize, Stop> {
        let start = self.at;
        self.digits()?;
        let length = self.number(start).filter(|length| *length <= max);
        let length = length.ok_or_else(|| self.wrong(start..self.at, Expected::Length { max }))?;
        self.line_end("length")?;
        Ok(length)
    }

    /// That many bytes and a line end. They are not looked at, and need not be there yet to
    /// find a wrong line end.
    pub(super) fn body(&mut self, length: usize, what: &'static str) -> Result<Range<usize>, Stop> {
        let start = self.at;
        let end = start.saturating_add(length);
        self.at = end;
        self.line_end(what)?;
        Ok(start..end)
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &'a [u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// The byte here is not the one that was wanted.
    pub(super) fn unexpected(&self, expected: Expected) -> Stop {
        self.wrong(self.at..self.at + 1, expected)
    }

    /// What stands there is wrong as a whole.
    pub(super) fn wrong(&self, place: Range<usize>, expected: Expected) -> Stop {
        let found = Bytes::copy_from_slice(self.text(&place));
        Stop::Broken(ProtocolError {
            offset: place.start,
            expected,
            found,
        })
    }

    /// One digit or more, and not many more than a number of 64 bits has: a number is read
    /// again from its start when it comes in pieces.
    fn digits(&mut self) -> Result<(), Stop> {
        const MOST: usize = 24;
        let start = self.at;
        while self.peek()?.is_ascii_digit() && self.at - start < MOST {
            self.at += 1;
        }
        if self.at == start {
            Err(self.unexpected(Expected::Digit))
        } else {
            Ok(())
        }
    }

    fn number<N: str::FromStr>(&self, start: usize) -> Option<N> {
        str::from_utf8(self.text(&(start..self.at)))
            .ok()?
            .parse()
            .ok()
    }
}
