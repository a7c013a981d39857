//! What a node is asked, and what it says when it is so far. Pure.

use serde::{Deserialize, Serialize};

/// What a node says when it is so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Sign {
    /// What it is asked.
    pub(crate) ask: Vec<String>,
    /// What is in its answer then.
    pub(crate) has: String,
}

impl Sign {
    /// What every node of a cluster of Redis's kind says when all slots are served.
    pub(super) fn usual() -> Self {
        Self {
            ask: ["CLUSTER", "INFO"].map(str::to_owned).to_vec(),
            has: "cluster_state:ok".to_owned(),
        }
    }

    /// Whether it is in an answer.
    pub(crate) fn is_in(&self, answer: &[u8]) -> bool {
        let sought = self.has.as_bytes();
        sought.is_empty() || answer.windows(sought.len()).any(|part| part == sought)
    }
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "waiting for `{}` in the answer to {}",
            self.has,
            self.ask.join(" ")
        )
    }
}
