//! A core that stops itself is a finding like any other: the run ends, the simulator goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs something that may stop itself; what it said then.
pub fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| said(panic.as_ref()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    text.unwrap_or("the core stopped itself").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_said_is_kept() {
        assert_eq!(caught(|| 1), Ok(1));
        let words = [
            caught(|| -> u8 { std::panic::panic_any("plain") }),
            caught(|| -> u8 { std::panic::panic_any("put together".to_owned()) }),
        ];
        assert_eq!(words, [Err("plain".to_owned()), Err("put together".to_owned())]);
    }
}
