//! Words that the project has given up for the field's own do not come back.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that nobody outside would understand: docs/glossary.md has those that stay.
const RETIRED: [&str; 20] = [
    "bend",
    "bends",
    "unbend",
    "bent",
    "loan",
    "borrow",
    "borrows",
    "borrowed",
    "cast",
    "heir",
    "heirs",
    "standby",
    "standbys",
    "revival",
    "sight",
    "belief",
    "by whom",
    "there is no cluster `",
    "there is no case `",
    "is no node of",
];

/// `bent` is still the name of a field in `cluster.json`, which old records have; Rust casts integers and borrows.
const KEPT: [&str; 8] = [
    "\"bent\"",
    "`bent`",
    "clippy::cast_",
    ".cast_signed()",
    "std::borrow",
    "Cow::Borrowed",
    ".borrow()",
    ".borrow_mut()",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_text = path
            .extension()
            .is_some_and(|end| end == "rs" || end == "md");
        if path.is_dir() {
            sources(&path, found);
        } else if is_text {
            found.push(path);
        }
    }
}

/// The retired words in a line; `_` and camel case end a word, too.
fn retired(line: &str) -> Vec<&'static str> {
    let line = KEPT
        .iter()
        .fold(line.to_owned(), |line, kept| line.replace(kept, ""));
    let mut words = String::from(" ");
    let mut before = ' ';
    for letter in line.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        let is_of_a_word = letter.is_alphanumeric() || letter == '`';
        words.extend(if is_of_a_word { letter } else { ' ' }.to_lowercase());
        before = letter;
    }
    words.push(' ');
    let is_there = |word: &&str| {
        let end = if word.ends_with('`') { "" } else { " " };
        words.contains(&format!(" {word}{end}"))
    };
    RETIRED.into_iter().filter(is_there).collect()
}

#[test]
fn retired_words_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = vec![root.join("README.md")];
    for folder in ["launcher/src", "conformance/src", "docs"] {
        sources(&root.join(folder), &mut files);
    }
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            for word in retired(line) {
                found.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_retired_word_is_found_in_names_and_not_in_other_words() {
    assert_eq!(retired("fn choose_heir()"), ["heir"]);
    assert_eq!(retired("struct CastPart"), ["cast"]);
    assert_eq!(
        retired("there is no cluster `x`"),
        ["there is no cluster `"]
    );
    for line in [
        "their forecast, broadcast",
        "#[serde(rename = \"bent\")]",
        "insight",
    ] {
        assert!(retired(line).is_empty(), "{line}");
    }
}
