//! What can be written plainly and is read as what it says, which the printer asks.

use super::block::starts_step;
use super::lines::Line;
use super::pattern::mistake;
use super::prompt::Prompt;
use super::raw::is_frame_line;

/// Whether `text`, alone on a line, is read as a simple string that says just this.
pub(in crate::transcript) fn reads_as_simple_string(text: &str) -> bool {
    let line = Line { text, start: 0 };
    let content = line.content();
    text.starts_with(|c: char| c.is_alphabetic() || "<\\@/_%&={},;^".contains(c))
        && !matches!(text, "<any>")
        && !starts_step(line)
        && mistake(content).is_none()
}

/// Whether `text` can stand in a frame that is written line by line, without a margin.
pub(in crate::transcript) fn frame_line_is_plain(text: &str) -> bool {
    let line = Line { text, start: 0 };
    is_frame_line(line, 0)
        && !text.starts_with(['|', ' '])
        && !matches!(text, "(no newline)" | "(no connection)")
}

/// Whether a line begins with a prompt, right or wrong.
pub(crate) fn has_prompt(text: &str) -> bool {
    let line = Line { text, start: 0 };
    Prompt::read(line.content()).is_some()
}
