//! Giving nodes what all masters have alike: functions, users, settings that were changed while they run.

use crate::cluster::Cluster;
use crate::error::Error;
use crate::error::members::MemberError;
use crate::machine::wait::Deadline;
use crate::node::{Node, Session};
use crate::reshape::Equipment;
use crate::reshape::equipment::set_user;
use crate::wire::client::REPLY_TIMEOUT;

impl Cluster {
    /// What the masters that are members have alike; of those that are not ours, no settings.
    pub(super) async fn equipment(&self) -> Result<Equipment, Error> {
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        let mut all = Vec::new();
        for (name, _) in survey.masters() {
            let node = self.node(name)?;
            if node.stage().is_member() {
                all.push((node.is_ours(), equipment_of(node).await?));
            }
        }
        let ours = Equipment::common(all.iter().filter(|(ours, _)| *ours).map(|(_, own)| own));
        let common = Equipment::common(all.iter().map(|(_, own)| own));
        Ok(Equipment {
            settings: ours.settings,
            ..common
        })
    }

    /// Gives a master the function libraries that it lacks; replicas get them from their masters.
    pub(super) async fn load_libraries(
        &self,
        node: &Node,
        common: &Equipment,
    ) -> Result<(), Error> {
        let own = equipment_of(node).await?;
        let missing = common.libraries.iter();
        for (_, code) in missing.filter(|(name, _)| !own.libraries.contains_key(*name)) {
            load(node, code).await?;
        }
        Ok(())
    }

    /// Gives a node the users and the settings that it has not. What somebody else has started keeps its
    /// settings and the rules of its users.
    pub(super) async fn set_alike(&self, node: &Node, common: &Equipment) -> Result<(), Error> {
        let own = equipment_of(node).await?;
        let mut orders = Session::open(node, Deadline::after(REPLY_TIMEOUT)).await?;
        for (name, rules) in &common.users {
            let has = own.users.get(name);
            if has != Some(rules) && (node.is_ours() || has.is_none()) {
                orders.give(&set_user(name, rules)).await?;
            }
        }
        for (name, value) in &common.settings {
            let has = own.settings.get(name);
            if node.is_ours() && has.is_some_and(|has| has != value) {
                let set: [&[u8]; 4] = [b"CONFIG", b"SET", name, value];
                match orders.give(&set).await {
                    // One that cannot be changed while a server runs was not; `check` tells of it.
                    Err(Error::Reply { .. }) => {}
                    given => drop(given?),
                }
            }
        }
        Ok(())
    }

    /// Gives a master a function library of another one.
    pub(in crate::reshape) async fn copy_library(
        &self,
        node: &str,
        library: &str,
        from: &str,
    ) -> Result<(), Error> {
        let (node, from) = (self.node(node)?, self.node(from)?);
        match equipment_of(from).await?.libraries.get(library.as_bytes()) {
            // It was deleted meanwhile.
            None => Ok(()),
            Some(code) => load(node, code).await,
        }
    }
}

/// One that is there already is as good.
async fn load(node: &Node, code: &[u8]) -> Result<(), Error> {
    let mut orders = Session::open(node, Deadline::after(REPLY_TIMEOUT)).await?;
    let load: [&[u8]; 3] = [b"FUNCTION", b"LOAD", code];
    match orders.give(&load).await {
        Err(Error::Reply { reply, .. })
            if reply.contains("Library") && reply.contains("already exists") =>
        {
            Ok(())
        }
        loaded => loaded.map(drop),
    }
}

async fn equipment_of(node: &Node) -> Result<Equipment, Error> {
    let deadline = Deadline::after(REPLY_TIMEOUT);
    let mut connection = node.connect().await?;
    let equipment = Equipment::ask(&mut connection, deadline).await;
    equipment.map_err(|why| {
        MemberError::Silent {
            node: node.name().to_owned(),
            why,
        }
        .into()
    })
}
