//! What holds of every pattern and every frame.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::pattern::frame::MAX_COMPARISONS;
use crate::render;
use crate::transcript::Spanned;
use crate::transcript::ast::{Answer, Expected, Outcome, Pattern};

/// Few different bytes, so that parts are often alike.
fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        "[a1 |\r\n]{0,4}".prop_map(Bytes::from),
        vec(any::<u8>(), 0..6).prop_map(Bytes::from),
    ]
}

fn error_text() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        Just(Bytes::from_static(b"MOVED 1 127.0.0.1:7001")),
        Just(Bytes::from_static(b"ERR a")),
        bytes(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        bytes().prop_map(Value::SimpleString),
        bytes().prop_map(Value::BulkString),
        bytes().prop_map(Value::BigNumber),
        vec(bytes(), 0..3).prop_map(Value::StreamedString),
        ("[a-z]{3}", bytes()).prop_map(|(format, text)| Value::VerbatimString {
            format: format.as_bytes().try_into().unwrap(),
            text,
        }),
        error_text().prop_map(Value::SimpleError),
        error_text().prop_map(Value::BulkError),
        prop_oneof![0_i64..3, any::<i64>()].prop_map(Value::Integer),
        prop_oneof![Just(1.5), Just(f64::NAN), any::<f64>()].prop_map(Value::Double),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Null),
        Just(Value::NullBulkString),
        Just(Value::NullArray),
    ]
}

fn frames() -> impl Strategy<Value = Frame> {
    let value = leaf().prop_recursive(4, 32, 4, |inner| {
        let frames = || vec(inner.clone().prop_map(frame), 0..4);
        let pair = (inner.clone().prop_map(frame), inner.clone().prop_map(frame));
        let pairs = vec(pair, 0..4);
        prop_oneof![
            frames().prop_map(Value::Array),
            frames().prop_map(Value::Set),
            frames().prop_map(Value::Push),
            frames().prop_map(Value::StreamedArray),
            frames().prop_map(Value::StreamedSet),
            pairs.clone().prop_map(Value::Map),
            pairs.clone().prop_map(Value::StreamedMap),
            (pairs, inner.clone()).prop_map(|(attributes, value)| Value::Attribute {
                attributes,
                value: Box::new(frame(value)),
            }),
        ]
    });
    value.prop_map(frame)
}

/// The lines of a value in a transcript.
type Lines = Vec<String>;

/// A value on one line, which can be a key.
fn scalar() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "\"[a1 ]{0,3}\"",
        "a[a1]{0,2}",
        "\\(integer\\) [0-3]",
        Just("\"<any>\"".to_owned()),
        Just("\"<W=any>|<W=word>\"".to_owned()),
        Just("<a|1|<A=word>>".to_owned()),
        Just("<n1.id>".to_owned()),
        Just("(integer) <N=int>".to_owned()),
        Just("(error) <any>".to_owned()),
        Just("(error) <E=word> a".to_owned()),
        Just("(error) <ERR|MOVED <int>> <n1>".to_owned()),
        Just("(exact) (error) ERR a".to_owned()),
        Just("(double) 1.5".to_owned()),
        Just("(double) <float>".to_owned()),
        Just("(big number) <int>".to_owned()),
        Just("(boolean)".to_owned()),
        Just("(nil)".to_owned()),
        Just("(nil array)".to_owned()),
        Just("<any>".to_owned()),
    ];
    (
        prop_oneof![4 => Just(""), 1 => Just("(may) "), 1 => Just("(must) ")],
        value,
    )
        .prop_map(|(mark, value)| format!("{mark}{value}"))
}

fn text() -> impl Strategy<Value = Lines> {
    let line = prop_oneof![
        "\\| [a1 ]{0,3}",
        Just("| <W=any>".to_owned()),
        Just("(should) | <any>a".to_owned()),
    ];
    let opener = prop_oneof![
        Just("(verbatim)"),
        Just("(has)"),
        Just("(lacks)"),
        Just("(any order)"),
        Just("(text)\n..."),
    ];
    let end = prop_oneof![2 => Just(None), 1 => Just(Some("...".to_owned()))];
    (opener, vec(line, 1..4), end).prop_map(|(opener, lines, end)| {
        let end = end.filter(|_| opener == "(verbatim)");
        let opener = opener.lines().map(str::to_owned);
        opener.chain(lines).chain(end).collect()
    })
}

/// The lines, the first behind `first`.
fn behind(first: &str, lines: &[String]) -> Lines {
    let indent = " ".repeat(first.len());
    let starts = std::iter::once(first).chain(std::iter::repeat(indent.as_str()));
    starts
        .zip(lines)
        .map(|(start, line)| format!("{start}{line}"))
        .collect()
}

/// Items or entries with a rule for them.
fn container(opener: &str, rule: &str, sign: char, rest: bool, parts: &[Lines]) -> Lines {
    let opener = [opener, rule].into_iter().filter(|line| !line.is_empty());
    let mut lines: Lines = opener.map(str::to_owned).collect();
    for (number, part) in (1..).zip(parts) {
        lines.extend(behind(&format!("{number}{sign} "), part));
    }
    if rest && rule.is_empty() && sign == ')' {
        lines.push("...".to_owned());
    }
    lines
}

