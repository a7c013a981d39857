//! `ls`: all clusters.

use serde::Serialize;
use shardlab::{Cluster, Error, exit};

use super::Lab;
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
    /// Absent if the record cannot be understood.
    state: Option<State>,
    nodes: usize,
    server: String,
    url: String,
    private: bool,
    /// Why the record cannot be understood.
    problem: Option<String>,
}

/// Lists what the state folder knows.
pub(crate) async fn ls(lab: &Lab<'_>, json: bool) -> Result<u8, Error> {
    shardlab::sweep::sweep(&lab.home).await?;
    let clusters: Vec<Row> = lab
        .home
        .names()?
        .iter()
        .filter_map(|name| match Cluster::open(&lab.home, name) {
            Ok(cluster) => Some(Row {
                name: name.to_string(),
                state: Some(state(&cluster, &lab.home)),
                nodes: cluster.nodes().len(),
                server: cluster.record().server.to_string(),
                url: cluster.url(),
                private: cluster.record().private,
                problem: None,
            }),
            Err(Error::NoCluster(_)) => None,
            Err(error) => Some(Row {
                name: name.to_string(),
                state: None,
                nodes: 0,
                server: String::new(),
                url: String::new(),
                private: false,
                problem: Some(error.to_string()),
            }),
        })
        .collect();
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
            ["NAME", "STATE", "NODES", "SERVER", "URL"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(clusters.into_iter().map(|row| {
            let state = row.state.map_or_else(
                || row.problem.unwrap_or_default(),
                |state| state.to_string(),
            );
            vec![row.name, state, row.nodes.to_string(), row.server, row.url]
        }));
        lab.term.data(&table(&rows));
    }
    Ok(exit::DONE)
}
