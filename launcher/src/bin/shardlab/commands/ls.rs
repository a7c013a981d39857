//! `ls`: all clusters.

use serde::Serialize;
use shardlab::plan::Topology;
use shardlab::{Cluster, Error, doctor, exit};

use super::lab::Lab;
use super::report::{SCHEMA, State, state};
use crate::term::table;

#[derive(Serialize)]
struct List {
    schema: u32,
    clusters: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// None if the record cannot be used.
    topology: Option<Topology>,
    /// None if the record cannot be used.
    state: Option<State>,
    nodes: usize,
    server: String,
    url: String,
    private: bool,
    /// Why the record cannot be used.
    problem: Option<String>,
}

impl Row {
    async fn of(cluster: &Cluster, lab: &Lab<'_>) -> Self {
        let record = cluster.record();
        // Where there is one master it may have changed.
        let url = match cluster.present_master().await {
            Some(master) => cluster.url_of(master),
            None => cluster.url(),
        };
        Self {
            name: cluster.name().to_string(),
            topology: Some(record.options.topology),
            state: Some(state(cluster, &lab.home)),
            nodes: cluster.nodes().len(),
            server: record.server.to_string(),
            url,
            private: record.private,
            problem: None,
        }
    }

    fn unknown(name: String, error: &Error) -> Self {
        Self {
            name,
            topology: None,
            state: None,
            nodes: 0,
            server: String::new(),
            url: String::new(),
            private: false,
            problem: Some(error.to_string()),
        }
    }
}

/// Lists what the state folder knows.
pub(crate) async fn ls(lab: &Lab<'_>, json: bool) -> Result<u8, Error> {
    shardlab::cluster::sweep::sweep(&lab.home).await?;
    let mut clusters = Vec::new();
    for name in doctor::names(&lab.home)? {
        let opened = match Cluster::open(&lab.home, &name) {
            Err(Error::NoCluster(_)) => match doctor::refuse_remains(&lab.home, &name) {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
            opened => opened,
        };
        match opened {
            Ok(cluster) => {
                lab.tell_displaced(&cluster);
                clusters.push(Row::of(&cluster, lab).await);
            }
            Err(error) => {
                lab.tell_damage(&error);
                clusters.push(Row::unknown(name.to_string(), &error));
            }
        }
    }
    if json {
        lab.term.json(&List {
            schema: SCHEMA,
            clusters,
        });
    } else if clusters.is_empty() {
        lab.term
            .note("there is no cluster; `shardlab up` starts one");
    } else {
        let mut rows = vec![
            ["NAME", "TOPOLOGY", "STATE", "NODES", "SERVER", "URL"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(clusters.into_iter().map(|row| {
            let state = row
                .state
                .map_or_else(|| "damaged".to_owned(), |state| state.to_string());
            let topology = row
                .topology
                .map_or_else(|| "-".to_owned(), |topology| topology.to_string());
            let nodes = match row.state {
                Some(_) => row.nodes.to_string(),
                None => "-".to_owned(),
            };
            vec![row.name, topology, state, nodes, row.server, row.url]
        }));
        lab.term.data(&table(&rows));
    }
    Ok(exit::DONE)
}
