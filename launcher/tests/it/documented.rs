//! docs/json.md as data, and JSON held against it. The tests of both programs use it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use snapbox::cmd::Command;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/json.md");

/// The page, and which of its lines a report has borne out.
pub(crate) struct Documented {
    /// By command or shape.
    sections: BTreeMap<String, Vec<Row>>,
    borne_out: BTreeSet<usize>,
}

/// A line of a table.
#[derive(Debug, Clone)]
struct Row {
    /// Its number on the page.
    line: usize,
    /// A path, as in `nodes[].node`.
    key: String,
    kind: String,
    is_list: bool,
    /// All values that there are, if the page lists them.
    values: Vec<String>,
    may_be_null: bool,
    presence: Presence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Presence {
    Always,
    Sometimes,
    /// Always of these commands, never of others.
    Only(Vec<String>),
}

impl Documented {
    pub(crate) fn new() -> Self {
        let text = std::fs::read_to_string(Path::new(PAGE)).unwrap();
        let (mut sections, mut current) = (BTreeMap::<_, Vec<Row>>::new(), Vec::new());
        let mut includes = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            if let Some(title) = line.strip_prefix("### ") {
                current = title
                    .split(", ")
                    .map(|name| name.replace('`', ""))
                    .collect();
                for name in &current {
                    sections.entry(name.clone()).or_default();
                }
            } else if line.starts_with("## ") {
                current.clear();
            } else if let Some(shape) = line.strip_prefix("A [") {
                // The report is all of it.
                let shape = shape.split(']').next().unwrap().to_owned();
                includes.extend(current.iter().map(|name| (name.clone(), shape.clone())));
            } else if line.starts_with("| `") && !current.is_empty() {
                let row = Row::of(line, number);
                for name in &current {
                    sections.get_mut(name).unwrap().push(row.clone());
                }
            }
        }
        for (name, shape) in includes {
            let rows = sections[&shape].clone();
            sections.get_mut(&name).unwrap().extend(rows);
        }
        let expanded = sections
            .keys()
            .map(|name| (name.clone(), expanded(&sections, name)))
            .collect();
        Self {
            sections: expanded,
            borne_out: BTreeSet::new(),
        }
    }

    /// Asserts that a report is as the page says, and gives it.
    #[track_caller]
    pub(crate) fn hold(&mut self, command: &str, printed: &[u8]) -> Value {
        let text = std::str::from_utf8(printed).unwrap();
        let first: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        assert!(first.starts_with(r#"{"schema":2"#), "{command}: {text}");
        let report: Value = serde_json::from_str(text).unwrap();
        let mut body = report.clone();
        body.as_object_mut().unwrap().remove("schema");
        let rows = self.sections.get(command);
        let rows = rows.unwrap_or_else(|| panic!("docs/json.md has no section `{command}`"));
        let mut wrong = Vec::new();
        look(command, rows, "", &body, &mut wrong, &mut self.borne_out);
        assert!(wrong.is_empty(), "{command}: {wrong:#?}\n{report:#}");
        report
    }

    /// Asserts that the page has a section for each of these commands, and no line about them that no
    /// report has borne out, but for keys with these parts.
    #[track_caller]
    pub(crate) fn assert_borne_out(&self, program: &str, commands: &[String], but: &[&str]) {
        for command in commands {
            assert!(
                self.sections.contains_key(command),
                "`{command}` has --json and no section"
            );
        }
        let own = self.sections.iter().filter(|(name, _)| {
            name.as_str() == program || name.starts_with(&format!("{program} "))
        });
        let idle: Vec<_> = own
            .flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)))
            .filter(|(_, row)| row.presence != Presence::Sometimes)
            .filter(|(_, row)| !but.iter().any(|key| row.key.contains(key)))
            .filter(|(_, row)| !self.borne_out.contains(&row.line))
            .map(|(name, row)| format!("{name}: `{}`", row.key))
            .collect();
        assert!(idle.is_empty(), "no report has had these: {idle:#?}");
    }
}

