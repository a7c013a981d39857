//! docs/seeds.md, read: what people do by hand, and what stands beside it.
//!
//! A `##` is a walk-through, a `###` a story. A row is `by hand | now | checked by`. In the middle
//! cell a code span that holds `shardlab` is a command; one behind `→` is what it prints; one behind
//! `refused:` is what it prints while it fails. A cell without a command begins with `not needed: `.
//! The right cell lists transcripts, or says why there is none: `none: `.

use std::path::Path;

/// Some rows that start with nothing and leave nothing.
pub(super) struct Story {
    /// The walk-through, as its heading says.
    pub(super) seed: String,
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    /// In the document, from 1.
    pub(super) line: usize,
    pub(super) by_hand: String,
    pub(super) now: Now,
    pub(super) checked: Checked,
}

/// The middle cell.
pub(super) enum Now {
    Steps(Vec<Step>),
    NotNeeded(String),
}

/// One command.
pub(super) struct Step {
    pub(super) command: String,
    pub(super) fails: bool,
    /// `…` stands for anything within a line.
    pub(super) shows: Vec<String>,
}

/// The right cell.
pub(super) enum Checked {
    Transcripts(Vec<String>),
    None(String),
}

/// Reads the document.
pub(super) fn stories() -> Vec<Story> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/seeds.md");
    parse(&std::fs::read_to_string(path).unwrap())
}

fn parse(text: &str) -> Vec<Story> {
    let mut seed = "";
    let mut stories: Vec<Story> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(heading) = line.strip_prefix("## ") {
            seed = heading;
        } else if let Some(title) = line.strip_prefix("### ") {
            stories.push(Story {
                seed: seed.to_owned(),
                title: title.to_owned(),
                rows: Vec::new(),
            });
        } else if line.starts_with('|') && !is_head(line) {
            stories.last_mut().unwrap().rows.push(row(line, number));
        }
    }
    stories
}

fn is_head(line: &str) -> bool {
    line == "| By hand | Now | Checked by |" || line == "|---|---|---|"
}

fn row(line: &str, number: usize) -> Row {
    // Within a cell, a bar is written with a backslash.
    let cells = line.replace(r"\|", "\0");
    let cells: Vec<_> = cells
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().replace('\0', "|"))
        .collect();
    let [by_hand, now, checked] = <[String; 3]>::try_from(cells)
        .unwrap_or_else(|cells| panic!("line {number}: {} cells in place of 3", cells.len()));
    Row {
        line: number,
        now: middle(&now, number),
        checked: right(&checked),
        by_hand,
    }
}

fn middle(cell: &str, number: usize) -> Now {
    if let Some(reason) = cell.strip_prefix("not needed: ") {
        return Now::NotNeeded(reason.to_owned());
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut parts = cell.split('`');
    while let Some(prose) = parts.next() {
        let Some(code) = parts.next() else { break };
        if code.contains("shardlab") {
            steps.push(Step {
                command: code.to_owned(),
                fails: false,
                shows: Vec::new(),
            });
            continue;
        }
        let step = steps
            .last_mut()
            .unwrap_or_else(|| panic!("line {number}: `{code}` stands before a command"));
        match prose.trim() {
            "→" => {}
            "refused:" => step.fails = true,
            "and" | "," if !step.shows.is_empty() => {}
            _ => panic!("line {number}: what `{code}` is remains open"),
        }
        step.shows.push(code.to_owned());
    }
    Now::Steps(steps)
}

fn right(cell: &str) -> Checked {
    match cell.strip_prefix("none: ") {
        Some(reason) => Checked::None(reason.to_owned()),
        None => Checked::Transcripts(cell.split(", ").map(ToOwned::to_owned).collect()),
    }
}
