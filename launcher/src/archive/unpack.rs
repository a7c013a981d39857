//! Reading an archive that anybody may have written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::background::Job;
use super::manifest::{
    FileKind, MANIFEST, MANIFEST_LIMIT, Manifest, SavedFile, escaped, member_path,
};
use super::pack::{CHUNK, hex};
use super::wishes::leave_out;
use super::{ArchiveError, Damage};
use crate::error::{Error, IoContext as _};
use crate::machine::message::Part;

/// An archive whose manifest has been read and is sound; its files are checked when they are restored.
#[derive(Debug, Clone)]
pub struct Archive {
    path: PathBuf,
    manifest: Manifest,
    left_out: Vec<Part>,
}

type Members<'a> = tar::Entries<'a, GzDecoder<BufReader<File>>>;

impl Archive {
    /// Reads the manifest.
    ///
    /// # Errors
    /// The file cannot be read, or is no archive ([`ArchiveError::Damaged`]).
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut tar = open(path)?;
        let read = (|| first(&mut members(&mut tar)?))();
        let (manifest, left_out) = read.map_err(|why| why.of(path))?;
        Ok(Self {
            path: path.to_owned(),
            manifest,
            left_out,
        })
    }

    /// What it says and is not to decide, as parameters: the addresses to listen on and to
    /// tell clients, unless they are of this machine only, and all settings but those about data, memory and
    /// time. The manifest's options are without them.
    pub fn left_out(&self) -> &[Part] {
        &self.left_out
    }

    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Unpacks every file to the place that `place` gives for it: node's index, kind of file. What was unpacked is
    /// to be thrown away when this fails. Returns each node's nodes.conf, which is not unpacked.
    ///
    /// # Errors
    /// A place cannot be written, or the archive is not what its manifest says: to the last byte.
    pub(super) fn unpack(
        &self,
        place: impl Fn(usize, &FileKind) -> PathBuf,
        job: &Job,
    ) -> Result<Vec<Option<String>>, Error> {
        job.expect(self.manifest.length());
        let mut tar = open(&self.path)?;
        let unpacked = self.unpack_members(&mut tar, place, job);
        let texts = unpacked.map_err(|why| why.of(&self.path))?;
        ends(tar.into_inner()).map_err(|why| why.of(&self.path))?;
        Ok(texts)
    }

    fn unpack_members(
        &self,
        tar: &mut tar::Archive<GzDecoder<BufReader<File>>>,
        place: impl Fn(usize, &FileKind) -> PathBuf,
        job: &Job,
    ) -> Result<Vec<Option<String>>, Why> {
        let mut members = members(tar)?;
        if first(&mut members)?.0 != self.manifest {
            return Err(Damage::Replaced.into());
        }
        let mut texts = Vec::new();
        for (index, node) in self.manifest.nodes.iter().enumerate() {
            let mut text = None;
            for file in &node.files {
                let path = member_path(&node.plan.name, &file.path).unwrap_or_default();
                let mut member = next(&mut members, &path)?;
                if member.size() != file.length {
                    return Err(Damage::OtherLength {
                        path,
                        found: member.size(),
                        expected: file.length,
                    }
                    .into());
                }
                match FileKind::parse(&file.path) {
                    Ok(FileKind::NodesConf) => {
                        let mut bytes = Vec::new();
                        copy(&mut member, &path, file, &mut bytes, job)?;
                        text = Some(String::from_utf8_lossy(&bytes).into_owned());
                    }
                    Ok(kind) => {
                        let to = place(index, &kind);
                        let mut out = create(&to)?;
                        copy(&mut member, &path, file, &mut out, job).map_err(|why| why.at(&to))?;
                    }
                    // The manifest has been checked.
                    Err(reason) => return Err(Damage::Path { path, reason }.into()),
                }
            }
            texts.push(text);
        }
        match members.next() {
            None => Ok(texts),
            Some(Err(error)) => Err(broken(&error).into()),
            Some(Ok(member)) => Err(Damage::Unexpected {
                found: path_of(&member),
                expected: "the end".to_owned(),
            }
            .into()),
        }
    }
}

/// What went wrong: with the archive, or with the place that it goes to.
enum Why {
    Damage(Damage),
    Write(PathBuf, io::Error),
    Io(Error),
}

impl From<Damage> for Why {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl Why {
    fn of(self, path: &Path) -> Error {
        match self {
            Self::Damage(damage) => ArchiveError::Damaged {
                path: path.to_owned(),
                damage,
            }
            .into(),
            Self::Write(path, source) => Error::Io {
                action: "write",
                path,
                source,
            },
            Self::Io(error) => error,
        }
    }

