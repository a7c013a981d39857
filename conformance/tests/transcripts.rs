//! Every fixture is right and canonical; every mistake has one message; no input does harm.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not recognised as tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use shardlab_conformance::diagnose::{Diagnosis, Style};
use shardlab_conformance::transcript::{check, lint_ids, lint_path, parse, parse_bytes, print};

/// Every file below `folder` that ends in `.resp`, in order.
fn transcripts(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "resp") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn fixtures() -> Vec<PathBuf> {
    let files = transcripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures"));
    assert!(!files.is_empty(), "no fixtures");
    files
}

fn malformed() -> Vec<PathBuf> {
    transcripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed"))
}

/// What a user sees of a transcript's errors.
fn pictures(path: &str, source: &str) -> String {
    let Err(errors) = check(source) else {
        return String::new();
    };
    let pictures: Vec<String> = errors
        .iter()
        .map(|error| Diagnosis::of(error, path, source).render(Style::Plain))
        .collect();
    pictures.join("\n\n") + "\n"
}

#[test]
fn every_mistake_is_shown_with_its_place_and_what_helps() {
    let files = malformed();
    assert!(files.len() >= 30, "{} malformed transcripts", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let source = fs::read_to_string(&file).unwrap();
        let seen = pictures(&format!("fixtures/area/{name}"), &source);
        assert!(!seen.is_empty(), "{name} has no mistake");
        snapbox::assert_data_eq!(
            seen,
            snapbox::Data::read_from(&file.with_extension("err"), None).raw()
        );
    }
}

#[test]
fn every_fixture_is_right_and_canonical() {
    let mut read = Vec::new();
    for file in fixtures() {
        let path = file.display().to_string();
        let source = fs::read_to_string(&file).unwrap();
        assert_eq!(lint_path(&path), None, "{path}");
        assert_eq!(pictures(&path, &source), "");
        let transcript = parse(&source).unwrap();
        assert_eq!(print(&transcript), source, "{path}");
        read.push((path, transcript));
    }
    let all: Vec<_> = read
        .iter()
        .map(|(path, transcript)| (path.as_str(), transcript))
        .collect();
    assert_eq!(lint_ids(&all), []);
}

#[test]
fn the_transcript_in_the_grammar_is_right_and_canonical() {
    let grammar = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/README.md");
    let grammar = fs::read_to_string(grammar).unwrap();
    let example = grammar.split("```").nth(1).unwrap();
    let example = example.strip_prefix("text\n").unwrap();
    assert_eq!(pictures("fixtures/README.md", example), "");
    assert_eq!(print(&parse(example).unwrap()), example);
}

/// Parsing what is printed gives the same tree, and printing it again the same text.
fn round_trip(source: &str) -> Result<(), TestCaseError> {
    let Ok(transcript) = parse(source) else {
        return Ok(());
    };
    let printed = print(&transcript);
    let again =
        parse(&printed).map_err(|errors| TestCaseError::fail(format!("{errors:?}\n{printed}")))?;
    prop_assert_eq!(&transcript, &again, "{}", printed);
    prop_assert_eq!(print(&again), printed);
    Ok(())
}

/// Pictures of all errors can be drawn, wherever they are.
fn harmless(source: &str) -> Result<(), TestCaseError> {
    pictures("fixtures/area/claim.resp", source);
    round_trip(source)
}

fn header() -> &'static str {
    "id: MOV-01\ntitle: t\nlevel: may\nneeds: process\ntopology: 3 masters\n\n"
}

/// Lines that mean something, in any order and at any indentation.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        Just("n1> GET a".to_owned()),
        Just("  > GET {0..3} \"b c\"".to_owned()),
        Just("n1<".to_owned()),
        Just("n1>>".to_owned()),
        Just("n1<< +<any>\\r\\n".to_owned()),
        Just("within 3T".to_owned()),
        Just("for 2s".to_owned()),
        Just("! kill -9 n1".to_owned()),
        Just("? E >= 1 + -2".to_owned()),
        Just("[redis>=7.0 valkey]".to_owned()),
        Just("[*]".to_owned()),
        Just("(nothing)".to_owned()),
        Just("(or)".to_owned()),
        Just("(has)".to_owned()),
        Just("(any order)".to_owned()),
        Just("(array)".to_owned()),
        Just("(text)".to_owned()),
        Just("(push)".to_owned()),
        Just("(should)".to_owned()),
        Just("(no newline)".to_owned()),
        Just("...".to_owned()),
        Just("<any>".to_owned()),
        Just("OK".to_owned()),
        Just("| a <A|B<int>>".to_owned()),
        Just("(may) | \\x20".to_owned()),
        Just("(error) <MOVED <n1>|ASK <X=any>> x".to_owned()),
        Just("1# \"k\" => 1) a".to_owned()),
        Just("1~ 1) 1) (nil)".to_owned()),
        Just("# comment".to_owned()),
        Just("-- n1/nodes.conf --".to_owned()),
        (1_u32..12, 0_u32..3).prop_map(|(number, kind)| match kind {
            0 => format!("{number}) \"a\""),
            1 => format!("{number}) 1) (integer) {number}"),
            _ => format!("{number}# a => (has)"),
        }),
        ".{0,12}",
    ];
    proptest::collection::vec((0_usize..8, line), 0..24).prop_map(|lines| {
        let mut text = header().to_owned();
        for (indent, line) in lines {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(&line);
            text.push('\n');
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_bytes(&bytes);
    }

    #[test]
    fn no_text_does_harm(text in "[\\PC\n\t\r ]{0,200}") {
        harmless(&text)?;
        harmless(&(header().to_owned() + &text))?;
    }

    #[test]
    fn lines_in_any_order_do_no_harm(text in lines()) {
        harmless(&text)?;
    }

    #[test]
    fn a_reply_in_any_notation_is_kept(reply in "[ -~]{1,40}") {
        harmless(&format!("{}n1> X\n{reply}\n", header()))?;
    }

    #[test]
    fn a_fixture_with_changes_does_no_harm(
        file in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..6, "[ -~\n]{0,4}"),
            1..5,
        ),
    ) {
        let files = [fixtures(), malformed()].concat();
        let mut text: Vec<char> = fs::read_to_string(file.get(&files)).unwrap().chars().collect();
        for (place, length, new) in changes {
            let start = place.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, new.chars());
        }
        harmless(&text.into_iter().collect::<String>())?;
    }
}
