//! `reshard`: slots to one master.

use shardlab::reshape::plan::{Reshard, Sources};
use shardlab::{Cluster, Error};

use super::lab::Lab;
use super::moving::carry_out;
use crate::cli::ReshardArgs;

/// Moves so many slots to a master, or finishes what the same command has begun.
pub(crate) async fn reshard(lab: &Lab<'_>, args: &ReshardArgs) -> Result<u8, Error> {
    let cluster = lab.open_with_slots()?;
    let name = |node: &String| Ok::<_, Error>(cluster.node(node)?.name().to_owned());
    let from = match args.from.as_slice() {
        [all] if all == "all" => Sources::All,
        nodes => Sources::Nodes(nodes.iter().map(name).collect::<Result<_, _>>()?),
    };
    let wish = Reshard {
        slots: args.slots,
        to: name(&args.to)?,
        from,
    };
    let plan = async |cluster: &Cluster| cluster.plan_reshard(&wish).await;
    carry_out(lab, args.moving, plan).await
}
