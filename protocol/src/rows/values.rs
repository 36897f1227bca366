//! What stands under a key: how rows are read, written and counted.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tally;
use crate::limits::FRAME_MAX;
use crate::step::{Cx, View};
use crate::wire::{self, Malformed};

/// Reads a row that may have been tampered with.
pub(crate) fn read_doubted<T: DeserializeOwned>(view: &dyn View, key: &[u8]) -> Result<Option<T>, Malformed> {
    view.get(key).map(|bytes| wire::decode_own(&bytes, FRAME_MAX * 2)).transpose()
}

/// Reads a row this node wrote. A row that does not decode is damage that the store's own check missed,
/// or a bug: the process must not go on.
pub(crate) fn read<T: DeserializeOwned>(view: &dyn View, key: &[u8]) -> Option<T> {
    view.get(key).map(|bytes| parse(key, &bytes))
}

/// Decodes the value of a row met in a scan.
pub(crate) fn parse<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> T {
    sound(key, wire::decode_own(bytes, FRAME_MAX * 2))
}

/// Decodes what a row's value begins with.
pub(crate) fn parse_head<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> T {
    sound(key, wire::decode_head(bytes, FRAME_MAX * 2).map(|(head, _rest)| head))
}

/// Whether a value is one of its kind: for rows that come from elsewhere than this node's own store.
pub(crate) fn decodes<T: DeserializeOwned>(value: &[u8]) -> bool {
    wire::decode_own::<T>(value, FRAME_MAX * 2).is_ok()
}

fn sound<T>(key: &[u8], decoded: Result<T, Malformed>) -> T {
    #[expect(clippy::expect_used, reason = "rows are checked by the store; what is left is a bug")]
    decoded.map_err(|malformed| format!("row {key:02x?}: {malformed}")).expect("a row of this node decodes")
}

/// Writes a row.
pub(crate) fn write<T: Serialize>(cx: &mut Cx<'_>, key: Vec<u8>, value: &T) {
    cx.put(key, wire::encode(value));
}

/// Adds to a counter kept in the same commit as what it counts.
pub(crate) fn count(cx: &mut Cx<'_>, name: &str, by: i64) {
    let key = tally(name);
    let now: i64 = read(cx, &key).unwrap_or(0);
    write(cx, key, &now.saturating_add(by));
}

/// Reads a counter.
pub(crate) fn counted(view: &dyn View, name: &str) -> u64 {
    let count: i64 = read(view, &tally(name)).unwrap_or(0);
    u64::try_from(count).unwrap_or(0)
}
