//! The terminal: data to standard output, prose and progress to standard error. The only place
//! of the program that prints.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use shardlab::Error;
use shardlab::error::{Text, exit};
use shardlab::machine::json;

const BAD: Style = AnsiColor::Red.on_default().bold();
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
    let _ = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
}

/// A report for programs.
pub(crate) fn json(report: &impl serde::Serialize) -> Result<(), Failure> {
    let text = json::report(report).map_err(|error| Failure {
        message: format!("a report could not be written as JSON: {error}"),
        code: exit::BUG,
        hint: None,
    })?;
    data(&text);
    Ok(())
}

/// Prose.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Why it failed, and what to do.
pub(crate) fn error(failure: &Failure, as_json: bool) {
    let mut err = anstream::stderr().lock();
    let (text, hint) = (&failure.message, failure.hint.as_deref());
    if as_json {
        let _ = writeln!(err, "{}", json::error(text, failure.code, hint));
        return;
    }
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

/// What somebody who looks at the last lines only should not miss.
pub(crate) fn warning(text: &str) {
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
