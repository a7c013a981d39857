//! The terminal: data to standard output, prose and progress to standard error. The only place
//! that prints.

mod moving;
mod screen;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use shardlab::ladder::{Standing, common, groups};
use shardlab::machine::json;
pub(crate) use shardlab::machine::text::counted;
use shardlab::machine::text::printable;
use shardlab::{Event, Rung, exit};

pub(crate) use moving::MovingBar;
pub(crate) use screen::Screen;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// The size that is taken for granted where a terminal does not tell its own.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Volume {
    Quiet,
    Normal,
    Verbose,
}

/// Where a program of ours talks to its user.
#[derive(Debug)]
pub(crate) struct Term {
    volume: Volume,
    /// Whether the data and the errors are for programs.
    json: bool,
    /// Whether standard error is a terminal whose last line can be redrawn.
    redraws: bool,
    progress: Mutex<Progress>,
    /// Whether standard output takes no more.
    deaf: AtomicBool,
    /// Why, unless its reader has gone away.
    loss: Mutex<Option<io::Error>>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Whether the nodes are judged by a profile, which knows two rungs.
    profiled: bool,
    /// Rungs that have been reported.
    climbed: usize,
    /// Whether a line stands there that will be redrawn.
    drawn: bool,
    /// What was last said of nodes that lag behind (verbose).
    laggards: Vec<Standing>,
}

impl Term {
    pub(crate) fn new(quiet: bool, verbose: bool, json: bool) -> Self {
        let volume = match (quiet, verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            _ => Volume::Normal,
        };
        Self {
            volume,
            json,
            redraws: io::stderr().is_terminal(),
            progress: Mutex::default(),
            deaf: AtomicBool::new(false),
            loss: Mutex::default(),
        }
    }