impl Row {
    fn of(line: &str, number: usize) -> Self {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [key, kind, values, _, missing] = cells.as_slice() else {
            panic!("line {number} of docs/json.md has not five cells: {line}");
        };
        let element = kind.strip_prefix("array of ");
        let quoted = |text: &str| -> Vec<String> {
            let parts = text.split('`').skip(1).step_by(2);
            parts.map(ToOwned::to_owned).collect()
        };
        let all_quoted = values
            .split(", ")
            .all(|value| value.starts_with('`') && value.ends_with('`'));
        Self {
            line: number,
            key: key.replace('`', ""),
            kind: element.unwrap_or(kind).to_owned(),
            is_list: element.is_some(),
            values: if all_quoted {
                quoted(values)
            } else {
                Vec::new()
            },
            may_be_null: missing.starts_with("null") || missing.contains("; null"),
            presence: match missing.strip_prefix("absent") {
                None => Presence::Always,
                Some(but) if but.starts_with(" but for `shardlab ") => Presence::Only(quoted(but)),
                Some(_) => Presence::Sometimes,
            },
        }
    }

    /// The shape that it links to.
    fn shape(&self) -> Option<&str> {
        self.kind.strip_prefix('[')?.split(']').next()
    }

    fn is_there(&self, command: &str) -> Option<bool> {
        match &self.presence {
            Presence::Always => Some(true),
            Presence::Sometimes => None,
            Presence::Only(commands) => Some(commands.iter().any(|one| one == command)),
        }
    }

    fn admits(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.may_be_null,
            Value::Array(items) => self.is_list && items.iter().all(|item| self.admits_one(item)),
            one => !self.is_list && self.admits_one(one),
        }
    }

    fn admits_one(&self, value: &Value) -> bool {
        let kind = if self.shape().is_some() {
            "object"
        } else {
            self.kind.as_str()
        };
        match value {
            Value::String(text) => {
                kind == "string" && (self.values.is_empty() || self.values.contains(text))
            }
            Value::Number(_) => kind == "number",
            Value::Bool(_) => kind == "boolean",
            Value::Object(_) => kind == "object",
            Value::Null | Value::Array(_) => false,
        }
    }
}

/// The rows of a section, those of the shapes in it included.
fn expanded(sections: &BTreeMap<String, Vec<Row>>, name: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for row in &sections[name] {
        rows.push(row.clone());
        if let Some(shape) = row.shape() {
            let brackets = if row.is_list { "[]" } else { "" };
            rows.extend(expanded(sections, shape).into_iter().map(|mut inner| {
                inner.key = format!("{}{brackets}.{}", row.key, inner.key);
                inner
            }));
        }
    }
    rows
}

/// Holds one value, and all in it, against the rows whose keys begin with `path`.
fn look(
    command: &str,
    rows: &[Row],
    path: &str,
    value: &Value,
    wrong: &mut Vec<String>,
    borne_out: &mut BTreeSet<usize>,
) {
    match value {
        Value::Object(map) => {
            let parent = |key: &str| {
                key.rsplit_once('.')
                    .map_or("", |(parent, _)| parent)
                    .to_owned()
            };
            let leaf = |key: &str| key.rsplit('.').next().unwrap().to_owned();
            for row in rows.iter().filter(|row| parent(&row.key) == path) {
                let is_there = map.contains_key(&leaf(&row.key));
                if row
                    .is_there(command)
                    .is_some_and(|expected| expected != is_there)
                {
                    wrong.push(format!("`{}` is there: {is_there}", row.key));
                }
            }
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                match rows.iter().find(|row| row.key == path) {
                    None => wrong.push(format!("`{path}` is not on the page")),
                    Some(row) if !row.admits(value) => {
                        wrong.push(format!(
                            "`{path}` is not {} {:?}: {value}",
                            row.kind, row.values
                        ));
                    }
                    Some(row) => {
                        borne_out.insert(row.line);
                        look(command, rows, &path, value, wrong, borne_out);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                look(command, rows, &format!("{path}[]"), item, wrong, borne_out);
            }
        }
        _ => {}
    }
}

/// The commands of a program whose help tells of `--json`, with the program's name in front.
pub(crate) fn commands_with_json(program: &str, run: impl Fn() -> Command) -> Vec<String> {
    let help = |arguments: &[&str]| {
        let output = run().args(arguments).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help(&[]);
    let commands = all.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        name.starts_with(|letter: char| letter.is_ascii_lowercase())
            .then_some(name)
    });
    let commands = commands.filter(|name| !["conformance", "help"].contains(name));
    let with_json = commands.filter(|name| help(&[name]).contains("--json"));
    with_json.map(|name| format!("{program} {name}")).collect()
}
