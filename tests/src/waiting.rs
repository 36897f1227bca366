//! Waiting for a condition, with an end.

use std::time::{Duration, Instant};

/// What must happen happens within this.
pub const SOON: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(20);

/// Waits until `condition` gives a value, and fails the test if it does not within [`SOON`].
pub async fn eventually<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(begun.elapsed() < SOON, "in vain: {what}");
        tokio::time::sleep(POLL).await;
    }
}
