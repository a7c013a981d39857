//! An option as it was asked for, beside what is so in a cluster that is there.

use std::fmt::Display;

/// One option, and what a cluster that is there has of it.
#[derive(Debug)]
pub(super) struct Compared {
    /// `--quorum`, or words in its place.
    name: &'static str,
    /// Whether the cluster has what was asked for; none if the option was not given.
    fits: Option<bool>,
    there: String,
}

impl Compared {
    /// `there` is what the cluster has, in words.
    pub(super) fn new(name: &'static str, fits: Option<bool>, there: &dyn Display) -> Self {
        Self {
            name,
            fits,
            there: there.to_string(),
        }
    }

    /// The same, of values that can be compared.
    pub(super) fn of<T: PartialEq>(
        name: &'static str,
        asked: Option<T>,
        there: &T,
        words: &dyn Display,
    ) -> Self {
        Self::new(name, asked.map(|asked| asked == *there), words)
    }

    /// The option, if it was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.fits.map(|_| self.name)
    }

    /// What is so instead of what was asked for.
    pub(super) fn difference(self) -> Option<String> {
        let Self { name, fits, there } = self;
        let name = if name.starts_with("--") {
            format!("`{name}`")
        } else {
            name.to_owned()
        };
        (fits == Some(false)).then(|| format!("{name} is {there}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_and_is_not_so_is_a_difference() {
        let quorum = |asked: Option<usize>| Compared::of("--quorum", asked, &2, &2);
        assert_eq!(quorum(None).difference(), None);
        assert_eq!(quorum(Some(2)).difference(), None);
        assert_eq!(quorum(Some(1)).difference().unwrap(), "`--quorum` is 2");
        assert_eq!(quorum(None).given(), None);
        assert_eq!(quorum(Some(2)).given(), Some("--quorum"));
        let data = Compared::new("its data", Some(false), &"kept in a file");
        assert_eq!(data.difference().unwrap(), "its data is kept in a file");
    }
}
