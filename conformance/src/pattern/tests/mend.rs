//! Expectations that become what a server answers.

use crate::binding::{Names, expand};
use crate::pattern::{Captures, Facts, Known, mend};
use crate::render::{Naming, tests::received, whole_notation};
use crate::transcript::ast::{Expected, NodeField, NodeName, Outcome, StepKind, Topology};
use crate::transcript::{parse, print_pattern};

struct Nodes;

impl Facts for Nodes {
    fn fact(&self, node: NodeName, field: NodeField) -> Option<String> {
        Some(match field {
            NodeField::Address => format!("10.0.0.{}:7000", node.number),
            NodeField::Id => node.number.to_string().repeat(40),
            _ => return None,
        })
    }
}

/// What is written instead of a reply to a command, on a cluster of three masters.
fn mended(command: &str, written: &str, reply: &str) -> Option<String> {
    let header = "id: TST-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n\n";
    let source = format!("{header}n1> {command}\n{written}\n");
    let transcript = parse(&source).unwrap_or_else(|errors| panic!("{errors:?}"));
    let topology = Topology::Cluster {
        masters: 3,
        replicas: 0,
        fit: crate::transcript::ast::Fit::AtLeast,
    };
    let here = expand(&transcript, &Names::planned(topology));
    let patterns = [&transcript, &here].map(|transcript| {
        let StepKind::Send(pipeline) = &transcript.body.steps[0].kind.value else {
            panic!("a command");
        };
        let Expected::Always(answer) = &pipeline.exchanges[0].expected else {
            panic!("one reply");
        };
        let Outcome::Reply(pattern) = &answer.outcomes[0].value else {
            panic!("a reply");
        };
        pattern.clone()
    });
    let nodes = ["n1", "n2", "n3"].map(|name| NodeName::parse(name).unwrap());
    let naming = Naming::new(&nodes, Some((3, 3)), |node, field| Nodes.fact(node, field));
    let words: Vec<_> = command
        .split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let captures = Captures::new();
    let known = Known {
        facts: &Nodes,
        captures: &captures,
    };
    let ids = ["{1}", "{2}", "{3}"]
        .iter()
        .fold(reply.to_owned(), |reply, id| {
            reply.replace(id, &id[1..2].repeat(40))
        });
    let frame = received(&ids);
    let fresh = whole_notation(&words, &frame, &naming);
    let [written, here] = &patterns;
    mend(written, here, &frame, &fresh, known).map(|pattern| print_pattern(&pattern))
}

#[track_caller]
fn becomes(command: &str, written: &str, reply: &str, expected: &str) {
    assert_eq!(
        mended(command, written, reply).as_deref(),
        Some(expected),
        "{written}"
    );
}

#[test]
fn words_that_still_match_stay() {
    becomes(
        "GET a",
        "(error) MOVED <int> <n3>",
        "-MOVED 15495 10.0.0.2:7000",
        "(error) MOVED <int> <n2>",
    );
    becomes(
        "GET a",
        "\"1\"",
        "-MOVED 15495 10.0.0.2:7000",
        "(error) MOVED 15495 <n2>",
    );
    becomes("GET a", "(exact) (error) X", "$1", "\"1\"");
    becomes(
        "X",
        "+<int> <E=int> no".trim_start_matches('+'),
        "+1 2 yes",
        "<int> <E=int> yes",
    );
    becomes("X", "(must) (integer) 1", ":2", "(must) (integer) 2");
    becomes("X", "OK", "$OK", "\"OK\"");
}

#[test]
fn items_that_still_match_stay() {
    becomes(
        "X",
        "1) \"<word>\"\n2) (integer) 2\n3) 1) \"x\"\n   2) <any>",
        "*3 $a :3 *2 $y $z",
        "1) \"<word>\"\n2) (integer) 3\n3) 1) \"y\"\n   2) <any>",
    );
    becomes(
        "X",
        "1) \"master\"\n...",
        "*3 $slave $x $y",
        "1) \"slave\"\n...",
    );
    becomes(
        "X",
        "(has)\n1) \"a\"\n2) \"b\"",
        "*2 $b $c",
        "(has)\n1) \"b\"",
    );
    becomes(
        "X",
        "1# \"a\" => (integer) 1\n2# \"b\" => <any>",
        "%2 $b :7 $a :2",
        "1# \"a\" => (integer) 2\n2# \"b\" => <any>",
    );
    assert_eq!(mended("X", "(lacks)\n1) \"a\"", "*1 $a"), None);
}

#[test]
fn lines_that_still_match_stay_as_they_are_written() {
    becomes(
        "CLUSTER INFO",
        "(has)\n| cluster_state:fail\n| cluster_known_nodes:<nodes>\n| cluster_my_epoch:<E=int>",
        "$cluster_state:ok;cluster_known_nodes:3;cluster_my_epoch:5",
        "(has)\n| cluster_state:ok\n| cluster_known_nodes:<nodes>\n| cluster_my_epoch:<E=int>",
    );
    let nodes = "${1} x myself,master - 0 0 1 connected;{2} y master - 0 9 2 connected;{3} z slave - 0 9 3 connected";
    becomes(
        "CLUSTER NODES",
        "(any order)\n| <n1.id> <word> myself,master - 0 <int> <int> connected\n| <n2.id> <word> master - <int> <int> <int> connected\n\
         | <n3.id> <word> master - <int> <int> <int> connected",
        nodes,
        "(any order)\n| <n1.id> <word> myself,master - 0 <int> <int> connected\n| <n2.id> <word> master - <int> <int> <int> connected\n\
         | <n3.id> <word> slave - <int> <int> <int> connected",
    );
}

#[test]
fn a_star_stays_if_all_that_it_stands_for_does() {
    let nodes = |third: &str| format!("${{1}} myself,slave;{{2}} master;{{3}} {third}");
    let written = "(any order)\n| <n1.id> myself,master\n| <n*.id> master";
    becomes(
        "CLUSTER NODES",
        written,
        &nodes("master"),
        "(any order)\n| <n1.id> myself,slave\n| <n*.id> master",
    );
    becomes(
        "CLUSTER NODES",
        written,
        &nodes("slave"),
        "(any order)\n| <n1.id> myself,slave\n| <n2.id> master\n| <n3.id> slave",
    );
}
