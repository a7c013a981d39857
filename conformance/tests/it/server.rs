//! A small TCP server that answers as a test wants.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// What comes back for a request; `None` closes the connection.
pub(crate) type Answer = fn(&str) -> Option<Vec<u8>>;

/// A server that answers each request by itself, until the test ends.
pub(crate) fn serve(answer: Answer) -> SocketAddr {
    listen(move |stream, _| {
        converse(stream, |mut stream, request| {
            stream.write_all(&answer(request)?).ok()
        });
    })
}

/// A server that says it is a cluster of three masters with a replica each, and else answers each
/// request by itself.
pub(crate) fn serve_cluster(answer: Answer) -> SocketAddr {
    listen(move |stream, address| {
        converse(stream, |mut stream, request| {
            let reply = cluster(request, address).or_else(|| answer(request));
            stream.write_all(&reply?).ok()
        });
    })
}

/// The same, but that its answers have no end: after the first bytes come the others, again and
/// again.
pub(crate) fn flood_cluster(first: &'static [u8], again: &'static [u8]) -> SocketAddr {
    let again = again.repeat(4096);
    listen(move |stream, address| {
        converse(stream, |mut stream, request| {
            if let Some(reply) = cluster(request, address) {
                return stream.write_all(&reply).ok();
            }
            stream.write_all(first).ok()?;
            loop {
                stream.write_all(&again).ok()?;
            }
        });
    })
}

fn listen(talk: impl Fn(TcpStream, SocketAddr) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let talk = talk.clone();
            thread::spawn(move || talk(stream, address));
        }
    });
    address
}

/// Answers requests until the peer goes away, or the answer is that.
fn converse(mut stream: TcpStream, answer: impl Fn(&TcpStream, &str) -> Option<()>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..length]);
        if answer(&stream, &request).is_none() {
            return;
        }
    }
}

/// What is asked to learn which nodes there are.
fn cluster(request: &str, address: SocketAddr) -> Option<Vec<u8>> {
    if request.contains("NODES") {
        Some(bulk(&nodes(address)))
    } else if request.contains("INFO") {
        Some(bulk("redis_version:7.0.15\r\n"))
    } else {
        None
    }
}

fn nodes(address: SocketAddr) -> String {
    let masters = ["0-5460", "5461-10922", "10923-16383"];
    let mut text = String::new();
    for (number, slots) in (1..).zip(masters) {
        let (master, replica) = (
            number.to_string().repeat(40),
            (number + 3).to_string().repeat(40),
        );
        let flags = if number == 1 {
            "myself,master"
        } else {
            "master"
        };
        let _ = writeln!(
            text,
            "{master} {address}@17001 {flags} - 0 0 {number} connected {slots}"
        );
        let _ = writeln!(
            text,
            "{replica} {address}@17001 slave {master} 0 0 {number} connected"
        );
    }
    text
}

fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}
