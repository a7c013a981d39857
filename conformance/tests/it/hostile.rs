//! Attached to a server that answers nonsense, half a reply, nothing, too much, or hangs up: each
//! case ends with a departure that says so, and the run goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shardlab::machine::wait::{Deadline, next_round, until_blocking};
use shardlab_conformance::run::result::{RunResult, Verdict};
use shardlab_conformance::run::{Limits, Runner, Subject};
use shardlab_conformance::suite::{Case, parse_case};
use shardlab_conformance::system::attached::Attachment;

use crate::server::{Answer, flood_cluster, serve, serve_cluster};

/// What is wrong with a server, and how a departure tells.
const BEHAVIOURS: [(Answer, &str); 6] = [
    (
        |_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        "does not speak RESP",
    ),
    (
        |_| Some(b"$100\r\nhalf".to_vec()),
        "no answer in time after 10 bytes",
    ),
    (|_| Some(Vec::new()), "no answer in time"),
    (|_| Some(b"$4294967296\r\n".to_vec()), "does not speak RESP"),
    (|_| Some(b"*1\r\n".repeat(100_000)), "does not speak RESP"),
    (|_| None, "closed the connection"),
];

fn case(number: u8, steps: &str) -> Case {
    let text = format!(
        "id:       TST-0{number}\ntitle:    a test\nspec:     none\nlevel:    must\nneeds:    client\n\
         topology: 3 masters, 1 replica each\n\n{steps}"
    );
    parse_case(format!("fixtures/test/case_{number}.resp"), text.as_bytes()).unwrap()
}

fn cases() -> Vec<Case> {
    vec![
        case(1, "n1> PING\nPONG\n"),
        case(2, "within 10ms\n  n2> GET a\n  \"1\"\n"),
        case(3, "n3>> PING\\r\\n\n\nn3<< +PONG\\r\\n\n"),
    ]
}

fn run(address: SocketAddr) -> RunResult {
    run_cases(address, cases())
}

fn run_cases(address: SocketAddr, cases: Vec<Case>) -> RunResult {
    let attachment = Attachment::parse(&address.to_string()).unwrap();
    let limits = Limits {
        read: Duration::from_millis(300),
        slack: Duration::from_millis(100),
        ..Limits::default()
    };
    let runner = Runner::new(Subject::Attached(attachment)).limits(limits);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Arc::new(runner).run(cases, 2, Duration::from_secs(600), |_| {}))
}

#[track_caller]
fn each_departs(result: &RunResult, any: &[&str]) {
    assert_eq!(result.cases.len(), cases().len());
    for case in &result.cases {
        let Verdict::Departs(difference) = &case.verdict else {
            panic!("{} {any:?}: {:?}", case.id, case.verdict);
        };
        let wire: Vec<_> = difference.wire.iter().map(ToString::to_string).collect();
        let told = format!("{} {wire:?}", difference.received);
        // What is read as bytes is judged as bytes.
        assert!(
            any.iter().any(|words| told.contains(words)) || case.id.as_str() == "TST-03",
            "{any:?}: {told}"
        );
    }
}

#[test]
fn a_server_that_is_none_departs_in_every_case() {
    for (behaviour, words) in BEHAVIOURS {
        each_departs(&run(serve(behaviour)), &[words]);
    }
}

#[test]
fn a_cluster_that_answers_commands_with_nonsense_departs_in_every_case() {
    for (behaviour, words) in BEHAVIOURS {
        each_departs(&run(serve_cluster(behaviour)), &[words]);
    }
}

#[test]
fn a_reply_without_an_end_is_a_departure_in_time() {
    const NO_RESP: &str = "does not speak RESP";
    // What comes first depends on how fast the bytes come.
    const EITHER: &[&str] = &[NO_RESP, "no answer in time after"];
    for (first, again, words) in [
        (&b"$4294967296\r\n"[..], &b"x"[..], &[NO_RESP][..]),
        // A length that servers may announce, and more than a reply may hold here.
        (b"$500000000\r\n", b"x", &[NO_RESP]),
        (b"$10000000\r\n", b"x", EITHER),
        (b"+", b"x", EITHER),
        (b"", b"*1\r\n", &[NO_RESP]),
        (b"*4294967295\r\n", b":1\r\n", EITHER),
    ] {
        let result = run(flood_cluster(first, again));
        each_departs(&result, words);
        // Nobody reads more.
        let told = format!("{:?}", result.cases);
        assert!(told.len() < 20_000, "{}", told.len());
    }
}

#[test]
fn a_key_that_may_be_somebodys_is_not_written() {
    fn to_exists(request: &str, error: &[u8]) -> Vec<u8> {
        let asked = request.contains("EXISTS");
        if asked { error } else { b"+OK\r\n" }.to_vec()
    }
    let verdict = |answer: Answer| {
        let set = vec![case(1, "n1> SET a 1\nOK\n")];
        run_cases(serve_cluster(answer), set)
            .cases
            .remove(0)
            .verdict
    };
    let refused = verdict(|request| Some(to_exists(request, b"-ERR no\r\n")));
    let difference = refused.difference().unwrap();
    assert_eq!(difference.received, "`EXISTS a`: ERR no");
    assert!(difference.wire.is_empty(), "{difference:?}");
    // A cluster that changes is no departure.
    let changing: [Answer; 2] = [
        |request| Some(to_exists(request, b"-LOADING\r\n")),
        |request| Some(to_exists(request, b"-ASK 15495 127.0.0.1:1\r\n")),
    ];
    for answer in changing {
        let verdict = verdict(answer);
        assert_eq!(verdict.word(), "skipped", "{verdict:?}");
    }
}