fn reply() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => scalar().prop_map(|line| vec![line]), 1 => text()];
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        let rule = || {
            prop_oneof![
                Just(""),
                Just("(any order)"),
                Just("(has)"),
                Just("(lacks)")
            ]
        };
        let opener =
            prop_oneof![3 => Just((")", "")), 1 => Just(("~", "")), 1 => Just((")", "(push)"))];
        let items = (opener, rule(), any::<bool>(), vec(inner.clone(), 1..4)).prop_map(
            |((sign, opener), rule, rest, parts)| {
                let sign = if sign == "~" { '~' } else { ')' };
                container(opener, rule, sign, rest, &parts)
            },
        );
        let entry = (scalar(), inner).prop_map(|(key, value)| match value.as_slice() {
            [value] => vec![format!("{key} => {value}")],
            lines => [&[format!("{key} =>")], lines].concat(),
        });
        let entries = (rule(), vec(entry, 1..4))
            .prop_map(|(rule, parts)| container("", rule, '#', false, &parts));
        prop_oneof![2 => items, 1 => entries]
    });
    nested.prop_map(|lines| lines.join("\n"))
}

/// What is asked of a reply that must be just this frame.
fn exact(frame: &Frame) -> Expected {
    let pattern: Pattern = render::pattern(frame);
    let outcome = Spanned::new(Outcome::Reply(pattern), Span::default());
    Expected::Always(Answer {
        outcomes: vec![outcome],
    })
}

fn compare(expected: &Expected, frame: &Frame) -> Match {
    judge(
        expected,
        Received::Frame(frame),
        None,
        &Cluster,
        &mut Captures::new(),
    )
}

/// The frames that stand in a value, attributes aside.
fn parts(value: &mut Value) -> Vec<&mut Frame> {
    match value {
        Value::Array(frames)
        | Value::Set(frames)
        | Value::Push(frames)
        | Value::StreamedArray(frames)
        | Value::StreamedSet(frames) => frames.iter_mut().collect(),
        Value::Map(pairs) | Value::StreamedMap(pairs) => pairs
            .iter_mut()
            .flat_map(|(key, value)| [key, value])
            .collect(),
        Value::Attribute { value, .. } => vec![value],
        _ => Vec::new(),
    }
}

/// The values in which no others stand.
fn leaves(frame: &mut Frame) -> Vec<&mut Value> {
    if parts(&mut frame.value).is_empty() {
        return vec![&mut frame.value];
    }
    let parts = parts(&mut frame.value);
    parts.into_iter().flat_map(leaves).collect()
}

/// Another value, which no pattern for this one takes.
fn changed(value: &Value) -> Value {
    let longer = |text: &[u8]| Bytes::from([text, b"x"].concat());
    let recoded = |text: &[u8]| Bytes::from([b"X", text].concat());
    match value {
        Value::SimpleString(text) => Value::SimpleString(longer(text)),
        Value::BulkString(text) => Value::BulkString(longer(text)),
        Value::BigNumber(text) => Value::BigNumber(longer(text)),
        Value::StreamedString(chunks) => Value::StreamedString(vec![longer(&chunks.concat())]),
        Value::VerbatimString { format, text } => Value::VerbatimString {
            format: *format,
            text: longer(text),
        },
        // The text behind the code may differ.
        Value::SimpleError(text) => Value::SimpleError(recoded(text)),
        Value::BulkError(text) => Value::BulkError(recoded(text)),
        Value::Integer(number) => Value::Integer(number.wrapping_add(1)),
        Value::Double(number) => Value::Double(if number.is_nan() { 0.0 } else { f64::NAN }),
        Value::Boolean(value) => Value::Boolean(!value),
        _ => Value::Integer(0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frame_has_a_verdict_by_any_pattern(reply in reply(), frame in frames()) {
        let expected = expected(&reply);
        let mut captures = Captures::new();
        let verdict = judge(&expected, Received::Frame(&frame), None, &Cluster, &mut captures);
        if let Match::No(mismatch) = verdict {
            prop_assert!(!mismatch.to_string().is_empty());
            prop_assert_eq!(captures, Captures::new());
        }
    }

    #[test]
    fn the_pattern_of_a_frame_takes_it(frame in frames()) {
        prop_assert_eq!(compare(&exact(&frame), &frame), Match::Yes);
    }

    #[test]
    fn the_pattern_of_a_frame_takes_no_other(frame in frames(), place in any::<prop::sample::Index>()) {
        let mut other = frame.clone();
        let mut leaves = leaves(&mut other);
        let leaf = place.index(leaves.len());
        *leaves[leaf] = changed(leaves[leaf]);
        let verdict = compare(&exact(&frame), &other);
        prop_assert!(matches!(verdict, Match::No(_)), "{:?}: {:?}", other, verdict);
    }
}

/// A value of values without order, two in each, this deep.
fn nested(depth: u32) -> (Lines, Frame) {
    if depth == 0 {
        return (vec!["(integer) 1".to_owned()], integer(1));
    }
    let (lines, frame) = nested(depth - 1);
    let parts = [lines.clone(), lines];
    let lines = container("", "(any order)", ')', false, &parts);
    (lines, array(&[frame.clone(), frame]))
}

#[test]
fn what_would_take_too_many_comparisons_is_given_up() {
    let (lines, frame) = nested(4);
    matches(&lines.join("\n"), &frame);
    let (lines, frame) = nested(9);
    let bound = MAX_COMPARISONS.to_string();
    assert!(differs(&lines.join("\n"), &frame).contains(&bound));
    let lacking = container("", "(lacks)", ')', false, &[lines]);
    assert!(differs(&lacking.join("\n"), &array(&[frame])).contains(&bound));
}
