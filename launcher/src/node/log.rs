//! A server's log, whatever its size: read in blocks, from near its end, its lines cut.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use nix::fcntl::OFlag;

use super::Node;
use crate::machine::text::excerpt;

/// What is read at once, in bytes.
const BLOCK: usize = 64 << 10;

/// How many bytes of a line an error shows.
const EXCERPT: usize = 400;

/// How many bytes of a line [`Node::log`] gives.
const SHOWN: usize = 16 << 10;

/// How far back the last lines are looked for, in bytes, unless many are asked for. A log may be one line of
/// gigabytes.
const BACK: u64 = 8 << 20;

/// The same for an error, which must not be late: at most 400 bytes of each of a few lines are shown.
const BACK_OF_ERROR: u64 = 128 << 10;

impl Node {
    /// The last lines of the node's log that are not blank, for an error: at most 400 bytes of each,
    /// without control characters. Takes little memory and time, however large the log is.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        Log::new(self.log_path(), EXCERPT).tail(lines)
    }

    /// The node's log, to be read from its beginning and on as it grows.
    pub fn log(&self) -> Log {
        Log::new(self.log_path(), SHOWN)
    }
}

/// A log that is read line by line. It holds no more than one line of at most 16 KiB.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// How many bytes of a line are shown.
    shown: usize,
    /// The next byte to read.
    at: u64,
    /// The beginning of a line whose end has not been read yet.
    line: Vec<u8>,
    /// Bytes of that line that were left out.
    more: u64,
    /// Whether that line began before what was read.
    cut: bool,
}

impl Log {
    fn new(path: PathBuf, shown: usize) -> Self {
        Self {
            path,
            shown,
            at: 0,
            line: Vec::new(),
            more: 0,
            cut: false,
        }
    }

    /// The last lines that are not blank, of those near the end.
    fn tail(mut self, lines: usize) -> Vec<String> {
        let mut tail = Vec::new();
        let mut keep = |line: String| {
            // However many there are: blank ones are not kept, nor what is written meanwhile.
            if tail.len() < lines && !line.trim().is_empty() {
                tail.push(line);
            }
        };
        if self.skip_within(BACK_OF_ERROR, lines).is_ok() {
            let _ = self.read(BACK_OF_ERROR, &mut keep);
            self.unfinished(&mut keep);
        }
        tail
    }

    /// Leaves out all but the last `lines` that are not blank. Of lines that are longer than 4 KiB each on
    /// average, and than 8 MiB together, the end only is found.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn skip_to_last(&mut self, lines: usize) -> io::Result<()> {
        self.skip_within(BACK.max((lines as u64).saturating_mul(4 << 10)), lines)
    }

    /// The same, where the lines are looked for in the last `back` bytes.
    fn skip_within(&mut self, back: u64, lines: usize) -> io::Result<()> {
        let mut file = open(&self.path)?;
        let end = file.metadata()?.len();
        let first = end.saturating_sub(back);
        let mut block = vec![0; BLOCK];
        let (mut at, mut found, mut has_text) = (end, 0, false);
        self.at = end;
        while at > first && found < lines {
            let start = at.saturating_sub(BLOCK as u64).max(first);
            let length = usize::try_from(at - start).unwrap_or(BLOCK);
            let piece = block.get_mut(..length).unwrap_or_default();
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(piece)?;
            for (offset, byte) in piece.iter().enumerate().rev() {
                if *byte != b'\n' {
                    has_text |= !byte.is_ascii_whitespace();
                    continue;
                }
                found += usize::from(std::mem::take(&mut has_text));
                if found == lines {
                    self.at = start + offset as u64 + 1;
                    return Ok(());
                }
            }
            at = start;
        }
        if found < lines {
            self.at = first;
            self.cut = first > 0;
        }
        Ok(())
    }

    /// Hands on the lines that are whole, from at most `most` bytes, with what must not reach a terminal
    /// escaped. A log that has become shorter is read from its new beginning. Returns whether there is more.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn read(&mut self, most: u64, mut each: impl FnMut(String)) -> io::Result<bool> {
        let mut file = open(&self.path)?;
        let end = file.metadata()?.len();
        if end < self.at {
            *self = Self::new(std::mem::take(&mut self.path), self.shown);
        }
        file.seek(SeekFrom::Start(self.at))?;
        let until = end.min(self.at.saturating_add(most));
        let mut source = BufReader::with_capacity(BLOCK, file.take(until - self.at));
        loop {
            let block = source.fill_buf()?;
            if block.is_empty() {
                return Ok(self.at < end && self.at >= until);
            }
            let end_of_line = block.iter().position(|byte| *byte == b'\n');
            let piece = block
                .get(..end_of_line.unwrap_or(block.len()))
                .unwrap_or_default();
            let room = self.shown.saturating_sub(self.line.len());
            let kept = piece.get(..room).unwrap_or(piece);
            self.line.extend_from_slice(kept);
            self.more += (piece.len() - kept.len()) as u64;
            let used = piece.len() + usize::from(end_of_line.is_some());
            source.consume(used);
            self.at += used as u64;
            if end_of_line.is_some() {
                each(self.take_line());
            }
        }
    }

    /// Hands on the line whose end has not been written yet.
    pub fn unfinished(&mut self, each: impl FnOnce(String)) {
        if !self.line.is_empty() {
            each(self.take_line());
        }
    }

    fn take_line(&mut self) -> String {
        let line = std::mem::take(&mut self.line);
        let line = excerpt(&line, self.shown, std::mem::take(&mut self.more));
        if std::mem::take(&mut self.cut) {
            format!("(the beginning of this line is not shown) …{line}")
        } else {
            line
        }
    }
}