/// Whether a key was written, and whether it was deleted afterwards.
static WRITTEN: AtomicBool = AtomicBool::new(false);
static DELETED: AtomicBool = AtomicBool::new(false);

#[test]
fn a_run_that_is_dropped_half_way_leaves_no_key() {
    let address = serve_cluster(|request| {
        let reply: &[u8] = if request.contains("EXISTS") {
            b":0\r\n"
        } else if request.contains("SET") {
            WRITTEN.store(true, Ordering::SeqCst);
            b"+OK\r\n"
        } else if request.contains("DEL") {
            DELETED.store(true, Ordering::SeqCst);
            b":1\r\n"
        } else if request.contains("PING") {
            b""
        } else {
            b"-ERR no\r\n"
        };
        Some(reply.to_vec())
    });
    let attachment = Attachment::parse(&address.to_string()).unwrap();
    let runner = Arc::new(Runner::new(Subject::Attached(attachment)));
    let steps = "n1> SET a 1\nOK\n\nfor 10s\n  n1> PING\n  PONG\n";
    let run = Arc::clone(&runner).run(vec![case(1, steps)], 1, Duration::from_secs(600), |_| {});
    let written = async {
        let deadline = Deadline::after(Duration::from_secs(30));
        while !WRITTEN.load(Ordering::SeqCst) && !deadline.passed() {
            next_round(Duration::from_millis(1), deadline).await;
        }
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        tokio::select! {
            result = run => panic!("{result:?}"),
            () = written => runner.clean_up().await.unwrap(),
        }
    });
    assert!(DELETED.load(Ordering::SeqCst));
}

/// The most memory that the program may need, in kB: it takes some 20 MB when all goes well.
const MOST_MEMORY: u64 = 64 << 10;

/// Runs the program on an attached server: its exit code, the most memory that it took, in kB, and what it printed.
fn measured(
    folder: &std::path::Path,
    arguments: &[&str],
    address: SocketAddr,
) -> (i32, u64, String) {
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut child = std::process::Command::new(snapbox::cmd::cargo_bin!("shardlab-conformance"))
        .current_dir(folder)
        .args(["run", "--attach", &address.to_string()])
        .args(arguments)
        .env_remove("SHARDLAB_ATTACH")
        .env_remove("SHARDLAB_SERVER")
        .stdout(output.reopen().unwrap())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    let deadline = Deadline::after(Duration::from_secs(120));
    let ended = until_blocking(deadline, Duration::from_millis(1), || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| {
            let kilobytes = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
            kilobytes.parse().ok()
        });
        memory = memory.max(peak.unwrap_or(0_u64));
        child.try_wait().unwrap().map_or(
            std::ops::ControlFlow::Continue(()),
            std::ops::ControlFlow::Break,
        )
    });
    let code = ended.unwrap().code().unwrap();
    (
        code,
        memory,
        std::fs::read_to_string(output.path()).unwrap(),
    )
}

#[test]
fn the_whole_suite_tells_each_cause_once() {
    let servers: [(Answer, &[&str]); 3] = [
        (
            |request| Some(each(request, "+OK\r\n")),
            &["received the simple string: OK: "],
        ),
        (
            |request| Some(each(request, "HTTP/1.1 400\r\n")),
            &["the server does not speak RESP: "],
        ),
        (
            |request| {
                let unknown = format!("-ERR unknown command '{}'\r\n", word(request));
                Some(each(request, &unknown))
            },
            &["EXISTS is missing: ", "CLUSTER KEYSLOT is missing: "],
        ),
    ];
    let folder = tempfile::TempDir::new().unwrap();
    // All at once, and with little patience: most of the time goes by in waiting.
    std::thread::scope(|scope| {
        for (answer, causes) in servers {
            let folder = folder.path();
            scope.spawn(move || {
                let address = serve_cluster(answer);
                let (code, memory, text) = measured(folder, &["--slow", "0.3"], address);
                assert_eq!(code, 1, "{text}");
                assert!(memory < MOST_MEMORY, "{memory} kB");
                for cause in causes {
                    let told: Vec<_> = text.lines().filter(|line| line.contains(cause)).collect();
                    assert_eq!(told.len(), 1, "{cause}: {told:#?}");
                }
            });
        }
    });
}

/// The same reply to each command of a request.
fn each(request: &str, reply: &str) -> Vec<u8> {
    let count = request.lines().filter(|line| line.starts_with('*')).count();
    reply.repeat(count.max(1)).into_bytes()
}

/// The first words of a request: the command, and what may be its subcommand.
fn word(request: &str) -> String {
    let words: Vec<_> = request.split("\r\n").skip(2).step_by(2).take(2).collect();
    words.join(" ")
}

#[test]
fn a_flood_fills_no_memory() {
    let steps = "n1> PING\nPONG\n";
    let text = format!(
        "id:       TST-01\ntitle:    a test\nspec:     none\nlevel:    must\nneeds:    client\n\
         topology: 3 masters, 1 replica each\n\n{steps}"
    );
    let folder = crate::program::folder(&[("fixtures/test/case.resp", &text)]);
    for (first, again) in [
        (&b"*4000000\r\n"[..], &b":1\r\n"[..]),
        (b"", b"*100\r\n:1\r\n"),
        (b"$16000000\r\n", b"x"),
    ] {
        let address = flood_cluster(first, again);
        let (code, memory, _) = measured(folder.path(), &["fixtures"], address);
        assert_eq!(code, 1);
        assert!(memory < MOST_MEMORY, "{memory} kB");
    }
}
