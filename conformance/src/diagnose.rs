//! The picture of a problem in a transcript: the place, a caret, what was wanted, what helps.
//! One renderer for mistakes in a file and for replies that do not match, so that a reader
//! learns one look.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::transcript::{Error, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file is wrong, or the server.
    Error,
    /// It passes, and somebody should look.
    Warning,
}

/// Whether the picture holds ANSI escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For files, pipes and tests.
    Plain,
    /// For terminals.
    Coloured,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis<'a> {
    /// The first word.
    pub severity: Severity,
    /// In brackets behind it: a case's id.
    pub code: Option<String>,
    /// The first line.
    pub title: String,
    /// The transcript's path, as the user gave it.
    pub path: &'a str,
    /// The whole text of the transcript.
    pub source: &'a str,
    /// What the carets point at.
    pub span: Span,
    /// Behind the carets, on one line.
    pub label: String,
    /// Other places that are shown, each with a label: the prompt that a reply belongs to.
    pub context: Vec<(Span, String)>,
    /// Below the picture, each with its word in front: `help`, `note`, `spec`, `wire`, `rerun`.
    pub footer: Vec<(&'static str, String)>,
}

impl<'a> Diagnosis<'a> {
    /// The picture of a mistake in a transcript.
    pub fn of(error: &Error, path: &'a str, source: &'a str) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            title: error.kind.to_string(),
            path,
            source,
            span: error.span,
            label: String::new(),
            context: Vec::new(),
            footer: error
                .kind
                .help()
                .map(|help| ("help", help))
                .into_iter()
                .collect(),
        }
    }

    /// Draws it; no line end after the last line.
    pub fn render(&self, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(&self.title);
        if let Some(code) = &self.code {
            title = title.id(code);
        }
        let label = (!self.label.is_empty()).then_some(self.label.as_str());
        let context = self.context.iter().map(|(span, label)| {
            AnnotationKind::Context
                .span(inside(*span, self.source).into())
                .label(label)
        });
        let snippet = Snippet::source(self.source)
            .path(self.path)
            .annotation(
                AnnotationKind::Primary
                    .span(inside(self.span, self.source).into())
                    .label(label),
            )
            .annotations(context);
        let footer = self
            .footer
            .iter()
            .map(|(word, text)| Level::NOTE.with_name(*word).message(text));
        let report = [title.element(snippet).elements(footer)];
        match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        }
        .decor_style(DecorStyle::Ascii)
        .render(&report)
    }
}

/// The part of a span that lies in the source, at boundaries of characters.
fn inside(span: Span, source: &str) -> Span {
    let boundary = |mut place: usize| {
        place = place.min(source.len());
        while !source.is_char_boundary(place) {
            place -= 1;
        }
        place
    };
    let start = boundary(span.start);
    Span::new(start, boundary(span.end).max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_shows_place_difference_and_context() {
        let source = "n1> MGET b hello\n(error) CROSSSLOT Keys\n";
        let diagnosis = Diagnosis {
            severity: Severity::Error,
            code: Some("XSL-01".into()),
            title: "keys of two slots are refused".to_owned(),
            path: "fixtures/crossslot/x.resp",
            source,
            span: Span::new(17, 39),
            label: "expected an error with the code `CROSSSLOT`, received an array:".into(),
            context: vec![(Span::new(0, 16), "sent to n1".into())],
            footer: vec![
                ("received", "1) (nil)\n2) (nil)".into()),
                ("note", "both slots are served by n1".into()),
                ("rerun", "shardlab-conformance run XSL-01".into()),
            ],
        };
        snapbox::assert_data_eq!(
            diagnosis.render(Style::Plain),
            snapbox::str![[r"
error[XSL-01]: keys of two slots are refused
 --> fixtures/crossslot/x.resp:2:1
  |
1 | n1> MGET b hello
  | ---------------- sent to n1
2 | (error) CROSSSLOT Keys
  | ^^^^^^^^^^^^^^^^^^^^^^ expected an error with the code `CROSSSLOT`, received an array:
  |
  = received: 1) (nil)
              2) (nil)
  = note: both slots are served by n1
  = rerun: shardlab-conformance run XSL-01
"]]
        );
    }

    #[test]
    fn a_span_outside_the_source_is_drawn_at_its_end() {
        for (start, end) in [(99, 100), (1, 99), (1, 2), (2, 1)] {
            let error = crate::transcript::ErrorKind::NotUtf8.at(Span::new(start, end));
            let picture = Diagnosis::of(&error, "x.resp", "é").render(Style::Plain);
            assert!(picture.contains("x.resp:1:"), "{picture}");
        }
    }
}
