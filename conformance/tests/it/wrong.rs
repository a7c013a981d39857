//! Every case can fail: with one expected reply changed it departs, at that line, and the picture
//! shows it.

use std::collections::BTreeSet;
use std::time::Duration;

use shardlab_conformance::diagnose::Style;
use shardlab_conformance::report::picture;
use shardlab_conformance::run::result::{CaseResult, Verdict};
use shardlab_conformance::suite::{Case, Origin, load, parse_case};

use crate::launched::runner;

/// A case made wrong.
struct Wrong {
    id: &'static str,
    /// The first line of the case that reads so …
    line: &'static str,
    /// … is replaced by this one,
    by: &'static str,
    /// which the picture says was expected,
    expected: &'static str,
    /// and what came instead.
    received: &'static str,
}

/// One of each area.
const WRONG: &[Wrong] = &[
    Wrong {
        id: "HASH-04",
        line: "(integer) 8697",
        by: "(integer) 8698",
        expected: "the integer `8698`",
        received: "(integer) 8697",
    },
    Wrong {
        id: "INF-01",
        line: "  | cluster_size:<masters>",
        by: "  | cluster_size:4",
        expected: "a line `cluster_size:4`",
        received: "| cluster_size:3",
    },
    Wrong {
        id: "NOD-03",
        line: "  | <n*.id> <address> master <any>",
        by: "  | <n*.id> <address> slave <any>",
        expected: "<address> slave <any>`",
        received: " master - ",
    },
    Wrong {
        id: "SLT-03",
        line: "   2) (integer) <n*.last>",
        by: "   2) (integer) <n*.first>",
        expected: "the integer `",
        received: "(integer) ",
    },
    Wrong {
        id: "SHD-03",
        line: r#"         3) "replica""#,
        by: r#"         3) "slave""#,
        expected: "the bulk string `slave`",
        received: "none",
    },
    Wrong {
        id: "REP-03",
        line: "3) (integer) <n1.port>",
        by: r#"3) "<n1.port>""#,
        expected: "the bulk string `",
        received: "(integer) ",
    },
    Wrong {
        id: "SEN-01",
        line: r#"2) "<n1.port>""#,
        by: r#"2) "<r1.port>""#,
        expected: "the bulk string `",
        received: "a bulk string",
    },
    Wrong {
        id: "HLP-01",
        line: r" 8) GETKEYSINSLOT \<slot> \<count><any>",
        by: r" 8) GETKEYSINSLOTS \<slot> \<count><any>",
        expected: "GETKEYSINSLOTS ",
        received: "none",
    },
    Wrong {
        id: "MYI-03",
        line: r#""<First>""#,
        by: r#""<n1.host>""#,
        expected: "the bulk string `127.0.0.1`",
        received: r#"a bulk string: ""#,
    },
    Wrong {
        id: "KEY-01",
        line: "(integer) 2",
        by: "(integer) 3",
        expected: "the integer `3`",
        received: "(integer) 2",
    },
    Wrong {
        id: "MOV-01",
        line: "(error) MOVED 15495 <n3>",
        by: "(error) MOVED 15495 <n2>",
        expected: "the error `MOVED 15495 127.0.0.1:",
        received: "(error) MOVED 15495 127.0.0.1:",
    },
    Wrong {
        id: "ASK-03",
        line: "(error) ASK 15495 <n1>",
        by: "(error) MOVED 15495 <n1>",
        expected: "an error with the code `MOVED`",
        received: "(error) ASK 15495 127.0.0.1:",
    },
    Wrong {
        id: "XSL-01",
        line: "(error) CROSSSLOT Keys in request don't hash to the same slot",
        by: "(error) MOVED 15495 <n3>",
        expected: "an error with the code `MOVED`",
        received: "(error) CROSSSLOT ",
    },
    Wrong {
        id: "RDO-01",
        line: "(error) MOVED 15495 <n3>",
        by: r#""1""#,
        expected: "the bulk string `1`",
        received: "(error) MOVED 15495 127.0.0.1:",
    },
    Wrong {
        id: "TXN-03",
        line: "QUEUED",
        by: r#""QUEUED""#,
        expected: "the bulk string `QUEUED`",
        received: "the simple string: QUEUED",
    },
    Wrong {
        id: "DB-02",
        line: r#""1""#,
        by: "(nil)",
        expected: "a null",
        received: r#"a bulk string: "1""#,
    },
    Wrong {
        id: "ENV-09",
        line: ":15495",
        by: ":15496",
        expected: r"the bytes `:15496\r\n`",
        received: r"`:15495\r\n`",
    },
    Wrong {
        id: "R3-01",
        line: r#"1# "proto" => (integer) 3"#,
        by: r#"1# "proto" => (integer) 2"#,
        expected: "the integer `2`",
        received: "(integer) 3",
    },
    Wrong {
        id: "SEED-004",
        line: "<n1.id>",
        by: "<n1.port>",
        expected: r"the bytes `$40\r\n",
        received: r"`$40\r\n",
    },
    Wrong {
        id: "ADM-03",
        line: "(error) ERR Slot 5 specified multiple times",
        by: "OK",
        expected: "the simple string `OK`",
        received: "(error) ERR Slot 5",
    },
    Wrong {
        id: "COV-02",
        line: "  (error) CLUSTERDOWN Hash slot not served",
        by: "  (nil)",
        expected: "a null",
        received: "(error) CLUSTERDOWN",
    },
    Wrong {
        id: "FOV-04",
        line: r#""bumble""#,
        by: r#""bee""#,
        expected: "the bulk string `bee`",
        received: r#"a bulk string: "bumble""#,
    },
    Wrong {
        id: "AFO-01",
        line: "  (error) MOVED 7365 <r2>",
        by: "  (error) MOVED 7365 <n2>",
        expected: "the error `MOVED 7365 127.0.0.1:",
        received: "(error) MOVED 7365 127.0.0.1:",
    },
    Wrong {
        id: "REJ-01",
        line: r#""after""#,
        by: r#""before""#,
        expected: "the bulk string `before`",
        received: r#"a bulk string: "after""#,
    },
    Wrong {
        id: "PAR-03",
        line: r#"1) "slave""#,
        by: r#"1) "master""#,
        expected: "the bulk string `master`",
        received: r#"a bulk string: "slave""#,
    },
    Wrong {
        id: "RST-02",
        line: r#""<n1.id>""#,
        by: r#""<n2.id>""#,
        expected: "the bulk string `",
        received: r#"a bulk string: ""#,
    },
    Wrong {
        id: "ANN-06",
        line: "(error) ERR <any>Hostnames must be less than 256 characters",
        by: "OK",
        expected: "the simple string `OK`",
        received: "Hostnames must be less than 256 characters",
    },
    Wrong {
        id: "EPO-04",
        line: "? Now >= Three",
        by: "? Now < Three",
        expected: "the left side to be less than the right one",
        received: " and ",
    },
    Wrong {
        id: "MIG-03",
        line: r#""cee""#,
        by: r#""dee""#,
        expected: "the bulk string `dee`",
        received: r#"a bulk string: "cee""#,
    },
    Wrong {
        id: "STA-01",
        line: "(error) ERR Invalid or out of range slot",
        by: "OK",
        expected: "the simple string `OK`",
        received: "Invalid or out of range slot",
    },
    Wrong {
        id: "TRK-01",
        line: "(error) ASK 15495 <n1>",
        by: "(error) ASK 15495 <n2>",
        expected: "the error `ASK 15495 127.0.0.1:",
        received: "(error) ASK 15495 127.0.0.1:",
    },
    Wrong {
        id: "LNK-01",
        line: r#"  1)  1) "direction""#,
        by: r#"  1)  1) "directions""#,
        expected: "an item that is an array like",
        received: "none",
    },
    Wrong {
        id: "PUB-05",
        line: r#"2) "{b}2""#,
        by: r#"2) "{b}3""#,
        expected: "the bulk string `{b}3`",
        received: r#"a bulk string: "{b}2""#,
    },
    Wrong {
        id: "LUA-01",
        line: r#""1""#,
        by: r#""2""#,
        expected: "the bulk string `2`",
        received: r#"a bulk string: "1""#,
    },
];

