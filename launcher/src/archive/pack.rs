//! Writing an archive.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::background::Job;
use super::manifest::{FileKind, MANIFEST, Manifest, SavedFile, SavedNode, member_path};
use crate::error::{Error, IoContext as _};

/// What is read at once.
pub(super) const CHUNK: usize = 1 << 18;
/// The size of a tar block.
const BLOCK: usize = 512;

/// Where a file's content comes from.
#[derive(Debug)]
pub(super) enum Content {
    /// A file that may lose its name meanwhile, but not its content.
    File(File),
    Text(Vec<u8>),
}

impl Content {
    fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Text(text) => Ok(text.len() as u64),
        }
    }

    /// Hands the content on in pieces, of a file exactly `length` bytes.
    fn pour(
        &mut self,
        length: u64,
        job: &Job,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Text(text) => each(text),
            Self::File(file) => {
                file.seek(SeekFrom::Start(0))?;
                let mut source = file.take(length);
                let mut chunk = vec![0; CHUNK];
                let mut left = length;
                while left > 0 {
                    let read = source.read(&mut chunk)?;
                    if read == 0 {
                        return Err(io::Error::other("it has become shorter"));
                    }
                    each(chunk.get(..read).unwrap_or_default())?;
                    left = left.saturating_sub(read as u64);
                    job.advance(read)?;
                }
                Ok(())
            }
        }
    }
}

/// A node's file on its way into an archive.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) kind: FileKind,
    pub(super) content: Content,
}

/// Everything of one node.
#[derive(Debug)]
pub(super) struct NodeSources {
    pub(super) plan: crate::plan::NodePlan,
    pub(super) files: Vec<Source>,
}

/// Writes the archive to `path` in one step, readable by its owner only. Returns its length.
///
/// # Errors
/// A file cannot be read, or the archive not be written; then there is no archive.
pub(super) fn pack(
    path: &Path,
    force: bool,
    mut manifest: Manifest,
    mut nodes: Vec<NodeSources>,
    job: &Job,
) -> Result<(Manifest, u64), Error> {
    let total = length_of(&nodes).doing("read data for", path)?;
    // Everything is read twice: the sums stand in front.
    job.expect(total.saturating_mul(2));
    manifest.nodes = describe(&mut nodes, job).doing("read data for", path)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.saving-");
    remove_abandoned(folder, &prefix);
    // Readable by its owner only: that is how temporary files are made.
    let file = tempfile::Builder::new()
        .prefix(&prefix)
        .tempfile_in(folder)
        .doing("write", path)?;
    // Held as long as it is written.
    file.as_file().lock().doing("lock", file.path())?;
    write_members(file.as_file(), &manifest, &mut nodes, job).doing("write", path)?;
    let length = file.as_file().metadata().doing("write", path)?.len();
    let persisted = if force {
        file.persist(path).map_err(|error| error.error)
    } else {
        file.persist_noclobber(path).map_err(|error| error.error)
    };
    match persisted {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(super::ArchiveError::Exists(path.to_owned()).into())
        }
        persisted => {
            persisted.doing("write", path)?;
            Ok((manifest, length))
        }
    }
}

/// Removes what was left by those that were killed while they wrote the same archive.
fn remove_abandoned(folder: &Path, prefix: &str) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    for path in ours.map(|entry| entry.path()) {
        let abandoned = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if abandoned {
            let _ = fs::remove_file(path);
        }
    }
}

fn length_of(nodes: &[NodeSources]) -> io::Result<u64> {
    let files = nodes.iter().flat_map(|node| &node.files);
    files.map(|file| file.content.length()).sum()
}

fn describe(nodes: &mut [NodeSources], job: &Job) -> io::Result<Vec<SavedNode>> {
    let mut described = Vec::new();
    for node in nodes {
        let mut files = Vec::new();
        for file in &mut node.files {
            let length = file.content.length()?;
            let mut sum = Sha256::new();
            file.content.pour(length, job, |piece| {
                sum.update(piece);
                Ok(())
            })?;
            files.push(SavedFile {
                path: file.kind.path(),
                length,
                sha256: hex(&sum.finalize()),
            });
        }
        described.push(SavedNode {
            plan: node.plan.clone(),
            files,
        });
    }
    Ok(described)
}

fn write_members(
    file: &File,
    manifest: &Manifest,
    nodes: &mut [NodeSources],
    job: &Job,
) -> io::Result<()> {
    let mut out = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let mut text = serde_json::to_vec_pretty(manifest)?;
    text.push(b'\n');
    let mut text = Content::Text(text);
    let length = text.length()?;
    write_member(&mut out, MANIFEST, length, &mut text, job)?;
    for (node, saved) in nodes.iter_mut().zip(&manifest.nodes) {
        for (file, described) in node.files.iter_mut().zip(&saved.files) {
            let path = member_path(&saved.plan.name, &described.path).map_err(io::Error::other)?;
            write_member(&mut out, &path, described.length, &mut file.content, job)?;
        }
    }
    // Two empty blocks are the end (POSIX pax, "ustar Interchange Format").
    out.write_all(&[0; 2 * BLOCK])?;
    out.finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn write_member(
    out: &mut impl Write,
    path: &str,
    length: u64,
    content: &mut Content,
    job: &Job,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path)?;
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    content.pour(length, job, |piece| out.write_all(piece))?;
    let block = BLOCK as u64;
    let padding = (block - length % block) % block;
    io::copy(&mut io::repeat(0).take(padding), out)?;
    Ok(())
}

/// Bytes in hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_save_has_left_is_removed_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        for name in [".lab.saving-a", ".lab.saving-b", ".other.saving-c"] {
            fs::write(path(name), "").unwrap();
        }
        let busy = File::open(path(".lab.saving-b")).unwrap();
        busy.lock().unwrap();
        remove_abandoned(folder.path(), ".lab.saving-");
        assert!(!path(".lab.saving-a").exists());
        assert!(path(".lab.saving-b").exists(), "somebody writes it");
        assert!(path(".other.saving-c").exists(), "it is another archive's");
    }
}
