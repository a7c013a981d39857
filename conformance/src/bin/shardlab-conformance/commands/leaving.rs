//! Leaving somebody's cluster: what has been changed is put back, or told.

use shardlab::error::exit;
use shardlab::machine::interrupt::Interrupts;
use shardlab_conformance::run::Runner;

use crate::term::{self, Failure};

/// Puts back what the case has changed that was under way, unless the user is in a hurry.
pub(super) async fn clean_up(runner: &Runner, interrupts: &mut Interrupts) -> Result<(), Failure> {
    if runner.has_changed_more_than_keys() {
        term::status("");
        term::note("putting the cluster back as it was; interrupt again to leave it as it is");
    }
    tokio::select! {
        cleaned = runner.clean_up() => cleaned.map_err(|left| changed(&left)),
        _ = interrupts.next() => Err(changed("it was interrupted again")),
    }
}

/// A cluster that is not as it was.
pub(super) fn changed(left: &str) -> Failure {
    Failure {
        message: format!("the cluster could not be put back as it was:\n  {left}"),
        code: exit::NOT_READY,
        hint: Some("compare CLUSTER NODES of each node; `redis-cli --cluster check HOST:PORT` finds open slots".to_owned()),
    }
}
