//! Which replica is to take over. Pure.

/// A replica that might take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its place in the cluster.
    pub(super) node: usize,
    /// Whether its link to the master is up.
    pub(super) linked: bool,
    /// How much of the master's stream it has.
    pub(super) offset: u64,
}

/// The replica that has most of the master's data, among those whose link is up if there are any, or
/// if it `needs_link`; only `wanted` is looked at if one is.
pub(super) fn best(
    candidates: &[Candidate],
    wanted: Option<usize>,
    needs_link: bool,
) -> Option<usize> {
    let eligible = || {
        let candidates = candidates.iter();
        candidates.filter(|candidate| wanted.is_none_or(|wanted| candidate.node == wanted))
    };
    // Of equals the first.
    let linked = eligible()
        .filter(|candidate| candidate.linked)
        .rev()
        .max_by_key(|candidate| candidate.offset);
    let any = || {
        let all = eligible().filter(|_| !needs_link).rev();
        all.max_by_key(|candidate| candidate.offset)
    };
    linked.or_else(any).map(|candidate| candidate.node)
}
