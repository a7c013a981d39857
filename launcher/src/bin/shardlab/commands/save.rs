//! `save`: a cluster with its data as one file.

use std::path::PathBuf;

use serde::Serialize;
use shardlab::archive::Progress;
use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::SCHEMA;
use crate::cli::Save;
use crate::term::{bytes, counted, percentage};

#[derive(Serialize)]
struct Report {
    schema: u32,
    name: String,
    file: PathBuf,
    /// Bytes of the file.
    length: u64,
    /// Bytes of the data in it.
    data: u64,
    nodes: Vec<String>,
    /// Whether the cluster has a password, which is in the file then.
    password: bool,
}

/// Writes the archive.
pub(crate) async fn save(lab: &Lab<'_>, args: &Save) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let cluster = lab.open()?;
    let observe = |Progress { done, total }| lab.term.progress(&percentage("packing", done, total));
    let saved = cluster
        .save_locked(&lock, &args.file, args.force, &observe)
        .await?;
    let report = Report {
        schema: SCHEMA,
        name: cluster.name().to_string(),
        length: saved.length,
        data: saved.manifest.length(),
        nodes: cluster
            .nodes()
            .iter()
            .map(|node| node.name().to_owned())
            .collect(),
        password: saved.manifest.options.password.is_some(),
        file: saved.path,
    };
    if args.json.json {
        lab.term.json(&report);
    } else {
        lab.term.data(&format!(
            "saved {} of the cluster `{}` with {} of data to {} ({})",
            counted(report.nodes.len(), "node"),
            report.name,
            bytes(report.data),
            report.file.display(),
            bytes(report.length)
        ));
    }
    if report.password {
        lab.term
            .note("the file holds the cluster's password; only you can read it");
    }
    Ok(exit::DONE)
}
