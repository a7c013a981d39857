//! The lines above the first blank one.

use crate::transcript::ast::{
    CaseId, Comment, Directive, Header, Level, Needs, Products, Topology,
};
use crate::transcript::error::{ErrorKind, Vocabulary};
use crate::transcript::span::{Span, Spanned};

use super::block::starts_step;
use super::lines::Cursor;
use super::parser::Parser;

const KEYS: Vocabulary = Vocabulary {
    name: "header key",
    words: &[
        "id",
        "title",
        "spec",
        "source",
        "note",
        "catches",
        "level",
        "needs",
        "since",
        "command",
        "topology",
        "conf.<directive>",
    ],
};

/// The keys that every header has.
const REQUIRED: [&str; 5] = ["id", "title", "level", "needs", "topology"];

/// The keys that may stand several times.
const REPEATABLE: [&str; 5] = ["spec", "source", "note", "catches", "command"];

const LEVELS: Vocabulary = Vocabulary {
    name: "level",
    words: &["must", "should", "may"],
};

const NEEDS: Vocabulary = Vocabulary {
    name: "need",
    words: &["client", "admin", "config", "process", "sentinel"],
};

/// What has been read of a header.
#[derive(Default)]
struct Draft<'a> {
    /// The keys there were, also those with a wrong value: they are not missing.
    seen: Vec<&'a str>,
    comments: Vec<Comment>,
    id: Option<Spanned<CaseId>>,
    title: Option<Spanned<String>>,
    spec: Vec<Spanned<String>>,
    source: Vec<Spanned<String>>,
    note: Vec<Spanned<String>>,
    catches: Vec<Spanned<String>>,
    level: Option<Spanned<Level>>,
    needs: Option<Spanned<Needs>>,
    since: Option<Spanned<Products>>,
    command: Vec<Spanned<String>>,
    topology: Option<Spanned<Topology>>,
    conf: Vec<Spanned<Directive>>,
}

impl<'a> Parser<'a> {
    /// The header, if it is whole and right.
    pub(super) fn header(&mut self) -> Option<Header> {
        let mut draft = Draft {
            comments: self.comments(0),
            ..Draft::default()
        };
        let first = self
            .peek()
            .map_or(Span::default(), |line| line.content().span());
        while let Some(line) = self.peek().filter(|line| !line.is_blank()) {
            let content = line.content();
            if starts_step(line) {
                if !draft.seen.is_empty() {
                    self.error(ErrorKind::HeaderNotEnded, content.span());
                }
                break;
            }
            self.advance();
            if let Some(text) = content.text.strip_prefix('#') {
                draft.comments.push(Comment {
                    text: text.strip_prefix(' ').unwrap_or(text).to_owned(),
                    blank_after: false,
                });
            } else {
                self.header_line(content, &mut draft);
            }
        }
        let missing: Vec<String> = REQUIRED
            .into_iter()
            .filter(|key| !draft.seen.contains(key))
            .map(|key| format!("`{key}`"))
            .collect();
        if draft.seen.is_empty() {
            self.error(ErrorKind::NoHeader, first);
        } else if !missing.is_empty() {
            self.error(ErrorKind::MissingKeys(missing), first);
        }
        Some(Header {
            comments: draft.comments,
            id: draft.id?,
            title: draft.title?,
            spec: draft.spec,
            source: draft.source,
            note: draft.note,
            catches: draft.catches,
            level: draft.level?,
            needs: draft.needs?,
            since: draft.since,
            command: draft.command,
            topology: draft.topology?,
            conf: draft.conf,
        })
    }

    fn header_line(&mut self, line: Cursor<'a>, draft: &mut Draft<'a>) {
        let mut value = line;
        let key = value.eat_while(|c| c != ':' && c != ' ');
        let mut end = value;
        if key.is_empty() || !end.eat(":") {
            self.error(ErrorKind::HeaderLine, line.span());
            return;
        }
        value = end;
        value.skip_blanks();
        if value.is_empty() {
            self.error(ErrorKind::EmptyValue(key.text.to_owned()), key.span());
        }
        if draft.seen.contains(&key.text) && !REPEATABLE.contains(&key.text) {
            self.error(ErrorKind::RepeatedKey(key.text.to_owned()), key.span());
        }
        draft.seen.push(key.text);
        let text = Spanned::new(value.text.to_owned(), value.span());
        match key.text {
            "id" => draft.id = self.case_id(value),
            "title" => draft.title = Some(text),
            "spec" => draft.spec.push(text),
            "source" => draft.source.push(text),
            "note" => draft.note.push(text),
            "catches" => draft.catches.push(text),
            "command" => draft.command.push(text),
            "level" => {
                let found = Level::ALL
                    .into_iter()
                    .find(|level| level.word() == value.text);
                draft.level = self.known(found, value, LEVELS);
            }
            "needs" => {
                let found = Needs::ALL
                    .into_iter()
                    .find(|needs| needs.word() == value.text);
                draft.needs = self.known(found, value, NEEDS);
            }
            "since" => {
                draft.since = self
                    .products(value)
                    .map(|products| Spanned::new(products, value.span()));
            }
            "topology" if value.is_empty() => {}
            "topology" => draft.topology = self.topology(value),
            other => match other.strip_prefix("conf.") {
                Some(name) => self.directive(name, key, value, &mut draft.conf),
                None => self.unknown(key, KEYS),
            },
        }
    }

    fn case_id(&mut self, value: Cursor<'a>) -> Option<Spanned<CaseId>> {
        let id = CaseId::parse(value.text);
        if id.is_none() && !value.is_empty() {
            self.error(ErrorKind::CaseId(value.text.to_owned()), value.span());
        }
        id.map(|id| Spanned::new(id, value.span()))
    }

    /// `found`, or an error that names the words there are.
    fn known<T>(
        &mut self,
        found: Option<T>,
        value: Cursor<'a>,
        vocabulary: Vocabulary,
    ) -> Option<Spanned<T>> {
        if found.is_none() && !value.is_empty() {
            self.unknown(value, vocabulary);
        }
        found.map(|found| Spanned::new(found, value.span()))
    }

    fn directive(
        &mut self,
        name: &str,
        key: Cursor<'a>,
        value: Cursor<'a>,
        conf: &mut Vec<Spanned<Directive>>,
    ) {
        let valid = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !valid {
            self.error(ErrorKind::DirectiveName(name.to_owned()), key.span());
        }
        let directive = Directive {
            name: name.to_owned(),
            value: value.text.to_owned(),
        };
        conf.push(Spanned::new(
            directive,
            Span::new(key.start, value.span().end),
        ));
    }
}
