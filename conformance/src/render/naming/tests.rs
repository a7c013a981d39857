//! What is named, and what is not.

use super::*;
use crate::render::notation;
use crate::transcript::print_pattern;

/// n1 at 127.0.0.1:7001 with the slots 0 to 8191, its replica r1, and n2 at 10.0.0.2:7002, called two.example.
fn naming() -> Naming {
    let nodes = ["n1", "n2", "r1"].map(|name| NodeName::parse(name).unwrap());
    Naming::new(&nodes, Some((3, 2)), |node, field| {
        let (place, host, ip, slots) = match node.to_string().as_str() {
            "n1" => (1, "127.0.0.1", "127.0.0.1", "0-8191"),
            "n2" => (2, "two.example", "10.0.0.2", "8192-16382 16383"),
            _ => (4, "127.0.0.1", "127.0.0.1", ""),
        };
        let (port, bus) = (7000 + place, 17000 + place);
        Some(match field {
            NodeField::Address => format!("{host}:{port}"),
            NodeField::Id => place.to_string().repeat(40),
            NodeField::Host => host.to_owned(),
            NodeField::Ip => ip.to_owned(),
            NodeField::Port => port.to_string(),
            NodeField::Bus => bus.to_string(),
            NodeField::Node => format!("{ip}:{port}@{bus}"),
            NodeField::Slots => slots.to_owned(),
            NodeField::First | NodeField::Last | NodeField::Replicas => return None,
        })
    })
}

/// A command's reply, whose numbers in braces stand for ids, as it is recorded.
#[track_caller]
fn becomes(command: &str, reply: &str, expected: &str) {
    let id = |text: String, place: char| {
        text.replace(&format!("{{{place}}}"), &place.to_string().repeat(40))
    };
    let reply = "1249".chars().fold(reply.to_owned(), id);
    let words: Vec<_> = command
        .split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let frame = crate::render::tests::received(&reply);
    let pattern = notation(&words, &frame, &naming());
    assert_eq!(print_pattern(&pattern), expected, "{command}");
}

#[test]
fn addresses_and_ids_have_their_names_wherever_they_stand() {
    becomes(
        "GET a",
        "-MOVED 15495 two.example:7002",
        "(error) MOVED 15495 <n2>",
    );
    becomes(
        "X",
        "$127.0.0.1:70011,x127.0.0.1:7001",
        "\"127.0.0.1:70011,x127.0.0.1:7001\"",
    );
    becomes("CLUSTER MYID", "${1}", "\"<n1.id>\"");
    becomes("CLUSTER MYSHARDID", "${9}", "\"<hex40>\"");
    becomes("SCRIPT LOAD x", "${9}", &format!("\"{}\"", "9".repeat(40)));
    becomes("INCR port", ":7001", "(integer) 7001");
}

#[test]
fn a_host_and_a_port_are_those_of_the_node_that_they_stand_beside() {
    becomes(
        "ROLE",
        "*5 $slave $127.0.0.1 :7001 $connected :14",
        "1) \"slave\"\n2) \"<n1.host>\"\n3) (integer) <n1.port>\n4) \"connected\"\n5) (integer) <int>",
    );
    becomes(
        "X",
        "*2 $127.0.0.1 :7002",
        "1) \"127.0.0.1\"\n2) (integer) 7002",
    );
    becomes(
        "CONFIG GET port",
        "*2 $port $7004",
        "1) \"port\"\n2) \"<r1.port>\"",
    );
    becomes(
        "INFO replication",
        "$# Replication;role:slave;master_host:127.0.0.1;master_port:7001;slave0:ip=10.0.0.2,port=7002,lag=3;connected_slaves:1;\
         master_replid:8371445ee47bef1ce27ff04ef7cc8dfbc2dbd1ba;master_replid2:0000000000000000000000000000000000000000",
        "(has)\n| role:slave\n| master_host:<n1.host>\n| master_port:<n1.port>\n| slave0:ip=<n2.ip>,port=<n2.port>,lag=<int>\n\
         | connected_slaves:1\n| master_replid:<hex40>\n| master_replid2:<hex40>",
    );
}

#[test]
fn the_lines_of_nodes_are_in_any_order_and_without_times() {
    becomes(
        "CLUSTER NODES",
        "${1} 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-8191;{2} 10.0.0.2:7002@17002,two.example master - 0 5 2 connected 8192-16382 16383;\
         {4} 127.0.0.1:7004@17004 slave {1} 0 5 1 connected",
        "(any order)\n| <n1.id> <n1.node> myself,master - <int> <int> <int> connected <n1.slots>\n\
         | <n2.id> <n2.node> master - <int> <int> <int> connected <n2.slots>\n\
         | <r1.id> <r1.node> slave <n1.id> <int> <int> <int> connected",
    );
}

#[test]
fn slots_are_named_where_they_are_all_of_a_node() {
    becomes(
        "CLUSTER SLOTS",
        "*2 *3 :0 :8191 *3 $127.0.0.1 :7001 ${1} *3 :16383 :16383 *3 $two.example :7002 ${2}",
        "(any order)\n1) 1) (integer) <n1.first>\n   2) (integer) <n1.last>\n   3) 1) \"<n1.host>\"\n      2) (integer) <n1.port>\n      \
         3) \"<n1.id>\"\n2) 1) (integer) 16383\n   2) (integer) 16383\n   3) 1) \"<n2.host>\"\n      2) (integer) <n2.port>\n      \
         3) \"<n2.id>\"",
    );
    becomes(
        "CLUSTER SHARDS",
        "*1 *4 $slots *4 :8192 :16382 :16383 :16383 $nodes *1 *6 $id ${2} $ip $10.0.0.2 $replication-offset :99",
        "1) 1) \"slots\"\n   2) <n2.slots>\n   3) \"nodes\"\n   4) 1) 1) \"id\"\n         2) \"<n2.id>\"\n         3) \"ip\"\n         \
         4) \"<n2.ip>\"\n         5) \"replication-offset\"\n         6) (integer) <int>",
    );
    becomes(
        "CLUSTER SHARDS",
        "*1 %2 $slots *2 :0 :8191 $nodes *1 %2 $id ${1} $port :7001",
        "1) 1# \"slots\" => <n1.slots>\n   2# \"nodes\" =>\n      1) 1# \"id\" => \"<n1.id>\"\n         2# \"port\" => (integer) <n1.port>",
    );
}

#[test]
fn a_host_and_the_port_behind_it_are_named_in_a_command() {
    let source = "id: A-01\ntitle: t\nlevel: may\nneeds: admin\ntopology: any\n\n\
                  n1> MIGRATE two.example 7002 7002 0 1111111111111111111111111111111111111111\nOK\n";
    let source = source.replace("A-01", "TST-01");
    let parsed = crate::transcript::parse(&source).unwrap();
    let crate::transcript::ast::StepKind::Send(mut pipeline) =
        parsed.body.steps[0].kind.value.clone()
    else {
        panic!("a command");
    };
    naming().words(&mut pipeline.exchanges[0].command.value.words);
    let text: Vec<_> = pipeline.exchanges[0]
        .command
        .words
        .iter()
        .map(|word| match &word.value {
            Word::Argument(template) => crate::transcript::print_template(template),
            Word::Range { .. } => String::new(),
        })
        .collect();
    assert_eq!(text.join(" "), "MIGRATE <n2.host> <n2.port> 7002 0 <n1.id>");
}
