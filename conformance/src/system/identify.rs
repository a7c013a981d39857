//! Which server it is: product and version, as conditions in transcripts look at them.

use shardlab::server::{Identity, Product};
use shardlab::wire::resp::Frame;
use shardlab::wire::view::info_field;

use crate::pattern::Server;
use crate::transcript::ast::{Condition, Variant, Version};

/// Products that say their own version in INFO, beside the `redis_version` that they pretend to:
/// `valkey_version` (Valkey 8), `redict_version` (Redict 7.3), and so on.
const OWN_VERSION: [&str; 6] = [
    "valkey",
    "redict",
    "kvrocks",
    "dragonfly",
    "garnet",
    "keydb",
];

/// What a reply to `INFO server` says; `None` if it names no product.
///
/// `redis_version` decides only where no product's own field is there and the program does not
/// bear another product's name: forks report a frozen version there.
pub fn from_info(info: &Frame) -> Option<Server> {
    let field = |name: &str| info_field(info, name);
    let server = |product: &str, version: &str| {
        // Dragonfly says `df-v1.23.0`.
        let version = version.trim_start_matches(|c: char| !c.is_ascii_digit());
        // Whatever says so may say anything.
        Some(Server {
            product: Some(product.to_owned()).filter(|name| Product::is_name(name))?,
            version: Version::parse(version)?,
        })
    };
    let own = OWN_VERSION
        .iter()
        .find_map(|product| server(product, field(&format!("{product}_version"))?));
    own.or_else(|| {
        let path = field("executable").unwrap_or_default();
        let program = path.rsplit('/').next().unwrap_or_default();
        let by_program = OWN_VERSION
            .into_iter()
            .find(|product| program.starts_with(*product));
        let product = field("server_name").or(by_program).unwrap_or("redis");
        server(product, field("redis_version")?)
    })
}

/// The same as the launcher knows it.
pub fn from_identity(identity: &Identity) -> Server {
    let version = identity.version;
    Server {
        product: identity.product.name().to_owned(),
        version: Version {
            numbers: [version.major, version.minor, version.patch],
        },
    }
}

/// A server for people: `valkey 9.1.2`.
pub fn describe(server: Option<&Server>) -> String {
    server.map_or_else(
        || "an unknown server".to_owned(),
        |server| {
            let [major, minor, patch] = server.version.numbers;
            format!("{} {major}.{minor}.{patch}", server.product)
        },
    )
}

/// The bodies that are for a server: the first whose condition admits it. A product that no
/// condition names may do as any of them.
pub fn choose<'a, T>(server: Option<&Server>, variants: &'a [Variant<T>]) -> Vec<&'a T> {
    let admits = |condition: &Condition, server: &Server| match condition {
        Condition::Products(products) => products.admit(&server.product, server.version),
        Condition::Else => true,
    };
    let admitted = server.and_then(|server| {
        variants
            .iter()
            .find(|variant| admits(&variant.condition, server))
    });
    match admitted {
        Some(variant) => vec![&variant.body],
        None => variants.iter().map(|variant| &variant.body).collect(),
    }
}

#[cfg(test)]
mod tests {
    use shardlab::wire::resp::Value;

    use super::*;

    fn told(info: &'static str) -> Option<String> {
        let info = Frame::from_value(Value::BulkString(info.into()));
        from_info(&info).map(|server| describe(Some(&server)))
    }

    #[test]
    fn forks_are_known_by_their_own_version() {
        for (info, server) in [
            (
                "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n",
                "valkey 9.1.2",
            ),
            (
                "redis_version:7.2.4\r\nredict_version:7.3.1\r\n",
                "redict 7.3.1",
            ),
            (
                "redis_version:6.3.4\r\nexecutable:/opt/keydb-server\r\n",
                "keydb 6.3.4",
            ),
            (
                "redis_version:7.2.0\r\ndragonfly_version:df-v1.23.0\r\n",
                "dragonfly 1.23.0",
            ),
            (
                "redis_version:8.2.3\r\nexecutable:/x/redis-server\r\n",
                "redis 8.2.3",
            ),
        ] {
            assert_eq!(told(info).as_deref(), Some(server));
        }
        assert_eq!(told("uptime:1\r\n"), None);
        assert_eq!(
            told("server_name:\u{1b}[2J\r\nredis_version:7.0.0\r\n"),
            None
        );
    }
}
