//! The runner against a scripted target.

use std::time::Duration;

use crate::system::Cause;
use crate::system::scripted::Scripted;
use crate::transcript::ast::Transcript;
use crate::transcript::parse;

use super::result::{BlockKind, Difference};
use super::{Limits, Trial, run_case};

pub(crate) const HEADER: &str = "id:       TST-01\ntitle:    a test\nspec:     none\nlevel:    must\nneeds:    process\n\
                      topology: 3 masters\n\n";

/// A transcript of these steps.
pub(crate) fn transcript(steps: &str) -> Transcript {
    parse(&format!("{HEADER}{steps}")).unwrap_or_else(|errors| panic!("{errors:#?}\n{steps}"))
}

/// No time is lost in failures that are to be seen.
fn limits() -> Limits {
    Limits {
        read: Duration::from_millis(200),
        slack: Duration::ZERO,
        pause: Duration::from_millis(1),
        quiet: Duration::from_millis(1),
        ..Limits::default()
    }
}

fn run(target: &Scripted, steps: &str) -> Trial {
    run_within(&limits(), target, steps)
}

fn run_within(limits: &Limits, target: &Scripted, steps: &str) -> Trial {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run_case(&transcript(steps), target, limits))
}

#[track_caller]
fn passes(target: &Scripted, steps: &str) -> Trial {
    let trial = run(target, steps);
    assert_eq!(trial.difference, None);
    trial
}

/// The line of the steps that departs, counted from 1, and how.
#[track_caller]
fn departs(target: &Scripted, steps: &str) -> (usize, Difference) {
    let difference = *run(target, steps).difference.expect("it should depart");
    let source = format!("{HEADER}{steps}");
    let line = difference.span.position(&source).line - HEADER.lines().count();
    (line, difference)
}

#[test]
fn a_reply_that_is_as_expected_passes() {
    let target = Scripted::new()
        .on("n1", "SET a 1", "-MOVED 15495 127.0.0.1:7003\r\n")
        .on("n3", "SET a 1", "+OK\r\n");
    let trial = passes(
        &target,
        "n1> SET a 1\n(error) MOVED 15495 <n3>\n\nn3> SET a 1\nOK\n",
    );
    assert!(trial.tolerated.is_empty());
    assert_eq!(target.opened(), 2);
}

#[test]
fn another_text_behind_the_code_of_an_error_is_tolerated() {
    let target = Scripted::new().on("n1", "MGET a b", "-CROSSSLOT other words\r\n");
    let trial = passes(&target, "n1> MGET a b\n(error) CROSSSLOT Keys in request\n");
    assert_eq!(trial.tolerated.len(), 1);
}

#[test]
fn a_tolerated_difference_is_told_once_however_often_it_is_seen() {
    let target = Scripted::new().on("n1", "PING", "-ERR other words\r\n");
    let trial = passes(&target, "for 20ms\n  n1> PING\n  (error) ERR words\n");
    assert_eq!(trial.tolerated.len(), 1);
}

#[test]
fn pushes_without_an_end_are_no_reply() {
    let pushes = |count: usize| ">1\r\n+x\r\n".repeat(count) + "+PONG\r\n";
    let target = |count| {
        let answer: &str = Box::leak(pushes(count).into_boxed_str());
        let hello = Scripted::new().on("n1", "HELLO 3", "%0\r\n");
        hello.on("n1", "PING", answer)
    };
    let steps = "n1> HELLO 3\n...\n\nn1> PING\nPONG\n";
    passes(&target(3), steps);
    let (line, difference) = departs(&target(5000), steps);
    assert_eq!(line, 5);
    assert!(
        difference.received.contains("no answer in time"),
        "{difference:?}"
    );
}

#[test]
fn a_difference_has_its_place_its_prompt_and_the_wire() {
    let target = Scripted::new()
        .on("n1", "PING", "+PONG\r\n")
        .on("n1", "GET a", "$-1\r\n");
    let steps = "n1> PING\nPONG\n\n# Here.\nn1> GET a\n\"1\"\n\nn1> PING\nPONG\n";
    let (line, difference) = departs(&target, steps);
    assert_eq!(line, 6);
    let prompt = difference
        .prompt
        .unwrap()
        .position(&format!("{HEADER}{steps}"))
        .line;
    assert_eq!(prompt - HEADER.lines().count(), 5);
    let wire: Vec<_> = difference
        .wire
        .iter()
        .map(|event| event.text.as_str())
        .collect();
    assert_eq!(wire[3], "$-1\\r\\n");
    assert_eq!(wire.len(), 4, "{wire:?}");
}

