//! What the documentation teaches is true.

use std::path::Path;

use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::suite::{Case, parse_case};

use crate::launched::runner;

/// The case that docs/writing-transcripts.md builds.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/writing-transcripts.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = text.split("```resp\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
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
