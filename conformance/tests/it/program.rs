//! The program: what it says, and with which code it ends.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "snapbox writes snapshots with them"
)]

use std::fs;
use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;
use tempfile::TempDir;

use crate::server::{Answer, serve_cluster};

pub(crate) const PING: &str = "id:       TST-01\ntitle:    a ping is answered\nspec:     \"Commands\", PING\nlevel:    must\n\
                    needs:    client\ntopology: 3 masters, 1 replica each\nnote:     nothing is simpler\n\n\
                    n1> PING\nPONG\n";

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

pub(crate) fn program(folder: &Path) -> Command {
    Command::new(cargo_bin!("shardlab-conformance"))
        .current_dir(folder)
        .env_remove("SHARDLAB_ATTACH")
        .env_remove("SHARDLAB_SERVER")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("REDISCLI_AUTH")
        .env_remove("REDIS_TLS_CA_CERT")
        .env_remove("REDIS_TLS_CERT")
        .env_remove("REDIS_TLS_KEY")
}

/// The transcripts of the folder, on a cluster that answers like this.
pub(crate) fn run_attached(folder: &TempDir, answer: Answer) -> Command {
    let address = serve_cluster(answer).to_string();
    program(folder.path()).args(["run", "fixtures", "--attach", &address])
}

pub(crate) fn pong(request: &str) -> Option<Vec<u8>> {
    let integers = request.matches("EXISTS").count() + request.matches("DEL").count();
    match integers {
        0 if request.contains("QUIT") => None,
        0 => Some(b"+PONG\r\n".to_vec()),
        some => Some(b":0\r\n".repeat(some)),
    }
}

#[test]
fn every_claim_that_holds_is_code_0() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    run_attached(&folder, pong)
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
pass      TST-01 a ping is answered [..] s

127.0.0.1:[..]: ran 1: 1 passed ([..] s)

"#]]);
}

#[test]
fn a_departure_is_code_1_and_a_picture() {
    let folder = folder(&[(
        "fixtures/ping/is_answered.resp",
        &PING.replace("\nPONG", "\n\"PONG\""),
    )]);
    run_attached(&folder, pong)
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
departs   TST-01 a ping is answered – expected the bulk string `PONG`, received the simple string: PONG

error[TST-01]: a ping is answered [must, redis 7.0.15]
  --> fixtures/ping/is_answered.resp:10:1
   |
 9 | n1> PING
   |     ----
10 | "PONG"
   | ^^^^^^ expected the bulk string `PONG`, received the simple string: PONG
   |
   = note: a simple string is written without quotes, a bulk string with them
   = note: nothing is simpler
   = spec: "Commands", PING
   = wire: n1      [..]s  > *1/r/n$4/r/nPING/r/n
           n1      [..]s  < +PONG/r/n
   = rerun: shardlab conformance run --attach 127.0.0.1:[..] fixtures/ping/is_answered.resp

127.0.0.1:[..]: ran 1: 1 departed ([..] s)

"#]]);
}

#[test]
fn the_line_to_run_it_again_does_so() {
    let wrong = PING.replace("\nPONG", "\n\"PONG\"");
    let folder = folder(&[
        ("it's mine/ping/is answered.resp", &wrong),
        (
            "it's mine/ping/is_right.resp",
            &PING.replace("TST-01", "TST-02"),
        ),
        ("nothing is known.txt", ""),
    ]);
    let address = serve_cluster(pong).to_string();
    for arguments in [
        &["it's mine"][..],
        &["--fixtures", "it's mine", "--case", "TST-*"],
        &[
            "it's mine/ping/is answered.resp",
            "--known",
            "nothing is known.txt",
        ],
        &[
            "it's mine",
            "--product",
            "valkey",
            "--server-version",
            "8.1",
        ],
    ] {
        let run = program(folder.path())
            .args(["run", "--attach", &address])
            .args(arguments)
            .assert()
            .code(1);
        let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("= rerun: "));
        let words = shlex::split(line.unwrap()).unwrap();
        assert_eq!(words[..2], ["shardlab", "conformance"]);
        let again = program(folder.path()).args(&words[2..]).assert().code(1);
        let again = String::from_utf8_lossy(&again.get_output().stdout).into_owned();
        assert!(again.contains("ran 1: 1 departed"), "{words:?}: {again}");
        let title = text.lines().find(|line| line.starts_with("error[TST-01]"));
        assert!(again.contains(title.unwrap()), "{words:?}: {again}");
    }
}

