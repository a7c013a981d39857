//! `record`: what is typed becomes a transcript.

use std::fs;
use std::path::Path;

use shardlab::machine::environment::Environment;
use snapbox::cmd::Command;
use tempfile::TempDir;

use crate::program::{pong, program};
use crate::server::serve_cluster;

/// The program, told which server to start.
pub(crate) fn with_server(folder: &Path, arguments: &[&str]) -> Command {
    let command = program(folder).args(arguments);
    match Environment::of_process().server {
        Some(server) => command.args(["--server", &server]),
        None => command,
    }
}

const SESSION: &str = "\
# who is where
CLUSTER NODES
CLUSTER SLOTS
CLUSTER INFO
CLUSTER MYID
INFO replication
r1> ROLE
n1> ROLE
n1> SET a 1
n3> SET a \"two words\"
GET a
  > STRLEN a
n3/other> HELLO 3
HGETALL a
TIME
n2> CLUSTER KEYSLOT a
";

#[test]
fn what_is_recorded_passes_when_it_is_run() {
    let folder = TempDir::new().unwrap();
    let file = "a_claim.resp";
    with_server(folder.path(), &["record", file])
        .stdin(SESSION)
        .assert()
        .code(0)
        .stdout_eq("")
        .stderr_eq(
            "a_claim.resp is written: 14 steps\nrun again, it passes; now fill in its header: title, spec, level\n",
        );
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    for line in [
        "title:    a claim",
        "| <n1.id> <n1.node> myself,master - <int> <int> <int> connected <n1.slots>",
        "| cluster_known_nodes:<nodes>",
        "n1> SET a 1\n(error) MOVED 15495 <n3>\n",
        "n3> GET a\n  > STRLEN a\n\"two words\"\n(integer) 9\n",
        "1) \"slave\"\n2) \"<n1.host>\"\n3) (integer) <n1.port>\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("127.0.0.1"), "{text}");
    for arguments in [&["check", file][..], &["fmt", "--check", file]] {
        program(folder.path()).args(arguments).assert().code(0);
    }
    with_server(folder.path(), &["run", file]).assert().code(0);
    // It is there, and stays.
    program(folder.path())
        .args(["record", file])
        .assert()
        .code(2)
        .stderr_eq(
            "error: the file `a_claim.resp` already exists\n\nhint: `--overwrite` replaces it\n",
        );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

fn attached(input: &str) -> Command {
    let address = serve_cluster(pong).to_string();
    program(Path::new("."))
        .args(["record", "--attach", &address])
        .stdin(input)
}

#[test]
fn a_running_cluster_is_recorded_on_standard_output() {
    attached("n2> PING\n").assert().code(0).stdout_eq(
        "id:       MINE-01\ntitle:    what it claims, as a sentence\nspec:     where it is written\nlevel:    must\n\
         needs:    client\ntopology: 3 masters, 1 replica each\n\nn2> PING\nPONG\n",
    );
}

#[test]
fn a_line_that_is_no_step_ends_a_session_that_is_piped_in() {
    attached("PING\n\n(error) ERR\n").assert().code(2).stdout_eq("").stderr_eq(
        "error: line 3 of the input: this is not a command\n\nhint: replies are left out: they come from the server\n",
    );
    attached("\n").assert().code(2).stdout_eq("");
}
