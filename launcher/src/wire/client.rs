//! A connection to one node: commands out, frames in, every step under a deadline.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::machine::wait::{Deadline, before};
use crate::wire::resp::{
    Decoder, Frame, Limits, Protocol, ProtocolError, encode_command, encode_commands,
};
#[cfg(feature = "tls")]
use crate::wire::tls::{Tls, TlsError};

/// How long a connection may take to be made, and a reply to come, unless said otherwise.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much memory a reply may take unless said otherwise, in bytes: a CLUSTER SLOTS whose ranges are
/// single slots needs two thirds of it, and whoever listens at an address need not be a server of ours.
pub const REPLY_MEMORY: usize = 64 << 20;

/// Why a conversation with a node failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens, or the network refuses.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to {address} broke: {source}")]
    Io {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The node closed the connection; what it had sent by then makes no whole frame.
    #[error("{address} closed the connection{}", after(*unread))]
    Closed {
        /// The address.
        address: SocketAddr,
        /// Bytes of an unfinished frame.
        unread: usize,
    },
    /// The node did not answer in time.
    #[error("{address} gave no answer in time{}", after(*unread))]
    Timeout {
        /// The address.
        address: SocketAddr,
        /// Bytes of an unfinished frame.
        unread: usize,
    },
    /// The node sent bytes that are not RESP.
    #[error("{address} does not speak RESP: {source}")]
    Protocol {
        /// The address.
        address: SocketAddr,
        /// Where and what.
        source: ProtocolError,
    },
    /// TLS cannot be agreed on.
    #[cfg(feature = "tls")]
    #[error("no connection over TLS to {address}: {source}")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// What is wrong.
        source: TlsError,
    },
    /// The node refused the password, or wants one.
    #[error("{address} refuses the password: {reply}")]
    Auth {
        /// The address.
        address: SocketAddr,
        /// The node's words.
        reply: String,
    },
}

/// How many bytes are read at once, at least.
const READ: usize = 16 << 10;

/// So many reads may follow when the deadline has passed: a megabyte that was there before, but was not looked at.
const LATE_READS: u32 = 64;

fn after(unread: usize) -> String {
    match unread {
        0 => String::new(),
        1 => " after 1 byte of a reply".to_owned(),
        some => format!(" after {some} bytes of a reply"),
    }
}

/// The bytes of a connection, as they are or encrypted.
trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin> Stream for T {}

/// One connection. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Box<dyn Stream>,
    decoder: Decoder,
    buffer: BytesMut,
}

impl Connection {
    /// Connects. A reply may take [`REPLY_MEMORY`].
    ///
    /// # Errors
    /// Nobody listens there, or not before the deadline.
    pub async fn open(address: SocketAddr, deadline: Deadline) -> Result<Self, ClientError> {
        let stream = dial(address, deadline).await?;
        Ok(Self::over(stream, address))
    }

    /// Connects over TLS, to what was reached as `host`: a name, or again the address. A reply may take
    /// [`REPLY_MEMORY`].
    ///
    /// # Errors
    /// Nobody listens there, or not before the deadline; it does not speak TLS, is not trusted, or does
    /// not trust the client. Servers that speak TLS 1.3 say the last only when they are asked something.
    #[cfg(feature = "tls")]
    pub async fn open_tls(
        address: SocketAddr,
        host: &str,
        tls: &Tls,
        deadline: Deadline,
    ) -> Result<Self, ClientError> {
        let stream = dial(address, deadline).await?;
        let encrypting = tls.encrypt(stream, host, address.ip());
        let stream = within(deadline, address, 0, encrypting).await?;
        Ok(Self::over(stream, address))
    }

    fn over(stream: impl Stream + 'static, address: SocketAddr) -> Self {
        Self {
            address,
            stream: Box::new(stream),
            decoder: Decoder::new(Protocol::Resp2).with_limits(Limits::of_frame(REPLY_MEMORY)),
            buffer: BytesMut::new(),
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// As [`Connection::open`], and a refused password.
    pub async fn open_with(
        address: SocketAddr,
        password: Option<&str>,
        deadline: Deadline,
    ) -> Result<Self, ClientError> {
        let mut connection = Self::open(address, deadline).await?;
        connection.log_in(password, deadline).await?;
        Ok(connection)
    }

    /// Logs in, if there is a password.
    ///
    /// # Errors
    /// As [`Connection::call`], and a refused password.
    pub async fn log_in(
        &mut self,
        password: Option<&str>,
        deadline: Deadline,
    ) -> Result<(), ClientError> {
        let Some(password) = password else {
            return Ok(());
        };
        let reply = self.call(&["AUTH", password], deadline).await?;
        match reply.as_error() {
            None => Ok(()),
            Some(error) => Err(ClientError::Auth {
                address: self.address,
                reply: crate::wire::resp::escape(error),
            }),
        }
    }

    /// How much a reply may take from now on: less of a server that is not trusted, more where the user
    /// asks for data.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.decoder = self.decoder.with_limits(limits);
        self
    }

    /// The node's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which protocol replies are decoded as; a caller that sends `HELLO` says so here.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.decoder.set_protocol(protocol);
    }

    /// Sends a command and reads one frame.
    ///
    /// # Errors
    /// The connection breaks, the bytes are not RESP, or the deadline passes. An error *reply* is a
    /// frame, not an error.
    pub async fn call<A: AsRef<[u8]>>(
        &mut self,
        command: &[A],
        deadline: Deadline,
    ) -> Result<Frame, ClientError> {
        self.send(&encode_command(command), deadline).await?;
        self.read(deadline).await
    }

