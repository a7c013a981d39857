//! Records that are read in another folder than the one that they were written for: the user has moved
//! or copied it. What they say of folders is taken to mean those that are here, so that whoever goes
//! by such a record can harm nothing where it came from.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{Displaced, configs_in, is_same};
use super::layout::LOCK_FILE;
use super::{NodeRecord, Record};
use crate::config::{cluster_folder, cluster_name};

impl Record {
    /// Takes a record that was read in `folder` for one of that folder.
    pub(super) fn settle(&mut self, folder: &Path) {
        let Ok(here) = fs::metadata(folder) else {
            return;
        };
        let is_numbered = self.folder.as_ref().map(|known| known.is(&here));
        let (from, is_copy) = (self.home_before(folder), is_numbered != Some(true));
        if is_numbered == Some(false) || from.is_some() && is_copy {
            // They are the other one's. What runs in here is found by its folder.
            self.nodes.iter_mut().for_each(|node| node.process = None);
        }
        let Some(from) = from else {
            return;
        };
        let inside = |dir: &Path| Some(folder.join(dir.strip_prefix(&from).ok()?));
        let is_here = |dir: &Path| dir.starts_with(folder) || dir.starts_with(&from);
        let ours = |node: &&NodeRecord| node.foreign.is_none();
        let strays = self
            .nodes
            .iter()
            .filter(ours)
            .any(|node| !is_here(&node.dir));
        let lacks = (is_copy && strays).then(|| self.dir.clone());
        for dir in self
            .nodes
            .iter_mut()
            .map(|node| &mut node.dir)
            .chain([&mut self.dir])
        {
            if let Some(moved) = inside(dir) {
                *dir = moved;
            } else if is_copy && !dir.starts_with(folder) {
                // It belongs to the other one; in here there is none of that name.
                *dir = folder.join(dir.file_name().unwrap_or_default());
            }
        }
        if is_copy {
            self.created.clear();
        }
        if lacks.is_some() {
            folder.clone_into(&mut self.dir);
        }
        self.displaced = Some(Displaced {
            from,
            is_copy,
            lacks,
        });
    }

    /// The folder that the record was written for, if it is not this one.
    fn home_before(&self, folder: &Path) -> Option<PathBuf> {
        let path = match &self.folder {
            Some(known) => &known.path,
            // By an older version: its folders lie in a cluster's, that is not this one.
            None if self.dir.join(LOCK_FILE).is_file() => &self.dir,
            None => return None,
        };
        (!is_same(path, folder)).then(|| path.clone())
    }

    /// Refuses a record that tells of nodes' folders that are not this cluster's, as one does that
    /// somebody has edited: what is done to nodes is done to their folders.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check_folders(&self, folder: &Path) -> Result<(), String> {
        let (inside, ours) = (is_same(&self.dir, folder), |node: &&NodeRecord| {
            node.foreign.is_none()
        });
        for NodeRecord { plan, dir, .. } in self.nodes.iter().filter(ours) {
            let expected = self.dir.join(plan.port.to_string());
            if *dir != expected {
                return Err(format!(
                    "it tells of `{}` in `{}`, whose folder can only be `{}`",
                    plan.name,
                    dir.display(),
                    expected.display()
                ));
            }
            let others = |config: &String| match cluster_folder(config) {
                Some(path) => !self.was_in(&path) && !is_same(&path, folder),
                None => cluster_name(config).is_some_and(|name| name != self.name.as_str()),
            };
            if !inside && configs_in(dir).any(|config| others(&config)) {
                return Err(format!(
                    "it tells of `{}` in `{}`, where another cluster's node is",
                    plan.name,
                    dir.display()
                ));
            }
        }
        Ok(())
    }

    /// Whether the cluster's folder was at `path` when the record was written.
    fn was_in(&self, path: &Path) -> bool {
        self.folder.as_ref().is_some_and(|known| known.path == path)
    }
}
