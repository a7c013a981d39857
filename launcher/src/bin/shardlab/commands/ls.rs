//! `ls`: all clusters.

use serde::Serialize;
use shardlab::plan::{Name, Topology};
use shardlab::{Cluster, Error, doctor, exit};

use super::hints;
use super::lab::Lab;
use super::report::{ServerReport, State, state};
use crate::term::table;

#[derive(Serialize)]
struct List {
    clusters: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    cluster: String,
    state: State,
    #[serde(flatten)]
    known: Option<Known>,
    /// Why the record cannot be used.
    message: Option<String>,
    /// What mends it.
    hint: Option<String>,
}

/// What the record says.
#[derive(Serialize)]
struct Known {
    topology: Topology,
    node_count: usize,
    server: ServerReport,
    url: String,
    private: bool,
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
            cluster: cluster.name().to_string(),
            state: state(cluster, &lab.home),
            known: Some(Known {
                topology: record.options.topology,
                node_count: cluster.nodes().len(),
                server: ServerReport::of_record(record),
                url,
                private: record.private,
            }),
            message: None,
            hint: None,
        }
    }

    fn damaged(name: &Name, error: &Error, lab: &Lab<'_>) -> Self {
        Self {
            cluster: name.to_string(),
            state: State::Damaged,
            known: None,
            message: Some(hints::message(error, name)),
            hint: hints::of(error, Some(&lab.home), name),
        }
    }

    fn cells(self) -> Vec<String> {
        let mut cells = vec![self.cluster];
        match self.known {
            Some(known) => cells.extend([
                known.topology.to_string(),
                self.state.to_string(),
                known.node_count.to_string(),
                known.server.to_string(),
                known.url,
            ]),
            None => {
                cells.extend(["-", &self.state.to_string(), "-", "", ""].map(ToOwned::to_owned));
            }
        }
        cells
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
                clusters.push(Row::damaged(&name, &error, lab));
            }
        }
    }
    if json {
        lab.term.json(&List { clusters });
    } else if clusters.is_empty() {
        lab.term.note("no cluster exists; `shardlab up` starts one");
    } else {
        let mut rows = vec![
            ["NAME", "TOPOLOGY", "STATE", "NODES", "SERVER", "URL"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(clusters.into_iter().map(Row::cells));
        lab.term.data(&table(&rows));
    }
    Ok(exit::DONE)
}
