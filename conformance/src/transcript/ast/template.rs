//! A run of bytes with holes: the text of a command's word or of a reply's line.

use crate::transcript::span::{Span, Spanned};

use super::{NodeField, NodeName};

/// Bytes and placeholders, in order. Two literals are never adjacent, no literal is empty;
/// an empty template is the empty string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The pieces.
    pub pieces: Vec<Spanned<Piece>>,
}

impl Template {
    /// Puts blanks in front, as if they had been written at `span`.
    pub(crate) fn indent(&mut self, blanks: usize, span: Span) {
        if blanks == 0 {
            return;
        }
        let mut bytes = vec![b' '; blanks];
        if let Some(Piece::Literal(first)) = self.pieces.first_mut().map(|piece| &mut piece.value) {
            bytes.append(first);
            *first = bytes;
        } else {
            self.pieces
                .insert(0, Spanned::new(Piece::Literal(bytes), span));
        }
    }

    /// The bytes, when there is no placeholder.
    pub fn literal(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [] => Some(&[]),
            [piece] => match &piece.value {
                Piece::Literal(bytes) => Some(bytes),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// `<n3>`, `<n3.id>`: a fact about a node.
    Node {
        /// Whose.
        node: NodeName,
        /// Which.
        field: NodeField,
    },
    /// `<int>`: whatever is of this class. Not in commands.
    Wildcard(Class),
    /// `<E=int>`: the same, kept under a name. Not in commands.
    Capture {
        /// Begins with a capital letter.
        name: String,
        /// What it may be.
        class: Class,
    },
    /// `<E>`: what was captured.
    Captured(String),
    /// `<A|B>`: one of these. Not in commands.
    OneOf(Vec<Template>),
    /// `<nodes>`: how many there are.
    Count(Count),
}

/// Of what there is a number in every cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// `<masters>`: masters that own slots.
    Masters,
    /// `<nodes>`: masters and replicas.
    Nodes,
}

impl Count {
    /// Every count.
    pub const ALL: [Self; 2] = [Self::Masters, Self::Nodes];

    /// The word between `<` and `>`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Masters => "masters",
            Self::Nodes => "nodes",
        }
    }
}

/// What a wildcard stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `<any>`: any bytes, also none; in a line of text, no line end.
    Any,
    /// `<word>`: one byte or more, no blank and no line end.
    Word,
    /// `<int>`: decimal digits, a minus sign in front allowed.
    Int,
    /// `<float>`: what a double is written as: `1.5`, `-3e10`, `inf`, `nan`.
    Float,
    /// `<hex40>`: 40 lower-case hexadecimal digits, the shape of a node's id.
    Hex40,
    /// `<address>`: `host:port[@bus][,hostname]`; the host may be empty.
    Address,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Any,
        Self::Word,
        Self::Int,
        Self::Float,
        Self::Hex40,
        Self::Address,
    ];

    /// The word between `<` and `>`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Word => "word",
            Self::Int => "int",
            Self::Float => "float",
            Self::Hex40 => "hex40",
            Self::Address => "address",
        }
    }
}
