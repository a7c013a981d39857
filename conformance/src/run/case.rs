//! One case against one target.

use std::time::Duration;

use shardlab::machine::wait::Deadline;

use crate::suite::Mended;
use crate::system::Target;
use crate::transcript::ast::Transcript;

use super::mending::Mending;
use super::result::{Difference, Tolerated};
use super::session::Session;
use super::{Limits, Patience};

/// Lines of a node's log that a picture shows.
const LOG_LINES: usize = 6;

/// What came of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The first difference, if there is one.
    pub difference: Option<Box<Difference>>,
    /// Differences that are not held against the server.
    pub tolerated: Vec<Tolerated>,
    /// How long it took.
    pub elapsed: Duration,
    /// What replies that departed would be expected as, if that was asked for.
    pub mended: Vec<Mended>,
}

/// Runs the steps of a transcript. The answer comes within the time that [`Limits`] give a case:
/// whatever the target does or does not do becomes a difference.
pub async fn run_case<T: Target>(transcript: &Transcript, target: &T, limits: &Limits) -> Trial {
    run_case_among(transcript, target, limits, &Patience::default(), None).await
}

/// The same in a run that has seen something of the server already.
pub(super) async fn run_case_among<T: Target>(
    transcript: &Transcript,
    target: &T,
    limits: &Limits,
    patience: &Patience,
    mending: Option<Mending<'_>>,
) -> Trial {
    let timeout = target.node_timeout().period;
    let deadline = Deadline::after(limits.of_case(&transcript.body, timeout));
    let mut session = Session::new(target, limits, patience, deadline);
    session.mending = mending;
    let outcome = session.block(&transcript.body).await;
    let difference = outcome.err().map(|mut difference| {
        difference.wire = session.wire.events();
        difference.log = difference
            .node
            .map(|node| target.log_tail(node, LOG_LINES))
            .unwrap_or_default();
        difference
    });
    Trial {
        difference,
        elapsed: session.wire.elapsed(),
        tolerated: session.tolerated,
        mended: session.mending.map_or_else(Vec::new, |it| it.mended),
    }
}
