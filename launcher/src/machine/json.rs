//! What both programs print for other programs: each report, and each error, is one JSON object. Pure.
//!
//! docs/json.md lists the keys.

use std::ffi::OsStr;

use serde::Serialize;

/// The number of the vocabulary, in every report and every error. It grows when a key goes, or
/// changes its name, its type or its meaning; not when one is added.
pub const SCHEMA: u32 = 2;

/// A report with the number of its vocabulary in front.
#[derive(Debug, Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    error: ErrorReport<'a>,
}

/// Why a command has failed.
#[derive(Debug, Serialize)]
struct ErrorReport<'a> {
    message: &'a str,
    /// The exit code.
    code: u8,
    /// What can be done.
    hint: Option<&'a str>,
}

/// A report on several lines, for programs and people.
///
/// # Errors
/// It has a key that is not a string.
pub fn report(content: &impl Serialize) -> Result<String, serde_json::Error> {
    let schema = SCHEMA;
    serde_json::to_string_pretty(&Envelope { schema, content }).map(|text| escape(&text))
}

/// A report on one line, where several follow each other.
///
/// # Errors
/// It has a key that is not a string.
pub fn line(content: &impl Serialize) -> Result<String, serde_json::Error> {
    let schema = SCHEMA;
    serde_json::to_string(&Envelope { schema, content }).map(|text| escape(&text))
}

/// An error on one line.
pub fn error(message: &str, code: u8, hint: Option<&str>) -> String {
    let error = ErrorReport {
        message,
        code,
        hint,
    };
    // Its keys are strings.
    line(&Failed { error }).unwrap_or_default()
}

/// An error of the command line on one line; `told` is what people would read, a paragraph that says
/// what is wrong and others that help.
pub fn usage_error(told: &str, code: u8) -> String {
    let told = told.trim();
    let told = told.strip_prefix("error: ").unwrap_or(told);
    match told.split_once("\n\n") {
        Some((message, hint)) => error(message, code, Some(hint.trim())),
        None => error(told, code, None),
    }
}

/// Whether a command line that cannot be read asks for JSON.
pub fn is_asked<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> bool {
    // What follows `--` is another program's.
    let mut own = arguments
        .into_iter()
        .take_while(|argument| argument.as_ref() != "--");
    own.any(|argument| argument.as_ref() == "--json")
}

/// JSON may hold the control characters from U+007F on as they are; a terminal may obey them.
fn escape(text: &str) -> String {
    let escape = |letter: char| match letter {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(letter)),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_moves_no_cursor() {
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}é";
        let escaped = escape(&serde_json::to_string(text).unwrap());
        assert_eq!(escaped, r#""a\u001b[2J\u009b2J\u007fé""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn the_schema_is_the_first_key() {
        let report = serde_json::json!({"a": 1, "z": [2]});
        assert_eq!(line(&report).unwrap(), r#"{"schema":2,"a":1,"z":[2]}"#);
        assert_eq!(
            error("no", 3, Some("try")),
            r#"{"schema":2,"error":{"message":"no","code":3,"hint":"try"}}"#
        );
    }

    #[test]
    fn what_is_wrong_with_a_command_line_is_apart_from_what_helps() {
        assert_eq!(
            usage_error("error: unexpected 'x'\n\n  tip: 'y'\n\nUsage: z\n", 2),
            error("unexpected 'x'", 2, Some("tip: 'y'\n\nUsage: z"))
        );
        assert_eq!(usage_error("error: no\n", 2), error("no", 2, None));
    }

    #[test]
    fn another_programs_options_ask_for_nothing() {
        assert!(is_asked(["up", "--json", "--", "x"]));
        assert!(!is_asked(["run", "--", "x", "--json"]));
    }
}
