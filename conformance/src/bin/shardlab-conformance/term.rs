//! The terminal: data to standard output, prose and progress to standard error. The only place
//! of the program that prints.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

const BAD: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// Data. A reader that has gone away is not an error.
pub(crate) fn data(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
}

/// Prose.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Why it failed, and what to do.
pub(crate) fn error(text: &str, hint: Option<&str>) {
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "{BAD}error:{BAD:#} {text}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "\n{BOLD}hint:{BOLD:#} {hint}");
    }
}

/// Shows how many cases have ended, on a terminal only.
pub(crate) fn progress(ended: usize, all: usize) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[K{ended}/{all}");
        if ended == all {
            let _ = write!(err, "\r\x1b[K");
        }
        let _ = err.flush();
    }
}
