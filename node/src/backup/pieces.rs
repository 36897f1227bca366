//! Rows in pieces: so much of a snapshot as goes over the socket, and into the file, at once.

use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::limits::FRAME_MAX;
use hallmesh_protocol::step::View;

/// Bytes of rows in one piece; one row that is larger is a piece of its own.
pub const PIECE_BYTES: usize = 512 << 10;
/// A piece of a row that is as large as any can be, with room for its key and the two lengths.
pub(super) const PIECE_BYTES_MAX: usize = FRAME_MAX * 2 + PIECE_BYTES;

/// A piece of the rows of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Rows as they stand in the file.
    pub rows: Vec<u8>,
    /// The last key in it; the next piece begins after it.
    pub last: Vec<u8>,
    /// How many rows.
    pub count: u64,
    /// Whether more follow.
    pub more: bool,
}

/// The rows after a key, as many as one piece holds. Empty: from the first.
pub fn piece(view: &dyn View, after: &[u8]) -> Piece {
    let mut piece = Piece { rows: Vec::new(), last: after.to_vec(), count: 0, more: false };
    view.scan(&[], after, &mut |key, value| {
        let bytes = key.len().saturating_add(value.len()).saturating_add(8);
        if piece.count > 0 && piece.rows.len().saturating_add(bytes) > PIECE_BYTES {
            piece.more = true;
            return false;
        }
        for part in [key, value] {
            piece.rows.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            piece.rows.extend_from_slice(part);
        }
        piece.last = key.to_vec();
        piece.count = piece.count.saturating_add(1);
        true
    });
    piece
}

/// Whose rows they are; none if they are no node's.
pub(crate) fn owner(view: &dyn View) -> Option<HallAt> {
    genesis::identity(view).map(|identity| identity.at)
}

/// A row of a piece: key and value.
type Row<'a> = (&'a [u8], &'a [u8]);

/// The rows of a piece, in order; none if it is not made like one.
pub(super) fn rows_in(mut piece: &[u8]) -> Option<Vec<Row<'_>>> {
    let mut rows = Vec::new();
    while !piece.is_empty() {
        let (key, rest) = split(piece)?;
        let (value, rest) = split(rest)?;
        rows.push((key, value));
        piece = rest;
    }
    Some(rows)
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
