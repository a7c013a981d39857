//! A terminal on which one picture is drawn over the other.

use shardlab::machine::text::printable;

use super::Term;

/// A screen that is ours to draw on. Dropped, it has its cursor back, below the picture.
#[derive(Debug)]
pub(crate) struct Screen<'a> {
    term: &'a Term,
}

impl Term {
    /// The screen, if standard output is one.
    pub(crate) fn screen(&self) -> Option<Screen<'_>> {
        Self::is_screen().then(|| Screen::open(self))
    }
}

impl<'a> Screen<'a> {
    /// Takes the screen: cleared, and without a cursor that would jump about.
    fn open(term: &'a Term) -> Self {
        let screen = Self { term };
        screen.write("\x1b[?25l\x1b[2J");
        screen
    }

    /// Draws a picture over the one before, cut to the screen.
    pub(crate) fn draw(&self, lines: &[String]) {
        self.write(&picture(lines, Term::size()));
    }

    /// In one write, so that nothing half drawn is seen.
    fn write(&self, text: &str) {
        self.term.bytes(text.as_bytes());
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.write("\n\x1b[?25h");
    }
}

/// The lines from the screen's upper left corner on; each clears what was to its right, the last
/// one what was below.
fn picture(lines: &[String], (columns, rows): (usize, usize)) -> String {
    // The last row stays free: for the cursor, and so that nothing scrolls.
    let room = rows.saturating_sub(1).max(1);
    let shown = if lines.len() > room { room - 1 } else { room };
    let mut cut: Vec<String> = lines
        .iter()
        .take(shown)
        .map(|line| printable(line).chars().take(columns).collect())
        .collect();
    if let Some(more @ 1..) = lines.len().checked_sub(cut.len()) {
        let note = format!("… and {more} more lines");
        cut.push(note.chars().take(columns).collect());
    }
    format!("\x1b[H{}\x1b[K\x1b[J", cut.join("\x1b[K\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_picture_fits_its_screen() {
        assert_eq!(
            picture(&lines(&["abc", "d"]), (2, 9)),
            "\x1b[Hab\x1b[K\nd\x1b[K\x1b[J"
        );
        assert_eq!(
            picture(&lines(&["a", "b", "c"]), (80, 3)),
            "\x1b[Ha\x1b[K\n… and 2 more lines\x1b[K\x1b[J"
        );
        assert_eq!(
            picture(&lines(&["a", "b"]), (80, 3)),
            "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J"
        );
    }
}
