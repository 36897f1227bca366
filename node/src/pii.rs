//! What is known about a citizen, kept out of logs by its type.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// What is shown in place of the value.
const MASK: &str = "***";

/// Something personal: a name, a number, an address. It prints and serialises as `***`, is read only through
/// [`Pii::reveal`], where a reader of the code can see it, and is wiped from memory when dropped.
#[derive(Clone, Default)]
pub struct Pii<T: Zeroize>(T);

impl<T: Zeroize> Pii<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each use is a decision to show it to somebody.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Zeroize> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Zeroize> Serialize for Pii<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// Values come in as they are; they only go out masked.
impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Pii<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T: Zeroize> Drop for Pii<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Applicant {
        name: Pii<String>,
        phone: Option<Pii<String>>,
    }

    #[test]
    fn nothing_personal_is_printed_or_serialised() {
        let applicant =
            Applicant { name: Pii::new("Ma Jun".to_owned()), phone: Some("13900000000".to_owned().into()) };
        assert_eq!(format!("{applicant:?}"), "Applicant { name: ***, phone: Some(***) }");
        assert_eq!(format!("{}", applicant.name), "***");
        assert_eq!(serde_json::to_string(&applicant).unwrap(), r#"{"name":"***","phone":"***"}"#);
    }

    #[test]
    fn padding_does_not_give_the_length_away() {
        let name = Pii::new("Ma Jun".to_owned());
        assert_eq!(format!("{name:>10}|{name:#?}"), "***|***");
    }

    #[test]
    fn the_value_comes_in_as_it_is() {
        let applicant: Applicant = serde_json::from_str(r#"{"name":"Ma Jun","phone":null}"#).unwrap();
        assert_eq!(applicant.name.reveal(), "Ma Jun");
        assert!(applicant.phone.is_none());
    }

    #[test]
    fn the_value_is_wiped_when_dropped() {
        struct Watched(Rc<Cell<u32>>);
        impl Zeroize for Watched {
            fn zeroize(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let wiped = Rc::new(Cell::new(0));
        drop(Pii::new(Watched(Rc::clone(&wiped))));
        assert_eq!(wiped.get(), 1);
    }
}
