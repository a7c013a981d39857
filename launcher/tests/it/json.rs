//! What the program prints with `--json` is what docs/json.md says.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::documented::{Documented, commands_with_json};
use crate::lab::Lab;

/// The program in a lab, whose reports are held against the page.
struct Reader {
    lab: Lab,
    page: Documented,
}

impl Reader {
    /// Runs a command with `--json`; it is to be found on the page under these first words.
    #[track_caller]
    fn report(&mut self, section: &str, rest: &[&str], code: i32) -> Value {
        let (command, below) = section.split_once(' ').unwrap_or((section, ""));
        let words = [command, "--json"].into_iter();
        let words = words.chain(below.split_whitespace());
        let words: Vec<_> = words.chain(rest.iter().copied()).collect();
        let output = self.lab.shardlab(&words).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {errors}");
        self.page
            .hold(&format!("shardlab {section}"), &output.stdout)
    }

    /// Runs a command that fails; standard error holds nothing but the error.
    #[track_caller]
    fn error(&mut self, words: &[&str], code: i32) -> Value {
        let output = self.lab.shardlab(words).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        let error = self.page.hold("error", &output.stderr)["error"].clone();
        assert_eq!(error["code"], code);
        error
    }
}

#[test]
fn every_report_is_as_the_page_says() {
    let lab = Lab::new();
    let address = lab.address().to_owned();
    let page = Documented::new();
    let mut reader = Reader { lab, page };
    // A hole, so that there is something to find and to mend.
    let size = ["--replicas", "1,0,0", "--shape", "uncovered"];
    let place = ["--bind", &address, "--port", "auto", "--timeout", "120s"];
    let up = [&size[..], &place].concat();
    reader.report("up --dry-run", &up, 0);
    reader.report("up", &up, 0);
    reader.report("check", &[], 1);
    reader.report("fix", &["--dry-run"], 0);
    reader.report("fix", &[], 0);
    reader.report("check", &[], 0);

    reader.report("call", &["--masters", "PING"], 0);
    reader.report("call", &["NOSUCHCOMMAND"], 1);
    reader.report("reshard", &["--slots", "2", "--to", "n2", "--dry-run"], 0);
    reader.report("reshard", &["--slots", "2", "--to", "n2"], 0);
    reader.report("rebalance", &["--threshold", "0"], 0);
    reader.report("failover", &["r1", "--timeout", "120s"], 0);
    reader.report("scale", &["--masters", "4", "--dry-run"], 0);
    reader.report("add-node", &["--dry-run"], 0);
    reader.report("status", &[], 0);
    let gone = reader.report("del-node", &["n1"], 0);
    assert_eq!(gone["status"]["nodes"].as_array().unwrap().len(), 3);
    let gone = reader.report("del-node", &["n1"], 0);
    assert_eq!(gone["steps"], serde_json::json!([]));

    reader.report("pause", &["n2"], 0);
    reader.report("status", &[], 0);
    reader.report("resume", &[], 0);
    let file = reader.lab.home().join("saved");
    reader.report("save", &[file.to_str().unwrap()], 0);
    reader.report("wipe", &[], 0);
    // Bare nodes are ready at once.
    reader.report("kill", &["n2"], 0);
    reader.report("start", &[], 0);
    reader.report("restart", &["n2"], 0);
    reader.report("stop", &[], 0);
    reader.report("ls", &[], 0);
    watch(&mut reader);

    reader.report("doctor", &[], 0);
    let record = reader.lab.home().join("default/cluster.json");
    fs::write(&record, "no record").unwrap();
    let listed = reader.report("ls", &[], 0);
    assert_eq!(listed["clusters"][0]["state"], "damaged");
    reader.report("doctor", &[], 1);
    reader.report("doctor", &["--fix"], 0);
    reader.report("servers", &[], 0);
    reader.report("servers install", &["valkey@9.1.2"], 0);

    let program = || reader.lab.shardlab::<&str>([]);
    let commands = commands_with_json("shardlab", program);
    assert!(commands.len() >= 22, "{commands:?}");
    reader
        .page
        .assert_borne_out("shardlab", &commands, &["strangers[]"]);
}

fn watch(reader: &mut Reader) {
    let words = ["status", "--watch", "--json"];
    let mut child = reader.lab.spawn(words, Stdio::piped());
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let look = reader.page.hold("shardlab status", line.as_bytes());
    assert!(look["time"].is_string());
}

#[test]
fn an_error_is_one_object_if_json_is_asked_for() {
    let (lab, page) = (Lab::new(), Documented::new());
    let mut reader = Reader { lab, page };
    let error = reader.error(&["status", "--json", "-n", "x"], 2);
    assert!(error["message"].as_str().unwrap().contains("`x`"));
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("`shardlab up -n x`")
    );
    // What comes before the error is text; `-q` leaves it out.
    let error = reader.error(&["-q", "servers", "--json", "install", "nothing"], 2);
    assert!(error["message"].is_string());

    let error = reader.error(&["up", "--json", "--mastres", "3"], 2);
    assert_eq!(error["message"], "unexpected argument '--mastres' found");
    assert!(error["hint"].as_str().unwrap().contains("'--masters'"));
    reader.error(&["reshard", "--json"], 2);
    reader.error(&["up", "--json", "--announce="], 2);

    // Nobody has asked.
    for words in [
        &["status", "-n", "x"][..],
        &["call", "GET", "--json"],
        &["up", "--mastres"],
    ] {
        let output = reader.lab.shardlab(words).output().unwrap();
        assert!(output.stderr.starts_with(b"error: "), "{words:?}");
    }
}
