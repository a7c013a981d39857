//! Names by birth.

use super::Role;

/// A node's name by birth: `n1`; `r1`, `r1b`, `r1c`.
pub(super) fn births(replicas: &[usize]) -> Vec<(String, Role, usize)> {
    let masters = (0..replicas.len()).map(|shard| (format!("n{}", shard + 1), Role::Master, shard));
    let most = replicas.iter().copied().max().unwrap_or(0);
    let followers = ('a'..='z')
        .take(most)
        .enumerate()
        .flat_map(|(nth, letter)| {
            replicas
                .iter()
                .enumerate()
                .filter(move |(_, count)| nth < **count)
                .map(move |(shard, _)| {
                    let suffix = if nth == 0 {
                        String::new()
                    } else {
                        letter.to_string()
                    };
                    (format!("r{}{suffix}", shard + 1), Role::Replica, shard)
                })
        });
    masters.chain(followers).collect()
}

/// The sentinels' names: `s1`, `s2`.
pub(super) fn sentinels(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("s{number}"))
}
