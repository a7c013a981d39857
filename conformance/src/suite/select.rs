//! Which of the cases a user wants.

use shardlab::machine::suggestion::closest;
use thiserror::Error;

use crate::transcript::ast::Level;

use super::Case;

/// What is asked for; nothing asked for is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids, claims or names; `*` stands for any text.
    pub cases: Vec<String>,
    /// Folders; `*` stands for any text.
    pub areas: Vec<String>,
    /// This level and those above it.
    pub level: Option<Level>,
}

/// A selection that selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no case is selected: {0}")]
pub struct SelectionError(String);

impl Selection {
    /// The cases that are wanted, in their order.
    ///
    /// # Errors
    /// There is none: a test that tests nothing must not look like one that passes.
    pub fn of(&self, cases: Vec<Case>) -> Result<Vec<Case>, SelectionError> {
        for (patterns, option) in [(&self.cases, "--case"), (&self.areas, "--area")] {
            for pattern in patterns {
                let found = cases.iter().any(|case| match option {
                    "--case" => is_case(pattern, case),
                    _ => glob(pattern, &case.area),
                });
                if !found {
                    return Err(SelectionError(format!(
                        "`{option} {pattern}` matches none of {} cases{}",
                        cases.len(),
                        nearest(pattern, &cases)
                    )));
                }
            }
        }
        let total = cases.len();
        let wanted: Vec<Case> = cases.into_iter().filter(|case| self.wants(case)).collect();
        if wanted.is_empty() {
            return Err(SelectionError(format!(
                "none of {total} cases fits all conditions"
            )));
        }
        Ok(wanted)
    }

    fn wants(&self, case: &Case) -> bool {
        let any = |patterns: &[String], fits: &dyn Fn(&str) -> bool| {
            patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern))
        };
        any(&self.cases, &|pattern| is_case(pattern, case))
            && any(&self.areas, &|pattern| glob(pattern, &case.area))
            && self
                .level
                .is_none_or(|level| case.transcript.header.level.value >= level)
    }
}

fn is_case(pattern: &str, case: &Case) -> bool {
    [case.id(), &case.claim, &case.name()]
        .into_iter()
        .any(|text| glob(pattern, text))
}

fn nearest(pattern: &str, cases: &[Case]) -> String {
    let words = cases
        .iter()
        .flat_map(|case| [case.id(), case.area.as_str()]);
    closest(pattern, words)
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default()
}

/// Whether `pattern`, in which `*` stands for any text, is all of `text`; upper and lower case
/// are alike.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut ended = true;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        ended = false;
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    ended && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("MOV-01", "mov-01", true),
            ("MOV-*", "MOV-12", true),
            ("*-01", "MOV-01", true),
            ("*owner*", "names_the_owner_of_the_slot", true),
            ("a*a", "a", false),
            ("MOV", "MOV-01", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
