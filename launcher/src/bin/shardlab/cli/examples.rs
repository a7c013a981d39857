//! The examples at the end of a command's help.

pub(super) const UP: &str = "\
Examples:
  shardlab up                                three masters with one replica each, on ports 7001 to 7006
  shardlab up --masters 5 --replicas 2
  shardlab up -n blue --port auto            a second cluster, on any free ports
  shardlab up --server redis@7.2 --set maxmemory=100mb
  shardlab up --topology sentinel";

pub(super) const RUN: &str = "\
Examples:
  shardlab run -- pytest
  shardlab run --node-timeout 1s -- npm test
The command finds the cluster in REDIS_URL and REDIS_CLUSTER_NODES.";

pub(super) const PAUSE: &str = "\
Examples:
  shardlab pause n2 --for 3s
  shardlab pause n1 r1                       until `shardlab resume`";

pub(super) const FAILOVER: &str = "\
Examples:
  shardlab failover r1                       r1 takes over from its master
  shardlab failover n1 --mode crash          kill n1, and watch a replica take over";

pub(super) const WAIT: &str = "\
Examples:
  shardlab wait
  shardlab wait --for ready --for r1=master --timeout 1m";

pub(super) const ENV: &str = "\
Examples:
  eval \"$(shardlab env)\"
  shardlab env --shell dotenv";

pub(super) const CALL: &str = "\
Examples:
  shardlab call SET greeting hello
  shardlab call n2 CLUSTER NODES
  shardlab call --masters DBSIZE";

pub(super) const CLI: &str = "\
Examples:
  shardlab cli
  shardlab cli n2 --scan";

pub(super) const LOGS: &str = "\
Examples:
  shardlab logs n1 r1 --lines 20
  shardlab logs -f";

pub(super) const ADD_NODE: &str = "\
Examples:
  shardlab add-node                          then `shardlab rebalance --use-empty` gives it slots
  shardlab add-node --replica-of n1";

pub(super) const SCALE: &str = "\
Examples:
  shardlab scale --masters 5
  shardlab scale --replicas 2 --dry-run";

pub(super) const RESHARD: &str = "\
Examples:
  shardlab reshard --slots 100 --to n1
  shardlab reshard --slots 100 --to n1 --from n2,n3 --dry-run";

pub(super) const REBALANCE: &str = "\
Examples:
  shardlab rebalance
  shardlab rebalance --use-empty
  shardlab rebalance --weight n1=2 --weight n3=0.5";

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn every_example_is_a_command_line_that_is_accepted() {
        let mut tried = 0;
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            let lines = help.iter().flat_map(|help| help.lines());
            for line in lines.filter_map(|line| line.strip_prefix("  shardlab ")) {
                // What it does stands far behind it.
                let example = line.split("   ").next().unwrap();
                let words = ["shardlab"].into_iter().chain(example.split(' '));
                assert!(Cli::try_parse_from(words).is_ok(), "{example}");
                assert!(example.starts_with(command.get_name()), "{example}");
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried}");
    }
}
