//! How connections to somebody's cluster are made.

use std::net::SocketAddr;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};
use shardlab::wire::resp::{Limits, escape};
use shardlab::wire::tls::{Tls, TlsError, TlsOptions};

use super::address::Credentials;

/// The memory that a reply may take, in bytes: more than a transcript can show, and little enough for
/// several servers that mean no good.
const MOST: usize = 4 << 20;

/// How connections are made.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// With what to log in.
    pub credentials: Option<Credentials>,
    /// How to use TLS, if it is used.
    pub tls: Option<Tls>,
}

impl Access {
    /// Connects to what is called `host`, as the user that is wanted.
    pub(super) async fn log_in(
        &self,
        address: SocketAddr,
        host: &str,
        deadline: Deadline,
    ) -> Result<Connection, ClientError> {
        let mut connection = connect(address, host, self.tls.as_ref(), deadline).await?;
        let Some(Credentials { user, password }) = &self.credentials else {
            return Ok(connection);
        };
        let words: Vec<&str> = ["AUTH"]
            .into_iter()
            .chain(user.as_deref())
            .chain([password.as_str()])
            .collect();
        let reply = connection.call(&words, deadline).await?;
        match reply.as_error() {
            None => Ok(connection),
            Some(error) => Err(ClientError::Auth {
                address,
                reply: without(password, error),
            }),
        }
    }

    /// The same for a server of which nothing is known yet. One that does not speak TLS may take the
    /// beginning of a handshake for that of a long line, and wait for its end.
    pub(super) async fn log_in_first(
        &self,
        address: SocketAddr,
        host: &str,
        deadline: Deadline,
    ) -> Result<Connection, ClientError> {
        if self.tls.is_some() {
            let quarter = || deadline.at_most(deadline.remaining() / 4);
            match self.log_in(address, host, quarter()).await {
                Err(ClientError::Timeout { .. }) if speaks_resp(address, quarter()).await => {
                    let source = TlsError::NoTls;
                    return Err(ClientError::Tls { address, source });
                }
                Err(ClientError::Timeout { .. }) => {}
                done => return done,
            }
        }
        self.log_in(address, host, deadline).await
    }
}

/// Connects to a server that may answer anything.
pub(super) async fn connect(
    address: SocketAddr,
    host: &str,
    tls: Option<&Tls>,
    deadline: Deadline,
) -> Result<Connection, ClientError> {
    let connection = match tls {
        Some(tls) => Connection::open_tls(address, host, tls, deadline).await?,
        None => Connection::open(address, deadline).await?,
    };
    Ok(connection.with_limits(Limits::of_frame(MOST)))
}

/// Whether a server answers without TLS.
async fn speaks_resp(address: SocketAddr, deadline: Deadline) -> bool {
    match connect(address, "", None, deadline).await {
        Ok(mut connection) => connection.call(&["PING"], deadline).await.is_ok(),
        Err(_) => false,
    }
}

/// Whether a server speaks TLS, whoever it is.
pub(super) async fn speaks_tls(address: SocketAddr, deadline: Deadline) -> bool {
    let Ok(anybody) = Tls::new(TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    }) else {
        return false;
    };
    match connect(address, "", Some(&anybody), deadline).await {
        Ok(_) => true,
        Err(ClientError::Tls { source, .. }) => source != TlsError::NoTls,
        Err(_) => false,
    }
}

/// The beginning of an error. That of an unknown command goes on with its words, perhaps cut off, of which one may be
/// a password.
pub(crate) fn without_words(error: &[u8]) -> &[u8] {
    const WORDS: &[u8] = b", with args";
    let end = error.windows(WORDS.len()).position(|part| part == WORDS);
    end.and_then(|end| error.get(..end)).unwrap_or(error)
}

/// What a server says of a login.
fn without(password: &str, error: &[u8]) -> String {
    let text = escape(without_words(error));
    match escape(password.as_bytes()) {
        password if password.is_empty() => text,
        password => text.replace(&password, "…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_told_without_its_password() {
        let told = |error: &str| without("secret", error.as_bytes());
        let unknown = "ERR unknown command 'AUTH'";
        assert_eq!(
            told(&format!("{unknown}, with args beginning with: 'ann' 'secr")),
            unknown
        );
        assert_eq!(told("ERR not `secret`"), "ERR not `…`");
        assert_eq!(without("", b"WRONGPASS no"), "WRONGPASS no");
    }
}
