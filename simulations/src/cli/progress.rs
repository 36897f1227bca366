//! A bar for a person who waits. Where nobody watches, nothing is drawn.

use hallmesh_simulations::world::Progress;
use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{elapsed_precise} [{bar:40}] {percent:>3} %  {msg}";

/// A bar of so many parts.
pub(crate) fn bar(parts: u64) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(parts).with_style(ProgressStyle::with_template(TEMPLATE)?.progress_chars("=> ")))
}

/// Shows how far a run has come.
pub(crate) fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_position(progress.thousandths);
    if progress.broken > 0 {
        bar.set_message(format!("{} broken", progress.broken));
    }
}
