//! Values of several parts, and marks on them.

use super::*;

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
    assert_eq!(differs("1) \"a\"", &abc), "expected 1 item, received 3");
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
fn the_element_that_comes_closest_tells_what_differs() {
    let range = |first, last| array(&[integer(first), integer(last), bulk("x")]);
    let ranges = array(&[range(10, 19), range(0, 9)]);
    for opener in ["(any order)", "(has)"] {
        let item =
            |first, last| format!("1) 1) (integer) {first}\n   2) (integer) {last}\n   3) \"x\"");
        let reply = |item: String| match opener {
            "(has)" => format!("(has)\n{item}"),
            _ => format!("(any order)\n{item}\n2) ..."),
        };
        matches(&reply(item(0, 9)), &ranges);
        assert_eq!(
            differs(&reply(item(0, 8)), &ranges),
            "expected the integer `8`, received an integer: (integer) 9"
        );
        // None is closer than the other.
        let neither = differs(&reply(item(5, 9)), &ranges);
        assert!(neither.ends_with("received none"), "{neither}");
    }
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
fn the_last_line_of_a_text_may_have_no_end_and_has_none_where_that_is_said() {
    matches("| a", &bulk("a\n"));
    matches("| a", &bulk("a"));
    differs("| a", &bulk("a\n\n"));
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
