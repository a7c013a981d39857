//! A text with places for what differs from node to node, such as `{port}`. Pure.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::machine::suggestion::closest;
use crate::machine::text::excerpt;

/// What may stand in braces.
const PLACES: [&str; 24] = [
    "number",
    "master-host",
    "master-port",
    "host",
    "port",
    "bus",
    "dir",
    "name",
    "config",
    "node-timeout",
    "key",
    "value",
    "password",
    "id",
    "role",
    "master",
    "master-id",
    "slots",
    "ranges",
    "nodes",
    "other-host",
    "other-port",
    "other-bus",
    "other-id",
];

/// A text with places. A word in braces that is not one of them is a mistake; any other brace is itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

/// What comes into a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A number, never quoted.
    Number(u64),
    /// A text.
    Text(String),
}

impl Template {
    /// The text, as an argument that nobody takes apart.
    ///
    /// # Errors
    /// A place for which there is nothing here.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<Place>) -> Result<String, String> {
        self.fill_quoted(value, |text| Ok(text.to_owned()))
    }

    /// The text, in a file in which texts are quoted.
    ///
    /// # Errors
    /// The same, and a text that cannot be quoted.
    pub(crate) fn fill_quoted(
        &self,
        value: impl Fn(&str) -> Option<Place>,
        quote: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, String> {
        let mut whole = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Place(name) => match value(name) {
                    Some(Place::Number(number)) => {
                        let _ = write!(whole, "{number}");
                    }
                    Some(Place::Text(text)) => whole.push_str(&quote(&text)?),
                    None => {
                        return Err(format!(
                            "`{{{name}}}` has no value here, in `{}`",
                            excerpt(self.text.as_bytes(), 60, 0)
                        ));
                    }
                },
            }
        }
        Ok(whole)
    }

    /// Puts the folder in front, if this is a relative path.
    pub(super) fn found_from(&mut self, folder: &str) {
        if self.text.contains('/') && !self.text.starts_with('/') {
            self.text.insert_str(0, &format!("{folder}/"));
            self.parts.insert(0, Part::Text(format!("{folder}/")));
        }
    }

    /// Whether this is in one of its places.
    pub(super) fn has(&self, place: &str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part, Part::Place(name) if name == place))
    }

    /// The place that it consists of.
    pub(crate) fn only(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Place(name)] => Some(name),
            _ => None,
        }
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text.as_str());
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            match behind.split_once('}').filter(|(word, _)| is_word(word)) {
                None => {
                    plain.push('{');
                    rest = behind;
                }
                Some((name, _)) if !PLACES.contains(&name) => {
                    let hint = closest(name, PLACES);
                    let hint = hint.map(|name| format!("; did you mean `{{{name}}}`?"));
                    return Err(format!(
                        "`{{{name}}}` is not a placeholder of profiles{}",
                        hint.unwrap_or_default()
                    ));
                }
                Some((name, after)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Place(name.to_owned()));
                    rest = after;
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { text, parts })
    }
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::{Place, Template};

    fn template(text: &str) -> Template {
        Template::try_from(text.to_owned()).unwrap()
    }

    fn value(name: &str) -> Option<Place> {
        match name {
            "port" => Some(Place::Number(7001)),
            "dir" => Some(Place::Text("/a b".to_owned())),
            _ => None,
        }
    }

    #[test]
    fn texts_are_quoted_in_a_file_and_numbers_are_not() {
        let text = template("{port}:{dir}");
        assert_eq!(text.fill(value).unwrap(), "7001:/a b");
        let quoted = text.fill_quoted(value, |text| Ok(format!("'{text}'")));
        assert_eq!(quoted.unwrap(), "7001:'/a b'");
    }

    #[test]
    fn braces_that_hold_no_word_are_themselves() {
        for text in ["{ \"a\": {} }", "{", "{A}", "a{1}b"] {
            assert_eq!(template(text).fill(value).unwrap(), text);
        }
    }

    #[test]
    fn an_unknown_place_is_told_with_the_nearest() {
        assert_eq!(
            Template::try_from("--x {prt}".to_owned()).unwrap_err(),
            "`{prt}` is not a placeholder of profiles; did you mean `{port}`?"
        );
        assert_eq!(
            template("{ranges}").fill(value).unwrap_err(),
            "`{ranges}` has no value here, in `{ranges}`"
        );
    }
}
