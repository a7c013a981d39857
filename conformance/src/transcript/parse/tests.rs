//! Tests of parsing and printing: what is read, what becomes canonical, what is refused.

use super::*;
use crate::transcript::ast::{Step, StepKind};
use crate::transcript::print;

fn header() -> String {
    "id:       MOV-01\ntitle:    t\nlevel:    must\nneeds:    client\ntopology: 3 masters\n\n"
        .into()
}

#[track_caller]
fn reads(body: &str) -> Transcript {
    let source = header() + body;
    let tree = parse(&source).unwrap_or_else(|errors| panic!("{body}\n{errors:#?}"));
    let printed = print(&tree);
    let again = parse(&printed).unwrap_or_else(|errors| panic!("{printed}\n{errors:#?}"));
    assert_eq!(tree, again, "{printed}");
    tree
}

/// Reads, and is canonical already.
#[track_caller]
fn canonical(body: &str) {
    let printed = print(&reads(body));
    assert_eq!(printed.strip_prefix(&header()).unwrap(), body);
}

#[track_caller]
fn becomes(body: &str, wanted: &str) {
    let printed = print(&reads(body));
    assert_eq!(printed.strip_prefix(&header()).unwrap(), wanted);
}

#[test]
fn every_kind_of_step_is_printed_as_it_is_written() {
    canonical(
        r#"# A comment.

# Another one.
n1> SET "a b" \x00'c
OK

n1/ro> GET a
     > GET b
"1"
(nil)

n1<
(push)
1) "message"
2) "ch"
3) "hello"

n1>> *1\r\n$4\r\nPING\r\n
n1<< +PONG\r\n

n1>>
*2
$3
GET
n1<<
| $2
|
| ab

n1<<
(no connection)

! kill -9 n1 n2
! kill -INT n3
! cut n1 from n2 n3
! heal
! add-node n4
! config n1 maxmemory 1mb

? F > E + 1 - 2
? <n1.id> == "x"

within 1.5T
  n1> PING
  PONG

  # Stays.
  for 500ms
    n1> PING
    PONG

  # At the end.

[redis>=7.0<8.0 valkey]
  n1> PING
  PONG
# Others.
[*]
  (nothing)

n1> CLUSTER ADDSLOTS {0..5460} "{0..1}"
OK

-- n1/nodes.conf --
# not a comment
-- n2/nodes.conf --
"#
        .replace("\\x00'c", "\"\\x00'c\"")
        .as_str(),
    );
}

/// How many variants each choice among steps has.
fn choices(body: &str) -> Vec<usize> {
    let steps = reads(body).body.steps;
    let choice = |step: &Step| match &step.kind.value {
        StepKind::Choose(variants) => variants.len(),
        _ => 0,
    };
    steps.iter().map(choice).collect()
}

#[test]
fn a_choice_ends_where_every_server_has_its_steps() {
    let steps = |conditions: &[&str]| -> String {
        let one = |condition| format!("[{condition}]\n  n1> X\n  OK\n");
        conditions.iter().copied().map(one).collect()
    };
    let whole = ["redis>=7.0 valkey redict", "redis<7.0 keydb"];
    assert_eq!(choices(&steps(&[whole, whole].concat())), [2, 2]);
    assert_eq!(
        choices(&(steps(&whole) + "\n# Why.\n" + &steps(&whole))),
        [2, 2]
    );
    assert_eq!(choices(&steps(&["redis", "*", "redis", "*"])), [2, 2]);
    assert_eq!(
        choices(&steps(&["redis valkey redict keydb", "kvrocks", "*"])),
        [3]
    );
    assert_eq!(choices(&steps(&["redis", "redis>=7.0", "*"])), [3]);
}

#[test]
fn the_replies_of_a_pipeline_may_each_depend_on_the_server() {
    let list = "[redis>=7.0 valkey redict]\nOK\n[redis<7.0 keydb]\n(nil)\n";
    canonical(&format!("n1> X\n  > Y\n{list}{list}"));
    canonical(&format!("n1> X\n  > Y\n{list}[*]\n(nil)\nOK\n"));
}

#[test]
fn every_kind_of_reply_is_printed_as_redis_cli_does() {
    for reply in [
        "OK",
        "BUMPED <int>",
        "\"a \\\"b\\\" \\x00\\r\\n\"",
        "(error) MOVED 15495 <n3>",
        "(exact) (error) ERR x",
        "(should) (error) ERR x",
        "(integer) <E=int>",
        "(double) 1.5",
        "(big number) -12345678901234567890",
        "(true)",
        "(false)",
        "(boolean)",
        "(nil)",
        "(nil array)",
        "(empty array)",
        "(empty set)",
        "(empty hash)",
        "(may) (empty hash)",
        "...",
        "(pending)",
        "(no connection)",
        "OK\n(or)\n(no connection)",
        "| a\n|\n...\n(should) | b\\x20\n(no newline)",
        "(verbatim txt)\n(has)\n| a",
        "(text)\n...\n| a",
        "(should)\n| a\n(may) | b",
        "1) \"a\"\n2) <any>\n...",
        "(array)\n...\n1) \"a\"",
        "(any order)\n1) \"a\"\n2) \"b\"",
        "1) 1) (integer) 0\n   2) 1) \"a\"\n      2) \"b\"\n2) (nil)",
        " 1) 1\\x20\n 2) a\n 3) a\n 4) a\n 5) a\n 6) a\n 7) a\n 8) a\n 9) 1) a\n    2) b\n10) 1) a\n    2) b",
        "1~ \"a\"\n2~ (integer) 1",
        "1# (true) => (nil)\n2# (nil) => (integer) 1\n3# (may) OK => OK",
        "1# \"k\" =>\n   1) (integer) 0\n   2) 1# \"id\" => \"x\"\n      2# \"port\" => (integer) 1\n2# \"l\" => (nil)",
        "1) (has)\n   1# \"id\" => <hex40>\n2) | a\n   | b",
        "[redis>=7.0 valkey]\nOK\n# Why.\n[*]\n(nil)",
        "<MOVED <n1>|A\\|B|<C|D> \\>>",
    ] {
        let reply = reply.replace(" 1) 1\\x20", " 1) a\\x20");
        canonical(&format!("n1> X\n{reply}\n"));
    }
}

