//! What placeholders stand for, and the bytes of what is sent.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::transcript::ast::{
    Command, NodeField, NodeName, Piece, RawBytes, Template, Version, Word,
};

/// What is known of the nodes.
pub trait Facts {
    /// The text of a fact: for [`NodeField::Node`] `ip:port@bus`. None if the node or the
    /// fact is not known (the id of a node that never ran).
    fn fact(&self, node: NodeName, field: NodeField) -> Option<String>;
}

/// Values that replies were asked for, by name.
pub type Captures = BTreeMap<String, Vec<u8>>;

/// Everything that a placeholder can stand for.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Of the nodes.
    pub facts: &'a dyn Facts,
    /// Of earlier replies.
    pub captures: &'a Captures,
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known")
            .field("captures", self.captures)
            .finish_non_exhaustive()
    }
}

/// The server that a transcript is run against: what it says it is, not `redis_version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Lower case: `redis`, `valkey`, `keydb`.
    pub product: String,
    /// Its own version.
    pub version: Version,
}

/// A placeholder whose value is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unresolved {
    /// `<n1.id>`
    #[error("`{}` is not known", describe(*.0, *.1))]
    Fact(NodeName, NodeField),
    /// `<E>`
    #[error("`<{0}>` has not been captured")]
    Capture(String),
    /// `<nodes>`, where there is no cluster whose nodes could be counted.
    #[error("`<{0}>` is known of clusters only")]
    Count(&'static str),
    /// A wildcard in what is sent; `parse` refuses it.
    #[error("a wildcard has no value that could be sent")]
    Wildcard,
    /// A pattern that is beyond the limits of the matching engine.
    #[error("the pattern is too large")]
    TooLarge,
}

fn describe(node: NodeName, field: NodeField) -> String {
    match field.word() {
        None => format!("<{node}>"),
        Some(word) => format!("<{node}.{word}>"),
    }
}

impl Known<'_> {
    /// A fact about a node.
    ///
    /// # Errors
    /// When it is not known.
    pub fn fact(&self, node: NodeName, field: NodeField) -> Result<String, Unresolved> {
        self.facts
            .fact(node, field)
            .ok_or(Unresolved::Fact(node, field))
    }

    /// A captured value.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn capture(&self, name: &str) -> Result<&[u8], Unresolved> {
        self.captures
            .get(name)
            .map(Vec::as_slice)
            .ok_or_else(|| Unresolved::Capture(name.to_owned()))
    }

    /// The bytes that a template without wildcards stands for.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn resolve(&self, template: &Template) -> Result<Vec<u8>, Unresolved> {
        let mut bytes = Vec::new();
        for piece in &template.pieces {
            match &piece.value {
                Piece::Literal(literal) => bytes.extend_from_slice(literal),
                Piece::Node { node, field } => {
                    bytes.extend_from_slice(self.fact(*node, *field)?.as_bytes());
                }
                Piece::Captured(name) => bytes.extend_from_slice(self.capture(name)?),
                Piece::Count(count) => return Err(Unresolved::Count(count.word())),
                Piece::Wildcard(_) | Piece::Capture { .. } | Piece::OneOf(_) => {
                    return Err(Unresolved::Wildcard);
                }
            }
        }
        Ok(bytes)
    }

    /// The arguments of a command.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn arguments(&self, command: &Command) -> Result<Vec<Vec<u8>>, Unresolved> {
        let mut arguments = Vec::new();
        for word in &command.words {
            match &word.value {
                Word::Argument(template) => arguments.push(self.resolve(template)?),
                Word::Range { first, last } => {
                    arguments.extend((*first..=*last).map(|number| number.to_string().into()));
                }
            }
        }
        Ok(arguments)
    }

    /// The bytes that a raw step sends.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub fn raw(&self, bytes: &RawBytes) -> Result<Vec<u8>, Unresolved> {
        match bytes {
            RawBytes::Line(template) => self.resolve(template),
            RawBytes::Lines { lines, no_newline } => {
                let mut all = Vec::new();
                for (place, line) in lines.iter().enumerate() {
                    all.extend(self.resolve(line)?);
                    if !(*no_newline && place + 1 == lines.len()) {
                        all.extend_from_slice(b"\r\n");
                    }
                }
                Ok(all)
            }
        }
    }
}
