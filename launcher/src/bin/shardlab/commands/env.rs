//! `env`: how to reach the cluster, for a shell, a file, or the command of `run`.

use shardlab::plan::Topology;
use shardlab::{Cluster, Error, Node, exit};

use super::lab::Lab;
use crate::cli::ShellArg;

/// The variables that tell a program about a cluster, as it is now.
pub(super) async fn variables(cluster: &Cluster, lab: &Lab<'_>) -> Vec<(&'static str, String)> {
    let record = cluster.record();
    let topology = record.options.topology;
    let mut variables = vec![("REDIS_URL", cluster.url())];
    match topology {
        Topology::Cluster => variables.push(("REDIS_CLUSTER_NODES", addresses(cluster.nodes()))),
        Topology::Standalone => {}
        Topology::Replication | Topology::Sentinel => {
            let master = cluster.present_master().await;
            let is_master = |node: &Node| master.is_some_and(|one| one.name() == node.name());
            if let Some(master) = master {
                variables = vec![("REDIS_URL", cluster.url_of(master))];
            }
            let replicas = cluster.nodes_with_data().filter(|node| !is_master(node));
            variables.push(("REDIS_REPLICAS", addresses(replicas)));
        }
    }
    if topology == Topology::Sentinel {
        variables.extend([
            ("REDIS_SENTINELS", addresses(cluster.sentinels())),
            (
                "REDIS_SENTINEL_MASTER",
                record.options.sentinels.master_name.clone(),
            ),
        ]);
    }
    variables.extend([
        ("SHARDLAB_NAME", cluster.name().to_string()),
        ("SHARDLAB_HOME", lab.home.root().display().to_string()),
        ("SHARDLAB_TOPOLOGY", topology.to_string()),
        ("SHARDLAB_SERVER_PRODUCT", record.server.product.to_string()),
        ("SHARDLAB_SERVER_VERSION", record.server.version.to_string()),
    ]);
    if let Some(password) = &record.options.password {
        variables.push(("SHARDLAB_PASSWORD", password.clone()));
    }
    variables
}

fn addresses<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> String {
    let addresses = nodes.into_iter().map(|node| node.address().to_string());
    addresses.collect::<Vec<_>>().join(",")
}

/// Prints them.
pub(crate) async fn env(lab: &Lab<'_>, shell: ShellArg) -> Result<u8, Error> {
    let cluster = lab.look()?;
    let variables = variables(&cluster, lab).await;
    if shell == ShellArg::Json {
        lab.term.json(
            &variables
                .into_iter()
                .collect::<std::collections::BTreeMap<_, _>>(),
        );
        return Ok(exit::DONE);
    }
    let lines: Vec<_> = variables
        .iter()
        .map(|(key, value)| line(shell, key, value))
        .collect();
    // As they are: a shell is to read the very password.
    lab.term.bytes(format!("{}\n", lines.join("\n")).as_bytes());
    Ok(exit::DONE)
}

fn line(shell: ShellArg, key: &str, value: &str) -> String {
    match shell {
        // Between single quotes a shell reads everything but the single quote as it is.
        ShellArg::Sh => format!("export {key}='{}'", value.replace('\'', r"'\''")),
        ShellArg::Fish => format!(
            "set -gx {key} '{}'",
            value.replace('\\', r"\\").replace('\'', r"\'")
        ),
        ShellArg::Dotenv | ShellArg::Json => {
            let escaped = value
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('$', r"\$")
                .replace('\n', r"\n");
            format!("{key}=\"{escaped}\"")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(line(ShellArg::Sh, "P", "a'b$(c)"), r"export P='a'\''b$(c)'");
        assert_eq!(line(ShellArg::Fish, "P", r"a'b\"), r"set -gx P 'a\'b\\'");
        assert_eq!(
            line(ShellArg::Dotenv, "P", "a\"b$c\nd"),
            "P=\"a\\\"b\\$c\\nd\""
        );
    }
}
