//! Progress of slots that move: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use shardlab::reshape::{MoveEvent, MoveProgress};

use super::{Term, Volume};

/// How often a line is written where nothing can be redrawn.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often the bar shows that time goes on.
const TICK: Duration = Duration::from_millis(200);

/// What is shown of one move; gone when it is dropped.
pub(crate) struct MovingBar<'a> {
    term: &'a Term,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl<'a> MovingBar<'a> {
    pub(crate) fn new(term: &'a Term) -> Self {
        Self {
            term,
            bar: None,
            told: Instant::now(),
        }
    }

    /// Shows what has happened.
    pub(crate) fn event(&mut self, event: &MoveEvent<'_>) {
        match event {
            MoveEvent::Progress(progress) => self.progress(progress),
            MoveEvent::SlowKey(key) => self.note(&format!(
                "the key `{}` of slot {} ({} bytes) did not get from `{}` to `{}` in time; trying again with {}",
                key.key,
                key.slot,
                key.bytes,
                key.from,
                key.to,
                humantime::format_duration(key.timeout)
            )),
            MoveEvent::Again { from, to, why } => self.note(&format!(
                "the migration from `{from}` to `{to}` failed, trying again: {why}"
            )),
            _ => {}
        }
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.term.note(text)),
            None => self.term.note(text),
        }
    }

    fn progress(&mut self, progress: &MoveProgress) {
        if self.term.volume == Volume::Quiet || progress.slots == 0 {
            return;
        }
        if self.term.redraws {
            let bar = self.bar.get_or_insert_with(|| bar(progress.slots));
            bar.set_message(rest(progress));
            bar.set_position(progress.slots_done as u64);
        } else if self.told.elapsed() >= LINE_EVERY {
            self.told = Instant::now();
            self.term.note(&format!(
                "{} of {} slots, {}",
                progress.slots_done,
                progress.slots,
                rest(progress)
            ));
        }
    }
}

impl Drop for MovingBar<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(slots: usize) -> ProgressBar {
    let bar = ProgressBar::new(slots as u64);
    if let Ok(style) = ProgressStyle::with_template("  {bar:24} {pos}/{len} slots, {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// Keys, rate and time left, in words.
fn rest(progress: &MoveProgress) -> String {
    let keys = format!("{} of {} keys", progress.keys_done, progress.keys);
    let rate = progress.rate().map(|rate| format!("{rate:.0} keys/s"));
    let left = progress.time_left().map(|left| {
        let seconds = Duration::from_secs(left.as_secs());
        format!("{} left", humantime::format_duration(seconds))
    });
    let known: Vec<_> = [Some(keys), rate, left].into_iter().flatten().collect();
    known.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told_once_they_are_known() {
        let mut progress = MoveProgress {
            slots_done: 0,
            slots: 10,
            keys_done: 0,
            keys: 100,
            elapsed: Duration::from_secs(2),
        };
        assert_eq!(rest(&progress), "0 of 100 keys");
        progress.keys_done = 20;
        assert_eq!(rest(&progress), "20 of 100 keys, 10 keys/s, 8s left");
    }
}
