//! The terminal: data to standard output, prose and progress to standard error. The only place
//! that prints.

mod moving;

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use shardlab::ladder::{Standing, common};
use shardlab::{Event, Rung};

pub(crate) use moving::MovingBar;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

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
    /// Whether standard error is a terminal whose last line can be redrawn.
    redraws: bool,
    progress: Mutex<Progress>,
    /// Whether standard output takes no more.
    deaf: AtomicBool,
}

#[derive(Debug, Default)]
struct Progress {
    /// Rungs that have been reported.
    climbed: usize,
    /// Whether a line stands there that will be redrawn.
    drawn: bool,
    /// What was last said of nodes that lag behind (verbose).
    laggards: Vec<Standing>,
}

impl Term {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        let volume = match (quiet, verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            _ => Volume::Normal,
        };
        Self {
            volume,
            redraws: std::io::stderr().is_terminal(),
            progress: Mutex::default(),
            deaf: AtomicBool::new(false),
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
        let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
        if written.is_err() {
            self.deaf.store(true, Ordering::Relaxed);
        }
    }

    /// Data as it is, without a line end of ours.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.clear_progress();
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// One JSON object.
    pub(crate) fn json(&self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(&text),
            Err(error) => self.error(
                &format!("a report could not be written as JSON: {error}"),
                None,
            ),
        }
    }

    /// Prose that `-q` silences.
    pub(crate) fn note(&self, text: &str) {
        if self.volume > Volume::Quiet {
            self.clear_progress();
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Why it failed, and what to do.
    pub(crate) fn error(&self, text: &str, hint: Option<&str>) {
        self.clear_progress();
        let mut err = anstream::stderr().lock();
        let _ = writeln!(err, "{BAD}error:{BAD:#} {text}");
        if let Some(hint) = hint {
            let _ = writeln!(err, "\n{BOLD}hint:{BOLD:#} {hint}");
        }
    }

    /// Progress of a start.
    pub(crate) fn event(&self, event: &Event<'_>) {
        if self.volume == Volume::Quiet {
            return;
        }
        match event {
            Event::Note(notice) => self.note(&notice.to_string()),
            Event::Spawned { nodes, server } => {
                self.note(&format!("starting {nodes} nodes of {server}"));
            }
            Event::FellBack { why } => {
                self.note(&format!(
                    "the seeded boot did not work: {why}\nstarting anew, by commands; `--boot commands` does so at once"
                ));
            }
            Event::Looked { standings, elapsed } => self.climb(standings, *elapsed),
            _ => {}
        }
    }

    /// Rung by rung: a line for each that is reached; on a terminal, one more for the next.
    pub(crate) fn climb(&self, standings: &[Standing], elapsed: Duration) {
        if self.volume == Volume::Quiet {
            return;
        }
        let height = common(standings).map_or(0, |rung| rung as usize + 1);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut err = anstream::stderr().lock();
        for rung in Rung::ALL.iter().take(height).skip(progress.climbed) {
            erase(&mut err, &mut progress);
            let _ = writeln!(
                err,
                "  {GOOD}ok{GOOD:#} {:<9} {DIM}{:.2} s{DIM:#}",
                rung.name(),
                elapsed.as_secs_f64()
            );
        }
        progress.climbed = progress.climbed.max(height);
        if self.volume == Volume::Verbose && progress.laggards != standings {
            erase(&mut err, &mut progress);
            for standing in standings
                .iter()
                .filter(|standing| !progress.laggards.contains(standing))
            {
                let _ = writeln!(
                    err,
                    "     {DIM}{:.2} s{DIM:#} {standing}",
                    elapsed.as_secs_f64()
                );
            }
            progress.laggards = standings.to_vec();
        }
        if let (true, Some(next)) = (self.redraws, Rung::ALL.get(height)) {
            erase(&mut err, &mut progress);
            let there = standings
                .iter()
                .filter(|standing| standing.rung >= Some(*next))
                .count();
            let lagging = standings
                .iter()
                .find(|standing| standing.rung < Some(*next));
            let why = lagging.map(ToString::to_string).unwrap_or_default();
            let why: String = why.chars().take(60).collect();
            let _ = write!(
                err,
                "  .. {:<9} {DIM}{there}/{} {why}{DIM:#}",
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

/// Removes the line that stands for what is under way.
fn erase(err: &mut impl std::io::Write, progress: &mut Progress) {
    if std::mem::take(&mut progress.drawn) {
        let _ = write!(err, "\r\x1b[K");
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
