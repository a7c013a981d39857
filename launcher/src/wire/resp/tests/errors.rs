//! Where wrong bytes are wrong, and what the message says.

use super::decode_pieces;
use crate::wire::resp::Protocol::{self, Resp2, Resp3};

#[track_caller]
fn refused(protocol: Protocol, wire: &str) -> String {
    let (frames, end) = decode_pieces(protocol, [wire.as_bytes()]);
    assert_eq!(frames, []);
    end.expect_err(wire).to_string()
}

#[track_caller]
fn assert_refusals(protocol: Protocol, cases: &[(&str, &str)]) {
    for (wire, message) in cases {
        assert_eq!(refused(protocol, wire), *message, "{wire:?}");
    }
}

#[test]
fn a_string_ends_where_its_length_says() {
    assert_refusals(
        Resp3,
        &[
            (
                "$6\r\nfoobarx\r\n",
                "at byte 10: expected `\\r\\n` after the bulk string, found `x`",
            ),
            (
                "$3\r\nfoobar\r\n",
                "at byte 7: expected `\\r\\n` after the bulk string, found `b`",
            ),
            (
                "$0\r\n\n",
                "at byte 4: expected `\\r\\n` after the bulk string, found `\\n`",
            ),
            (
                "$1\r\na\r\r",
                "at byte 6: expected `\\r\\n` after the bulk string, found `\\r`",
            ),
            (
                "!1\r\nabc",
                "at byte 5: expected `\\r\\n` after the bulk error, found `b`",
            ),
            (
                "=5\r\ntxt:ab",
                "at byte 9: expected `\\r\\n` after the verbatim string, found `b`",
            ),
            (
                "$?\r\n;1\r\nab",
                "at byte 9: expected `\\r\\n` after the chunk, found `b`",
            ),
        ],
    );
}

#[test]
fn a_line_ends_with_both_of_its_bytes() {
    assert_refusals(
        Resp3,
        &[
            (
                "+OK\n",
                "at byte 3: expected `\\r\\n` after the simple string, found `\\n`",
            ),
            (
                "+O\rK\r\n",
                "at byte 3: expected `\\r\\n` after the simple string, found `K`",
            ),
            (
                "-ERR\n",
                "at byte 4: expected `\\r\\n` after the simple error, found `\\n`",
            ),
            (
                ":1\n",
                "at byte 2: expected `\\r\\n` after the integer, found `\\n`",
            ),
            (
                "*1 ",
                "at byte 2: expected `\\r\\n` after the length, found ` `",
            ),
            (
                "_x",
                "at byte 1: expected `\\r\\n` after the null, found `x`",
            ),
            (
                "#true",
                "at byte 2: expected `\\r\\n` after the boolean, found `r`",
            ),
            (
                ",1\n",
                "at byte 2: expected `\\r\\n` after the double, found `\\n`",
            ),
            (
                "(1\n",
                "at byte 2: expected `\\r\\n` after the big number, found `\\n`",
            ),
            (
                "*?\r\n.\n",
                "at byte 5: expected `\\r\\n` after the end mark, found `\\n`",
            ),
            (
                "$?x",
                "at byte 2: expected `\\r\\n` after the length, found `x`",
            ),
        ],
    );
}

#[test]
fn nothing_precedes_the_type_byte() {
    let message = "at byte 0: expected a type byte of RESP3, found `\\r`";
    assert_eq!(refused(Resp3, "\r\n+OK\r\n"), message);
    assert_eq!(
        refused(Resp2, "HTTP/1.1"),
        "at byte 0: expected a type byte of RESP2, found `H`"
    );
    let (_, end) = decode_pieces(Resp2, [&b"+OK\r\n\xff"[..]]);
    let message = "at byte 0: expected a type byte of RESP2, found `\\xff`";
    assert_eq!(
        end.unwrap_err().to_string(),
        message,
        "offsets begin with each frame"
    );
}

#[test]
fn types_of_resp3_are_wrong_on_a_connection_of_resp2() {
    for kind in "_#,(!=%~>|;.".chars() {
        let message = refused(Resp2, &format!("*1\r\n{kind}"));
        assert_eq!(
            message,
            format!("at byte 4: expected a type byte of RESP2, found `{kind}`")
        );
    }
    for kind in ["$?", "*?"] {
        assert_eq!(
            refused(Resp2, kind),
            "at byte 1: expected a digit, found `?`"
        );
    }
}