#[test]
fn a_pipeline_is_one_write_and_each_reply_has_its_line() {
    let target = Scripted::new()
        .on("n1", "GET a", "-MOVED 15495 127.0.0.1:7003\r\n")
        .on("n1", "GET b", "$-1\r\n")
        .on("n1", "PING", "+PANG\r\n");
    let steps = "n1> GET a\n  > GET b\n  > PING\n(error) MOVED 15495 <n3>\n(nil)\nPONG\n";
    let (line, difference) = departs(&target, steps);
    assert_eq!(line, 6);
    assert_eq!(difference.wire.len(), 4);
}

#[test]
fn a_silent_server_departs_where_its_reply_is_due() {
    let (line, difference) = departs(&Scripted::new(), "n1> PING\nPONG\n");
    assert_eq!(line, 2);
    assert!(
        difference.received.starts_with("no reply"),
        "{}",
        difference.received
    );
}

#[test]
fn half_a_reply_and_garbage_are_told_as_such() {
    for (bytes, words) in [
        ("$5\r\nab", "after 6 bytes of a reply"),
        ("HTTP/1.1 400\r\n\r\n", "does not speak RESP"),
        ("$4294967296\r\n", "does not speak RESP"),
    ] {
        let target = Scripted::new().on("n1", "PING", bytes);
        let (line, difference) = departs(&target, "n1> PING\nPONG\n");
        assert_eq!(line, 2);
        assert!(
            difference.received.contains(words),
            "{}",
            difference.received
        );
    }
}

#[test]
fn as_much_of_a_reply_as_has_come_is_shown() {
    let target = Scripted::new().on("n1", "PING", "$5\r\nab");
    let (_, difference) = departs(&target, "n1> PING\nPONG\n");
    let wire: Vec<_> = difference.wire.iter().map(|event| &*event.text).collect();
    let told = "0.0.0.0:0 gave no answer in time after 6 bytes of a reply";
    assert_eq!(wire, ["*1\\r\\n$4\\r\\nPING\\r\\n", "$5\\r\\nab", told]);
}

#[test]
fn garbage_is_no_pending_reply() {
    let target = Scripted::new().on("n1", "BLPOP a 0", "?\r\n");
    let (_, difference) = departs(&target, "n1> BLPOP a 0\n(pending)\n");
    assert!(difference.received.contains("does not speak RESP"));
}

#[test]
fn endless_nesting_is_a_difference() {
    let target = Scripted::new().on("n1", "PING", &"*1\r\n".repeat(100_000));
    let (_, difference) = departs(&target, "n1> PING\nPONG\n");
    assert!(
        difference.received.contains("does not speak RESP"),
        "{}",
        difference.received
    );
}

#[test]
fn refused_and_lost_connections_are_an_outcome() {
    let target = Scripted::new().refuses("n1").closes("n2", "PING");
    passes(
        &target,
        "n1> PING\n(no connection)\n\nn2> PING\n(no connection)\n",
    );
    let (line, difference) = departs(&target, "n1> PING\nPONG\n");
    assert_eq!(line, 2);
    assert!(
        difference
            .received
            .starts_with("no connection: cannot connect")
    );
}

#[test]
fn a_refused_connection_is_tried_again_by_within() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    passes(
        &target,
        "! kill -9 n1\n\nn1> PING\n(no connection)\n\n! start n1\n\nwithin 500ms\n  n1> PING\n  PONG\n",
    );
    assert_eq!(target.deeds(), ["Kill(Kill) n1", "Start n1"]);
}

#[test]
fn a_restart_is_a_stop_and_a_start() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    passes(
        &target,
        "n1> PING\nPONG\n\n! restart n1\n\nn1> PING\nPONG\n",
    );
    assert_eq!(target.deeds(), ["Stop n1", "Start n1"]);
    assert_eq!(target.opened(), 2, "the connection goes with the process");
}

#[test]
fn within_succeeds_at_the_attempt_that_does() {
    let target = Scripted::new()
        .on("n1", "GET a", "$-1\r\n")
        .on("n1", "GET a", "$-1\r\n")
        .on("n1", "GET a", "$1\r\n7\r\n");
    passes(&target, "within 60s\n  n1> GET a\n  \"7\"\n");
}

#[test]
fn within_tells_the_last_attempt_and_the_closest() {
    let target = Scripted::new()
        .on("n1", "GET a", "$1\r\n7\r\n")
        .on("n1", "GET a", "$-1\r\n")
        .on("n1", "GET b", "$-1\r\n");
    let (line, difference) = departs(
        &target,
        "within 1T\n  n1> GET a\n  \"7\"\n\n  n1> GET b\n  \"8\"\n",
    );
    assert_eq!(line, 3, "the last attempt");
    let attempts = difference.attempts.unwrap();
    assert_eq!(
        (attempts.kind, attempts.block.as_str()),
        (BlockKind::Within, "within 1T")
    );
    assert!(attempts.count > 1);
    assert!(attempts.closest.unwrap().contains("`8`"));
}

