//! `? F > E + 1`

use crate::transcript::ast::{Arithmetic, Assertion, Comparison, Expression, Piece, Term};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;
use super::template::Until;

impl<'a> Parser<'a> {
    /// What follows the question mark.
    pub(super) fn assertion(&mut self, mut rest: Cursor<'a>) -> Option<Assertion> {
        rest.skip_blanks();
        let line = rest;
        let left = self.expression(&mut rest)?;
        let comparison = Comparison::ALL
            .into_iter()
            .find(|(_, sign)| rest.eat(sign))
            .map(|(comparison, _)| comparison);
        let Some(comparison) = comparison else {
            self.error(ErrorKind::Assertion(line.text.to_owned()), line.span());
            return None;
        };
        let right = self.expression(&mut rest)?;
        if !rest.is_empty() {
            self.error(ErrorKind::Assertion(line.text.to_owned()), line.span());
            return None;
        }
        Some(Assertion {
            left,
            comparison,
            right,
        })
    }

    /// A term, and those added and taken, up to a sign of comparison or the end.
    fn expression(&mut self, rest: &mut Cursor<'a>) -> Option<Spanned<Expression>> {
        rest.skip_blanks();
        let start = *rest;
        let first = self.term(rest)?;
        let mut others = Vec::new();
        let mut end = *rest;
        loop {
            rest.skip_blanks();
            let arithmetic = if rest.eat("+") {
                Arithmetic::Plus
            } else if rest.eat("-") {
                Arithmetic::Minus
            } else {
                break;
            };
            others.push((arithmetic, self.term(rest)?));
            end = *rest;
        }
        let expression = Expression {
            first,
            rest: others,
        };
        Some(Spanned::new(expression, start.up_to(end)))
    }

    fn term(&mut self, rest: &mut Cursor<'a>) -> Option<Spanned<Term>> {
        rest.skip_blanks();
        let start = *rest;
        let term = match rest.peek() {
            Some('"') => {
                let errors = self.errors.len();
                rest.eat("\"");
                let template = self.template(rest, Until::Quote);
                if !rest.eat("\"") {
                    self.error(ErrorKind::UnclosedQuote, start.here());
                    return None;
                }
                if self.errors.len() > errors {
                    return None;
                }
                template.literal().map(|bytes| Term::String(bytes.to_vec()))
            }
            Some('<') => {
                let end = rest.text.find('>').map_or(rest.text.len(), |end| end + 1);
                let mut placeholder = rest.first(end);
                rest.skip(end);
                let errors = self.errors.len();
                let template = self.template(&mut placeholder, Until::End);
                if self.errors.len() > errors {
                    return None;
                }
                match template.pieces.into_iter().next().map(|piece| piece.value) {
                    Some(Piece::Node { node, field }) => Some(Term::Node { node, field }),
                    _ => None,
                }
            }
            _ => {
                rest.eat("-");
                rest.eat_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let word = start.first(rest.start - start.start);
                match word.text.parse() {
                    Ok(number) => Some(Term::Integer(number)),
                    Err(_) if word.text.starts_with(|c: char| c.is_ascii_uppercase()) => {
                        self.capture_name(word).map(Term::Captured)
                    }
                    Err(_) => None,
                }
            }
        };
        if term.is_none() {
            let text = start.text_up_to(*rest).to_owned();
            let span = if text.is_empty() {
                start.here()
            } else {
                start.up_to(*rest)
            };
            self.error(ErrorKind::Term(text), span);
        }
        term.map(|term| Spanned::new(term, start.up_to(*rest)))
    }
}
