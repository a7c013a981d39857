//! `cluster.json`, read: what is damaged or of another version is refused.

use std::path::Path;

use serde::Deserialize;

use super::files::{is_absent, read_regular};
use super::{Name, Record, SCHEMA};
use crate::error::Error;

/// The part of `cluster.json` that says how to read the rest.
#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

impl Record {
    /// Reads the file at `path`, of the cluster `name`; `None` if there is no file.
    ///
    /// # Errors
    /// [`Error::State`]: it is damaged, no regular file, cannot be read, or of another schema.
    pub(crate) fn read(path: &Path, name: &Name) -> Result<Option<Self>, Error> {
        let refuse = |reason: String| Error::State {
            path: path.to_owned(),
            reason,
        };
        let text = match read_regular(path) {
            Ok(text) => text,
            Err(error) if is_absent(&error) && !path.is_symlink() => return Ok(None),
            Err(error) => return Err(refuse(error.to_string())),
        };
        let damaged = |error: serde_json::Error| refuse(format!("it is damaged: {error}"));
        if text.trim_ascii().is_empty() {
            return Err(refuse("it is empty".to_owned()));
        }
        let versioned: Versioned = serde_json::from_slice(&text).map_err(damaged)?;
        if versioned.schema != SCHEMA {
            return Err(refuse(format!(
                "it has schema {}, this shardlab knows {SCHEMA}",
                versioned.schema
            )));
        }
        let mut record: Self = serde_json::from_slice(&text).map_err(damaged)?;
        if record.name == *name {
            let folder = path.parent().unwrap_or(Path::new("."));
            record.settle(folder);
            record.check_folders(folder).map_err(refuse)?;
            Ok(Some(record))
        } else {
            let other = format!("it is about another cluster, `{}`", record.name);
            Err(refuse(other))
        }
    }

    /// Whether the file at `path` was written by a version of this program that knows more.
    pub(crate) fn is_newer(path: &Path) -> bool {
        let versioned = |text: Vec<u8>| serde_json::from_slice::<Versioned>(&text).ok();
        let found = read_regular(path).ok().and_then(versioned);
        found.is_some_and(|versioned| versioned.schema > SCHEMA)
    }
}
