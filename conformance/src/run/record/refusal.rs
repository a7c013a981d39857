//! Why lines are not recorded.

use std::fmt;

/// Why a line is not a step of a transcript. Nothing of it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// One that says what to do.
pub(super) fn refusal(message: impl Into<String>, help: &str) -> Refusal {
    Refusal {
        message: message.into(),
        help: Some(help.to_owned()),
    }
}