    /// Whether nobody reads the data any more.
    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf.load(Ordering::Relaxed)
    }

    /// Data, for people and programs alike. A reader that has gone away is not an error.
    pub(crate) fn data(&self, text: &str) {
        self.clear_progress();
        let mut out = anstream::stdout().lock();
        let text = printable(text.trim_end_matches('\n'));
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        self.hear(written);
    }

    /// Data as it is, without a line end of ours.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.clear_progress();
        let mut out = io::stdout().lock();
        self.hear(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// A report for programs.
    pub(crate) fn json(&self, report: &impl serde::Serialize) {
        self.json_text(json::report(report));
    }

    /// A report for programs on one line.
    pub(crate) fn json_line(&self, report: &impl serde::Serialize) {
        self.json_text(json::line(report));
    }

    fn json_text(&self, text: serde_json::Result<String>) {
        match text {
            Ok(text) => self.data(&text),
            Err(error) => {
                let text = format!("a report could not be written as JSON: {error}");
                self.error(&text, exit::BUG, None);
            }
        }
    }

    /// Whether standard output is a screen.
    fn is_screen() -> bool {
        io::stdout().is_terminal()
    }

    /// Columns and rows of the screen, as they are now.
    pub(crate) fn size() -> (usize, usize) {
        terminal_size::terminal_size_of(io::stdout()).map_or(USUAL_SIZE, |(columns, rows)| {
            (usize::from(columns.0.max(1)), usize::from(rows.0.max(1)))
        })
    }

    /// Why data was lost, if it was: a reader that has gone away has had enough.
    pub(crate) fn loss(&self) -> Option<io::Error> {
        self.loss
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn hear(&self, written: io::Result<()>) {
        let Err(error) = written else { return };
        self.deaf.store(true, Ordering::Relaxed);
        if error.kind() != io::ErrorKind::BrokenPipe {
            let mut loss = self.loss.lock().unwrap_or_else(PoisonError::into_inner);
            loss.get_or_insert(error);
        }
    }

    /// Whether only data and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.volume == Volume::Quiet
    }

    /// How far long work has come: one line that is redrawn, on a terminal only.
    pub(crate) fn progress(&self, text: &str) {
        if !self.redraws || self.is_quiet() {
            return;
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut err = anstream::stderr().lock();
        erase(&mut err, &mut progress);
        let _ = write!(err, "{text}").and_then(|()| err.flush());
        progress.drawn = true;
    }

    /// Prose that `-q` silences.
    pub(crate) fn note(&self, text: &str) {
        if self.volume > Volume::Quiet {
            self.clear_progress();
            let _ = writeln!(anstream::stderr(), "{}", printable(text));
        }
    }

    /// Why it failed, with the exit code, and what to do.
    pub(crate) fn error(&self, text: &str, code: u8, hint: Option<&str>) {
        self.clear_progress();
        let mut err = anstream::stderr().lock();
        if self.json {
            let _ = writeln!(err, "{}", json::error(text, code, hint));
            return;
        }
        let _ = writeln!(err, "{BAD}error:{BAD:#} {}", printable(text));
        if let Some(hint) = hint {
            let _ = writeln!(err, "\n{BOLD}hint:{BOLD:#} {}", printable(hint));
        }
    }

    /// Progress of a start.
    pub(crate) fn event(&self, event: &Event<'_>) {
        if self.volume == Volume::Quiet {
            return;
        }
        match event {
            Event::Note(notice) => self.note(&notice.message().typed()),
            Event::Spawned { nodes, server } => {
                let nodes = counted(*nodes, "node");
                self.note(&format!("starting {nodes} of {server}"));
            }
            Event::StartsAnew { why, how } => {
                self.note(&format!("{why}\nstarting anew, {how}"));
            }
            Event::Unpacked { done, total } => {
                self.progress(&percentage("unpacking", *done, *total));
            }
            Event::Looked { standings, elapsed } => self.climb(standings, *elapsed),
            _ => {}
        }
    }

    /// Has progress told as it is judged by a profile.
    pub(crate) fn profiled(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.profiled = true;
    }

    /// Rung by rung: a line for each that is reached; on a terminal, one more for the next.
    pub(crate) fn climb(&self, standings: &[Standing], elapsed: Duration) {
        if self.volume == Volume::Quiet {
            return;
        }
        let height = common(standings).map_or(0, |rung| rung as usize + 1);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut err = anstream::stderr().lock();
        let profiled = progress.profiled;
        let shown = |rung: &&Rung| !profiled || matches!(rung, Rung::Listening | Rung::Ready);
        let climbed = Rung::ALL.iter().take(height).skip(progress.climbed);
        for rung in climbed.filter(shown) {
            let meaning = match rung {
                Rung::Ready if profiled => "every node answers as its profile says",
                rung => rung.meaning(),
            };
            erase(&mut err, &mut progress);
            let _ = writeln!(
                err,
                "  {GOOD}{:<9}{GOOD:#}  {:.2} s  {DIM}{}{DIM:#}",
                rung.name(),
                elapsed.as_secs_f64(),
                meaning
            );
        }
        progress.climbed = progress.climbed.max(height);
        if self.volume == Volume::Verbose && progress.laggards != standings {
            erase(&mut err, &mut progress);
            let changed = standings
                .iter()
                .filter(|now| !progress.laggards.contains(now));
            let changed: Vec<_> = changed.cloned().collect();
            for group in groups(&changed) {
                let _ = writeln!(
                    err,
                    "  {:<9}  {DIM}{:.2} s{DIM:#}  {}",
                    "",
                    elapsed.as_secs_f64(),
                    printable(&group.to_string())
                );
            }
            progress.laggards = standings.to_vec();
        }
        let next = Rung::ALL.iter().skip(height).find(shown);
        if let (true, Some(next)) = (self.redraws, next) {
            erase(&mut err, &mut progress);
            let there = standings
                .iter()
                .filter(|standing| standing.rung >= Some(*next))
                .count();
            let lagging = standings
                .iter()
                .find(|standing| standing.rung < Some(*next));
            let why = lagging.map(ToString::to_string).unwrap_or_default();
            let why: String = printable(&why).chars().take(60).collect();
            let _ = write!(
                err,
                "  {:<9}  {DIM}{there} of {} nodes; {why}{DIM:#}",
                next.name(),
                standings.len()
            );
            let _ = err.flush();
            progress.drawn = true;
        }
    }

    /// What is being done, on a line that is redrawn; only for who watches.
    pub(crate) fn under_way(&self, text: &str) {
        if self.volume == Volume::Quiet || !self.redraws {
            return;
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut err = anstream::stderr().lock();
        erase(&mut err, &mut progress);
        let _ = write!(err, "  .. {text}").and_then(|()| err.flush());
        progress.drawn = true;
    }

    fn clear_progress(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        erase(&mut anstream::stderr().lock(), &mut progress);
    }
}

/// Tells a program what is wrong with its command line, of which `text` tells people; gives the exit code.
pub(crate) fn usage_error(text: &str) -> u8 {
    let _ = writeln!(io::stderr(), "{}", json::usage_error(text, exit::USAGE));
    exit::USAGE
}

/// Removes the line that stands for what is under way.
fn erase(err: &mut impl io::Write, progress: &mut Progress) {
    if std::mem::take(&mut progress.drawn) {
        let _ = write!(err, "\r\x1b[K");
    }
}

/// How far work on bytes has come, as in `packing 34 %`.
pub(crate) fn percentage(doing: &str, done: u64, total: u64) -> String {
    let percent = (done.saturating_mul(100)).checked_div(total).unwrap_or(100);
    format!("  {doing} {:>3} %", percent.min(100))
}

/// So many bytes, in three digits or so.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut tenths = count / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    if tenths < 1000 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// Rows in columns as wide as their widest cell, two blanks apart.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let line: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_three_digits_or_so() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1_234, "1.2 kB"),
            (123_456, "123 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (3_400_000_000, "3.4 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (count, told) in table {
            assert_eq!(bytes(count), told);
        }
    }
}
