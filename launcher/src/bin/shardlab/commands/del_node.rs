//! `del-node`: a node leaves the cluster, and nothing of it is left.

use shardlab::Error;
use shardlab::reshape::members::Removal;

use super::change::{make, tell_plan, tell_unchanged};
use super::lab::Lab;
use crate::cli::DelNodeArgs;

/// Empties a master, has all nodes forget the node, ends it and removes its folder.
pub(crate) async fn del_node(lab: &Lab<'_>, args: &DelNodeArgs) -> Result<u8, Error> {
    let removal = Removal {
        node: args.node.clone(),
        force: args.force,
    };
    if args.show.dry_run {
        let change = lab.open()?.plan_del_node(&removal).await?;
        return Ok(tell_plan(lab, &change, args.show));
    }
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    // A command that was interrupted after its last step, and is given again.
    if cluster.record().retired.contains(&args.node) {
        let why = format!("`{}` is already deleted", args.node);
        return Ok(tell_unchanged(lab, &cluster, args.show, &why).await);
    }
    let change = cluster.plan_del_node(&removal).await?;
    make(lab, &lock, &mut cluster, &change, args.show, None).await
}
