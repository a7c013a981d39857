//! What the program prints with `--json` is what docs/json.md says.

use std::path::Path;

use crate::documented::{Documented, commands_with_json};
use crate::program::{PING, folder, pong, program, run_attached};

#[test]
fn every_report_is_as_the_page_says() {
    let mut page = Documented::new();
    let case = |id: &str, change: (&str, &str)| {
        let case = PING.replace("TST-01", id);
        assert!(case.contains(change.0));
        case.replace(change.0, change.1)
    };
    let files = [
        ("fixtures/ping/holds.resp", case("TST-01", ("PONG", "PONG"))),
        (
            "fixtures/ping/departs.resp",
            case("TST-02", ("\nPONG", "\n\"PONG\"")),
        ),
        (
            "fixtures/ping/skipped.resp",
            case("TST-03", ("needs:    client", "needs:    process")),
        ),
        (
            "fixtures/ping/late.resp",
            case(
                "TST-04",
                ("n1> PING\nPONG", "within 1ms\n  n1> PING\n  \"PONG\""),
            ),
        ),
        (
            "fixtures/ping/tolerated.resp",
            case("TST-05", ("\nPONG", "\n(may) \"PONG\"")),
        ),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let folder = folder(&files);
    let output = run_attached(&folder, pong).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    page.hold("shardlab-conformance run", &output.stdout);
    let list = ["list", "--json", "--fixtures", "fixtures"];
    let output = program(folder.path()).args(list).output().unwrap();
    page.hold("shardlab-conformance list", &output.stdout);

    let commands = commands_with_json("shardlab-conformance", || program(folder.path()));
    assert!(commands.len() >= 2, "{commands:?}");
    page.assert_borne_out("shardlab-conformance", &commands, &[]);
}

#[test]
fn an_error_is_one_object_if_json_is_asked_for() {
    let mut page = Documented::new();
    let mut error = |words: &[&str], code: i32| {
        let output = program(Path::new(".")).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let error = page.hold("error", &output.stderr)["error"].clone();
        assert_eq!(error["code"], code);
        error["message"].as_str().unwrap().to_owned()
    };
    let missing = error(&["list", "--json", "--fixtures", "no/such"], 2);
    assert!(missing.contains("no/such"), "{missing}");
    error(&["run", "--json", "--attach", "127.0.0.1:1"], 3);
    let usage = error(&["run", "--json", "--jbos", "1"], 2);
    assert_eq!(usage, "unexpected argument '--jbos' found");
}
