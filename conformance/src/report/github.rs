//! Annotations as GitHub's runners read them: one line for each departure, and one for each cause that many
//! share.

use std::borrow::Cow;
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

/// A text in which a runner sees no commands of its own: it takes them from any line that begins with `::`, blanks
/// aside, and from `##[` anywhere. What a server says may hold either.
pub fn without_commands(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(begins) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n').map(|line| {
        let line = line.replace("##[", &format!("##{APART}["));
        match line.find("::").filter(|_| begins(&line)) {
            Some(place) => {
                let (before, after) = line.split_at(place + 1);
                format!("{before}{APART}{after}")
            }
            None => line,
        }
    });
    Cow::Owned(lines.collect())
}

/// A blank without width: what stands around it reads as before.
const APART: char = '\u{200b}';

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        for (text, expected) in [
            ("a::b [##] ##", "a::b [##] ##"),
            ("a\n  ::set-env x::y\n", "a\n  :\u{200b}:set-env x::y\n"),
            ("x ##[add-mask]y", "x ##\u{200b}[add-mask]y"),
        ] {
            assert_eq!(without_commands(text), expected);
        }
    }
}
