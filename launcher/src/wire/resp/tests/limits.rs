//! A peer cannot make the decoder take more than it is allowed to.

use bytes::BytesMut;

use super::decode_one;
use crate::wire::resp::{Decoder, Limits, Protocol, Value};

#[track_caller]
fn refused(limits: Limits, wire: &[u8]) -> String {
    let mut decoder = Decoder::new(Protocol::Resp3).with_limits(limits);
    decoder
        .decode(&mut BytesMut::from(wire))
        .unwrap_err()
        .to_string()
}

#[track_caller]
fn accepted(limits: Limits, wire: &[u8]) -> bool {
    let mut decoder = Decoder::new(Protocol::Resp3).with_limits(limits);
    decoder.decode(&mut BytesMut::from(wire)).unwrap().is_some()
}

#[test]
fn a_string_has_a_longest_length() {
    let limits = Limits {
        bulk: 9,
        ..Limits::default()
    };
    assert!(accepted(limits, b"$9\r\n123456789\r\n"));
    for kind in ["$", "!", "=", "$?\r\n;"] {
        let message = refused(limits, format!("{kind}10\r\n").as_bytes());
        let offset = kind.len();
        assert_eq!(
            message,
            format!("at byte {offset}: expected a length of at most 9, found `10`")
        );
    }
}

#[test]
fn half_a_gibibyte_is_the_longest_string_by_default() {
    let message = refused(Limits::default(), b"$4294967296\r\n");
    assert_eq!(
        message,
        "at byte 1: expected a length of at most 536870912, found `4294967296`"
    );
    assert!(!accepted(Limits::default(), b"$536870912\r\n"));
}

#[test]
fn an_aggregate_has_a_most_of_elements() {
    let limits = Limits {
        aggregate: 2,
        ..Limits::default()
    };
    assert!(accepted(limits, b"*2\r\n:1\r\n:2\r\n"));
    assert!(
        accepted(limits, b"%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n"),
        "a map is counted in pairs"
    );
    for kind in ["*", "~", ">", "%", "|"] {
        let message = refused(limits, format!("{kind}3\r\n").as_bytes());
        assert_eq!(
            message,
            "at byte 1: expected a length of at most 2, found `3`"
        );
    }
}

#[test]
fn a_number_that_no_memory_could_hold_is_no_length() {
    for digits in ["99999999999999999999", "18446744073709551616"] {
        let message = refused(
            Limits {
                aggregate: usize::MAX,
                frame: usize::MAX,
                ..Limits::default()
            },
            format!("*{digits}\r\n").as_bytes(),
        );
        assert!(message.ends_with(&format!("found `{digits}`")), "{message}");
    }
    let limits = Limits {
        bulk: usize::MAX,
        aggregate: usize::MAX,
        frame: usize::MAX,
        ..Limits::default()
    };
    assert!(!accepted(limits, b"$18446744073709551615\r\n"));
    for wire in [
        "*18446744073709551615\r\n",
        "%9223372036854775808\r\n",
        "|9223372036854775808\r\n_\r\n",
    ] {
        let message = refused(limits, wire.as_bytes());
        assert!(message.contains("a length of at most"), "{message}");
    }
}

#[test]
fn nesting_has_an_end() {
    let limits = Limits {
        depth: 2,
        ..Limits::default()
    };
    assert!(accepted(limits, b"*1\r\n*1\r\n:1\r\n"));
    let message = refused(limits, b"*1\r\n%1\r\n+k\r\n~0\r\n");
    assert_eq!(
        message,
        "at byte 12: expected at most 2 levels of nesting, found `~`"
    );
    let message = refused(limits, b"|0\r\n|0\r\n|0\r\n:1\r\n");
    assert_eq!(
        message,
        "at byte 8: expected at most 2 levels of nesting, found `|`"
    );
}

#[test]
fn the_deepest_frame_can_be_used_on_a_small_stack() {
    let wire = [&b"*1\r\n".repeat(Limits::MAX_DEPTH)[..], b"_\r\n"].concat();
    let limits = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    assert!(accepted(limits, &wire));
    let message = refused(limits, &b"*1\r\n".repeat(100_000));
    assert_eq!(
        message,
        "at byte 2048: expected at most 512 levels of nesting, found `*`"
    );

    let mut decoder = Decoder::new(Protocol::Resp3).with_limits(limits);
    let frame = decoder
        .decode(&mut BytesMut::from(&wire[..]))
        .unwrap()
        .unwrap();
    assert_eq!(frame.clone(), frame);
    assert!(format!("{frame:?}").contains("Null"));
}

#[test]
fn a_frame_has_a_most_of_bytes() {
    let limits = Limits {
        frame: 6,
        ..Limits::default()
    };
    assert!(accepted(limits, b"+abc\r\n"));
    assert!(accepted(limits, b"+abc\r\n+the next one is not counted"));
    assert!(
        !accepted(limits, b"+abcde"),
        "whether it is too long is not known yet"
    );
    let message = refused(limits, b"+abcde\r");
    assert_eq!(
        message,
        "at byte 6: expected the end of a frame of at most 6 bytes, found `\\r`"
    );
}

#[test]
fn a_value_inside_a_frame_costs_more_than_its_bytes() {
    let limits = Limits::of_frame(100 * Limits::VALUE);
    assert!(accepted(
        limits,
        &[&b"*90\r\n"[..], &b":1\r\n".repeat(90)].concat()
    ));
    // What is announced is refused before it comes.
    assert_eq!(
        refused(limits, b"*101\r\n"),
        "at byte 1: expected a length of at most 100, found `101`"
    );
    assert_eq!(
        refused(limits, b"*60\r\n*60\r\n"),
        "at byte 6: expected a length of at most 39, found `60`"
    );
    assert_eq!(
        refused(limits, b"%51\r\n"),
        "at byte 1: expected a length of at most 50, found `51`"
    );
    let length = 100 * Limits::VALUE + 1;
    assert!(refused(limits, format!("${length}\r\n").as_bytes()).contains("a length of at most"));
    // And what is not announced as it comes.
    for endless in [&b"*?\r\n"[..], b"~?\r\n", b"%?\r\n"] {
        let wire = [endless, &b":1\r\n".repeat(100)].concat();
        assert!(refused(limits, &wire).contains("the end of a frame of at most"));
    }
    let wire = [&b"$?\r\n"[..], &b";1\r\nx\r\n".repeat(100)].concat();
    assert!(refused(limits, &wire).contains("the end of a frame of at most"));
    assert!(refused(limits, &b"*1\r\n".repeat(128)).contains("a length of at most 0"));
}

#[test]
fn frames_before_a_long_one_do_not_count() {
    let mut decoder = Decoder::new(Protocol::Resp2).with_limits(Limits {
        frame: 5,
        ..Limits::default()
    });
    let mut buffer = BytesMut::from(&b"+OK\r\n+OK\r\n+LONG\r\n"[..]);
    assert!(decoder.decode(&mut buffer).unwrap().is_some());
    assert!(decoder.decode(&mut buffer).unwrap().is_some());
    assert_eq!(decoder.decode(&mut buffer).unwrap_err().offset, 5);
}

#[test]
fn long_replies_are_within_the_defaults() {
    let wire = [&b"*100000\r\n"[..], &b"$1\r\nx\r\n".repeat(100_000)].concat();
    let Value::Array(frames) = decode_one(Protocol::Resp2, &wire).value else {
        panic!("an array")
    };
    assert_eq!(frames.len(), 100_000);
}
