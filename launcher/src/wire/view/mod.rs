//! What nodes say about the cluster: CLUSTER NODES, INFO and SLOTS, INFO, and what sentinels say,
//! taken apart. Pure.

mod address;
mod id;
mod info;
mod nodes;
mod replication;
mod sentinel;
mod slots;
mod status;
mod vitals;

pub use address::Address;
pub use id::{Epoch, NodeId};
pub use info::{info_field, keyspace};
pub use nodes::{Direction, Flag, NodeLine, OpenMark, node_lines, nodes, unowned};
pub use replication::{HostPort, ReplicaLine, Replication, replication};
pub use sentinel::{WatchFlag, Watched, all_watched, watched};
pub use slots::{SlotLine, slots};
pub use status::{ClusterState, Link};
pub use vitals::Vitals;
