//! A connection as the user that is wanted.

use std::net::SocketAddr;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};
use shardlab::wire::resp::escape;

use super::address::Credentials;
use super::connect;

/// Connects as the user that is wanted.
pub(super) async fn log_in(
    address: SocketAddr,
    credentials: Option<&Credentials>,
    deadline: Deadline,
) -> Result<Connection, ClientError> {
    let mut connection = connect(address, deadline).await?;
    let Some(Credentials { user, password }) = credentials else {
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

/// What a server says of a login. One that does not know AUTH repeats the words, perhaps cut off.
fn without(password: &str, error: &[u8]) -> String {
    let text = escape(error);
    let text = text.split(", with args").next().unwrap_or_default();
    match escape(password.as_bytes()) {
        password if password.is_empty() => text.to_owned(),
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