#[test]
fn an_integer_has_digits_and_64_bits() {
    assert_refusals(
        Resp2,
        &[
            (":\r\n", "at byte 1: expected a digit, found `\\r`"),
            (":+\r\n", "at byte 2: expected a digit, found `\\r`"),
            (":--1\r\n", "at byte 2: expected a digit, found `-`"),
            (":+-1\r\n", "at byte 2: expected a digit, found `-`"),
            (": 1\r\n", "at byte 1: expected a digit, found ` `"),
            (
                ":1.0\r\n",
                "at byte 2: expected `\\r\\n` after the integer, found `.`",
            ),
            (
                ":9223372036854775808\r\n",
                "at byte 1: expected an integer of 64 bits, found `9223372036854775808`",
            ),
            (
                ":-9223372036854775809\r\n",
                "at byte 1: expected an integer of 64 bits, found `-9223372036854775809`",
            ),
        ],
    );
}

#[test]
fn a_length_has_digits_only() {
    assert_refusals(
        Resp3,
        &[
            ("$\r\n", "at byte 1: expected a digit, found `\\r`"),
            ("$+3\r\n", "at byte 1: expected a digit, found `+`"),
            (
                "$-2\r\n",
                "at byte 2: expected `1`, for the null length `-1`, found `2`",
            ),
            (
                "*-0\r\n",
                "at byte 2: expected `1`, for the null length `-1`, found `0`",
            ),
            (
                "*-10\r\n",
                "at byte 3: expected `\\r\\n` after the length, found `0`",
            ),
            ("%-1\r\n", "at byte 1: expected a digit, found `-`"),
            ("=-1\r\n", "at byte 1: expected a digit, found `-`"),
            ("!?\r\n", "at byte 1: expected a digit, found `?`"),
            (">?\r\n", "at byte 1: expected a digit, found `?`"),
            ("|?\r\n", "at byte 1: expected a digit, found `?`"),
        ],
    );
}

#[test]
fn a_double_has_digits_on_both_sides_of_its_point() {
    for text in [
        "", ".5", "5.", "1e", "1e+", "e5", "+", "1.2.3", "1e5.0", "--1", "0x10", "1 ", "infinity",
        "+inf", "Inf", "-nan", "NaN", "1_0",
    ] {
        let message = format!("at byte 1: expected a double, found `{text}`");
        assert_eq!(refused(Resp3, &format!(",{text}\r\n")), message);
    }
}

#[test]
fn a_big_number_is_digits() {
    for text in ["", "+", "1.5", "--1", "1e5", " 1"] {
        let message = format!("at byte 1: expected the digits of a big number, found `{text}`");
        assert_eq!(refused(Resp3, &format!("({text}\r\n")), message);
    }
}

#[test]
fn a_verbatim_string_has_a_format_of_three_bytes() {
    assert_refusals(
        Resp3,
        &[
            (
                "=3\r\ntxt\r\n",
                "at byte 1: expected a length of 4 or more for a format and its colon, found `3`",
            ),
            (
                "=6\r\ntext:a",
                "at byte 7: expected `:` after the format of the verbatim string, found `t`",
            ),
        ],
    );
}

#[test]
fn a_boolean_is_one_letter() {
    assert_eq!(
        refused(Resp3, "#T\r\n"),
        "at byte 1: expected `t` or `f`, found `T`"
    );
}

#[test]
fn end_marks_and_chunks_stand_in_streams_only() {
    assert_refusals(
        Resp3,
        &[
            (
                ".\r\n",
                "at byte 0: expected a type byte of RESP3, found `.`",
            ),
            (
                ";1\r\n",
                "at byte 0: expected a type byte of RESP3, found `;`",
            ),
            (
                "*1\r\n.\r\n",
                "at byte 4: expected a type byte of RESP3, found `.`",
            ),
            (
                "*?\r\n|0\r\n.\r\n",
                "at byte 8: expected a type byte of RESP3, found `.`",
            ),
            (
                "%?\r\n:1\r\n.\r\n",
                "at byte 8: expected a value for the last key of the streamed map, found `.`",
            ),
            (
                "$?\r\n:1\r\n",
                "at byte 4: expected `;` and a chunk of the streamed string, found `:`",
            ),
        ],
    );
}

#[test]
fn a_push_stands_between_replies() {
    let message = "expected no push inside another value, found `>`";
    for (outer, offset) in [
        ("*1\r\n", 4),
        ("*?\r\n", 4),
        ("%?\r\n:1\r\n", 8),
        ("|1\r\n", 4),
        (">1\r\n", 4),
        ("*1\r\n|0\r\n", 8),
    ] {
        assert_eq!(
            refused(Resp3, &format!("{outer}>0\r\n")),
            format!("at byte {offset}: {message}")
        );
    }
}

#[test]
fn a_long_finding_is_cut_short() {
    let message = refused(Resp3, &format!("({}x\r\n", "9".repeat(99)));
    assert_eq!(
        message,
        format!(
            "at byte 1: expected the digits of a big number, found `{}…`",
            "9".repeat(24)
        )
    );
}
