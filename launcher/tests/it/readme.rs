//! The README's commands do what it shows.

use std::path::Path;

use snapbox::{Data, IntoData as _};

use crate::by_hand::ports::Ports;
use crate::lab::{Lab, text};

/// The commands of the README's console blocks with what they print, in order.
fn commands() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text
        .split("```console\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    commands
}

/// The arguments of `shardlab`, however the README starts it; `None` for another program.
fn arguments(command: &str) -> Option<Vec<String>> {
    let rest = ["cargo run --release --bin shardlab -- ", "shardlab "]
        .iter()
        .find_map(|way| command.strip_prefix(way))?;
    // Words, and one kind of quotes, are all that the README uses.
    let parts = rest.split('\'').enumerate();
    Some(
        parts
            .flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
                _ => vec![part.to_owned()],
            })
            .collect(),
    )
}

/// A line without what differs from run to run: process ids at its end, free ports in a list, and
/// the blanks that make columns as wide as their cells.
fn without_chance(line: &str) -> String {
    let mut words: Vec<_> = line.split_whitespace().collect();
    if let [_, .., last] = words.as_mut_slice()
        && last.parse::<u32>().is_ok()
    {
        *last = "PID";
    }
    let addresses = line
        .split(',')
        .filter(|part| part.starts_with("127.0.0.1:"))
        .count();
    if addresses > 1 {
        format!("{addresses} addresses")
    } else {
        words.join(" ")
    }
}

#[test]
fn the_readme_shows_what_happens() {
    let lab = Lab::new();
    // The ports of the README may be taken on this machine: others stand for them.
    let ports = Ports::new();
    let shown = |text: &str| {
        let text = ports.written(text);
        text.lines()
            .map(|line| without_chance(line) + "\n")
            .collect::<String>()
    };
    let mut ran = 0;
    for (command, expected) in commands() {
        let Some(mut arguments) = arguments(&command) else {
            assert_eq!(command, "cargo test");
            continue;
        };
        if arguments.first().is_some_and(|verb| verb == "up") {
            arguments.extend(["--port".to_owned(), ports.real("7001")]);
        }
        let output = lab.shardlab(&arguments).output().unwrap();
        let is_missing = output.stdout.is_empty() && !expected.trim().is_empty();
        let printed = if is_missing {
            output.stderr
        } else {
            output.stdout
        };
        let printed = shown(&text(&printed));
        let expected: Data = shown(&expected)
            .replace("valkey 9.1.2", "[..]")
            .replace('…', "[..]")
            .into_data();
        snapbox::Assert::new().eq(printed, expected);
        ran += 1;
    }
    assert_eq!(ran, 16, "the README's commands were not found");
    lab.assert_empty();
}
