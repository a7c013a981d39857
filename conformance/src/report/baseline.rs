//! A list of known departures out of a run, to begin with.

use std::fmt::Write as _;

use crate::run::result::{RunResult, Verdict};

/// The list that makes all departures of a run known, and how many are of servers that do not say what
/// they are. Reasons that are known already stay.
pub fn known_list(run: &RunResult) -> (String, usize) {
    let mut text = String::from(
        "# Written by a run. Give each line its reason, and where that can be seen.\n",
    );
    let mut without = 0;
    for case in &run.cases {
        let reason = match &case.verdict {
            Verdict::Known { reason, .. } => reason.clone(),
            Verdict::Departs(difference) => difference.sentence(),
            _ => continue,
        };
        let Some(server) = &case.server else {
            without += 1;
            continue;
        };
        let reason = reason.lines().next().unwrap_or_default();
        let (product, version) = (&server.product, server.version);
        let _ = writeln!(text, "{}  {product}<={version}  {reason}", case.id);
    }
    (text, without)
}
