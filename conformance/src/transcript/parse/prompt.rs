//! Lines that begin with a prompt: `n1> GET a`, `n1<`, `n1>> …`, `n1<< …`.

use crate::transcript::ast::{Connection, Exchange, NodeName, Pipeline, StepKind};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;
use super::pattern::mistake;

/// What the sign behind the name asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Send,
    Read,
    RawSend,
    RawExpect,
}

/// A prompt's parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt<'a> {
    /// In front of the sign; not yet known to be a connection.
    name: Cursor<'a>,
    sign: Sign,
    /// Behind it, without blanks in front.
    rest: Cursor<'a>,
}

impl<'a> Prompt<'a> {
    /// The prompt that `content` begins with. A name of any kind counts when a blank or
    /// nothing follows the sign, so that `127.0.0.1:7001> GET a` is explained, not ignored.
    pub(super) fn read(content: Cursor<'a>) -> Option<Self> {
        let mut rest = content;
        let name = rest.eat_while(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | ':' | '_' | '-' | '*')
        });
        let sign = if rest.eat(">>") {
            Sign::RawSend
        } else if rest.eat(">") {
            Sign::Send
        } else if rest.eat("<<") {
            Sign::RawExpect
        } else if rest.eat("<") {
            Sign::Read
        } else {
            return None;
        };
        let apart = rest.is_empty() || rest.text.starts_with([' ', '\t']);
        let node = name.text.split('/').next().and_then(NodeName::parse);
        let named = name.text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !named || (!apart && node.is_none()) {
            return None;
        }
        rest.skip_blanks();
        Some(Self { name, sign, rest })
    }
}

impl<'a> Parser<'a> {
    /// The step that begins with this prompt, whose line is indented by `indent`.
    pub(super) fn prompted(&mut self, prompt: Prompt<'a>, indent: usize) -> Option<StepKind> {
        self.advance();
        let connection = self.connection(prompt.name);
        match prompt.sign {
            Sign::Send => {
                let exchanges = self.exchanges(prompt.rest, indent);
                Some(StepKind::Send(Pipeline {
                    connection: connection?,
                    exchanges: exchanges?,
                }))
            }
            Sign::Read => {
                if !prompt.rest.is_empty() {
                    self.error(
                        ErrorKind::Misplaced(prompt.rest.text.to_owned()),
                        prompt.rest.span(),
                    );
                }
                let expected = self.expected(indent, prompt.name, ErrorKind::MissingRead, true);
                if expected.is_some() {
                    self.end_of_reply(indent);
                } else {
                    self.skip_paragraph();
                }
                Some(StepKind::Read {
                    connection: connection?,
                    expected: expected?,
                })
            }
            Sign::RawSend => {
                let bytes = self.raw_send(prompt.rest, prompt.name, indent);
                Some(StepKind::RawSend {
                    connection: connection?,
                    bytes: bytes?,
                })
            }
            Sign::RawExpect => {
                let outcome = self.raw_expect(prompt.rest, prompt.name, indent);
                Some(StepKind::RawExpect {
                    connection: connection?,
                    outcome: outcome?,
                })
            }
        }
    }

    /// `n1`, `n1/ro`
    fn connection(&mut self, text: Cursor<'a>) -> Option<Spanned<Connection>> {
        let mut rest = text;
        let node = rest.eat_while(|c| c != '/');
        let Some(name) = NodeName::parse(node.text) else {
            self.error(ErrorKind::Prompt(text.text.to_owned()), text.span());
            return None;
        };
        let label = rest.eat("/").then_some(rest);
        if let Some(label) = label {
            let valid = label.text.starts_with(|c: char| c.is_ascii_lowercase())
                && label
                    .text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !valid {
                self.error(
                    ErrorKind::ConnectionName(label.text.to_owned()),
                    label.span(),
                );
                return None;
            }
        }
        let connection = Connection {
            node: name,
            name: label.map(|label| label.text.to_owned()),
        };
        Some(Spanned::new(connection, text.span()))
    }

    /// The commands of a pipeline, then their replies.
    fn exchanges(&mut self, first: Cursor<'a>, indent: usize) -> Option<Vec<Exchange>> {
        let mut lines = vec![first];
        while let Some(line) = self.peek().filter(|line| line.indent() >= indent) {
            let mut content = line.content();
            if !content.eat(">") || !(content.is_empty() || content.text.starts_with(' ')) {
                break;
            }
            content.skip_blanks();
            lines.push(content);
            self.advance();
        }
        let commands: Vec<_> = lines
            .into_iter()
            .map(|line| (line, self.command(line)))
            .collect();
        let mut exchanges = Vec::new();
        let count = commands.len();
        for (number, (line, command)) in (1..).zip(commands) {
            let last = number == count;
            let Some(expected) = self.expected(indent, line, ErrorKind::MissingReply, last) else {
                self.skip_paragraph();
                return None;
            };
            exchanges.extend(command.map(|command| Exchange { command, expected }));
        }
        self.end_of_reply(indent);
        (exchanges.len() == count).then_some(exchanges)
    }

    /// No more lines may belong to the step.
    fn end_of_reply(&mut self, indent: usize) {
        if let Some(line) = self.reply_line(indent) {
            let kind = mistake(line.content()).unwrap_or(ErrorKind::ExtraReply);
            self.error(kind, line.content().span());
            self.skip_paragraph();
        }
    }
}
