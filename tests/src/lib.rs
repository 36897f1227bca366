//! The street.
