//! Reports in files: what they say of each verdict.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "snapbox writes snapshots with them"
)]

use std::fs;

use snapbox::str;

use crate::program::{PING, folder, pong, program, run_attached};
use crate::server::serve_cluster;

/// A run with one case of each verdict, with these arguments.
fn run(arguments: &[&str]) -> (tempfile::TempDir, String) {
    let case = |id: &str, change: (&str, &str)| {
        let text = PING.replace("TST-01", id);
        text.replace("a ping is answered", "a # ping | <answered>")
            .replace(change.0, change.1)
    };
    let wrong = ("\nPONG", "\n\"PONG\"");
    let files = [
        ("fixtures/ping/a.resp", case("TST-01", ("PONG", "PONG"))),
        ("fixtures/ping/b.resp", case("TST-02", wrong)),
        (
            "fixtures/ping/c.resp",
            case("TST-03", ("client", "process")),
        ),
        ("fixtures/ping/d.resp", case("TST-04", wrong)),
        ("known.txt", "TST-04  redis<=7.0  it is a test\n".to_owned()),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let folder = folder(&files);
    let run = run_attached(&folder, pong)
        .args(["--known", "known.txt"])
        .args(arguments)
        .assert()
        .code(1);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    (folder, text)
}

#[track_caller]
fn written(option: &str) -> String {
    let (folder, _) = run(&[option, "report"]);
    fs::read_to_string(folder.path().join("report")).unwrap()
}

#[test]
fn tap_tells_skipped_and_known_by_directives() {
    snapbox::assert_data_eq!(
        written("--tap"),
        str![[r#"
TAP version 14
1..4
ok 1 - TST-01 a /# ping | <answered>
not ok 2 - TST-02 a /# ping | <answered>
  ---
  message: "expected the bulk string `PONG`, received the simple string: PONG"
  severity: fail
  level: must
  at:
    file: "fixtures/ping/b.resp"
    line: 10
    column: 1
  picture: |2
    error[TST-02]: a # ping | <answered> [must, redis 7.0.15]
      --> fixtures/ping/b.resp:10:1
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
       = rerun: shardlab conformance run --attach 127.0.0.1:[..] --known known.txt fixtures/ping/b.resp
  ...
ok 3 - TST-03 a /# ping | <answered> # SKIP it needs `process`, and this target gives `client`
not ok 4 - TST-04 a /# ping | <answered> # TODO it is a test
  ---
  message: "it is a test"
  severity: todo
  level: must
  at:
    file: "fixtures/ping/d.resp"
    line: 10
    column: 1
  picture: |2
    warning[TST-04]: a # ping | <answered> [must, redis 7.0.15]
      --> fixtures/ping/d.resp:10:1
       |
     9 | n1> PING
       |     ----
    10 | "PONG"
       | ^^^^^^ expected the bulk string `PONG`, received the simple string: PONG
       |
       = note: a simple string is written without quotes, a bulk string with them
       = note: nothing is simpler
       = spec: "Commands", PING
       = known: it is a test
       = wire: n1      [..]s  > *1/r/n$4/r/nPING/r/n
               n1      [..]s  < +PONG/r/n
       = rerun: shardlab conformance run --attach 127.0.0.1:[..] --known known.txt fixtures/ping/d.resp
  ...

"#]]
    );
}

#[test]
fn junit_counts_failures_and_skipped() {
    snapbox::assert_data_eq!(
        written("--junit"),
        str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shardlab-conformance" tests="4" skipped="2" failures="1" errors="0" time="[..]">
    <testsuite name="ping" tests="4" skipped="2" errors="0" failures="1" time="[..]">
        <properties>
            <property name="target" value="127.0.0.1:[..]"/>
        </properties>
        <testcase name="TST-01 a # ping | &lt;answered&gt;" classname="ping::a" time="[..]">
            <properties>
                <property name="level" value="must"/>
            </properties>
        </testcase>
        <testcase name="TST-02 a # ping | &lt;answered&gt;" classname="ping::b" time="[..]" file="fixtures/ping/b.resp" line="10">
            <properties>
                <property name="level" value="must"/>
            </properties>
            <failure message="expected the bulk string `PONG`, received the simple string: PONG" type="departs">error[TST-02]: a # ping | &lt;answered&gt; [must, redis 7.0.15]
  --&gt; fixtures/ping/b.resp:10:1
   |
 9 | n1&gt; PING
   |     ----
10 | &quot;PONG&quot;
   | ^^^^^^ expected the bulk string `PONG`, received the simple string: PONG
   |
   = note: a simple string is written without quotes, a bulk string with them
   = note: nothing is simpler
   = spec: &quot;Commands&quot;, PING
   = wire: n1      [..]s  &gt; *1/r/n$4/r/nPING/r/n
           n1      [..]s  &lt; +PONG/r/n
   = rerun: shardlab conformance run --attach 127.0.0.1:[..] --known known.txt fixtures/ping/b.resp</failure>
        </testcase>
        <testcase name="TST-03 a # ping | &lt;answered&gt;" classname="ping::c" time="[..]">
            <properties>
                <property name="level" value="must"/>
            </properties>
            <skipped message="it needs `process`, and this target gives `client`" type="skipped"/>
        </testcase>
        <testcase name="TST-04 a # ping | &lt;answered&gt;" classname="ping::d" time="[..]" file="fixtures/ping/d.resp" line="10">
            <properties>
                <property name="level" value="must"/>
            </properties>
            <skipped message="it is a test" type="known"/>
        </testcase>
    </testsuite>
</testsuites>

"#]]
    );
}

#[test]
fn markdown_shows_each_departure_once() {
    snapbox::assert_data_eq!(
        written("--markdown"),
        str![[r###"
## ❌ 127.0.0.1:[..]: ran 3: 1 passed, 1 departed, 1 known to depart; skipped 1: 1 need process control ([..] s)

| Area | must | should | may |
|---|---|---|---|
| ping | 1✓ 2✗ 1– |  |  |

✓ passed, ✗ departed, – skipped, ! could not be run

- skipped 1: need process control; `--server PROGRAM` starts clusters for them, if you have the program

### Departures

<details><summary>TST-02 a /# ping /| &lt;answered&gt;</summary>

```text
error[TST-02]: a # ping | <answered> [must, redis 7.0.15]
  --> fixtures/ping/b.resp:10:1
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
   = rerun: shardlab conformance run --attach 127.0.0.1:[..] --known known.txt fixtures/ping/b.resp
```

</details>

"###]]
    );
}

#[test]
fn annotations_go_to_standard_error_where_github_runs_us() {
    let (_folder, text) = run(&["--annotations"]);
    assert_eq!(
        text,
        "::error file=fixtures/ping/b.resp,line=10,col=1,title=TST-02 a # ping | <answered>::\
         expected the bulk string `PONG`, received the simple string: PONG\n"
    );
}

#[test]
fn what_departs_is_known_by_the_list_that_a_run_writes() {
    let (folder, _) = run(&["--write-known", "written.txt"]);
    let text = fs::read_to_string(folder.path().join("written.txt")).unwrap();
    assert!(
        text.contains("TST-04  redis<=7.0.15  it is a test\n"),
        "{text}"
    );
    run_attached(&folder, pong)
        .args(["--known", "written.txt"])
        .assert()
        .code(0);
    fs::write(
        folder.path().join("known.txt"),
        "TST-09  redis<=7  a reason\n",
    )
    .unwrap();
    run_attached(&folder, pong)
        .args(["--known", "known.txt"])
        .assert()
        .code(2)
        .stderr_eq("error: known.txt:1: the case `TST-09` does not exist; a line reads `XSL-02  keydb<=6.3.4  the reason, and where it can be seen`\n");
}

#[test]
fn the_matrix_is_one_page_with_all_servers_and_the_transcripts() {
    let folder = folder(&[
        ("fixtures/ping/a.resp", PING),
        (
            "fixtures/ping/b.resp",
            &PING
                .replace("TST-01", "TST-02")
                .replace("a ping", "</script><script>alert(1)")
                .replace("\nPONG", "\n\"PONG\""),
        ),
    ]);
    let addresses = [(); 2].map(|()| serve_cluster(pong).to_string());
    let mut command = program(folder.path()).arg("matrix");
    for address in &addresses {
        command = command.args(["--attach", address]);
    }
    command = command.args(["--fixtures", "fixtures", "--html", "page.html"]);
    command.assert().code(1);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(
        page.matches("</script>").count(),
        2,
        "what is shown ends an element"
    );
    assert!(
        !page.contains("http:") && !page.contains("https:"),
        "it needs the network"
    );
    let data = page.split("application/json\">").nth(1).unwrap();
    let data = data.split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let servers = addresses.map(|address| format!("redis 7.0.15 ({address})"));
    assert_eq!(data["servers"], serde_json::json!(servers));
    let results = data["cases"][1]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[1]["verdict"], "departs");
    assert_eq!(results[1]["line"], 10);
    assert_eq!(
        data["cases"][1]["source"].as_str().unwrap().lines().count(),
        10
    );
}
