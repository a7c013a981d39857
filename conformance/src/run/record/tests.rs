//! Sessions with a scripted target.

use std::time::Duration;

use super::*;
use crate::suite::header;
use crate::system::scripted::Scripted;
use crate::transcript::ast::{Fit, Topology};
use crate::transcript::{check, print};

/// What comes of each line, and the steps of the transcript.
fn recorded(target: &Scripted, guest: Option<Permission>, lines: &[&str]) -> (Vec<String>, String) {
    let limits = Limits {
        read: Duration::from_millis(50),
        ..Limits::default()
    };
    let (patience, names) = (Patience::default(), Names::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut recorder = Recorder::new(target, &names, &limits, &patience, guest);
    let told = lines.iter().map(|line| {
        let told = runtime.block_on(recorder.step(line));
        told.unwrap_or_else(|refusal| format!("refused: {refusal}"))
    });
    let told = told.collect();
    runtime.block_on(recorder.clean_up()).unwrap();
    let topology = Topology::Cluster {
        masters: 3,
        replicas: 0,
        fit: Fit::AtLeast,
    };
    let begun = parse(&header(None, "TST-01", topology)).unwrap();
    let transcript = recorder.transcript(begun);
    let text = print(&transcript);
    if !transcript.body.steps.is_empty() {
        let checked = check(&text).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"));
        assert_eq!(print(&checked), text);
    }
    let steps = text.split_once("\n\n").map_or("", |(_, steps)| steps);
    (told, steps.to_owned())
}

#[test]
fn what_is_typed_and_what_comes_back_is_a_transcript() {
    let target = Scripted::new()
        .on("n1", "SET a 1", "-MOVED 15495 127.0.0.1:7003\r\n")
        .on("n3", "SET a 1", "+OK\r\n")
        .on("n3", "GET a", "$1\r\n1\r\n")
        .on("n3", "BLPOP b 0", "");
    let lines = [
        "# why",
        "SET a 1",
        "127.0.0.1:7003> SET a 1",
        "GET a\n  > GET a",
        "n3/other> BLPOP b 0",
        "n3>",
        "GET a",
    ];
    let (told, steps) = recorded(&target, None, &lines);
    assert_eq!(
        told,
        [
            "",
            "(error) MOVED 15495 <n3>",
            "OK",
            "\"1\"\n\"1\"",
            "(pending)",
            "",
            "\"1\""
        ]
    );
    assert_eq!(
        steps,
        "# why\nn1> SET a 1\n(error) MOVED 15495 <n3>\n\nn3> SET a 1\nOK\n\nn3> GET a\n  > GET a\n\"1\"\n\"1\"\n\n\
         n3/other> BLPOP b 0\n(pending)\n\nn3> GET a\n\"1\"\n"
    );
}

#[test]
fn what_follows_a_change_of_the_cluster_is_waited_for() {
    let target =
        Scripted::new()
            .on("n1", "PING", "+PONG\r\n")
            .on("n1", "CLUSTER FAILOVER", "+OK\r\n");
    let lines = [
        "PING",
        "! kill -9 n2",
        "PING",
        "CLUSTER FAILOVER",
        "n2> PING",
    ];
    let (_, steps) = recorded(&target, None, &lines);
    assert_eq!(
        steps,
        "n1> PING\nPONG\n\n! kill -9 n2\n\nwithin 5T\n  n1> PING\n  PONG\n\nn1> CLUSTER FAILOVER\nOK\n\n\
         within 5T\n  n2> PING\n  (no connection)\n"
    );
}

#[test]
fn what_is_no_step_is_refused_and_not_recorded() {
    let target = Scripted::new().on("n1", "PING", "+PONG\r\n");
    for (line, reason) in [
        ("n9> PING", "`n9` is not one node of this cluster"),
        ("n*> PING", "`n*` is not one node of this cluster"),
        ("(integer) 1", "this is not a command"),
        ("\"1\"", "this is not a command"),
        ("GET \"a", "the quote is not closed"),
        ("GET <int>", "a wildcard cannot be sent"),
        ("GET <E>", "`<E>` has not been captured"),
        ("n1>> PING\\r\\n", "only commands"),
        ("n1> PING\n\nn1> PING", "no reply is written"),
        ("within 3T", "only commands"),
        ("? E > F", "only commands"),
    ] {
        let (told, steps) = recorded(&target, None, &[line]);
        assert!(
            told[0].starts_with(&format!("refused: {reason}")),
            "{line}: {told:?}"
        );
        assert_eq!(steps, "", "{line}");
    }
}

#[test]
fn on_a_cluster_that_is_not_ours_keys_of_others_are_not_touched() {
    let moved = "-MOVED 1 127.0.0.1:7003\r\n";
    let target = Scripted::new()
        .on("n3", "EXISTS mine", ":0\r\n")
        .on("n3", "EXISTS theirs", ":1\r\n")
        .on("n3", "SET mine 1", "+OK\r\n")
        .on("n3", "DEL mine", ":1\r\n");
    let target = ["n1", "n2"].into_iter().fold(target, |target, node| {
        let asked = ["EXISTS mine", "EXISTS theirs", "DEL mine"];
        asked
            .into_iter()
            .fold(target, |target, command| target.on(node, command, moved))
    });
    let lines = ["n3> SET mine 1", "SET theirs 1", "FLUSHALL"];
    let (told, steps) = recorded(&target, Some(Permission::Write), &lines);
    assert_eq!(told[0], "OK");
    assert!(
        told[1].starts_with("refused: the key `theirs` was there"),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("refused: `FLUSHALL` would change"),
        "{told:?}"
    );
    assert_eq!(steps, "n3> SET mine 1\nOK\n");
}

#[test]
fn on_a_cluster_that_is_not_ours_nothing_but_keys_is_changed_whatever_is_permitted() {
    let target = Scripted::new();
    for (permission, line, reason) in [
        (
            Permission::Admin,
            "CLUSTER FAILOVER",
            "`CLUSTER FAILOVER` would change more",
        ),
        (
            Permission::Admin,
            "CLUSTER DELSLOTS 7",
            "`CLUSTER DELSLOTS` would change more",
        ),
        (
            Permission::Admin,
            "CONFIG SET maxmemory 1",
            "`CONFIG SET` would change more",
        ),
        (
            Permission::Admin,
            "! kill -9 n1",
            "this would act on a node",
        ),
        (Permission::Write, "! pause n1", "this would act on a node"),
        (Permission::Read, "SET a 1", "`SET` would write a key"),
    ] {
        let (told, steps) = recorded(&target, Some(permission), &[line]);
        assert!(
            told[0].starts_with(&format!("refused: {reason}")),
            "{line}: {told:?}"
        );
        assert_eq!(steps, "", "{line}");
    }
    assert_eq!(target.deeds(), [""; 0]);
}

#[test]
fn keys_that_were_only_read_are_not_deleted() {
    let target = ["n1", "n2", "n3"]
        .into_iter()
        .fold(Scripted::new(), |target, node| {
            target
                .on(node, "EXISTS absent", ":0\r\n")
                .on(node, "GET absent", "$-1\r\n")
        });
    // DEL would get no answer, and be told.
    let (_, steps) = recorded(&target, Some(Permission::Write), &["n1> GET absent"]);
    assert_eq!(steps, "n1> GET absent\n(nil)\n");
}
