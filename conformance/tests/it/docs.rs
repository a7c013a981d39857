//! What the documentation teaches is true.

use std::fs;
use std::path::Path;

use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::suite::{Case, parse_case};
use tempfile::TempDir;

use crate::launched::runner;
use crate::record::with_server;

/// The first block of docs/writing-transcripts.md that begins like this.
fn block(begin: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/writing-transcripts.md");
    let text = fs::read_to_string(path).unwrap();
    let block = text.split(begin).nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// The case that the page builds.
fn example() -> String {
    block("```resp\n")
}

fn case(source: &str) -> Case {
    let path = "fixtures/docs/a_counter_survives_a_failover.resp".to_owned();
    parse_case(path, source.as_bytes())
        .map_err(|broken| broken.errors)
        .unwrap()
}

async fn verdict(source: &str) -> Verdict {
    runner().await.case(&case(source)).await.verdict
}

#[tokio::test]
async fn the_case_that_is_taught_holds() {
    let verdict = verdict(&example()).await;
    assert!(matches!(verdict, Verdict::Pass), "{verdict:?}");
}

#[tokio::test]
async fn the_same_case_made_wrong_departs_at_the_wrong_line() {
    let wrong = example().replacen("(integer) 1\n", "(integer) 2\n", 1);
    let Verdict::Departs(departure) = verdict(&wrong).await else {
        panic!("it holds")
    };
    let line = wrong
        .lines()
        .position(|line| line == "(integer) 2")
        .unwrap()
        + 1;
    assert_eq!(departure.span.position(&wrong).line, line);
}

#[test]
fn the_session_that_is_taught_is_recorded_as_it_shows() {
    let session = block("```text\n$ shardlab conformance record ");
    let (file, session) = session.split_once('\n').unwrap();
    let (session, told) = session.split_once("r3> exit\n").unwrap();
    // What is typed at the prompt, and the steps that the file has: behind a typed prompt, without the other one.
    let is_prompt = |word: &str| word.ends_with('>');
    let (mut typed, mut steps) = (Vec::new(), Vec::new());
    for line in session.lines() {
        let (prompt, rest) = line.split_once(' ').unwrap_or((line, ""));
        let has_own = rest.split(' ').next().is_some_and(is_prompt);
        typed.extend(is_prompt(prompt).then_some(rest));
        steps.push(if has_own { rest } else { line });
    }
    let folder = TempDir::new().unwrap();
    with_server(folder.path(), &["record", file])
        .stdin(typed.join("\n"))
        .assert()
        .code(0)
        .stderr_eq(told.to_owned());
    let text = fs::read_to_string(folder.path().join(file)).unwrap();
    let (_, recorded) = text.split_once("\n\n").unwrap();
    assert_eq!(recorded.trim_end(), steps.join("\n").trim_end());
}