#[test]
fn an_argument_that_is_none_is_code_2() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    let address = serve_cluster(pong).to_string();
    for arguments in [
        &["run", "--jobs", "0"][..],
        &["run", "--attach", "x", "--server", "y"],
        &["run", "--attach", "nowhere"],
        &["run", "--server", "nosuch@1"],
        &["run", "--product", "valkey"],
        &[
            "run",
            "fixtures",
            "--known",
            "nothing.txt",
            "--attach",
            &address,
        ],
        &["fly"],
        &["run", "nothing"],
        &["explain", "TST-99"],
        &["list", "--area", "nowhere"],
    ] {
        program(folder.path()).args(arguments).assert().code(2);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_run() {
    let folder = TempDir::new().unwrap();
    for (arguments, path, problem) in [
        (
            ["matrix", "--server", "nosuch@1", "--html"],
            "nowhere/page.html",
            "the folder `nowhere` does not exist",
        ),
        (
            ["run", "--server", "nosuch@1", "--junit"],
            ".",
            "it is a folder",
        ),
    ] {
        let assert = program(folder.path()).args(arguments).arg(path).assert();
        let error = format!("error: cannot write `{path}`: {problem}\n");
        assert.code(2).stderr_eq(error);
    }
}

#[test]
fn help_and_version_are_code_0() {
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        program(Path::new(".")).args(arguments).assert().code(0);
    }
}

#[test]
fn what_selects_nothing_is_code_2_and_says_what_was_meant() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    program(folder.path())
        .args(["run", "fixtures", "--case", "TST-02"])
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
error: no case is selected: `--case TST-02` matches none of 1 cases; did you mean `TST-01`?

"#]]);
    let empty = TempDir::new().unwrap();
    program(empty.path())
        .args(["run", "."])
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
error: no file in `.` ends in `.resp`

"#]]);
}

