//! What a user is told, as a value: words, commands of the program, and parameters. Pure.

use std::fmt;

use super::parameter::Parameter;

/// A sentence without its full stop, or some: what is wrong, or what helps.
///
/// Shown as text, it names parameters in plain words. Who renders its [parts](Text::parts) can name them as
/// options, and add to a command which cluster it is about.
///
/// ```
/// use shardlab::Error;
///
/// let missing = Error::NoCluster("mine".parse()?);
/// let hint = missing.hint().map(|hint| hint.to_string());
/// let told = "`shardlab up -n mine` starts it; `shardlab ls` lists what there is";
/// assert_eq!(hint.as_deref(), Some(told));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Part>);

/// A part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words, with the blanks before and after them.
    Words(String),
    /// A command that helps.
    Command(Command),
    /// A parameter to be given, or left out, the next time.
    Parameter(Parameter, Option<String>),
}

/// A command of the program `shardlab`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    verb: &'static str,
    about: About,
    arguments: Vec<Argument>,
}

/// Which cluster a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    /// None.
    Nothing,
    /// The one that is spoken of, whatever its name.
    This,
    /// This one.
    Cluster(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Argument {
    Word(String),
    Parameter(Parameter, Option<String>),
}

impl Text {
    /// From its parts, in their order.
    pub(crate) fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// What it consists of, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// As it is typed: parameters are options.
    #[doc(hidden)]
    pub fn typed(&self) -> String {
        self.0.iter().map(Part::typed).collect()
    }

    /// The same with more behind it.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

impl Part {
    /// The same about a cluster by name, if it is a command.
    pub(crate) fn of(self, cluster: &impl fmt::Display) -> Self {
        match self {
            Self::Command(command) => Self::Command(command.of(cluster)),
            other => other,
        }
    }

    /// The same as it is typed: a parameter is an option.
    #[doc(hidden)]
    pub fn typed(&self) -> String {
        match self {
            Self::Words(_) | Self::Command(_) => self.to_string(),
            Self::Parameter(parameter, None) => format!("`{}`", parameter.option()),
            Self::Parameter(parameter, Some(value)) => format!("`{} {value}`", parameter.option()),
        }
    }
}

impl Command {
    /// A command about the cluster that is spoken of.
    pub(crate) fn about_this(verb: &'static str) -> Self {
        Self {
            verb,
            about: About::This,
            arguments: Vec::new(),
        }
    }

    /// A command that is about no cluster.
    pub(crate) fn of_none(verb: &'static str) -> Self {
        Self {
            about: About::Nothing,
            ..Self::about_this(verb)
        }
    }

    /// The same about a cluster by name.
    pub(crate) fn of(self, cluster: &impl fmt::Display) -> Self {
        Self {
            about: About::Cluster(cluster.to_string()),
            ..self
        }
    }

    /// The same with the name of the cluster that is spoken of.
    #[must_use]
    pub fn named(self, cluster: &impl fmt::Display) -> Self {
        match self.about {
            About::This => self.of(cluster),
            About::Nothing | About::Cluster(_) => self,
        }
    }

    /// The same with a word more.
    pub(crate) fn arg(mut self, word: impl Into<String>) -> Self {
        self.arguments.push(Argument::Word(word.into()));
        self
    }

    /// The same with a parameter that takes no value.
    pub(crate) fn flag(mut self, parameter: Parameter) -> Self {
        self.arguments.push(Argument::Parameter(parameter, None));
        self
    }

    /// The same with a parameter and its value.
    pub(crate) fn with(mut self, parameter: Parameter, value: impl Into<String>) -> Self {
        let value = Some(value.into());
        self.arguments.push(Argument::Parameter(parameter, value));
        self
    }
}

/// A command about the cluster that is spoken of.
pub(crate) fn run(verb: &'static str) -> Command {
    Command::about_this(verb)
}

/// A command about one node of that cluster.
pub(crate) fn run_on(verb: &'static str, node: &str) -> Command {
    Command::about_this(verb).arg(node)
}

impl Parameter {
    /// With a value, as a part of a text.
    pub(crate) fn as_part(self, value: impl Into<String>) -> Part {
        Part::Parameter(self, Some(value.into()))
    }
}

impl From<&str> for Part {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Part {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Command> for Part {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Parameter> for Part {
    fn from(parameter: Parameter) -> Self {
        Self::Parameter(parameter, None)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::new([words.into()])
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new([words.into()])
    }
}

/// A [`Text`] of words, commands and parameters.
macro_rules! text {
    ($($part:expr),+ $(,)?) => {
        $crate::machine::message::Text::new([$($crate::machine::message::Part::from($part)),+])
    };
}
pub(crate) use text;

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(f))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Command(command) => write!(f, "`{command}`"),
            Self::Parameter(parameter, None) => write!(f, "`{parameter}`"),
            Self::Parameter(parameter, Some(value)) => write!(f, "`{parameter} {value}`"),
        }
    }
}

impl fmt::Display for Command {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardlab {}", self.verb)?;
        if let About::Cluster(name) = &self.about {
            write!(f, " {} {name}", Parameter::Name.option())?;
        }
        self.arguments
            .iter()
            .try_for_each(|argument| write!(f, " {argument}"))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Parameter(parameter, None) => f.write_str(&parameter.option()),
            Self::Parameter(parameter, Some(value)) => {
                write!(f, "{} {value}", parameter.option())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_cluster_before_its_other_words_and_once() {
        let other = "other";
        let named = run_on("start", "n1").named(&other);
        assert_eq!(named.to_string(), "shardlab start -n other n1");
        let one = "one";
        assert_eq!(named.clone().named(&one), named);
        let of_none = Command::of_none("doctor").flag(Parameter::Fix);
        assert_eq!(of_none.named(&one).to_string(), "shardlab doctor --fix");
    }

    #[test]
    fn as_text_a_parameter_is_named_in_plain_words() {
        let hint = text![
            run("wait").with(Parameter::For, "ready"),
            " waits; ",
            Parameter::BusPort.as_part("auto"),
            " takes another port, ",
            Parameter::Dir,
            " another place",
        ];
        assert_eq!(
            hint.to_string(),
            "`shardlab wait --for ready` waits; `bus port auto` takes another port, `dir` another place"
        );
    }
}