    /// Sends several commands in one write and reads as many frames.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn pipeline<A: AsRef<[u8]>>(
        &mut self,
        commands: &[&[A]],
        deadline: Deadline,
    ) -> Result<Vec<Frame>, ClientError> {
        let requests = encode_commands(commands.iter().copied());
        self.send(&requests, deadline).await?;
        let mut replies = Vec::with_capacity(commands.len());
        for _ in commands {
            replies.push(self.read(deadline).await?);
        }
        Ok(replies)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection breaks or the deadline passes.
    pub async fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), ClientError> {
        let (address, unread) = (self.address, self.buffer.len());
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        within(deadline, address, unread, sending).await
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// As [`Connection::call`]. After a time-out the bytes that have come stay, and reading may go on.
    pub async fn read(&mut self, deadline: Deadline) -> Result<Frame, ClientError> {
        let mut late = 0_u32;
        loop {
            let decoded = self.decoder.decode(&mut self.buffer);
            if let Some(frame) = decoded.map_err(|source| ClientError::Protocol {
                address: self.address,
                source,
            })? {
                return Ok(frame);
            }
            // What has come already is read; bytes that never cease to come would let no timer come to its turn.
            late += u32::from(deadline.passed());
            if late > LATE_READS {
                return Err(ClientError::Timeout {
                    address: self.address,
                    unread: self.buffer.len(),
                });
            }
            self.fill(deadline).await?;
        }
    }

    /// Reads bytes as they come, at most `limit` of them.
    ///
    /// # Errors
    /// The connection ends or breaks, or the deadline passes, before there is a byte.
    pub async fn read_bytes(
        &mut self,
        limit: usize,
        deadline: Deadline,
    ) -> Result<BytesMut, ClientError> {
        if self.buffer.is_empty() {
            self.fill(deadline).await?;
        }
        let length = self.buffer.len().min(limit);
        Ok(self.buffer.split_to(length))
    }

    async fn fill(&mut self, deadline: Deadline) -> Result<(), ClientError> {
        let (address, unread) = (self.address, self.buffer.len());
        self.buffer.reserve(READ);
        match within(
            deadline,
            address,
            unread,
            self.stream.read_buf(&mut self.buffer),
        )
        .await?
        {
            0 => Err(ClientError::Closed { address, unread }),
            _ => Ok(()),
        }
    }
}

async fn dial(address: SocketAddr, deadline: Deadline) -> Result<TcpStream, ClientError> {
    let connecting = before(deadline, TcpStream::connect(address)).await;
    let connected = connecting.ok_or(ClientError::Timeout { address, unread: 0 })?;
    // A lab measures latency; small requests must not wait for an acknowledgement.
    let set = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    set.map_err(|source| ClientError::Connect { address, source })
}

async fn within<T>(
    deadline: Deadline,
    address: SocketAddr,
    unread: usize,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, ClientError> {
    let result = before(deadline, work).await;
    let result = result.ok_or(ClientError::Timeout { address, unread })?;
    result.map_err(|source| broken(address, unread, source))
}

fn broken(address: SocketAddr, unread: usize, source: io::Error) -> ClientError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return ClientError::Closed { address, unread };
    }
    #[cfg(feature = "tls")]
    let source = match TlsError::of(source) {
        Ok(source) => return ClientError::Tls { address, source },
        Err(source) => source,
    };
    ClientError::Io { address, source }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::Receiver;

    use super::*;

    /// The address of somebody who answers one request with these bytes, and says so, and for ever with others.
    fn answers(bytes: Vec<u8>, again: &'static [u8]) -> (SocketAddr, Receiver<()>) {
        let (written, told) = std::sync::mpsc::channel();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 14]).unwrap();
            stream.write_all(&bytes).unwrap();
            written.send(()).unwrap();
            while !again.is_empty() && stream.write_all(again).is_ok() {}
            // Until the other side has gone.
            let _ = stream.read(&mut [0]);
        });
        (address, told)
    }

    async fn asked(address: SocketAddr) -> Connection {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let mut connection = Connection::open(address, deadline).await.unwrap();
        let ping = encode_command(&["PING"]);
        connection.send(&ping, deadline).await.unwrap();
        connection
    }

    #[tokio::test]
    async fn a_reply_that_has_come_is_read_although_nobody_looked_in_time() {
        let text = vec![b'x'; 60_000];
        let reply = [b"$60000\r\n", text.as_slice(), b"\r\n"].concat();
        let (address, told) = answers(reply, b"");
        let mut connection = asked(address).await;
        told.recv_timeout(REPLY_TIMEOUT).unwrap();
        let reply = connection.read(Deadline::after(Duration::ZERO)).await;
        assert_eq!(reply.unwrap().as_text().map(<[u8]>::len), Some(60_000));
    }

    #[tokio::test]
    async fn bytes_that_never_cease_to_come_are_no_reply() {
        let (address, _told) = answers(b"$500000000\r\n".to_vec(), b"xxxxxxxx");
        let mut connection = asked(address).await.with_limits(Limits::default());
        let reply = connection.read(Deadline::after(Duration::ZERO)).await;
        assert!(
            matches!(reply, Err(ClientError::Timeout { .. })),
            "{reply:?}"
        );
    }
}