#[test]
fn a_bad_transcript_is_code_2_and_shown_with_all_its_mistakes() {
    let bad = PING
        .replace("level:    must", "level:    most")
        .replace("PONG", "");
    let folder = folder(&[("fixtures/ping/is_answered.resp", &bad)]);
    program(folder.path())
        .args(["check", "fixtures"])
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
error: unknown level `most`
 --> fixtures/ping/is_answered.resp:4:11
  |
4 | level:    most
  |           ^^^^
  |
  = help: did you mean `must`?

error: no reply is written for this command
 --> fixtures/ping/is_answered.resp:9:5
  |
9 | n1> PING
  |     ^^^^
  |
  = help: `...` takes any reply that is not an error

error: 1 of the transcripts cannot be run as they are

"#]]);
    // The same mistakes keep it from being run, whoever would answer.
    for arguments in [&["run"][..], &["run", "--attach", "127.0.0.1:1"]] {
        program(folder.path())
            .args(arguments)
            .arg("fixtures")
            .assert()
            .code(2)
            .stderr_eq(str![[r#"
error: unknown level `most`
 --> fixtures/ping/is_answered.resp:4:11
...
error: 1 of the transcripts cannot be run as they are

"#]]);
    }
}

#[test]
fn cases_are_run_by_id_beside_paths() {
    let folder = folder(&[
        ("fixtures/ping/is_answered.resp", PING),
        (
            "fixtures/ping/other.resp",
            &PING.replace("TST-01", "TST-02"),
        ),
    ]);
    for case in ["TST-02", "ping::other", "other"] {
        let run = run_attached(&folder, pong).arg(case).assert().code(0);
        let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
        assert!(
            text.contains("TST-02") && !text.contains("TST-01"),
            "{text}"
        );
    }
    run_attached(&folder, pong).arg("TST-03").assert().code(2);
}

#[test]
fn a_run_that_tries_less_than_asked_is_code_1_and_says_so() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    run_attached(&folder, pong)
        .args(["--min", "2"])
        .assert()
        .code(1)
        .stderr_eq("warning: NOT GREEN, although nothing departs: 1 case was tried, and `--min` asks for 2\n");
    run_attached(&folder, pong)
        .args(["--min", "1"])
        .assert()
        .code(0);
}

#[test]
fn nobody_at_the_address_is_code_3() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    program(folder.path())
        .args(["run", "fixtures", "--attach", "127.0.0.1:1"])
        .assert()
        .code(3)
        .stderr_eq(str![[r#"
error: no server answers at `127.0.0.1:1`: cannot connect to 127.0.0.1:1: Connection refused (os error 111)

hint: `shardlab up` starts a cluster; `shardlab status` tells its addresses

"#]]);
}

#[test]
fn a_server_that_is_not_there_is_code_3() {
    let folder = folder(&[
        ("fixtures/ping/is_answered.resp", PING),
        ("no-server", "not a program"),
    ]);
    let run = || program(folder.path()).args(["run", "fixtures"]);
    for (run, told) in [
        (
            run().args(["--server", "./nowhere", "--offline"]),
            "/nowhere`",
        ),
        (run().args(["--server", "./no-server"]), "no-server`"),
        (run().args(["--server", "redis@3.1"]), "`redis@3.1`"),
        (
            run().env("SHARDLAB_SERVER", "/nowhere"),
            "the program `/nowhere` does not exist",
        ),
        (
            run().env("SHARDLAB_ATTACH", "127.0.0.1:1"),
            "no server answers at `127.0.0.1:1`",
        ),
    ] {
        let run = run.assert().code(3);
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(text.starts_with("error: ") && text.contains(told), "{text}");
    }
}

#[test]
fn a_run_in_which_every_case_is_skipped_is_code_1() {
    let kill = PING.replace("client", "process");
    let folder = folder(&[("fixtures/ping/is_answered.resp", &kill)]);
    run_attached(&folder, pong)
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
skipped   TST-01 a ping is answered – it needs `process`, and this target gives `client`

skipped 1: need process control; `--server PROGRAM` starts clusters for them, if you have the program

127.0.0.1:[..]: ran 0; skipped 1: 1 need process control ([..] s)

"#]]);
}

#[test]
fn a_known_departure_passes_and_one_that_is_gone_does_not() {
    let wrong = PING.replace("\nPONG", "\n\"PONG\"");
    let folder = folder(&[
        ("wrong/ping/is_answered.resp", &wrong),
        ("right/ping/is_answered.resp", PING),
        ("known.txt", "TST-*  redis<=7.0  it is a test\n"),
    ]);
    let address = serve_cluster(pong).to_string();
    for (fixtures, code, word) in [
        ("wrong", 0, "known to depart"),
        ("right", 1, "delete known.txt:1"),
    ] {
        let run = program(folder.path())
            .args([
                "run",
                fixtures,
                "--attach",
                &address,
                "--known",
                "known.txt",
            ])
            .assert()
            .code(code);
        let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
        assert!(
            text.contains(word) && text.contains("it is a test"),
            "{text}"
        );
    }
}

#[test]
fn the_json_report_has_a_schema_and_the_place() {
    let folder = folder(&[(
        "fixtures/ping/is_answered.resp",
        &PING.replace("\nPONG", "\n\"PONG\""),
    )]);
    let run = run_attached(&folder, pong).arg("--json").assert().code(1);
    let report: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(report["schema"], 2);
    let case = &report["cases"][0];
    assert_eq!(
        (&case["verdict"], &case["difference"]["line"]),
        (&"departs".into(), &10.into())
    );
}

#[test]
fn list_and_explain_tell_what_there_is() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    program(folder.path())
        .args(["list", "--fixtures", "fixtures"])
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
ping
  TST-01  must   client   a ping is answered

"#]]);
    program(folder.path())
        .args(["explain", "TST-01", "--fixtures", "fixtures"])
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
TST-01: a ping is answered

spec      "Commands", PING
note      nothing is simpler
level     must
needs     client
topology  3 masters, 1 replica each
file      fixtures/ping/is_answered.resp
test      ping::is_answered

n1> PING
PONG

"#]]);
}

#[test]
fn explain_tells_which_servers_skip_a_case_or_depart() {
    let folder = TempDir::new().unwrap();
    let explain = |case: &str| {
        let output = program(folder.path()).args(["explain", case]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let text = explain("SHD-08");
    assert!(text.contains("\ncommand   CLUSTER SHARDS\n"), "{text}");
    assert!(text.contains("\ndeparts   redict<7.3.7: "), "{text}");
    assert!(text.contains("\ndeparts   redis>=7.2<7.2.7: "), "{text}");
    let text = explain("TRK-01");
    assert!(text.contains("\nsince     redis>=6.0 *\n"), "{text}");
    assert!(text.contains("\ncatches   a "), "{text}");
    assert!(!text.contains("\ndeparts "), "{text}");
}

#[test]
fn new_writes_a_case_and_overwrites_none() {
    let folder = TempDir::new().unwrap();
    let new = |words: &[&str]| program(folder.path()).arg("new").args(words).assert();
    new(&["a_claim.resp"]).code(0);
    program(folder.path())
        .args(["check", "a_claim.resp"])
        .assert()
        .code(0);
    new(&["a_claim.resp"]).code(2);
    new(&["other.resp", "--id", "mine"]).code(2);
    let taken = new(&["other.resp", "--id", "MOV-01"]).code(2);
    taken.stderr_eq("error: the id `MOV-01` is taken\n");
    assert!(!folder.path().join("other.resp").exists());
}

#[test]
fn a_file_that_is_given_twice_is_one_case() {
    let folder = folder(&[("ping/is_answered.resp", PING)]);
    let file = "ping/is_answered.resp";
    let twice = [
        "check",
        file,
        "./ping/../ping/is_answered.resp",
        "ping",
        file,
    ];
    let checked = program(folder.path()).args(twice).assert().code(0);
    checked.stderr_eq("1 transcript, no mistakes\n");
}

#[test]
fn fmt_writes_the_canonical_form_once() {
    let folder = folder(&[(
        "fixtures/ping/is_answered.resp",
        &PING.replace("title:    ", "title: "),
    )]);
    let fmt = |arguments: &[&str]| program(folder.path()).arg("fmt").args(arguments).assert();
    fmt(&["fixtures", "--check"]).code(1);
    fmt(&["fixtures"]).code(0);
    fmt(&["fixtures", "--check"]).code(0);
    let text = fs::read_to_string(folder.path().join("fixtures/ping/is_answered.resp")).unwrap();
    assert!(text.contains("title:    a ping"), "{text}");
}

#[test]
fn fmt_writes_regular_files_only() {
    let folder = folder(&[("case.resp", &PING.replace("title:    ", "title: "))]);
    std::os::unix::fs::symlink("case.resp", folder.path().join("link.resp")).unwrap();
    let fmt = |argument: &str| program(folder.path()).args(["fmt", argument]).assert();
    fmt("link.resp").code(0);
    assert!(folder.path().join("link.resp").is_symlink());
    fmt("case.resp").code(0).stderr_eq("");
    fmt("/dev/null")
        .code(2)
        .stderr_eq("error: cannot read `/dev/null`: it is a device, not a regular file\n");
}

#[test]
fn the_program_carries_the_transcripts_of_this_project() {
    let elsewhere = TempDir::new().unwrap();
    let run = program(elsewhere.path())
        .args(["list", "--json"])
        .assert()
        .code(0);
    let list: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert!(
        list["cases"]
            .as_array()
            .is_some_and(|cases| !cases.is_empty())
    );
}
