//! What surrounds a reply: alternatives, variants, bytes, assertions.

use super::*;

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
fn a_frame_departs_at_the_line_that_differs() {
    let body = "n1<<\n$3\n<any>\n:1\n:20";
    let StepKind::RawExpect { outcome, .. } = step(body) else {
        panic!("no raw step");
    };
    let source = source(body);
    let span = Span::default();
    for (bytes, line) in [
        (&b"$4\r\nabc\r\n:1\r\n:20\r\n"[..], "$3"),
        (b"$3\r\nabc\r\n:10\r\n:20\r\n", ":1"),
        (b"$3\r\nabc\r\n:1\r\n:2\r\n", ":20"),
        (b"$3\r\nabc\r\n:1\r\n", ":20"),
        (b"", "$3"),
        (b"$3\r\nabc\r\n:1\r\n:20\r\n:3\r\n", ""),
    ] {
        let received = RawReceived::Bytes(bytes);
        let Match::No(mismatch) =
            judge_raw(&outcome, span, received, &Cluster, &mut Captures::new())
        else {
            panic!("{line} matches");
        };
        assert_eq!(&source[mismatch.span.start..mismatch.span.end], line);
    }
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
