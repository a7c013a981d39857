//! Annotations as GitHub's runners read them: one line for each departure, and one for each cause that many
//! share.

use std::fmt::Write as _;

use super::Report;
use super::groups::groups;

/// The lines, to be printed as they are.
pub fn annotations(report: &Report<'_>) -> String {
    let mut text = String::new();
    for group in groups(report.run) {
        let Some(first) = group.cases.first() else {
            continue;
        };
        let (title, message) = match &group.cause {
            Some(cause) => {
                let ids: Vec<_> = group.cases.iter().map(|case| case.id.as_str()).collect();
                (cause.clone(), ids.join(", "))
            }
            None => (
                format!("{} {}", first.id, first.title),
                first.verdict.message().unwrap_or_default(),
            ),
        };
        let place = report.place(first).map(|(path, place)| {
            let path = property(path);
            format!("file={path},line={},col={},", place.line, place.column)
        });
        let place = place.unwrap_or_default();
        let (title, message) = (property(&title), data(&message));
        let _ = writeln!(text, "::error {place}title={title}::{message}");
    }
    text
}

/// What follows the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
