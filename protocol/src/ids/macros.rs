//! What the ids have in common.

/// Serde (`try_from`, `into`) goes through `$raw`: what is read is checked like what is typed.
macro_rules! checked_wire {
    ($id:ident as $raw:ty, $read:expr, $write:expr) => {
        impl TryFrom<$raw> for $id {
            type Error = $crate::ids::Malformed;

            fn try_from(raw: $raw) -> Result<Self, Self::Error> {
                $read(raw)
            }
        }

        impl From<$id> for $raw {
            fn from(id: $id) -> Self {
                $write(id)
            }
        }
    };
}

/// Ids that are short enough to be shown whole, in traces too.
macro_rules! debug_is_display {
    ($($id:ident),+) => {
        $(impl std::fmt::Debug for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })+
    };
}

/// An id of `$size` bytes written in lower-case hexadecimal; `Debug` shows the first four bytes.
macro_rules! hex_id {
    ($(#[$doc:meta])* $id:ident, $size:literal, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $id(#[serde(with = "crate::fixed")] pub [u8; $size]);

        impl std::fmt::Display for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::str::FromStr for $id {
            type Err = $crate::ids::Malformed;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::ids::text::unhex(text, $digits).map(Self)
            }
        }
    };
}

pub(super) use {checked_wire, debug_is_display, hex_id};
