//! `wait`: until the cluster is as it is wanted.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use shardlab::machine::wait::{Deadline, until};
use shardlab::plan::Role;
use shardlab::{Cluster, Error, exit};

use super::lab::Lab;
use crate::cli::{Goal, Wait};

/// Waits for each goal in turn; the time-out covers them all.
pub(crate) async fn wait(lab: &Lab<'_>, args: &Wait) -> Result<u8, Error> {
    let cluster = lab.open_running()?;
    lab.tell_paused(&cluster);
    let since = Instant::now();
    for goal in &args.goals {
        let left = whole_milliseconds(args.timeout.saturating_sub(since.elapsed()));
        match goal {
            Goal::Rung(rung) => {
                cluster.wait_for(*rung, left).await?;
            }
            Goal::Role(node, role) => wait_for_role(&cluster, node, *role, left).await?,
        }
    }
    Ok(exit::DONE)
}

/// Rounded up, for errors that tell how long it was waited for.
fn whole_milliseconds(time: Duration) -> Duration {
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

async fn wait_for_role(
    cluster: &Cluster,
    name: &str,
    role: Role,
    timeout: Duration,
) -> Result<(), Error> {
    let node = cluster.node(name)?;
    until(
        Deadline::after(timeout),
        Duration::from_millis(20),
        || async {
            match node.role().await {
                Ok(is) if is == role => ControlFlow::Break(()),
                Ok(is) => ControlFlow::Continue(format!("it is a {is}")),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        },
    )
    .await
    .map_err(|last| Error::NotRole {
        node: node.name().to_owned(),
        role,
        waited: timeout,
        last,
    })
}
