//! `save`: a cluster with its data as one file.

use std::path::PathBuf;

use serde::Serialize;
use shardlab::archive::ArchiveProgress;
use shardlab::{Error, exit};

use super::lab::Lab;
use crate::cli::Save;
use crate::term::{bytes, counted, percentage};

#[derive(Serialize)]
struct SaveReport {
    cluster: String,
    path: PathBuf,
    /// Bytes of the file.
    file_bytes: u64,
    /// Bytes of the data in it.
    data_bytes: u64,
    /// Nodes.
    saved: Vec<String>,
    /// The cluster's password is in the file.
    has_password: bool,
}

/// Writes the archive.
pub(crate) async fn save(lab: &Lab<'_>, args: &Save) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let cluster = lab.open()?;
    let observe =
        |ArchiveProgress { done, total }| lab.term.progress(&percentage("packing", done, total));
    let saved = cluster
        .save_locked(&lock, &args.file, args.force, &observe)
        .await?;
    let report = SaveReport {
        cluster: cluster.name().to_string(),
        file_bytes: saved.length,
        data_bytes: saved.manifest.length(),
        saved: cluster
            .nodes()
            .iter()
            .map(|node| node.name().to_owned())
            .collect(),
        has_password: saved.manifest.options.password.is_some(),
        path: saved.path,
    };
    if args.json.json {
        lab.term.json(&report);
    } else {
        lab.term.data(&format!(
            "saved {} of the cluster `{}` with {} of data to {} ({})",
            counted(report.saved.len(), "node"),
            report.cluster,
            bytes(report.data_bytes),
            report.path.display(),
            bytes(report.file_bytes)
        ));
    }
    if report.has_password {
        lab.term
            .note("the file holds the cluster's password; only you can read it");
    }
    Ok(exit::DONE)
}