/// Opens a file without waiting, whatever stands there: a FIFO may have no writer.
fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &[u8]) -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, text).unwrap();
        (folder, Log::new(path, 20))
    }

    fn last(text: &[u8], lines: usize) -> Vec<String> {
        let (_folder, mut log) = log(text);
        log.skip_to_last(lines).unwrap();
        let mut read = Vec::new();
        assert!(!log.read(u64::MAX, |line| read.push(line)).unwrap());
        log.unfinished(|line| read.push(line));
        read
    }

    #[test]
    fn the_last_lines_are_found_wherever_blocks_begin() {
        let all: Vec<_> = (0..40_000).map(|number| format!("line {number}")).collect();
        let text = all.join("\n");
        for lines in [0, 1, 2, 7, 39_999, 40_000, 50_000] {
            let from = all.len().saturating_sub(lines);
            assert_eq!(last(text.as_bytes(), lines), all[from..], "{lines}");
        }
        assert_eq!(last(b"a\nb\n\n \n", 1), ["b", "", " "]);
        assert!(last(b"", 3).is_empty());
    }

    #[test]
    fn a_line_longer_than_all_that_is_read_shows_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "begin\n").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(3 << 30).unwrap();
        let mut log = Log::new(path, 4);
        log.skip_to_last(5).unwrap();
        let mut read = Vec::new();
        log.read(u64::MAX, |line| read.push(line)).unwrap();
        log.unfinished(|line| read.push(line));
        assert_eq!(
            read,
            [r"(the beginning of this line is not shown) …\x00\x00\x00\x00… (8388604 more bytes)"]
        );
    }

    #[test]
    fn an_error_looks_for_its_lines_near_the_end_only() {
        let middle = "x".repeat(1 << 20);
        let text = format!("first\n{middle}\nlast\n");
        let (_folder, log) = log(text.as_bytes());
        let tail = log.tail(5);
        let [cut, last] = tail.as_slice() else {
            panic!("{} lines", tail.len());
        };
        assert!(cut.starts_with("(the beginning of this line is not shown) …xxx"));
        assert_eq!(last, "last");
    }

    #[test]
    fn a_log_is_read_on_as_it_grows_and_anew_when_it_was_emptied() {
        let (_folder, mut log) = log(b"one\ntw");
        let read = |log: &mut Log| {
            let mut read = Vec::new();
            log.read(5, |line| read.push(line)).map(|more| (read, more))
        };
        assert_eq!(read(&mut log).unwrap(), (vec!["one".to_owned()], true));
        assert_eq!(read(&mut log).unwrap(), (vec![], false));
        std::fs::write(&log.path, "one\ntwo\nthree\n").unwrap();
        assert_eq!(read(&mut log).unwrap(), (vec!["two".to_owned()], true));
        std::fs::write(&log.path, "new\n").unwrap();
        assert_eq!(read(&mut log).unwrap(), (vec!["new".to_owned()], false));
        std::fs::remove_file(&log.path).unwrap();
        assert!(read(&mut log).is_err());
    }

    #[test]
    fn a_fifo_in_its_place_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut log = Log::new(path, 20);
        let _ = log.skip_to_last(5);
        let _ = log.read(u64::MAX, |line| panic!("{line}"));
    }
}
