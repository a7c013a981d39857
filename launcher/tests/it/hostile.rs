//! Logs, replies and programs of any size and content: bounded in time and memory, and harmless to a
//! terminal.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread;

use crate::lab::{Lab, text, wait_until};

/// The most memory that a command may need here, in kB: it takes some 15 MB when all goes well.
const MOST_MEMORY: u64 = 64 << 10;

/// What came of the program.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The most memory that it had, in kB.
    memory: u64,
}

/// Runs the program in the lab and watches its memory.
fn run(lab: &Lab, args: &[&str]) -> Ended {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_shardlab"))
        .args(args)
        .env("SHARDLAB_HOME", lab.home())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let read = |mut stream: Box<dyn std::io::Read + Send>| {
        thread::spawn(move || {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            all
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = read(Box::new(child.stderr.take().unwrap()));
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    wait_until("the command ends", || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| {
            let kilobytes = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
            kilobytes.parse().ok()
        });
        memory = memory.max(peak.unwrap_or(0));
        child.try_wait().unwrap().is_some()
    });
    Ended {
        status: child.wait().unwrap(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        memory,
    }
}

/// A server that answers whatever it is sent with these bytes and then the others, again and again.
fn flood(first: &'static [u8], again: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let again = again.repeat(1 << 14);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let again = again.clone();
            thread::spawn(move || {
                let mut flow = || {
                    stream.read_exact(&mut [0])?;
                    stream.write_all(first)?;
                    loop {
                        stream.write_all(&again)?;
                    }
                };
                let ended: std::io::Result<()> = flow();
                drop(ended);
            });
        }
    });
    address
}

/// A program that is a server by what `--version` says, and does this otherwise.
fn fake_server(folder: &std::path::Path, does: &str) -> PathBuf {
    let program = folder.join("fake-server");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/server");
    symlink(script, &program).unwrap();
    let does = format!(
        "case \"$*\" in *--version*) echo 'Valkey server v=9.1.2 sha=0:0';; *) {does};; esac"
    );
    std::fs::write(folder.join("fake-server.does"), does).unwrap();
    program
}

#[test]
fn a_log_without_a_line_end_is_neither_read_nor_printed_whole() {
    let lab = Lab::new();
    let folder = tempfile::tempdir().unwrap();
    let does = "head -c 150000000 /dev/zero | tr '\\0' x; exec /bin/sleep 1000";
    let server = fake_server(folder.path(), does);
    let up = [
        "up",
        "--port",
        "auto",
        "--topology",
        "standalone",
        "--timeout",
        "4s",
        "--server",
        server.to_str().unwrap(),
    ];
    let ended = run(&lab, &up);
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{told:.1000}");
    assert!(told.len() < 10_000, "{}", told.len());
    assert!(told.contains("the last log lines of `n1`"), "{told}");
    assert!(told.contains("more bytes)"), "{told}");
    assert!(ended.memory < MOST_MEMORY, "{} kB", ended.memory);
    lab.assert_empty();
}

#[test]
fn the_end_of_a_huge_log_is_found_from_its_end() {
    let lab = Lab::new();
    lab.up(&["--topology", "standalone"]);
    lab.shardlab(["stop", "-q"]).assert().success();
    let log = lab.open().node("n1").unwrap().log_path();
    let mut file = OpenOptions::new().append(true).open(log).unwrap();
    file.set_len(2 << 30).unwrap();
    file.write_all(b"\nfirst\n\x1b[2Jsecond\nthird").unwrap();
    for lines in ["3", "5"] {
        let ended = run(&lab, &["logs", "--lines", lines]);
        assert!(ended.status.success(), "{}", text(&ended.stderr));
        let told = text(&ended.stdout);
        assert!(
            told.ends_with("first\n\\x1b[2Jsecond\nthird\n"),
            "{told:.1000}"
        );
        assert!(told.len() < 100_000, "{}", told.len());
        assert!(ended.memory < MOST_MEMORY, "{} kB", ended.memory);
    }
}

#[test]
fn who_floods_instead_of_answering_is_given_up() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    let floods: [(&[u8], &[u8]); 5] = [
        (b"*4294967295\r\n", b":1\r\n"),
        (b"", b"*100\r\n:1\r\n"),
        (b"", b"*9\r\n"),
        (b"+", b"banner"),
        (b"$4294967295\r\n", b"x"),
    ];
    for (first, again) in floods {
        let address = flood(first, again).to_string();
        let ended = run(&lab, &["add-node", "--existing", &address]);
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{told:.1000}");
        assert!(
            told.contains("does not answer as it should"),
            "{told:.1000}"
        );
        assert!(told.len() < 1_000, "{told:.1000}");
        assert!(ended.memory < MOST_MEMORY, "{} kB", ended.memory);
    }
}

#[test]
fn a_reply_may_take_as_long_as_the_command_asks_or_as_the_user_allows() {
    let lab = Lab::new();
    lab.up(&["--topology", "standalone"]);
    // Longer than the node is silent before it is asked whether it lives.
    let ended = run(&lab, &["call", "n1", "BLPOP", "none", "6"]);
    assert_eq!(text(&ended.stdout), "(nil)\n", "{}", text(&ended.stderr));
    let ended = run(&lab, &["call", "--timeout", "300ms", "BLPOP", "none", "0"]);
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{told}");
    assert!(
        told.contains("node `n1` did not reply to `BLPOP` within 300ms"),
        "{told}"
    );
    assert!(
        told.contains("`--timeout none` waits as long as it takes"),
        "{told}"
    );
}
