//! The transcripts as tests: what `cargo test -p shardlab-conformance --test conformance` and
//! `cargo nextest` rely on.

use std::fs;

use libtest_mimic::{Arguments, Conclusion};
use shardlab::machine::environment::Environment;
use shardlab_conformance::harness;
use shardlab_conformance::suite::{Case, LoadError, Origin, load, parse_case};
use tempfile::TempDir;

use crate::server::serve_cluster;

const NAMES: [&str; 4] = [
    "ping::is_answered",
    "ping::is_answered_twice",
    "ping::is_answered_late",
    "kill::ends_a_node",
];

/// Three that hold where every command is answered with PONG, and one that needs processes.
fn cases() -> Vec<Case> {
    let case = |(number, name): (usize, &&str)| {
        let needs = if name.starts_with("kill") {
            "process"
        } else {
            "client"
        };
        let text = format!(
            "id:       TST-0{number}\ntitle:    a test\nspec:     none\nlevel:    must\nneeds:    {needs}\n\
             topology: 3 masters, 1 replica each\n\nn1> PING\nPONG\n"
        );
        let path = format!("fixtures/{}.resp", name.replace("::", "/"));
        parse_case(path, text.as_bytes()).unwrap()
    };
    NAMES.iter().enumerate().map(case).collect()
}

/// A server that does not exist: whoever looks for it fails.
fn nowhere() -> Environment {
    Environment {
        server: Some("/nonexistent".to_owned()),
        ..Environment::default()
    }
}

/// A running cluster that answers every command with PONG.
fn attached() -> Environment {
    let address = serve_cluster(|_| Some(b"+PONG\r\n".to_vec()));
    Environment {
        attach: Some(address.to_string()),
        ..Environment::default()
    }
}

/// What the program prints, and what it comes to.
fn run(
    arguments: &[&str],
    cases: Result<Vec<Case>, LoadError>,
    environment: Environment,
) -> (String, Conclusion) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log").display().to_string();
    let program = ["conformance", "--logfile", &log];
    let arguments = Arguments::from_iter(program.iter().chain(arguments));
    let conclusion = harness::run(&arguments, cases, environment);
    (fs::read_to_string(&log).unwrap(), conclusion)
}

#[test]
fn a_list_is_names_only_and_needs_no_server() {
    let lines = NAMES.join(": test\n") + ": test\n";
    for arguments in [&["--list"][..], &["--list", "--format", "terse"]] {
        let (text, conclusion) = run(arguments, Ok(cases()), nowhere());
        assert_eq!(text, lines);
        assert!(!conclusion.has_failed());
    }
    // What `cargo nextest` asks for next: no test is marked as ignored beforehand.
    let (text, _) = run(
        &["--list", "--format", "terse", "--ignored"],
        Ok(cases()),
        nowhere(),
    );
    assert_eq!(text, "");
}

#[test]
fn every_transcript_of_this_build_is_listed_once() {
    let all = load(&Origin::Embedded).unwrap();
    let mut names: Vec<_> = all.iter().map(Case::name).collect();
    let (text, _) = run(&["--list"], Ok(all), nowhere());
    let mut listed: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    assert_eq!(text.lines().count(), names.len());
    names.sort();
    names.dedup();
    listed.sort_unstable();
    assert_eq!(listed, names);
}

#[test]
fn every_case_names_a_wrong_server_that_it_catches() {
    for case in load(&Origin::Embedded).unwrap() {
        let catches = case.transcript.header.catches;
        let named = catches.iter().all(|line| line.value.starts_with("a "));
        assert!(named && !catches.is_empty(), "{}: {catches:?}", case.path);
    }
}

#[test]
fn filters_choose_by_name() {
    for (arguments, chosen) in [
        (&["ping"][..], 3),
        (&["is_answered"], 3),
        (&["--exact", "ping::is_answered"], 1),
        (&["--exact", "ping"], 0),
        (&["ping", "--skip", "twice", "--skip", "late"], 1),
    ] {
        let (text, conclusion) = run(arguments, Ok(cases()), attached());
        let Conclusion {
            num_passed,
            num_filtered_out,
            ..
        } = conclusion;
        assert_eq!(
            (num_passed, num_filtered_out),
            (chosen, 4 - chosen),
            "{arguments:?}: {text}"
        );
        assert!(!conclusion.has_failed());
    }
}

#[test]
fn a_server_that_is_not_there_fails_every_test_and_says_why() {
    let (text, conclusion) = run(&[], Ok(cases()), nowhere());
    assert_eq!(conclusion.num_failed, 4);
    let reason = "the program `/nonexistent` does not exist\nhint: `SHARDLAB_SERVER` is set to `/nonexistent`\n";
    assert_eq!(text.matches(reason).count(), 4, "{text}");
}

#[test]
fn what_the_target_cannot_do_is_ignored_with_the_reason() {
    let (text, conclusion) = run(&[], Ok(cases()), attached());
    let Conclusion {
        num_passed,
        num_ignored,
        ..
    } = conclusion;
    assert_eq!((num_passed, num_ignored), (3, 1), "{text}");
    let reason = "it needs `process`, and this target gives `client`";
    let line = text.lines().find(|line| line.contains("kill::ends_a_node"));
    assert!(
        line.is_some_and(|line| line.contains("ignored") && line.contains(reason)),
        "{text}"
    );
}

#[test]
fn a_departure_fails_the_test_with_its_picture() {
    let wrong = cases().swap_remove(0).source.replace("\nPONG", "\nPANG");
    let wrong = parse_case(
        "fixtures/ping/is_answered.resp".to_owned(),
        wrong.as_bytes(),
    );
    let (text, conclusion) = run(&[], Ok(vec![wrong.unwrap()]), attached());
    assert_eq!(conclusion.num_failed, 1);
    assert!(
        text.contains("--> fixtures/ping/is_answered.resp:9:1\n"),
        "{text}"
    );
    assert!(
        text.contains("= rerun: shardlab conformance run --attach 127.0.0.1:"),
        "{text}"
    );
    assert!(text.contains("--case TST-00\n"), "{text}");
}

#[test]
fn no_transcript_at_all_is_a_failure() {
    let (text, conclusion) = run(&[], Ok(Vec::new()), attached());
    assert_eq!(conclusion.num_failed, 1);
    assert!(text.contains("no transcript was found"), "{text}");
}

#[test]
fn transcripts_that_cannot_be_read_are_a_failure_with_their_mistakes() {
    let broken = parse_case("fixtures/ping/is_bad.resp".to_owned(), b"id: TST-01\n").unwrap_err();
    let (text, conclusion) = run(&[], Err(LoadError::Broken(vec![broken])), nowhere());
    assert_eq!(conclusion.num_failed, 1);
    assert!(text.contains("--> fixtures/ping/is_bad.resp:1:"), "{text}");
}
