//! `scale`: so many masters with so many replicas each, in one plan.

use shardlab::Error;
use shardlab::reshape::members::Scale;

use super::change::{make, tell_plan};
use super::lab::Lab;
use crate::cli::ScaleArgs;

/// Adds and deletes nodes and moves slots until the numbers are right.
pub(crate) async fn scale(lab: &Lab<'_>, args: &ScaleArgs) -> Result<u8, Error> {
    let scale = Scale {
        masters: args.masters,
        replicas: args.replicas,
    };
    if args.show.dry_run {
        let change = lab.open()?.plan_scale(scale).await?;
        return Ok(tell_plan(lab, &change, args.show));
    }
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let change = cluster.plan_scale(scale).await?;
    make(lab, &lock, &mut cluster, &change, args.show, None).await
}