#[test]
fn within_tells_how_much_longer_than_its_period_it_was_tried() {
    let target = Scripted::new().on("n1", "GET a", "$-1\r\n");
    let limits = Limits {
        slack: Duration::from_secs(5),
        ..limits()
    };
    let trial = run_within(&limits, &target, "within 20ms\n  n1> GET a\n  \"7\"\n");
    let attempts = trial.difference.unwrap().attempts.unwrap();
    assert_eq!(attempts.slack, Duration::from_millis(20));
    assert!(attempts.elapsed >= Duration::from_millis(40));
    let told = attempts.describe();
    assert!(
        told.starts_with("not within 20ms and 0.02 s of slack ("),
        "{told}"
    );
}

#[test]
fn for_breaks_at_the_attempt_that_fails() {
    let target = Scripted::new()
        .on("n1", "GET a", "$1\r\n7\r\n")
        .on("n1", "GET a", "$1\r\n7\r\n")
        .on("n1", "GET a", "$-1\r\n");
    let (line, difference) = departs(&target, "for 60s\n  n1> GET a\n  \"7\"\n");
    assert_eq!(line, 3);
    let attempts = difference.attempts.unwrap();
    assert_eq!((attempts.kind, attempts.count), (BlockKind::For, 3));
}

#[test]
fn for_ends_with_its_time() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    passes(&target, "for 2T\n  n1> PING\n  PONG\n");
}

#[test]
fn a_pending_reply_is_read_later() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    let steps = "n1/b> BLPOP a 0\n(pending)\n\nn1/b<\n(pending)\n\nn1> PING\nPONG\n";
    passes(&target, steps);
    let eager = Scripted::new().on("n1", "BLPOP a 0", "*-1\r\n");
    let (line, _) = departs(&eager, steps);
    assert_eq!(line, 2);
}

#[test]
fn a_push_does_not_come_between_a_command_and_its_reply() {
    let target = Scripted::new()
        .on("n1", "HELLO 3", "%1\r\n+proto\r\n:3\r\n")
        .on(
            "n1",
            "GET a",
            ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n$1\r\n1\r\n",
        );
    passes(
        &target,
        "n1> HELLO 3\n...\n\nn1> GET a\n\"1\"\n\nn1<\n(push)\n1) invalidate\n2) 1) \"a\"\n",
    );
}

#[test]
fn hello_that_is_refused_leaves_the_protocol_as_it_was() {
    let target = Scripted::new()
        .on("n1", "HELLO 3", "-ERR unknown command\r\n")
        .on("n1", "GET a", "*-1\r\n");
    passes(
        &target,
        "n1> HELLO 3\n(error) ERR\n\nn1> GET a\n(nil array)\n",
    );
}

#[test]
fn what_is_captured_is_sent_and_compared() {
    let target = Scripted::new()
        .on("n1", "INCR e", ":4\r\n")
        .on("n1", "INCR e", ":5\r\n")
        .on("n1", "ECHO 4", "$1\r\n4\r\n");
    let steps = "n1> INCR e\n(integer) <E=int>\n\nn1> INCR e\n(integer) <F=int>\n\n? F == E + 1\n\n\
                 n1> ECHO <E>\n\"<E>\"\n\n? F < E\n";
    let (line, difference) = departs(&target, steps);
    assert_eq!(line, 12, "{difference:?}");
}

#[test]
fn a_failed_attempt_captures_nothing() {
    let target = Scripted::new()
        .on("n1", "GET e", "$1\r\n1\r\n")
        .on("n1", "GET e", "$1\r\n2\r\n")
        .on("n1", "PING", "-LOADING\r\n")
        .on("n1", "PING", "+PONG\r\n");
    passes(
        &target,
        "within 60s\n  n1> GET e\n  \"<E=int>\"\n\n  n1> PING\n  PONG\n\n? E == 2\n",
    );
}

#[test]
fn bytes_are_compared_whole_and_none_may_follow() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    passes(
        &target,
        "n1>> *1\\r\\n$4\\r\\nPING\\r\\n\n\nn1<< +PONG\\r\\n\n",
    );
    let chatty = Scripted::new().on("n1", "PING", "+PONG\r\n+PONG\r\n");
    let (line, _) = departs(&chatty, "n1>> PING\\r\\n\n\nn1<< +PONG\\r\\n\n");
    assert_eq!(line, 3);
}

