//! What there is to test: the list of all cases, and all about one of them.

use std::fmt::Write as _;

use crate::suite::Case;

/// All cases, by area: id, level, needs, title.
pub fn list(cases: &[Case]) -> String {
    let mut text = String::new();
    let mut area = "";
    for case in cases {
        if case.area != area {
            let _ = writeln!(
                text,
                "{}{}",
                if area.is_empty() { "" } else { "\n" },
                case.area
            );
            area = &case.area;
        }
        let header = &case.transcript.header;
        let (level, needs) = (header.level.value.word(), header.needs.value.word());
        let _ = writeln!(
            text,
            "  {:<7} {level:<6} {needs:<8} {}",
            case.id(),
            header.title.value
        );
    }
    text
}

/// One case: its claim, where that is written, what to know, and the transcript.
pub fn explain(case: &Case) -> String {
    let header = &case.transcript.header;
    let mut text = format!("{}: {}\n\n", case.id(), header.title.value);
    let lines = [
        ("spec", &header.spec),
        ("source", &header.source),
        ("note", &header.note),
    ];
    for (word, values) in lines {
        for value in values {
            let _ = writeln!(text, "{word:<9} {}", value.value);
        }
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
