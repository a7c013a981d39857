//! Hash slots: which one a key belongs to, sets of them, and how they are dealt out.

mod parse;
mod range;
mod ranges;
mod slot;
mod split;

pub use parse::ParseSlotsError;
pub use range::SlotRange;
pub use ranges::SlotRanges;
#[doc(hidden)]
pub use ranges::as_list;
pub use slot::{Slot, key_slot};
#[doc(hidden)]
pub use split::split_evenly;