#[test]
fn a_server_that_hangs_up_on_bytes_has_no_connection() {
    let target = Scripted::new().closes("n1", "NONSENSE");
    passes(&target, "n1>> NONSENSE\\r\\n\n\nn1<<\n(no connection)\n");
}

#[test]
fn the_steps_for_other_servers_are_not_run() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    passes(
        &target,
        "[redis<7.0 keydb]\n  n1> NOTHING\n  OK\n\n[*]\n  n1> PING\n  PONG\n",
    );
}

#[test]
fn what_is_not_captured_cannot_be_sent() {
    let (line, difference) = departs(&Scripted::new(), "n1> ECHO <E>\n...\n");
    assert_eq!(line, 1);
    assert!(difference.received.contains("<E>"));
}

#[test]
fn what_cannot_become_right_is_not_tried_again() {
    for (reply, cause) in [
        (
            "-ERR unknown command 'PING', with args beginning with: \r\n",
            Cause::Missing("PING".to_owned()),
        ),
        ("$4\r\nPONG\r\n", Cause::OtherType),
        ("HTTP/1.1 400\r\n", Cause::NoResp),
    ] {
        let target = Scripted::new().on("n1", "PING", reply);
        let (_, difference) = departs(&target, "within 50s\n  n1> PING\n  PONG\n");
        assert_eq!(difference.cause, Some(cause));
        let attempts = difference.attempts.unwrap();
        assert_eq!(attempts.count, 1, "{reply}");
        assert!(
            difference
                .notes
                .iter()
                .any(|note| note.contains("not tried again")),
            "{:?}",
            difference.notes
        );
    }
}

#[test]
fn an_error_that_may_pass_is_tried_again() {
    let target =
        Scripted::new()
            .on("n1", "PING", "-LOADING data\r\n")
            .on("n1", "PING", "+PONG\r\n");
    passes(&target, "within 50s\n  n1> PING\n  PONG\n");
}

#[test]
fn a_reply_that_departs_becomes_what_is_expected_and_the_case_goes_on() {
    use super::case::run_case_among;
    use super::mending::{Mending, naming};
    use crate::binding::Names;
    use crate::suite::{parse_case, rewritten};

    let target = Scripted::new()
        .on("n1", "GET a", "-MOVED 15495 127.0.0.1:7003\r\n")
        .on("n1", "CLUSTER BUMPEPOCH", "+BUMPED 7\r\n")
        .on("n2", "GET a", "$1\r\n1\r\n")
        .on("n3", "PING", "+PONG\r\n");
    let blessed = |steps: &str| {
        let source = format!("{HEADER}{steps}");
        let case = parse_case("a/b.resp".to_owned(), source.as_bytes()).unwrap();
        let mending = Mending::new(&case.transcript, naming(&target, &Names::default()));
        let (limits, patience) = (limits(), super::Patience::default());
        let running = run_case_among(&case.transcript, &target, &limits, &patience, Some(mending));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let trial = runtime.block_on(running);
        let text = rewritten(&case, &trial.mended);
        let steps = text.strip_prefix(HEADER).unwrap().to_owned();
        (steps, trial.difference.is_some())
    };
    for (before, after, departs) in [
        (
            "# why\nn1> GET a\n(nil)\n\nn3> PING\nPONG\n\nn2> GET a\n\"2\"\n",
            "# why\nn1> GET a\n(error) MOVED 15495 <n3>\n\nn3> PING\nPONG\n\nn2> GET a\n\"1\"\n",
            false,
        ),
        // Only the reply of this server's kin.
        (
            "n1> GET a\n[redis>=7.0]\n(nil)\n[*]\nOK\n",
            "n1> GET a\n[redis>=7.0]\n(error) MOVED 15495 <n3>\n[*]\nOK\n",
            false,
        ),
        // What is captured then is captured.
        (
            "n1> CLUSTER BUMPEPOCH\nSTILL <E=int>\n\n? E == 7\n",
            "n1> CLUSTER BUMPEPOCH\nBUMPED <E=int>\n\n? E == 7\n",
            false,
        ),
        // What is no reply, or one of several, stays, and ends the case.
        (
            "n1> GET a\n(nil)\n(or)\n\"1\"\n\nn2> GET a\n\"2\"\n",
            "",
            true,
        ),
        (
            "within 1ms\n  n1> GET a\n  (nil)\n\nn2> GET a\n\"2\"\n",
            "",
            true,
        ),
        ("n1> NONE\nOK\n\nn2> GET a\n\"2\"\n", "", true),
        ("? 1 == 2\n\nn2> GET a\n\"2\"\n", "", true),
    ] {
        let after = if after.is_empty() { before } else { after };
        assert_eq!(blessed(before), (after.to_owned(), departs), "{before}");
    }
}
