//! The text that grows, line by line.

use crate::transcript::ast::Comment;

/// The text so far, and how far the next line is indented.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) out: String,
    pub(super) indent: usize,
}

impl Printer {
    pub(super) fn line(&mut self, text: &str) {
        let indent = self.indent;
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn comments(&mut self, comments: &[Comment]) {
        for comment in comments {
            match comment.text.as_str() {
                "" => self.line("#"),
                text => self.line(&format!("# {text}")),
            }
            if comment.blank_after {
                self.blank();
            }
        }
    }
}
