//! The commands in a hint, for the cluster that the user means.

/// Commands that are about no cluster.
const ABOUT_NONE: [&str; 6] = [
    "doctor",
    "ls",
    "servers",
    "completions",
    "conformance",
    "help",
];

/// Adds `option`, as in ` -n other`, to every command in back-ticks that does not say of which cluster
/// it is. The library, where most hints are made, knows of no option.
pub(super) fn with_option(hint: &str, option: &str) -> String {
    if option.is_empty() {
        return hint.to_owned();
    }
    let parts = hint.split('`').enumerate();
    let parts: Vec<_> = parts
        .map(|(index, part)| match part.strip_prefix("shardlab ") {
            // Every second part stands between back-ticks.
            Some(command) if index % 2 == 1 => format!("shardlab {}", named(command, option)),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

fn named(command: &str, option: &str) -> String {
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    let is_named = rest
        .split(' ')
        .any(|word| matches!(word, "-n" | "--name" | "--all"));
    if is_named || ABOUT_NONE.contains(&verb) {
        return command.to_owned();
    }
    let blank = if rest.is_empty() { "" } else { " " };
    format!("{verb}{option}{blank}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_cluster_once() {
        let table = [
            (
                "`shardlab start` starts it",
                "`shardlab start -n x` starts it",
            ),
            (
                "`shardlab start n1`, then",
                "`shardlab start -n x n1`, then",
            ),
            ("`shardlab start -n y n1`", "`shardlab start -n y n1`"),
            (
                "`shardlab ls`, `shardlab up`",
                "`shardlab ls`, `shardlab up -n x`",
            ),
            (
                "`--port auto` or shardlab up",
                "`--port auto` or shardlab up",
            ),
        ];
        for (hint, told) in table {
            assert_eq!(with_option(hint, " -n x"), told);
            assert_eq!(with_option(hint, ""), hint);
        }
    }
}
