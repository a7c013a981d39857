//! Relations between captured values.

use std::cmp::Ordering;

use crate::transcript::Spanned;
use crate::transcript::ast::{Arithmetic, Assertion, Comparison, Expression, Term};

use super::Mismatch;
use super::environment::{Known, Unresolved};

/// A value of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Integer(i128),
    Bytes(Vec<u8>),
}

impl Value {
    /// Bytes that spell an integer are one.
    fn of(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .map_or_else(
                || Self::Bytes(bytes.to_vec()),
                |number| Self::Integer(number.into()),
            )
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "\"{}\"", String::from_utf8_lossy(bytes)),
        }
    }
}

/// Whether an assertion is true of what is known.
///
/// # Errors
/// When it is not, and with what values; when a name has no value, or text is used as a number.
pub fn holds(assertion: &Assertion, known: Known<'_>) -> Result<(), Box<Mismatch>> {
    let left = expression(&assertion.left, known)?;
    let right = expression(&assertion.right, known)?;
    let order = match (&left, &right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        _ => None,
    };
    let (holds, words) = match assertion.comparison {
        Comparison::Equal => (left == right, "to equal"),
        Comparison::NotEqual => (left != right, "to differ from"),
        Comparison::Less => (order.is_some_and(Ordering::is_lt), "to be less than"),
        Comparison::LessOrEqual => (order.is_some_and(Ordering::is_le), "to be at most"),
        Comparison::Greater => (order.is_some_and(Ordering::is_gt), "to be greater than"),
        Comparison::GreaterOrEqual => (order.is_some_and(Ordering::is_ge), "to be at least"),
    };
    if holds {
        return Ok(());
    }
    let span = assertion.left.span.to(assertion.right.span);
    let mut mismatch = Mismatch::new(
        span,
        format!("the left side {words} the right one"),
        format!("{left} and {right}"),
    );
    let equality = matches!(
        assertion.comparison,
        Comparison::Equal | Comparison::NotEqual
    );
    if order.is_none() && !equality {
        mismatch.note = Some("only integers are greater or less".to_owned());
    }
    Err(Box::new(mismatch))
}

fn expression(expression: &Spanned<Expression>, known: Known<'_>) -> Result<Value, Box<Mismatch>> {
    let first = term(&expression.first, known)?;
    if expression.rest.is_empty() {
        return Ok(first);
    }
    let mut sum = integer(&first, &expression.first)?;
    for (arithmetic, other) in &expression.rest {
        let value = integer(&term(other, known)?, other)?;
        sum = match arithmetic {
            Arithmetic::Plus => sum.saturating_add(value),
            Arithmetic::Minus => sum.saturating_sub(value),
        };
    }
    Ok(Value::Integer(sum))
}

fn integer(value: &Value, place: &Spanned<Term>) -> Result<i128, Box<Mismatch>> {
    match value {
        Value::Integer(number) => Ok(*number),
        Value::Bytes(_) => Err(Box::new(Mismatch::new(
            place.span,
            "an integer".to_owned(),
            value.to_string(),
        ))),
    }
}

fn term(term: &Spanned<Term>, known: Known<'_>) -> Result<Value, Box<Mismatch>> {
    let unresolved = |error: Unresolved| {
        Box::new(Mismatch::new(
            term.span,
            "a value".to_owned(),
            format!("none: {error}"),
        ))
    };
    match &term.value {
        Term::Integer(number) => Ok(Value::Integer((*number).into())),
        Term::String(bytes) => Ok(Value::of(bytes)),
        Term::Captured(name) => known.capture(name).map(Value::of).map_err(unresolved),
        Term::Node { node, field } => known
            .fact(*node, *field)
            .map(|fact| Value::of(fact.as_bytes()))
            .map_err(unresolved),
    }
}
