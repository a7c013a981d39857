//! `bless`: a patch of what a server answers otherwise.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use snapbox::cmd::Command;
use snapbox::str;
use tempfile::TempDir;

use crate::program::{PING, folder, pong, program};
use crate::record::with_server;
use crate::server::serve_cluster;

fn bless(folder: &TempDir, words: &[&str]) -> Command {
    let address = serve_cluster(pong).to_string();
    program(folder.path())
        .arg("bless")
        .args(words)
        .args(["--attach", &address])
}

#[test]
fn what_departs_is_shown_as_a_patch_and_written_if_asked_for() {
    let wrong = PING.replace("\nPONG", "\n\"PING\"");
    let file = "fixtures/ping/is_answered.resp";
    let folder = folder(&[(file, &wrong)]);
    let patch = str![[r#"
--- a/fixtures/ping/is_answered.resp
+++ b/fixtures/ping/is_answered.resp
@@ -7,4 +7,4 @@
 note:     nothing is simpler
 
 n1> PING
-"PING"
+PONG

"#]];
    let shown = bless(&folder, &[file]).assert().code(1);
    shown
        .stdout_eq(patch.clone())
        .stderr_eq("would change: 1 transcript; `--write` changes them\n");
    assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), wrong);
    // By its id, too.
    bless(&folder, &["TST-01", "--write"])
        .assert()
        .code(0)
        .stdout_eq(patch)
        .stderr_eq("written: 1 transcript\n");
    assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), PING);
    bless(&folder, &[file])
        .assert()
        .code(0)
        .stdout_eq("")
        .stderr_eq("nothing departs, so nothing changes\n");
}

/// A transcript that somebody edits while it is blessed.
static EDITED: OnceLock<PathBuf> = OnceLock::new();

#[test]
fn what_was_edited_meanwhile_is_not_overwritten() {
    let wrong = PING.replace("\nPONG", "\n\"PING\"");
    let folder = folder(&[("ping.resp", &wrong)]);
    let file = EDITED.get_or_init(|| folder.path().join("ping.resp"));
    let address = serve_cluster(|request| {
        fs::write(EDITED.get().unwrap(), "edited").unwrap();
        pong(request)
    });
    program(folder.path())
        .args(["bless", "ping.resp", "--write", "--attach"])
        .arg(address.to_string())
        .assert()
        .code(1)
        .stderr_eq(
            "warning: `ping.resp` has changed since it was read, and stays as it is; run `bless` again\n\
             written: 0 transcripts\n",
        );
    assert_eq!(fs::read_to_string(file).unwrap(), "edited");
}

#[test]
fn what_is_no_reply_is_told_and_stays() {
    let text = format!("{PING}\n? 1 == 2\n");
    let folder = folder(&[("ping.resp", &text)]);
    let told = bless(&folder, &["ping.resp", "--write"]).assert().code(1);
    let told = String::from_utf8_lossy(&told.get_output().stderr).into_owned();
    assert!(
        told.contains("received 1 and 2")
            && told.ends_with("edit the file yourself.\n\nnothing changes\n"),
        "{told}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("ping.resp")).unwrap(),
        text
    );
}

/// Each reply is wrong in another way.
const WRONG: &str = "\
id:       TST-01
title:    a case with wrong replies
level:    may
needs:    client
topology: 3 masters, 1 replica each

# The first.
n1> SET a 1
OK

n3> SET a 1
OK

n1> CLUSTER NODES
(any order)
| <n1.id> <n1.node> myself,slave - 0 <int> <int> connected <n1.slots>
| <n*.id> <n*.node> master - <int> <int> <int> connected <n*.slots>
| <r*.id> <r*.node> slave <n*.id> <int> <int> <int> connected

n3> GET a
  > STRLEN a
\"2\"
(integer) 1
";

#[test]
fn what_is_blessed_is_formatted_has_no_mistake_and_passes() {
    let folder = folder(&[("wrong.resp", WRONG)]);
    with_server(folder.path(), &["bless", "wrong.resp", "--write"])
        .assert()
        .code(0);
    let expected = WRONG
        .replace("n1> SET a 1\nOK", "n1> SET a 1\n(error) MOVED 15495 <n3>")
        .replace("myself,slave", "myself,master")
        .replace("\"2\"", "\"1\"");
    let path = folder.path().join("wrong.resp");
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
    for arguments in [
        &["check", "wrong.resp"][..],
        &["fmt", "--check", "wrong.resp"],
    ] {
        program(folder.path()).args(arguments).assert().code(0);
    }
    with_server(folder.path(), &["run", "wrong.resp"])
        .assert()
        .code(0);
}