#[test]
fn what_people_write_becomes_canonical() {
    becomes(
        "n1> GET 'a'\n\"1\"\nn1> PING\nPONG\n",
        "n1> GET a\n\"1\"\n\nn1> PING\nPONG\n",
    );
    becomes(
        "n1> GET é \\x20<n1.id> \\<x\n\"é\"\n",
        "n1> GET \"\\xc3\\xa9\" \" <n1.id>\" \"\\<x\"\n\"\\xc3\\xa9\"\n",
    );
    becomes(
        "n1>> é<n1.id>\\x20\nn1<< \\x20<é|\\xc3\\xa9> \\xc3\\xa9\n",
        "n1>> \\xc3\\xa9<n1.id>\\x20\nn1<< \\x20<\\xc3\\xa9|\\xc3\\xa9> \\xc3\\xa9\n",
    );
    becomes("n1<<\n$2\né\n", "n1<<\n$2\n\\xc3\\xa9\n");
    canonical("n1> X\né\n\nn1> X\n| é <é|e>\n");
    becomes(
        "n1> X\n1) \"a\"\n2) 1) b\n    2) c\n",
        "n1> X\n1) \"a\"\n2) 1) b\n   2) c\n",
    );
    becomes(
        "n1> X\n1# \"slots\" => 1) (integer) 0\n              2) (integer) 9\n",
        "n1> X\n1# \"slots\" =>\n   1) (integer) 0\n   2) (integer) 9\n",
    );
    becomes(
        "n1> X\n1# \"slots\" => 1) (integer) 0\n   2) (integer) 9\n",
        "n1> X\n1# \"slots\" =>\n   1) (integer) 0\n   2) (integer) 9\n",
    );
    becomes(
        "n1> X\n1) HELP\n2)     Prints this help.\n",
        "n1> X\n1) HELP\n2) \\x20   Prints this help.\n",
    );
    becomes("n1> X\n(empty list or set)\n", "n1> X\n(empty array)\n");
    becomes("n1> X\n(has)\n...\n|a\n", "n1> X\n(has)\n| a\n");
    becomes(
        "n1> X\n  > Y\n...\n| a\n(text)\n| b\n",
        "n1> X\n  > Y\n(text)\n...\n| a\n(text)\n| b\n",
    );
    becomes(
        "! kill -SIGKILL n1\n! kill -2 n1\n",
        "! kill -9 n1\n! kill -INT n1\n",
    );
    becomes(
        "within 2000ms\n    n1> X\n    OK\n",
        "within 2s\n  n1> X\n  OK\n",
    );
}

#[test]
fn a_simple_string_may_look_like_anything() {
    for text in [
        "\\(x",
        "\\x31",
        "\\+OK",
        "\\x6e1> a",
        "\\x66or 2T",
        "\\x6eil",
        "\\[a]",
        "\\...",
        "\\x20a",
        "\\| a",
    ] {
        canonical(&format!("n1> X\n{text}\n"));
    }
}

#[test]
fn a_source_that_is_too_large_is_refused_unread() {
    let source = "#".repeat(MAX_SOURCE + 1);
    assert_eq!(parse(&source).unwrap_err()[0].kind, ErrorKind::TooLarge);
}

#[test]
fn errors_are_reported_together_and_in_order() {
    let source = header() + "n1> GET <x>\nOK\n\nn9x> A\nOK\n\n! kil n1\n";
    let errors = parse(&source).unwrap_err();
    let starts: Vec<_> = errors.iter().map(|error| error.span.start).collect();
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(starts.is_sorted());
}

/// `redis-cli --no-raw -3` of Redis 7.0.15, without the blanks at the ends of lines.
#[test]
fn what_redis_cli_prints_is_canonical() {
    canonical(
        r#"n1> COMMAND INFO get
1)  1) "get"
    2) (integer) 2
    3) 1~ readonly
       2~ fast
    4) (integer) 1
    5) (integer) 1
    6) (integer) 1
    7) 1~ @read
       2~ @string
       3~ @fast
    8) (empty set)
    9) 1~ 1# "flags" =>
             1~ RO
             2~ access
          2# "begin_search" =>
             1# "type" => "index"
             2# "spec" => 1# "index" => (integer) 1
          3# "find_keys" =>
             1# "type" => "range"
             2# "spec" =>
                1# "lastkey" => (integer) 0
                2# "keystep" => (integer) 1
                3# "limit" => (integer) 0
   10) (empty set)

n1> CLUSTER SHARDS
1) 1# "slots" =>
      1) (integer) 0
      2) (integer) 16383
   2# "nodes" =>
      1) 1# "id" => "bceb0967aecf55d8c8a36ec6e1a4a4b549d3952d"
         2# "port" => (integer) 21999
         3# "ip" => ""
         4# "endpoint" => ""
         5# "role" => "master"
         6# "replication-offset" => (integer) 0
         7# "health" => "online"
"#,
    );
}
