//! A line in which a server tells its version. Pure.

use serde::{Deserialize, Serialize};

/// What stands for the version.
const VERSION: &str = "{version}";

/// A line such as `Redis server v={version}`. Its words are compared one by one, in whatever case; what
/// the server says behind them does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct VersionLine(String);

impl VersionLine {
    /// The version in a line that reads like this.
    pub(super) fn version_in<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut words = line.split_whitespace();
        let mut version = None;
        for form in self.0.split_whitespace() {
            let word = words.next()?;
            match form.split_once(VERSION) {
                Some((before, after)) => {
                    version = Some(word.strip_prefix(before)?.strip_suffix(after)?);
                }
                None if form.eq_ignore_ascii_case(word) => {}
                None => return None,
            }
        }
        version
    }
}

impl From<VersionLine> for String {
    fn from(line: VersionLine) -> Self {
        line.0
    }
}

impl TryFrom<String> for VersionLine {
    type Error = String;

    fn try_from(line: String) -> Result<Self, String> {
        match line.matches(VERSION).count() {
            1 => Ok(Self(line)),
            count => Err(format!(
                "`{line}` has {VERSION} {count} times; a line has it once, as in `my-server {VERSION}`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VersionLine;

    fn version_in<'a>(form: &str, line: &'a str) -> Option<&'a str> {
        VersionLine::try_from(form.to_owned())
            .unwrap()
            .version_in(line)
    }

    #[test]
    fn words_are_compared_in_whatever_case_and_blanks_do_not_matter() {
        let form = "Redis server v={version}";
        assert_eq!(
            version_in(form, " redis  Server v=7.0.15 sha=0"),
            Some("7.0.15")
        );
        assert_eq!(version_in(form, "Valkey server v=7.0.15"), None);
        assert_eq!(version_in(form, "Redis server"), None);
        assert_eq!(version_in("my, {version};", "My, 1.2; and"), Some("1.2"));
        assert_eq!(version_in("my, {version};", "My, 1.2 and"), None);
    }

    #[test]
    fn a_line_has_one_version() {
        for form in ["my server", "{version} {version}"] {
            let refused = VersionLine::try_from(form.to_owned()).unwrap_err();
            assert!(refused.contains("a line has it once"), "{refused}");
        }
    }
}
