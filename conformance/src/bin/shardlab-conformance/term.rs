//! The terminal: data to standard output, prose and progress to standard error. The only place
//! of the program that prints.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Read as _, Write as _};

use anstyle::{AnsiColor, Style};
use shardlab::Error;
use shardlab::error::{Text, exit};
use shardlab::machine::json;
use shardlab_conformance::report::without_commands;
use tokio::sync::mpsc;

const BAD: Style = AnsiColor::Red.on_default().bold();
/// More bytes than this are no line of a transcript.
const LONGEST_LINE: u64 = 1 << 16;

const BOLD: Style = Style::new().bold();

/// Why a command has come to no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) code: u8,
    pub(crate) hint: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            message: error.message().typed(),
            code: exit::of(error.kind()),
            hint: error.hint().as_ref().map(Text::typed),
        }
    }
}

/// Data. A reader that has gone away is not an error.
pub(crate) fn data(text: &str) {
    let mut out = anstream::stdout().lock();
    let text = without_commands(text.trim_end_matches('\n'));
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A report for programs.
pub(crate) fn json(report: &impl serde::Serialize) -> Result<(), Failure> {
    let text = json::report(report).map_err(|error| Failure {
        message: format!("a report could not be written as JSON: {error}"),
        code: exit::BUG,
        hint: None,
    })?;
    // In JSON, an escape apart from the rest is the same text.
    data(&text.replace("##[", "##\\u005b"));
    Ok(())
}

/// Prose.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", without_commands(text));
}

/// Lines that are commands to whoever runs the program.
pub(crate) fn commands(text: &str) {
    let _ = write!(anstream::stderr(), "{text}");
}

/// Why it failed, and what to do.
pub(crate) fn error(failure: &Failure, as_json: bool) {
    let mut err = anstream::stderr().lock();
    if as_json {
        let error = json::error(&failure.message, failure.code, failure.hint.as_deref());
        let _ = writeln!(err, "{}", error.replace("##[", "##\\u005b"));
        return;
    }
    let text = without_commands(&failure.message);
    let hint = failure.hint.as_deref().map(without_commands);
    let _ = writeln!(err, "{BAD}error:{BAD:#} {text}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "\n{BOLD}hint:{BOLD:#} {hint}");
    }
}

/// Tells a program what is wrong with its command line, of which `text` tells people; gives the exit code.
pub(crate) fn usage_error(text: &str) -> u8 {
    let _ = writeln!(
        std::io::stderr(),
        "{}",
        json::usage_error(text, exit::USAGE)
    );
    exit::USAGE
}

/// Asks for a line.
pub(crate) fn prompt(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{text}").and_then(|()| err.flush());
}

/// Lines of standard input, of which no more is read than is asked for; none once there is no more. They are
/// read in a thread for which nobody waits, since a read cannot be given up.
pub(crate) fn lines() -> mpsc::Receiver<std::io::Result<String>> {
    let (tell, told) = mpsc::channel(1);
    let work = move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = input
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            let line = read.and_then(|length| match String::from_utf8(line) {
                Ok(line) if length as u64 == LONGEST_LINE && !line.ends_with('\n') => Err(
                    std::io::Error::new(ErrorKind::InvalidData, "the line is too long"),
                ),
                Ok(line) => Ok(line),
                Err(_) => Err(std::io::Error::new(
                    ErrorKind::InvalidData,
                    "the line is not valid UTF-8",
                )),
            });
            let is_end = line.as_ref().is_ok_and(String::is_empty);
            let is_last = line.is_err();
            if is_end || tell.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::spawn(work);
    told
}

/// What somebody who looks at the last lines only should not miss.
pub(crate) fn warning(text: &str) {
    let text = without_commands(text);
    let _ = writeln!(anstream::stderr(), "{BAD}warning:{BAD:#} {text}");
}

/// Shows in the last line of a terminal what goes on; no text takes it away.
pub(crate) fn status(text: &str) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let width = terminal_size::terminal_size_of(&err).map_or(80, |(width, _)| width.0);
        let text: String = text
            .chars()
            .take(usize::from(width).saturating_sub(1))
            .collect();
        let _ = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
    }
}
