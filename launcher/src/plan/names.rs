//! Names of nodes, by birth.

use super::Role;

/// The name of the master that a shard is born with: `n1` for shard 0.
pub(crate) fn master_name(shard: usize) -> String {
    format!("n{}", shard + 1)
}

/// The name of the replica that is born into a shard as its `nth`, from 0: `r1`, `r1b`, …, `r1z`,
/// `r1ba`.
pub(crate) fn replica_name(shard: usize, nth: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = nth;
    while rest > 0 {
        letters.extend(('a'..='z').nth(rest % 26));
        rest /= 26;
    }
    format!("r{}{}", shard + 1, letters.iter().rev().collect::<String>())
}

/// A node's name by birth: `n1`; `r1`, `r1b`, `r1c`.
pub(super) fn births(replicas: &[usize]) -> Vec<(String, Role, usize)> {
    let masters = (0..replicas.len()).map(|shard| (master_name(shard), Role::Master, shard));
    let most = replicas.iter().copied().max().unwrap_or(0);
    let followers = (0..most).flat_map(|nth| {
        replicas
            .iter()
            .enumerate()
            .filter(move |(_, count)| nth < **count)
            .map(move |(shard, _)| (replica_name(shard, nth), Role::Replica, shard))
    });
    masters.chain(followers).collect()
}

/// The sentinels' names: `s1`, `s2`.
pub(super) fn sentinels(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("s{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_behind_z() {
        let names: Vec<_> = [0, 1, 25, 26, 27, 52]
            .into_iter()
            .map(|nth| replica_name(0, nth))
            .collect();
        assert_eq!(names, ["r1", "r1b", "r1z", "r1ba", "r1bb", "r1ca"]);
    }
}
