//! Patterns as they are written in transcripts, against frames made by hand.

mod mend;
mod parts;
mod properties;
mod steps;
mod values;

use bytes::Bytes;
use shardlab::wire::resp::{Frame, Value};

use super::*;
use crate::transcript::ast::{NodeField, NodeName, StepKind, Version};
use crate::transcript::{parse, print_pattern};

/// Three masters at 127.0.0.1:7001 to 7003; ids of one digit, repeated. A fourth sends clients where they are.
struct Cluster;

impl Facts for Cluster {
    fn fact(&self, node: NodeName, field: NodeField) -> Option<String> {
        let port = 7000 + u32::from(node.number);
        Some(match field {
            NodeField::Address => format!("127.0.0.1:{port}"),
            NodeField::Id => node.number.to_string().repeat(40),
            NodeField::Host if node.number == 4 => String::new(),
            NodeField::Host | NodeField::Ip => "127.0.0.1".to_owned(),
            NodeField::Port => port.to_string(),
            NodeField::Bus => (port + 10_000).to_string(),
            NodeField::Node => format!("127.0.0.1:{port}@{}", port + 10_000),
            NodeField::Slots | NodeField::First | NodeField::Last | NodeField::Replicas => {
                return None;
            }
        })
    }
}

fn frame(value: Value) -> Frame {
    let raw = Bytes::new();
    Frame { raw, value }
}

fn simple(text: &'static str) -> Frame {
    frame(Value::SimpleString(text.into()))
}

fn bulk(text: &str) -> Frame {
    frame(Value::BulkString(Bytes::copy_from_slice(text.as_bytes())))
}

fn error(text: &'static str) -> Frame {
    frame(Value::SimpleError(text.into()))
}

fn integer(number: i64) -> Frame {
    frame(Value::Integer(number))
}

fn array(frames: &[Frame]) -> Frame {
    frame(Value::Array(frames.to_vec()))
}

/// A transcript with this body.
fn source(body: &str) -> String {
    format!("id: MOV-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n\n{body}\n")
}

/// The only step of a transcript.
fn step(body: &str) -> StepKind {
    let transcript = parse(&source(body)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let step = transcript.body.steps.into_iter().next().unwrap();
    step.kind.value
}

fn expected(reply: &str) -> crate::transcript::ast::Expected {
    let StepKind::Send(mut pipeline) = step(&format!("n1> X\n{reply}")) else {
        panic!("no command");
    };
    pipeline.exchanges.remove(0).expected
}

#[track_caller]
fn verdict(reply: &str, frame: &Frame, captures: &mut Captures) -> Match {
    judge(
        &expected(reply),
        Received::Frame(frame),
        None,
        &Cluster,
        captures,
    )
}

#[track_caller]
fn matches(reply: &str, frame: &Frame) {
    let verdict = verdict(reply, frame, &mut Captures::new());
    assert_eq!(verdict, Match::Yes, "{reply}");
}

/// The mismatch, as it is said to a reader.
#[track_caller]
fn differs(reply: &str, frame: &Frame) -> String {
    match verdict(reply, frame, &mut Captures::new()) {
        Match::No(mismatch) => mismatch.to_string(),
        other => panic!("{reply}: {other:?}"),
    }
}

/// The one departure that is let pass.
#[track_caller]
fn departs(reply: &str, frame: &Frame) -> Strength {
    match verdict(reply, frame, &mut Captures::new()) {
        Match::Differs(departures) => departures[0].strength,
        other => panic!("{reply}: {other:?}"),
    }
}
