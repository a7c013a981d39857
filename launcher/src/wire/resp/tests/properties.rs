//! What holds for every value and for every input.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{decode_one, decode_pieces, values};
use crate::wire::resp::{Frame, Protocol, Value};

/// Every frame inside stands in the raw bytes of the one around it, in order, and where the
/// memory of those bytes is.
fn assert_children_are_slices(frame: &Frame) {
    let mut from = frame.raw.as_ptr() as usize;
    let end = from + frame.raw.len();
    for child in children(&frame.value) {
        let start = child.raw.as_ptr() as usize;
        assert!(
            from <= start && start + child.raw.len() <= end,
            "{child:?} in {frame:?}"
        );
        from = start + child.raw.len();
        assert_children_are_slices(child);
    }
}

fn children(value: &Value) -> Vec<&Frame> {
    match value {
        Value::Array(frames)
        | Value::Set(frames)
        | Value::Push(frames)
        | Value::StreamedArray(frames)
        | Value::StreamedSet(frames) => frames.iter().collect(),
        Value::Map(pairs) | Value::StreamedMap(pairs) => {
            pairs.iter().flat_map(|(key, value)| [key, value]).collect()
        }
        Value::Attribute { attributes, value } => attributes
            .iter()
            .flat_map(|(key, value)| [key, value])
            .chain([&**value])
            .collect(),
        _ => Vec::new(),
    }
}

/// Right bytes with some mistakes in them, or bytes that never were right.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let alphabet = prop::sample::select(&b"+-:$*_#,(!=%~>|;.?0123456789tfinae\r\nx"[..]);
    let wire = values::resp3().prop_map(|value| value.encode().to_vec());
    let edits = vec(
        (any::<prop::sample::Index>(), 0..3_u8, alphabet.clone()),
        0..4,
    );
    let edited = (wire, edits).prop_map(|(mut wire, edits)| {
        for (place, edit, byte) in edits {
            let place = place.index(wire.len().max(1));
            match edit {
                0 => wire.insert(place, byte),
                1 if place < wire.len() => wire[place] = byte,
                _ if place < wire.len() => drop(wire.remove(place)),
                _ => {}
            }
        }
        wire
    });
    prop_oneof![4 => edited, 1 => vec(alphabet, 0..40), 1 => vec(any::<u8>(), 0..40)]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Resp2), Just(Protocol::Resp3)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn decoding_undoes_encoding(value in values::resp3()) {
        let frame = Frame::from_value(value);
        prop_assert_eq!(decode_one(Protocol::Resp3, &frame.raw), frame);
    }

    #[test]
    fn what_resp2_can_say_is_the_same_in_resp3(value in values::resp2()) {
        let wire = value.encode();
        let [two, three] = [Protocol::Resp2, Protocol::Resp3].map(|protocol| decode_one(protocol, &wire));
        prop_assert_eq!(&two, &three);
        prop_assert_eq!(two.value, value);
    }

    #[test]
    fn inner_frames_are_slices_of_the_outer_one(value in values::resp3()) {
        assert_children_are_slices(&decode_one(Protocol::Resp3, &value.encode()));
    }

    #[test]
    fn a_frame_may_be_cut_anywhere(values in vec(values::resp3(), 1..3), first in any::<usize>()) {
        let wire: Vec<u8> = values.iter().flat_map(Value::encode).collect();
        // A long one in some places; where, differs from case to case.
        let step = 1 + wire.len() / 50;
        for at in (first % step..=wire.len()).step_by(step) {
            let (frames, rest) = decode_pieces(Protocol::Resp3, [&wire[..at], &wire[at..]]);
            prop_assert_eq!(rest.as_deref(), Ok(&b""[..]));
            prop_assert!(frames.iter().map(|frame| &frame.value).eq(&values));
        }
    }

    #[test]
    fn pieces_change_neither_frames_nor_errors(
        wire in damaged(), cuts in vec(any::<prop::sample::Index>(), 0..6), protocol in protocol(),
    ) {
        let whole = decode_pieces(protocol, [&wire[..]]);
        prop_assert_eq!(&decode_pieces(protocol, wire.chunks(1)), &whole);

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).chain([0, wire.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]);
        prop_assert_eq!(&decode_pieces(protocol, pieces), &whole);
    }

    #[test]
    fn an_error_points_into_the_bytes(wire in damaged(), protocol in protocol()) {
        let (frames, end) = decode_pieces(protocol, [&wire[..]]);
        if let Err(error) = end {
            let taken: usize = frames.iter().map(|frame| frame.raw.len()).sum();
            let there = &wire[taken + error.offset..];
            prop_assert!(there.starts_with(&error.found), "{error} in {there:?}");
        }
    }
}
