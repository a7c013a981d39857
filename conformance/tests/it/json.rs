//! What the program prints with `--json` is what docs/json.md and the JSON Schema say.

use std::path::Path;

use serde_json::Value;

use crate::documented::{Documented, commands_with_json};
use crate::program::{PING, folder, pong, program, run_attached};

/// Asserts that the schema knows the report and each of its keys.
#[track_caller]
fn holds_to_schema(report: &Value) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/schema/conformance.schema.json"
    );
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    close(&mut schema["$defs"]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{report:#}");
}

/// Forbids keys that the schema does not name, which users of it must expect.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

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
        ("fixtures/ping/fixed.resp", case("TST-06", ("PONG", "PONG"))),
        ("known.txt", "TST-06  redis<=7.0  it is a test\n".to_owned()),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let folder = folder(&files);
    let output = run_attached(&folder, pong)
        .args(["--json", "--known", "known.txt"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    holds_to_schema(&page.hold("shardlab-conformance run", &output.stdout));
    let list = ["list", "--json", "--fixtures", "fixtures"];
    let output = program(folder.path()).args(list).output().unwrap();
    holds_to_schema(&page.hold("shardlab-conformance list", &output.stdout));

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
        let report = page.hold("error", &output.stderr);
        holds_to_schema(&report);
        let error = report["error"].clone();
        assert_eq!(error["code"], code);
        error["message"].as_str().unwrap().to_owned()
    };
    let missing = error(&["list", "--json", "--fixtures", "no/such"], 2);
    assert!(missing.contains("no/such"), "{missing}");
    error(&["run", "--json", "--attach", "127.0.0.1:1"], 3);
    let usage = error(&["run", "--json", "--jbos", "1"], 2);
    assert_eq!(usage, "unexpected argument '--jbos' found");
}
