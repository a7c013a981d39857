//! The profiles of the products that have a name of their own here.

use std::sync::LazyLock;

use super::Profile;
use crate::server::product::Product;

/// The files, in the order in which servers are chosen.
const FILES: [(Product, &str); 4] = [
    (Product::Valkey, include_str!("../profiles/valkey.toml")),
    (Product::Redis, include_str!("../profiles/redis.toml")),
    (Product::Redict, include_str!("../profiles/redict.toml")),
    (Product::KeyDb, include_str!("../profiles/keydb.toml")),
];

static KNOWN: LazyLock<Vec<(Product, Profile)>> = LazyLock::new(|| {
    let read = |(product, text): (Product, &str)| Some((product, toml::from_str(text).ok()?));
    FILES.into_iter().filter_map(read).collect()
});

/// All of them, in the order in which servers are chosen.
pub(in crate::server) fn known() -> impl Iterator<Item = &'static (Product, Profile)> {
    KNOWN.iter()
}

/// The profile of a product, if we have one.
pub(in crate::server) fn of(product: &Product) -> Option<&'static Profile> {
    known()
        .find(|(known, _)| known == product)
        .map(|(_, profile)| profile)
}

#[cfg(test)]
mod tests {
    use super::{FILES, Product, Profile, known};

    #[test]
    fn every_file_can_be_read_and_is_its_products() {
        for (product, text) in FILES {
            let profile: Profile = toml::from_str(text).unwrap();
            assert_eq!(profile.name, product.name());
            assert_eq!(profile.programs, [product.program()]);
        }
        let products: Vec<_> = known().map(|(product, _)| product.clone()).collect();
        assert_eq!(products, Product::KNOWN);
    }
}
