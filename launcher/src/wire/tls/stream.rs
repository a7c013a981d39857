//! The bytes of a connection, encrypted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::client::ClientCertificate;

/// A connection over TLS.
#[derive(Debug)]
pub(in crate::wire) struct Encrypted {
    stream: TlsStream<TcpStream>,
    /// Until the server has sent data.
    client: Option<Arc<ClientCertificate>>,
}

impl Encrypted {
    pub(super) fn new(stream: TlsStream<TcpStream>, client: Arc<ClientCertificate>) -> Self {
        Self {
            stream,
            client: Some(client),
        }
    }

    fn explain(&self, error: io::Error) -> io::Error {
        match &self.client {
            Some(client) => client.explain(error),
            None => error,
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        Poll::Ready(match read {
            Ok(()) if buffer.filled().len() > before => {
                self.client = None;
                Ok(())
            }
            // Whether a server says in TLS that it closes makes no difference.
            Ok(()) => Err(self.explain(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(self.explain(error)),
        })
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(written.map_err(|error| self.explain(error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(flushed.map_err(|error| self.explain(error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
