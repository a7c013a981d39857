//! Templates as regular expressions over bytes: linear in the input, whatever the pattern.

use regex::bytes::{Regex, RegexBuilder};

use crate::transcript::ast::{Class, NodeField, Piece, Template};

use super::environment::{Captures, Known, Unresolved};

/// The most memory that one compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 21;

/// A template that is ready to be compared.
#[derive(Debug)]
pub(super) enum Compiled {
    /// No wildcard: these bytes.
    Literal(Vec<u8>),
    /// With the names of the groups, from the first on.
    Pattern(Regex, Vec<String>),
}

impl Compiled {
    /// Resolves what is known and compiles the rest.
    pub(super) fn new(template: &Template, known: Known<'_>) -> Result<Self, Unresolved> {
        match known.resolve(template) {
            Ok(bytes)
                if !template
                    .pieces
                    .iter()
                    .any(|piece| is_node_address(&piece.value)) =>
            {
                return Ok(Self::Literal(bytes));
            }
            Ok(_) | Err(Unresolved::Wildcard) => {}
            Err(error) => return Err(error),
        }
        let mut source = String::from(r"(?s-u)\A(?:");
        let mut names = Vec::new();
        append(&mut source, &mut names, template, known)?;
        source.push_str(r")\z");
        RegexBuilder::new(&source)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(|regex| Self::Pattern(regex, names))
            .map_err(|_| Unresolved::TooLarge)
    }

    /// What is captured when `bytes` match; none when they do not, or when a name is captured
    /// twice with different values.
    pub(super) fn captures(&self, bytes: &[u8]) -> Option<Captures> {
        match self {
            Self::Literal(literal) => (literal == bytes).then(Captures::new),
            Self::Pattern(regex, names) => {
                let found = regex.captures(bytes)?;
                let mut captures = Captures::new();
                for (group, name) in names.iter().enumerate() {
                    let Some(value) = found.get(group + 1) else {
                        continue;
                    };
                    let earlier = captures.insert(name.clone(), value.as_bytes().to_vec());
                    if earlier.is_some_and(|earlier| earlier != value.as_bytes()) {
                        return None;
                    }
                }
                Some(captures)
            }
        }
    }
}

/// `<n1.node>` stands for an address of which a part may be left out.
fn is_node_address(piece: &Piece) -> bool {
    matches!(
        piece,
        Piece::Node {
            field: NodeField::Node,
            ..
        }
    )
}

fn append(
    source: &mut String,
    names: &mut Vec<String>,
    template: &Template,
    known: Known<'_>,
) -> Result<(), Unresolved> {
    for piece in &template.pieces {
        match &piece.value {
            Piece::Literal(bytes) => literal(source, bytes),
            Piece::Node {
                node,
                field: NodeField::Node,
            } => {
                let text = known.fact(*node, NodeField::Node)?;
                let (place, bus) = text.rsplit_once('@').unwrap_or((&text, ""));
                literal(source, place.as_bytes());
                source.push_str("(?:@");
                literal(source, bus.as_bytes());
                source.push_str(r")?(?:,[^ \r\n]*)?");
            }
            Piece::Node { node, field } => {
                literal(source, known.fact(*node, *field)?.as_bytes());
            }
            Piece::Captured(name) => literal(source, known.capture(name)?),
            Piece::Count(count) => return Err(Unresolved::Count(count.word())),
            Piece::Wildcard(class) => {
                source.push_str("(?:");
                source.push_str(class_source(*class));
                source.push(')');
            }
            Piece::Capture { name, class } => {
                names.push(name.clone());
                source.push('(');
                source.push_str(class_source(*class));
                source.push(')');
            }
            Piece::OneOf(branches) => {
                for (place, branch) in branches.iter().enumerate() {
                    source.push_str(if place == 0 { "(?:" } else { "|" });
                    append(source, names, branch, known)?;
                }
                source.push(')');
            }
        }
    }
    Ok(())
}

fn literal(source: &mut String, bytes: &[u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            source.push(char::from(*byte));
        } else {
            source.push_str(r"\x");
            for digit in [byte >> 4, byte & 15] {
                source.extend(char::from_digit(digit.into(), 16));
            }
        }
    }
}

const fn class_source(class: Class) -> &'static str {
    match class {
        Class::Any => ".*",
        Class::Word => r"[^ \r\n]+",
        Class::Int => "-?[0-9]+",
        Class::Float => r"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|inf)|nan",
        Class::Hex40 => "[0-9a-f]{40}",
        Class::Address => r"[^ ,@\r\n]*:[0-9]+(?:@[0-9]+)?(?:,[^ \r\n]*)?",
    }
}
