//! The keys of slots, in every database that a node has.
//!
//! COUNTKEYSINSLOT and GETKEYSINSLOT answer for the selected database only, and MIGRATE takes keys from it
//! (`clusterCommand`, `migrateCommand`, `cluster.c`; Valkey 9.0, which may have several with
//! `cluster-databases`), so each of them is asked.

use std::collections::BTreeMap;

use super::Session;
use crate::error::Error;
use crate::wire::slots::Slot;
use crate::wire::view;

impl Session {
    /// The databases that hold keys, lowest first, with how many; 0 is always among them.
    ///
    /// # Errors
    /// As [`Session::give`].
    pub(crate) async fn databases(&mut self) -> Result<BTreeMap<u32, u64>, Error> {
        let mut databases = view::keyspace(&self.give(&["INFO", "keyspace"]).await?);
        databases.entry(0).or_insert(0);
        Ok(databases)
    }

    /// How many keys each of some slots has in these databases together.
    ///
    /// # Errors
    /// As [`Session::give_all`], also if an answer is not a number.
    pub(crate) async fn count_keys(
        &mut self,
        databases: impl IntoIterator<Item = u32>,
        slots: &[Slot],
    ) -> Result<Vec<u64>, Error> {
        let question = ["CLUSTER", "COUNTKEYSINSLOT"];
        let mut sums = vec![0_u64; slots.len()];
        for database in databases {
            self.select(database);
            let counts = self.ask_slots(slots, &question, &[]).await?;
            for (sum, reply) in sums.iter_mut().zip(&counts) {
                let count = reply.as_integer().and_then(|count| count.try_into().ok());
                let count: u64 = count.ok_or_else(|| self.refused(&question, &reply.raw))?;
                *sum = sum.saturating_add(count);
            }
        }
        Ok(sums)
    }
}
