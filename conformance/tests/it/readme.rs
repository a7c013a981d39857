//! What the README shows of the suite is so.

use std::fs;
use std::path::Path;

use regex::Regex;
use shardlab_conformance::suite::{Origin, load};

use crate::program::{folder, program};

/// The README's blocks in this language.
fn blocks(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(path).unwrap();
    text.split(&format!("```{language}\n"))
        .skip(1)
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// A picture without what differs from run to run: the server, its ports, times and log.
fn lasting(picture: &str) -> String {
    let picture = picture.trim_end().to_owned();
    [
        (r"\[must, [^\]]+\]", "[must, SERVER]"),
        (r"127\.0\.0\.1:[0-9]+", "ADDRESS"),
        (r" +[0-9]+\.[0-9]+s ", " TIME "),
        (r"(= log: [^\n]*\n)(?: {10,}[^\n]*\n)+", "${1}LOG\n"),
        (r"--server (?:'[^']*'|[^ ]+)", "--server PROGRAM"),
    ]
    .into_iter()
    .fold(picture, |picture, (changing, name)| {
        Regex::new(changing)
            .unwrap()
            .replace_all(&picture, name)
            .into_owned()
    })
}

#[test]
fn the_transcript_of_the_readme_is_one_of_ours_and_fails_as_it_shows() {
    let [shown] = &blocks("resp")[..] else {
        panic!("one transcript");
    };
    let cases = load(&Origin::Embedded).unwrap();
    let case = cases.iter().find(|case| case.source == *shown).unwrap();
    let link = format!("]({}):", case.path);
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    assert!(
        fs::read_to_string(readme).unwrap().contains(&link),
        "{link}"
    );

    let wrong = shown.replacen("MOVED 7365 <n2>", "MOVED 7365 <n1>", 1);
    assert_ne!(wrong, *shown);
    let folder = folder(&[(&case.path, &wrong)]);
    let mut run = program(folder.path()).args(["run", &case.path]);
    if let Some(server) = shardlab::machine::environment::Environment::of_process().server {
        run = run.args(["--server", &server]);
    }
    let run = run.assert().code(1);
    let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    let begin = text.find("error[").unwrap();
    let picture = text[begin..].split("\n\n").next().unwrap();
    let [expected] = &blocks("text")[..] else {
        panic!("one picture");
    };
    assert_eq!(lasting(picture), lasting(expected), "{picture}");
}
