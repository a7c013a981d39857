//! The servers that were fetched earlier: `<cache>/servers/<product>-<version>/<program>`.

use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::product::Product;

/// The folder below the cache folder that holds the servers.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join("servers")
}

/// Where the program of that server has its place, whether it is there or not.
pub(super) fn program(cache: &Path, identity: &Identity) -> PathBuf {
    folder(cache)
        .join(format!("{}-{}", identity.product, identity.version))
        .join(identity.product.program())
}

/// The servers that are there, by the names of their folders: in the order in which we choose
/// among products, and each product's newest first. A folder that cannot be read has none.
pub(super) fn servers(cache: &Path) -> Vec<Identity> {
    let mut servers: Vec<Identity> = std::fs::read_dir(folder(cache))
        .into_iter()
        .flatten()
        .filter_map(|entry| identity(entry.ok()?.file_name().to_str()?))
        .filter(|identity| program(cache, identity).is_file())
        .collect();
    servers.sort_by(|a, b| {
        let products = a.product.cmp(&b.product);
        products.then(b.version.cmp(&a.version))
    });
    servers
}

/// The server that a folder of that name holds.
fn identity(folder: &str) -> Option<Identity> {
    let (product, version) = folder.rsplit_once('-')?;
    Some(Identity {
        product: Product::known(product)?,
        version: version.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::servers;

    #[test]
    fn servers_come_by_product_and_newest_first() {
        let cache = tempfile::tempdir().unwrap();
        for name in [
            "redis-6.2.9/redis-server",
            "redis-6.2.14/redis-server",
            "valkey-8.1.8/valkey-server",
            "valkey-9.1.2/something-else",
            ".fetch-abc/valkey-server",
        ] {
            let program = cache.path().join("servers").join(name);
            std::fs::create_dir_all(program.parent().unwrap()).unwrap();
            std::fs::write(program, "").unwrap();
        }
        let names: Vec<_> = servers(cache.path())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["valkey 8.1.8", "redis 6.2.14", "redis 6.2.9"]);
    }

    #[test]
    fn a_cache_that_is_not_there_is_empty() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(servers(&cache.path().join("none")), []);
    }
}
