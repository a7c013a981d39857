//! The node.conf of a server that does not take Redis's configuration: its command line, which a profile
//! decides, and its own config file. Pure.

use std::fmt::Write as _;
use std::path::Path;

use super::directive::{quote, split_words};
use super::origin;
use crate::plan::{NodePlan, Options};
use crate::server::{Identity, Place, Profile, Quotes, Start, Template};

/// The name of the server's own config file in a node's folder.
pub(crate) const OWN_FILE: &str = "server.conf";

/// What an argument of the command line stands behind in node.conf.
const ARGUMENT: &str = "argument ";

/// Writes the whole node.conf of a node, which lives in `dir`, of the cluster whose folder is `folder`.
///
/// # Errors
/// An argument of the profile asks for what there is not.
pub(crate) fn profiled_conf(
    folder: &Path,
    options: &Options,
    node: &NodePlan,
    dir: &Path,
    server: &Identity,
    profile: &Profile,
) -> Result<String, String> {
    let header = origin::header(&format!("Node {}", node.name), folder, server);
    // Whoever looks for the node's folder, or for damage, finds it by these two.
    let mut conf = format!(
        "{header}dir {}\nport {}\n",
        quote(dir.as_os_str().as_encoded_bytes()),
        node.port
    );
    let Some(start) = &profile.start else {
        return Ok(conf);
    };
    let value = |name: &str| value(name, options, node, dir);
    let clustered = options.topology.is_cluster();
    let in_cluster = start.cluster_arguments.iter().filter(|_| clustered);
    let mut arguments = Vec::new();
    for template in start.arguments.iter().chain(in_cluster) {
        arguments.push(template.fill(value)?);
    }
    for setting in &options.settings {
        for template in start.setting_arguments.iter().flatten() {
            let text = template.fill(|name| match name {
                "key" => Some(Place::Text(setting.key.clone())),
                "value" => Some(Place::Text(plain(&setting.value))),
                _ => value(name),
            })?;
            arguments.push(text);
        }
    }
    if let Some(password) = &options.password {
        for template in start.password_arguments.iter().flatten() {
            let text = template.fill(|name| match name {
                "password" => Some(Place::Text(password.clone())),
                _ => value(name),
            })?;
            arguments.push(text);
        }
    }
    for argument in &arguments {
        let _ = writeln!(conf, "{ARGUMENT}{}", quote(argument.as_bytes()));
    }
    Ok(conf)
}

/// The text of the server's own config file, if it has one.
///
/// # Errors
/// As [`profiled_conf`]; or a text that cannot stand in it.
pub(crate) fn own_conf(
    options: &Options,
    node: &NodePlan,
    dir: &Path,
    start: &Start,
) -> Result<Option<String>, String> {
    let fill = |config: &Template| {
        config.fill_quoted(
            |name| value(name, options, node, dir),
            |text| quoted(start.quotes, text),
        )
    };
    start.config.as_ref().map(fill).transpose()
}

/// The arguments in a node.conf, in order.
pub(crate) fn arguments(conf: &str) -> Vec<Vec<u8>> {
    let words = conf.lines().filter_map(|line| {
        let words = split_words(line.strip_prefix(ARGUMENT)?).ok()?;
        words.into_iter().next()
    });
    words.collect()
}

fn value(name: &str, options: &Options, node: &NodePlan, dir: &Path) -> Option<Place> {
    let text = |text: String| Some(Place::Text(text));
    match name {
        "host" => text(options.told_address().to_string()),
        "port" => Some(Place::Number(node.port.into())),
        "bus" => node.bus_port.map(|port| Place::Number(port.into())),
        "dir" => text(dir.to_str()?.to_owned()),
        "config" => text(dir.join(OWN_FILE).to_str()?.to_owned()),
        "name" => text(node.name.clone()),
        "node-timeout" => u64::try_from(options.node_timeout.as_millis())
            .ok()
            .map(Place::Number),
        _ => None,
    }
}

/// The value of a directive without its quotes.
fn plain(value: &str) -> String {
    let words = split_words(value).unwrap_or_default();
    String::from_utf8_lossy(&words.join(&b' ')).into_owned()
}

fn quoted(quotes: Quotes, text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte);
    match quotes {
        Quotes::Redis => Ok(quote(text.as_bytes())),
        Quotes::Json => serde_json::to_string(text).map_err(|error| error.to_string()),
        Quotes::None if text.bytes().all(is_plain) => Ok(text.to_owned()),
        Quotes::None => Err(format!(
            "{text:?} cannot stand in a config file without quotes, and the profile says `quotes = \"none\"`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{arguments, own_conf, profiled_conf};
    use crate::config::is_ours;
    use crate::plan::{Options, Plan, Setting};
    use crate::server::{Identity, Profile};

    const PROFILE: &str = r#"
name = "mine"
programs = ["mine-server"]
version.is = "1.2.3"

[start]
arguments = ["--listen", "{host}:{port}", "--config", "{config}"]
cluster-arguments = ["--bus={bus}"]
setting-arguments = ["--{key}", "{value}"]
password-arguments = ["--pass", "{password}"]
config = '{ "dir": {dir}, "port": {port} }'
quotes = "json"
"#;

    #[test]
    fn arguments_are_read_back_as_they_were_filled_in() {
        let mut options = Options::default();
        options
            .settings
            .push(Setting::parse("a='b c\" d'").unwrap());
        options.password = Some("a \"b".to_owned());
        let ports: Vec<_> = Plan::wanted_ports(&options).unwrap();
        let ports: Vec<_> = ports.into_iter().flatten().collect();
        let plan = Plan::new(&options, &ports).unwrap();
        let profile = Profile::parse(PROFILE).unwrap();
        let server = Identity::from_version_output("mine server v=1.2.3").unwrap();
        let dir = Path::new("/lab of \"mine\"/7001");
        let node = &plan.nodes[0];
        let folder = Path::new("/state/default");
        let conf = profiled_conf(folder, &options, node, dir, &server, &profile).unwrap();
        assert!(is_ours(&conf, dir), "{conf}");
        let told: Vec<_> = arguments(&conf)
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect();
        assert_eq!(
            told,
            [
                "--listen",
                "127.0.0.1:7001",
                "--config",
                "/lab of \"mine\"/7001/server.conf",
                "--bus=17001",
                "--a",
                "b c\" d",
                "--pass",
                "a \"b",
            ]
        );
        let own = own_conf(&options, node, dir, profile.start.as_ref().unwrap());
        assert_eq!(
            own.unwrap().unwrap(),
            r#"{ "dir": "/lab of \"mine\"/7001", "port": 7001 }"#
        );
    }
}
