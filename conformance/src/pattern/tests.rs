//! Patterns as they are written in transcripts, against frames made by hand.

use bytes::Bytes;
use shardlab::resp::{Frame, Value};

use super::*;
use crate::transcript::ast::{NodeField, NodeName, StepKind, Version};
use crate::transcript::{parse, print_pattern};

/// Three masters at 127.0.0.1:7001 to 7003; ids of one digit, repeated.
struct Cluster;

impl Facts for Cluster {
    fn fact(&self, node: NodeName, field: NodeField) -> Option<String> {
        let port = 7000 + u32::from(node.number);
        Some(match field {
            NodeField::Address => format!("127.0.0.1:{port}"),
            NodeField::Id => node.number.to_string().repeat(40),
            NodeField::Host => "127.0.0.1".to_owned(),
            NodeField::Port => port.to_string(),
            NodeField::Bus => (port + 10_000).to_string(),
            NodeField::Node => format!("127.0.0.1:{port}@{}", port + 10_000),
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

/// The only step of a transcript.
fn step(body: &str) -> StepKind {
    let source =
        format!("id: MOV-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n\n{body}\n");
    let transcript = parse(&source).unwrap_or_else(|errors| panic!("{errors:#?}"));
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

#[test]
fn types_are_told_apart() {
    matches("OK", &simple("OK"));
    matches("\"OK\"", &bulk("OK"));
    matches("(integer) 1", &integer(1));
    assert_eq!(
        differs("OK", &bulk("OK")),
        "expected the simple string `OK`, received a bulk string: \"OK\""
    );
    differs("\"OK\"", &simple("OK"));
    differs("\"1\"", &integer(1));
    differs("(integer) 1", &bulk("1"));
    differs("1) \"a\"", &frame(Value::Push(vec![bulk("a")])));
    differs("1~ \"a\"", &array(&[bulk("a")]));
    differs("(nil)", &bulk(""));
    differs("| a", &simple("a\n"));
}

#[test]
fn a_nil_is_any_null_and_a_nil_array_is_not() {
    for null in [Value::NullBulkString, Value::NullArray, Value::Null] {
        matches("(nil)", &frame(null));
    }
    matches("(nil array)", &frame(Value::NullArray));
    matches("(nil array)", &frame(Value::Null));
    differs("(nil array)", &frame(Value::NullBulkString));
}

#[test]
fn dots_take_any_reply_but_an_error() {
    matches("...", &array(&[]));
    matches("<any>", &integer(1));
    differs("...", &error("ERR x"));
}

#[test]
fn moved_and_ask_are_compared_field_by_field() {
    matches(
        "(error) MOVED 15495 <n3>",
        &error("MOVED 15495 127.0.0.1:7003"),
    );
    assert_eq!(
        differs(
            "(error) MOVED 15495 <n3>",
            &error("MOVED 15495 127.0.0.1:7002")
        ),
        "expected the error `MOVED 15495 127.0.0.1:7003`, received an error: (error) MOVED 15495 127.0.0.1:7002"
    );
    differs(
        "(error) MOVED 15495 <n3>",
        &error("MOVED  15495 127.0.0.1:7003"),
    );
    differs(
        "(error) MOVED 15495 <n3>",
        &error("ERR MOVED 15495 127.0.0.1:7003"),
    );
    differs(
        "(error) ASK 15495 <n1>",
        &error("MOVED 15495 127.0.0.1:7001"),
    );
    differs("(error) ASK 15495 <n1>", &error("ASK 15494 127.0.0.1:7001"));
    matches("(error) MOVED", &error("MOVED 1 127.0.0.1:1"));
}

#[test]
fn of_other_errors_the_code_decides() {
    let theirs = error("CROSSSLOT Attempted to access keys that don't hash to the same slot");
    assert_eq!(
        departs("(error) CROSSSLOT Keys in request", &theirs),
        Strength::Text
    );
    matches("(error) CROSSSLOT", &theirs);
    matches("(error) CROSSSLOT <any>", &theirs);
    assert_eq!(
        differs("(error) CROSSSLOT Keys", &error("ERR x")),
        "expected an error with the code `CROSSSLOT`, received an error: (error) ERR x"
    );
    differs("(exact) (error) CROSSSLOT Keys in request", &theirs);
    differs("(exact) (error) CROSSSLOT", &theirs);
    differs("(error) CROSS", &theirs);
}

#[test]
fn the_code_may_be_one_of_several() {
    let reply = "(error) <MOVED 7365 <n2>|CLUSTERDOWN <any>|LOADING <any>>";
    matches(reply, &error("MOVED 7365 127.0.0.1:7002"));
    matches(reply, &error("CLUSTERDOWN The cluster is down"));
    differs(reply, &error("MOVED 7365 127.0.0.1:7003"));
    differs(reply, &error("ERR no"));
    assert_eq!(
        departs("(error) <TRYAGAIN|CLUSTERDOWN> x", &error("TRYAGAIN y")),
        Strength::Text
    );
    matches("(error) <TRYAGAIN|CLUSTERDOWN>", &error("TRYAGAIN y"));
}

#[test]
fn placeholders_stand_for_their_class() {
    let id = "a1".repeat(20);
    matches("\"<hex40>\"", &bulk(&id));
    differs("\"<hex40>\"", &bulk(&id.to_uppercase()));
    matches("\"<int> <word> <any>\"", &bulk("-12 a,b "));
    differs("\"<word>\"", &bulk(""));
    differs("\"<word>\"", &bulk("a b"));
    matches("\"<float>\"", &bulk("-1.5e-3"));
    matches("\"<float>\"", &bulk("nan"));
    matches("\"<address>\"", &bulk("::1:7001@17001,host.example"));
    matches("\"<address>\"", &bulk(":0@0"));
    differs("\"<address>\"", &bulk("host"));
    matches("\"<any>\"", &bulk("a\nb"));
    matches(
        "\"\\xff.*\"",
        &frame(Value::BulkString(Bytes::from_static(b"\xff.*"))),
    );
    differs("\"a.\"", &bulk("ab"));
}

#[test]
fn a_node_may_leave_out_what_follows_its_port() {
    for address in [
        "127.0.0.1:7002",
        "127.0.0.1:7002@17002",
        "127.0.0.1:7002@17002,h.example",
    ] {
        matches("\"<n2.node> x\"", &bulk(&format!("{address} x")));
    }
    differs("\"<n2.node> x\"", &bulk("127.0.0.1:7002@7002 x"));
    differs("\"<n2.node>\"", &bulk("127.0.0.1:70021"));
}

#[test]
fn captures_are_kept_when_the_reply_matches() {
    let mut captures = Captures::new();
    let pair = array(&[integer(3), bulk("x")]);
    let no = verdict("1) (integer) <E=int>\n2) \"y\"", &pair, &mut captures);
    assert!(matches!(no, Match::No(_)));
    assert_eq!(captures, Captures::new());
    let yes = verdict("1) (integer) <E=int>\n2) \"<F=any>\"", &pair, &mut captures);
    assert_eq!(yes, Match::Yes);
    assert_eq!(captures["E"], b"3");
    assert_eq!(
        verdict("(integer) <E>", &integer(3), &mut captures),
        Match::Yes
    );
    assert!(matches!(
        verdict("(integer) <E>", &integer(4), &mut captures),
        Match::No(_)
    ));
}

#[test]
fn a_name_that_is_captured_twice_has_one_value() {
    let reply = "1) \"<E=any>\"\n2) \"<E=any>\"";
    matches(reply, &array(&[bulk("a"), bulk("a")]));
    differs(reply, &array(&[bulk("a"), bulk("b")]));
    matches("\"<E=int>-<E=int>\"", &bulk("1-1"));
    differs("\"<E=int>-<E=int>\"", &bulk("1-2"));
}

#[test]
fn a_value_that_is_not_known_is_named() {
    let Match::No(mismatch) = verdict("(integer) <E>", &integer(1), &mut Captures::new()) else {
        panic!("matched");
    };
    assert_eq!(mismatch.note.unwrap(), "`<E>` has not been captured");
}

#[test]
fn dots_stand_for_any_number_of_items() {
    let abc = array(&[bulk("a"), bulk("b"), bulk("c")]);
    matches("1) \"a\"\n...", &abc);
    matches("1) \"a\"\n...\n2) \"c\"", &abc);
    matches("(array)\n...\n1) \"b\"\n...", &abc);
    matches("(array)\n...\n1) \"<E=any>\"\n2) \"c\"", &abc);
    matches("1) \"a\"\n2) \"b\"\n...\n3) \"c\"", &abc);
    assert_eq!(
        differs("1) \"a\"\n...\n2) \"b\"", &abc),
        "expected the bulk string `b`, received a bulk string: \"c\""
    );
    differs("(array)\n...\n1) \"d\"", &abc);
    assert_eq!(differs("1) \"a\"", &abc), "expected 1 items, received 3");
}

#[test]
fn what_a_failed_attempt_captured_is_forgotten() {
    let mut captures = Captures::new();
    let reply = "(array)\n...\n1) \"<E=any>\"\n2) \"z\"";
    let abz = array(&[bulk("a"), bulk("b"), bulk("z")]);
    assert_eq!(verdict(reply, &abz, &mut captures), Match::Yes);
    assert_eq!(captures["E"], b"b");
}

#[test]
fn any_order_finds_an_item_for_each() {
    let reply = "(any order)\n1) \"<any>\"\n2) \"a\"";
    matches(reply, &array(&[bulk("a"), bulk("b")]));
    matches(reply, &array(&[bulk("b"), bulk("a")]));
    differs(reply, &array(&[bulk("b"), bulk("c")]));
    assert_eq!(
        differs(reply, &array(&[bulk("a")])),
        "expected 2 items, received 1"
    );
}

#[test]
fn has_and_lacks_look_at_each_item() {
    let ab = array(&[bulk("a"), bulk("b")]);
    matches("(has)\n1) \"b\"", &ab);
    assert_eq!(
        differs("(has)\n1) \"c\"", &ab),
        "expected an item that is the bulk string `c`, received none"
    );
    matches("(lacks)\n1) \"c\"", &ab);
    differs("(lacks)\n1) \"b\"", &ab);
}

#[test]
fn the_keys_of_a_map_have_no_order() {
    let map = frame(Value::Map(vec![
        (bulk("b"), integer(2)),
        (bulk("a"), integer(1)),
    ]));
    matches("1# \"a\" => (integer) 1\n2# \"b\" => (integer) 2", &map);
    matches("(has)\n1# \"a\" => (integer) <int>", &map);
    matches("(lacks)\n1# \"c\" => <any>", &map);
    assert_eq!(
        differs("1# \"a\" => (integer) 1\n2# \"b\" => (integer) 3", &map),
        "expected the integer `3`, received an integer: (integer) 2"
    );
    assert_eq!(
        differs("(has)\n1# \"c\" => <any>", &map),
        "expected an entry whose key is the bulk string `c`, received none"
    );
    differs("1# \"a\" => (integer) 1", &map);
}

#[test]
fn a_set_has_no_order() {
    let set = frame(Value::Set(vec![bulk("b"), bulk("a")]));
    matches("1~ \"a\"\n2~ \"b\"", &set);
    matches("(has)\n1~ \"a\"", &set);
    differs("1~ \"a\"\n2~ \"a\"", &set);
}

#[test]
fn a_text_is_compared_line_by_line() {
    let info = bulk("# Cluster\r\ncluster_state:ok\r\n\r\ncluster_size:3\r\n");
    matches(
        "| # Cluster\n| cluster_state:ok\n|\n| cluster_size:<int>",
        &info,
    );
    matches("(has)\n| cluster_size:<E=int>", &info);
    matches("(lacks)\n| cluster_state:fail", &info);
    matches("| # Cluster\n...", &info);
    matches(
        "(any order)\n| cluster_size:3\n|\n| cluster_state:ok\n| # Cluster",
        &info,
    );
    differs("(has)\n| cluster_state", &info);
    differs("(lacks)\n| cluster_state:<any>", &info);
    differs("| # Cluster\n| cluster_state:ok", &info);
    let Match::No(mismatch) = verdict(
        "| # Cluster\n| cluster_state:fail\n...",
        &info,
        &mut Captures::new(),
    ) else {
        panic!("matched");
    };
    assert_eq!(
        mismatch.to_string(),
        "expected the line `cluster_state:fail`, received `cluster_state:ok`"
    );
}

#[test]
fn the_last_line_of_a_text_has_an_end_unless_said_otherwise() {
    matches("| a", &bulk("a\n"));
    differs("| a", &bulk("a"));
    matches("| a\n(no newline)", &bulk("a"));
    differs("| a\n(no newline)", &bulk("a\n"));
    matches("| a\n...", &bulk("a\nb"));
}

#[test]
fn a_verbatim_string_is_a_text() {
    let verbatim = frame(Value::VerbatimString {
        format: *b"txt",
        text: "a\n".into(),
    });
    matches("| a", &verbatim);
    matches("(verbatim)\n| a", &verbatim);
    matches("(verbatim txt)\n| a", &verbatim);
    differs("(verbatim mkd)\n| a", &verbatim);
    differs("(verbatim)\n| a", &bulk("a\n"));
}

#[test]
fn a_mark_weighs_a_line() {
    let info = bulk("a\nb\n");
    assert_eq!(departs("(has)\n| a\n(should) | c", &info), Strength::Should);
    assert_eq!(departs("(may) | x\n| b", &info), Strength::May);
    assert_eq!(
        departs("(should) (integer) 1", &integer(2)),
        Strength::Should
    );
    assert_eq!(
        departs("1) (may) \"a\"\n2) \"b\"", &array(&[bulk("x"), bulk("b")])),
        Strength::May
    );
    let Match::No(mismatch) = verdict("(must) (integer) 1", &integer(2), &mut Captures::new())
    else {
        panic!("matched");
    };
    assert_eq!(mismatch.level, Some(Level::Must));
}

#[test]
fn numbers_are_compared_as_they_are_typed() {
    matches("(double) 1.50", &frame(Value::Double(1.5)));
    matches("(double) inf", &frame(Value::Double(f64::INFINITY)));
    matches("(double) nan", &frame(Value::Double(f64::NAN)));
    matches("(double) <float>", &frame(Value::Double(-0.5)));
    differs("(double) 1.5", &frame(Value::Double(1.25)));
    matches("(big number) 123", &frame(Value::BigNumber("123".into())));
    matches("(boolean)", &frame(Value::Boolean(true)));
    differs("(false)", &frame(Value::Boolean(true)));
}

#[test]
fn an_attribute_is_not_the_reply() {
    let value = frame(Value::Attribute {
        attributes: vec![(bulk("ttl"), integer(1))],
        value: Box::new(integer(5)),
    });
    matches("(integer) 5", &value);
}

#[test]
fn the_server_may_choose_between_replies() {
    let reply = expected("OK\n(or)\n(error) MOVED 1 <n2>\n(or)\n(no connection)");
    let judged = |received| judge(&reply, received, None, &Cluster, &mut Captures::new());
    let ok = simple("OK");
    assert_eq!(judged(Received::Frame(&ok)), Match::Yes);
    assert_eq!(judged(Received::NoConnection), Match::Yes);
    let Match::No(mismatch) = judged(Received::Pending) else {
        panic!("matched");
    };
    assert_eq!(
        mismatch.to_string(),
        "expected the simple string `OK`, or the error `MOVED 1 127.0.0.1:7002`, or no connection, received no reply"
    );
}

#[test]
fn the_first_variant_that_admits_the_server_counts() {
    let reply = expected("[redis>=7.0 valkey]\n\"new\"\n[redis]\n\"old\"\n[keydb]\n\"other\"");
    let judged = |product: &str, version: &str, answer: &str| {
        let server = Server {
            product: product.to_owned(),
            version: Version::parse(version).unwrap(),
        };
        let frame = bulk(answer);
        let received = Received::Frame(&frame);
        judge(
            &reply,
            received,
            Some(&server),
            &Cluster,
            &mut Captures::new(),
        ) == Match::Yes
    };
    assert!(judged("redis", "7.0.15", "new") && !judged("redis", "7.0.15", "old"));
    assert!(judged("redis", "6.2.14", "old") && !judged("redis", "6.2.14", "new"));
    assert!(judged("valkey", "9.1.2", "new") && !judged("valkey", "9.1.2", "other"));
    assert!(judged("kvrocks", "2.10", "new") && judged("kvrocks", "2.10", "other"));
    assert!(!judged("kvrocks", "2.10", "none"));
}

#[test]
fn raw_bytes_are_whole_and_exact() {
    let raw = |body: &str, bytes: &[u8]| {
        let StepKind::RawExpect { outcome, .. } = step(body) else {
            panic!("no raw step");
        };
        let received = RawReceived::Bytes(bytes);
        judge_raw(
            &outcome,
            Span::default(),
            received,
            &Cluster,
            &mut Captures::new(),
        )
    };
    let moved = b"-MOVED 15495 127.0.0.1:7003\r\n";
    assert_eq!(raw("n1<< -MOVED 15495 <n3>\\r\\n", moved), Match::Yes);
    assert_eq!(raw("n1<<\n-MOVED 15495 <n3>", moved), Match::Yes);
    assert!(matches!(
        raw("n1<<\n-MOVED 15495 <n3>\n(no newline)", moved),
        Match::No(_)
    ));
    assert!(matches!(raw("n1<< -MOVED 15495 <n3>", moved), Match::No(_)));
    assert_eq!(raw("n1<< $<int>\\r\\na<any>", b"$3\r\nabc\r\n"), Match::Yes);
}

#[test]
fn what_is_sent_is_resolved() {
    let captures = Captures::from([("E".to_owned(), b"7".to_vec())]);
    let known = Known {
        facts: &Cluster,
        captures: &captures,
    };
    let StepKind::Send(pipeline) =
        step("n1> CLUSTER MEET <n2.host> <n2.port> \"<E> x\" {1..3} <n3.id> ''\nOK")
    else {
        panic!("no command");
    };
    let arguments = known.arguments(&pipeline.exchanges[0].command).unwrap();
    let arguments: Vec<_> = arguments
        .iter()
        .map(|a| String::from_utf8_lossy(a))
        .collect();
    let id = "3".repeat(40);
    assert_eq!(
        arguments,
        [
            "CLUSTER",
            "MEET",
            "127.0.0.1",
            "7002",
            "7 x",
            "1",
            "2",
            "3",
            &id,
            ""
        ]
    );
    let StepKind::RawSend { bytes, .. } = step("n1>>\n*1\n$4\nPING") else {
        panic!("no raw step");
    };
    assert_eq!(known.raw(&bytes).unwrap(), b"*1\r\n$4\r\nPING\r\n");
}

#[test]
fn assertions_compare_integers_as_such() {
    let captures = Captures::from([
        ("E".to_owned(), b"9".to_vec()),
        ("F".to_owned(), b"10".to_vec()),
        ("S".to_owned(), b"x".to_vec()),
    ]);
    let known = Known {
        facts: &Cluster,
        captures: &captures,
    };
    let check = |text: &str| {
        let StepKind::Assert(assertion) = step(&format!("? {text}")) else {
            panic!("no assertion");
        };
        holds(&assertion, known).map_err(|mismatch| mismatch.to_string())
    };
    for text in [
        "F > E",
        "E + 1 == F",
        "F - E <= 1",
        "S != \"y\"",
        "S == \"x\"",
        "<n1.port> == 7001",
        "E >= -1",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
    assert_eq!(
        check("E > F").unwrap_err(),
        "expected the left side to be greater than the right one, received 9 and 10"
    );
    assert_eq!(
        check("S + 1 == 2").unwrap_err(),
        "expected an integer, received \"x\""
    );
    assert!(check("S > 1").is_err() && check("X == 1").is_err());
}

#[test]
fn every_frame_matches_its_own_picture() {
    let frames = [
        array(&[
            integer(-1),
            array(&[]),
            bulk("a<b>\\\"|\n\u{e9}\x01"),
            array(&[array(&[simple("x")])]),
        ]),
        frame(Value::Map(vec![
            (bulk("k"), array(&[integer(1), integer(2)])),
            (integer(1), bulk("")),
        ])),
        frame(Value::Set(vec![bulk("a"), simple("15495")])),
        frame(Value::Push(vec![bulk("message"), frame(Value::Null)])),
        bulk("a\n\nb <x>\n"),
        bulk("a\nb"),
        error("MOVED 1 127.0.0.1:1"),
        simple("n1> GET a"),
    ];
    for frame in frames {
        matches(&print_pattern(&crate::render::pattern(&frame)), &frame);
    }
}
