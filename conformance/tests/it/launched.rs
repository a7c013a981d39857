//! Cases against a server that is started for them: `SHARDLAB_SERVER`, or the one that is found.

use std::sync::Arc;

use shardlab::machine::environment::Environment;
use shardlab_conformance::run::{Limits, Runner, Subject, Wanted};

/// A runner with the usual limits.
pub(crate) async fn runner() -> Arc<Runner> {
    let limits = Limits::default();
    let environment = Environment {
        attach: None,
        ..Environment::of_process()
    };
    let subject = Subject::open(&Wanted::default(), &environment, limits.read, &|_| {})
        .await
        .unwrap();
    Arc::new(Runner::new(subject).limits(limits))
}
