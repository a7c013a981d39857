//! Names for nodes that come, none of them given before. Pure.

use std::collections::BTreeSet;

use crate::plan::{master_name, replica_name};
use crate::state::Record;

/// The names that have been given, those of deleted nodes included.
#[derive(Debug, Clone)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The names of a cluster's nodes, and those that it had.
    pub(crate) fn of(record: &Record) -> Self {
        let there = record.nodes.iter().map(|node| node.plan.name.clone());
        there.chain(record.retired.iter().cloned()).collect()
    }

    /// The next name of a master, behind the highest that was ever given, with its shard.
    pub(crate) fn next_master(&mut self) -> (String, usize) {
        let highest = self.0.iter().filter_map(|name| born_master(name)).max();
        let shard = highest.unwrap_or(0);
        let name = master_name(shard);
        self.0.insert(name.clone());
        (name, shard)
    }

    /// The next name of a replica that is born into a shard.
    pub(crate) fn next_replica(&mut self, shard: usize) -> String {
        // A shard's names are given one after the other, so the first that is free was never used.
        let name = (0..=self.0.len())
            .map(|nth| replica_name(shard, nth))
            .find(|name| !self.0.contains(name))
            .unwrap_or_else(|| replica_name(shard, self.0.len() + 1));
        self.0.insert(name.clone());
        name
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(given: I) -> Self {
        Self(given.into_iter().collect())
    }
}

/// The number in the name of a node that was born a master.
fn born_master(name: &str) -> Option<usize> {
    name.strip_prefix('n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(given: &[&str]) -> Names {
        given.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = names(&["n1", "n2", "n5", "r1", "r1b", "r2"]);
        assert_eq!(names.next_master(), ("n6".to_owned(), 5));
        assert_eq!(names.next_master(), ("n7".to_owned(), 6));
        assert_eq!(names.next_replica(0), "r1c");
        assert_eq!(names.next_replica(0), "r1d");
        assert_eq!(names.next_replica(5), "r6");
    }
}