impl Wrong {
    /// The case with its wrong line, and which line that is.
    fn of(&self, cases: &[Case]) -> (Case, usize) {
        let case = cases.iter().find(|case| case.id() == self.id);
        let case = case.unwrap_or_else(|| panic!("the case {} does not exist", self.id));
        let mut lines: Vec<_> = case.source.lines().collect();
        let place = lines.iter().position(|line| *line == self.line);
        let place = place.unwrap_or_else(|| panic!("{} has no line `{}`", self.id, self.line));
        lines[place] = self.by;
        let source = lines.join("\n") + "\n";
        match parse_case(case.path.clone(), source.as_bytes()) {
            Ok(case) => (case, place + 1),
            Err(broken) => panic!("{}: {:?}", self.id, broken.errors),
        }
    }

    /// Asserts that the case departs at its wrong line, and that the picture says so.
    fn assert_departs(&self, case: &Case, line: usize, result: &CaseResult) {
        let Verdict::Departs(difference) = &result.verdict else {
            panic!("{} with `{}`: {:?}", self.id, self.by, result.verdict);
        };
        let picture = picture(result, case, "again", Style::Plain).unwrap();
        assert_eq!(
            difference.span.position(&case.source).line,
            line,
            "{picture}"
        );
        let (before, after) = picture.split_once(", received ").unwrap();
        let shown = picture
            .lines()
            .any(|shown| shown.starts_with(&format!("{line} |")) && shown.ends_with(self.by));
        for (told, what) in [
            (shown, "the line"),
            (picture.contains('^'), "the caret"),
            (
                picture.contains(&format!("{}:{line}:", case.path)),
                "the place",
            ),
            (before.contains(self.expected), "what was expected"),
            (after.contains(self.received), "what was received"),
        ] {
            assert!(told, "{}: {what} is not shown:\n{picture}", self.id);
        }
    }
}

#[tokio::test]
async fn a_wrong_line_in_any_area_is_a_departure_at_that_line_with_a_picture() {
    let all = load(&Origin::Embedded).unwrap();
    let (cases, lines): (Vec<_>, Vec<_>) = WRONG.iter().map(|wrong| wrong.of(&all)).unzip();
    let areas = |cases: &[Case]| -> BTreeSet<String> {
        cases.iter().map(|case| case.area.clone()).collect()
    };
    assert_eq!(areas(&cases), areas(&all), "an area has no wrong case");

    let patience = Duration::from_secs(600);
    let run = runner()
        .await
        .run(cases.clone(), 12, patience, |_| {})
        .await;
    let mut departed = 0;
    for (((wrong, line), case), result) in WRONG.iter().zip(lines).zip(&cases).zip(&run.cases) {
        // A server may be too old for a case.
        if !matches!(&result.verdict, Verdict::Skipped(skip) if skip.kind == "since-version") {
            wrong.assert_departs(case, line, result);
            departed += 1;
        }
    }
    assert!(departed >= 10, "{departed}");
}
