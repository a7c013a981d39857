//! One value of one type.

use super::*;

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
fn a_host_that_is_not_told_is_a_null() {
    let null = || frame(Value::NullBulkString);
    matches("\"<n4.host>\"", &null());
    differs("\"<n1.host>\"", &null());
    differs("\"<n4.host>:\"", &null());
    differs("\"<n4.host>\"", &bulk("127.0.0.1"));
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
fn a_command_that_is_unknown_is_not_refused_for_the_reason_that_is_expected() {
    let unknown = error("ERR unknown command 'FOO', with args beginning with: ");
    assert_eq!(
        differs("(error) ERR Slot 0 is already busy", &unknown),
        "expected the error `ERR Slot 0 is already busy`, received an error: \
         (error) ERR unknown command 'FOO', with args beginning with: "
    );
    matches("(error) ERR", &unknown);
    matches("(error) ERR <any>", &unknown);
    departs("(error) ERR unknown command", &error("ERR no such command"));
    // Redis 6.2 and older have backquotes.
    let quoted = error("ERR unknown command `FOO`, with args beginning with: ");
    departs(
        "(error) ERR unknown command 'FOO', with args beginning with:",
        &quoted,
    );
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
