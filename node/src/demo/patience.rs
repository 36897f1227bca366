//! Waiting for nodes that may be away for a moment: stopped, killed, started again.

use std::time::{Duration, Instant};

use crate::ops::Problem;

/// How long anything in the demo may take before it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Waits for a condition, which gives a value once it holds. A node that is away is asked again: whatever
/// was asked of it was either done before it went or is not done at all, so a condition that asks for a deed
/// must look first whether it is done.
pub(super) async fn until<T>(
    code: &str,
    condition: impl AsyncFn() -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    let begun = Instant::now();
    loop {
        let missing = match condition().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => Problem::new(code).with("seconds", PATIENCE.as_secs()),
            Err(problem) if is_away(&problem) => problem,
            Err(problem) => return Err(problem),
        };
        if begun.elapsed() > PATIENCE {
            return Err(missing);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Whether the node went away under a call, or between the question for its boot and the call that names it.
fn is_away(problem: &Problem) -> bool {
    const AWAY: [&str; 4] = ["node.not_running", "node.broken_off", "node.stopping", "clerk.stale"];
    AWAY.contains(&problem.code.as_str())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_node_that_is_away_is_asked_again_and_a_refusal_ends_the_wait() {
        let asked = Cell::new(0);
        let waited = until("demo.never", async || {
            asked.set(asked.get() + 1);
            match asked.get() {
                1 => Err(Problem::new("node.broken_off")),
                2 => Ok(None),
                number => Ok(Some(number)),
            }
        });
        assert_eq!(waited.await, Ok(3));
        let refused = until::<()>("demo.never", async || Err(Problem::new("act.wrong_state")));
        assert_eq!(refused.await, Err(Problem::new("act.wrong_state")));
    }
}
