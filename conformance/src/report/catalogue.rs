//! What there is to test: the list of all cases, and all about one of them.

use std::fmt::Write as _;

use crate::known::KnownList;
use crate::suite::Case;

use super::areas::by_area;

/// All cases, by area: id, level, needs, title.
pub fn list(cases: &[Case]) -> String {
    by_area(cases.iter().map(|case| {
        let header = &case.transcript.header;
        let (level, needs) = (header.level.value.word(), header.needs.value.word());
        let (id, title) = (case.id(), &header.title.value);
        let line = format!("{id:<7} {level:<6} {needs:<8} {title}");
        (case.area.as_str(), line)
    }))
}

/// One case: its claim, where that is written, what to know, which servers skip it or are known to
/// depart, and the transcript.
pub fn explain(case: &Case, known: &KnownList) -> String {
    let header = &case.transcript.header;
    let mut text = format!("{}: {}\n\n", case.id(), header.title.value);
    let lines = [
        ("spec", &header.spec),
        ("source", &header.source),
        ("note", &header.note),
        ("catches", &header.catches),
    ];
    for (word, values) in lines {
        for value in values {
            let _ = writeln!(text, "{word:<9} {}", value.value);
        }
    }
    if let Some(since) = &header.since {
        let _ = writeln!(text, "{:<9} {}", "since", since.value);
    }
    for command in &header.command {
        let _ = writeln!(text, "{:<9} {}", "command", command.value);
    }
    for (servers, reason) in known.of(case.id()) {
        let _ = writeln!(text, "{:<9} {servers}: {reason}", "departs");
    }
    for (word, value) in [
        ("level", header.level.value.word().to_owned()),
        ("needs", header.needs.value.word().to_owned()),
        ("topology", header.topology.value.to_string()),
        ("file", case.path.clone()),
        ("test", case.name()),
    ] {
        let _ = writeln!(text, "{word:<9} {value}");
    }
    let body = case.source.split_once("\n\n").map_or("", |(_, body)| body);
    let _ = write!(text, "\n{body}");
    text
}