    /// Says where it was written to.
    fn at(self, to: &Path) -> Self {
        match self {
            Self::Write(_, source) => Self::Write(to.to_owned(), source),
            other => other,
        }
    }
}

fn open(path: &Path) -> Result<tar::Archive<GzDecoder<BufReader<File>>>, Error> {
    let file = File::open(path).doing("read", path)?;
    Ok(tar::Archive::new(GzDecoder::new(BufReader::with_capacity(
        CHUNK, file,
    ))))
}

/// The members as their headers stand, without the extensions by which tar files give a member
/// another name or make it a link.
fn members(
    tar: &mut tar::Archive<GzDecoder<BufReader<File>>>,
) -> Result<impl Iterator<Item = io::Result<tar::Entry<'_, GzDecoder<BufReader<File>>>>>, Damage> {
    let entries: Members<'_> = tar.entries().map_err(|error| broken(&error))?;
    Ok(entries.raw(true))
}

/// The manifest, which is the first member, and what was left out of it.
fn first<'a, R: Read + 'a>(
    members: &mut impl Iterator<Item = io::Result<tar::Entry<'a, R>>>,
) -> Result<(Manifest, Vec<Part>), Why> {
    let mut member = match members.next() {
        Some(Ok(member)) if path_of(&member) == MANIFEST => member,
        Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(broken(&error).into());
        }
        _ => return Err(Damage::NoManifest.into()),
    };
    refuse_special(&member)?;
    if member.size() > MANIFEST_LIMIT {
        return Err(Damage::ManifestSize(member.size()).into());
    }
    let mut text = Vec::new();
    member
        .read_to_end(&mut text)
        .map_err(|error| broken(&error))?;
    if (text.len() as u64) < member.size() {
        return Err(Damage::Broken("the manifest ends too early".to_owned()).into());
    }
    let mut manifest = Manifest::parse(&text)?;
    let left_out = leave_out(&mut manifest.options);
    Ok((manifest, left_out))
}

/// The next member, which must be the one at `path`.
fn next<'a, R: Read + 'a>(
    members: &mut impl Iterator<Item = io::Result<tar::Entry<'a, R>>>,
    path: &str,
) -> Result<tar::Entry<'a, R>, Damage> {
    let member = match members.next() {
        Some(member) => member.map_err(|error| broken(&error))?,
        None => {
            return Err(Damage::Unexpected {
                found: "the end".to_owned(),
                expected: path.to_owned(),
            });
        }
    };
    let found = path_of(&member);
    if found != path {
        return Err(Damage::Unexpected {
            found,
            expected: path.to_owned(),
        });
    }
    refuse_special(&member)?;
    Ok(member)
}

fn refuse_special<R: Read>(member: &tar::Entry<'_, R>) -> Result<(), Damage> {
    if member.header().entry_type() == tar::EntryType::Regular {
        Ok(())
    } else {
        Err(Damage::NotAFile {
            path: path_of(member),
        })
    }
}

/// A member's path, fit for an error.
fn path_of<R: Read>(member: &tar::Entry<'_, R>) -> String {
    escaped(&String::from_utf8_lossy(&member.header().path_bytes()))
}

/// Copies exactly what the manifest says, and checks that it is what was saved.
fn copy(
    member: &mut impl Read,
    path: &str,
    file: &SavedFile,
    out: &mut impl io::Write,
    job: &Job,
) -> Result<(), Why> {
    let write = |error| Why::Write(PathBuf::new(), error);
    let mut sum = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut left = file.length;
    while left > 0 {
        let read = member.read(&mut chunk).map_err(|error| broken(&error))?;
        if read == 0 {
            return Err(Damage::Broken(format!("`{path}` ends too early")).into());
        }
        let piece = chunk.get(..read).unwrap_or_default();
        sum.update(piece);
        out.write_all(piece).map_err(write)?;
        left = left.saturating_sub(read as u64);
        job.advance(read).map_err(write)?;
    }
    out.flush().map_err(write)?;
    if hex(&sum.finalize()) == file.sha256 {
        Ok(())
    } else {
        Err(Damage::OtherContent(path.to_owned()).into())
    }
}

/// Creates a file that must not exist, in a folder that may not exist yet.
fn create(path: &Path) -> Result<File, Why> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .doing("create", folder)
            .map_err(Why::Io)?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .doing("create", path)
        .map_err(Why::Io)
}

/// The compression's own sum is right, and nothing stands behind it. Tar files may be padded with
/// zeros.
fn ends(mut rest: GzDecoder<BufReader<File>>) -> Result<(), Why> {
    let mut chunk = [0; 4096];
    let mut padding = 0_usize;
    loop {
        let read = rest.read(&mut chunk).map_err(|error| broken(&error))?;
        let piece = chunk.get(..read).unwrap_or_default();
        padding += read;
        if piece.iter().any(|byte| *byte != 0) || padding > CHUNK {
            return Err(Damage::Trailing.into());
        }
        if read == 0 {
            break;
        }
    }
    let mut behind = rest.into_inner();
    match behind.read(&mut chunk) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Damage::Trailing.into()),
        Err(error) => Err(broken(&error).into()),
    }
}

fn broken(error: &io::Error) -> Damage {
    Damage::Broken(error.to_string())
}
