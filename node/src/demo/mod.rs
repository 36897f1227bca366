//! The main job, played on an embedded city: seven real nodes, stories read from files, every case checked at the end;
//! or all halls of a city, to see what so many real nodes take.

mod city;
mod patience;
mod report;
mod script;
mod stories;
pub mod whole;

use std::path::{Path, PathBuf};

use crate::ops::Problem;
use crate::texts::{Lang, Texts};

pub use city::{City, Control, Doing, InProcess, Member};
pub use report::{Report, Told};
pub use script::Script;
pub use stories::{Ended, Story, Teller, play_all, steps};

/// What the caller of the demo wants.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// End when the stories are told; otherwise the city stays up until interrupted.
    pub once: bool,
    /// One JSON document at the end instead of lines as it happens.
    pub json: bool,
    /// Only this story: one that the program brings along, by its name, or one in a file.
    pub story: Option<String>,
    /// Leave the city here; otherwise it goes with the demo.
    pub keep: Option<PathBuf>,
    /// The language of the lines.
    pub lang: Lang,
}

/// Founds the city, plays the stories, checks the exported cases. The report says whether every story
/// ended as told.
pub async fn run(options: DemoOptions, say: &(dyn Fn(&str) + Sync)) -> Result<Report, Problem> {
    let texts = Texts::new(options.lang);
    let quiet = |_: &str| {};
    let say: &(dyn Fn(&str) + Sync) = if options.json { &quiet } else { say };
    let scripts = match &options.story {
        Some(named) => vec![Script::find(named)?],
        None => Script::all()?,
    };
    in_place(&options, async |dir: &Path| told(dir, &texts, say, (&options, &scripts)).await).await
}

/// Has something done in the city's directory, which goes with the demo unless it is to stay.
async fn in_place<T>(
    options: &DemoOptions,
    act: impl AsyncFnOnce(&Path) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let (dir, temporary) = place(options)?;
    let outcome = act(&dir).await;
    if temporary && let Err(why) = std::fs::remove_dir_all(&dir) {
        tracing::warn!(%why, path = %dir.display(), "the demo's city could not be removed");
    }
    outcome
}

async fn told(
    dir: &Path,
    texts: &Texts,
    say: &(dyn Fn(&str) + Sync),
    (options, scripts): (&DemoOptions, &[Script]),
) -> Result<Report, Problem> {
    say(&texts.say("demo.begin", &[("dir", &dir.display().to_string())]));
    let control = InProcess::default();
    let (city, mut control) = City::found(dir, control).await?;
    say(&texts.say("demo.founded", &[("halls", &city.members.len().to_string())]));
    let told = play_all(&Teller { texts, say }, &city, &mut control, scripts).await;
    let report = report::make(&city, &dir.join("exports"), told?).await?;
    if !options.once {
        say(&texts.say("demo.stays", &[("dir", &dir.display().to_string())]));
        if let Err(why) = tokio::signal::ctrl_c().await {
            tracing::error!(%why, "interrupts cannot be waited for");
        }
    }
    control.stop_all().await?;
    Ok(report)
}

fn place(options: &DemoOptions) -> Result<(PathBuf, bool), Problem> {
    let io = |path: &Path, why: std::io::Error| {
        Problem::new("demo.no_place").with("path", path.display()).with("reason", why)
    };
    if let Some(dir) = &options.keep {
        std::fs::create_dir_all(dir).map_err(|why| io(dir, why))?;
        let mut entries = std::fs::read_dir(dir).map_err(|why| io(dir, why))?;
        if entries.next().is_some() {
            return Err(Problem::new("demo.not_empty").with("path", dir.display()));
        }
        return Ok((dir.clone(), false));
    }
    let name = format!("hallmesh-demo-{}", crate::home::chance().next_u64());
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir(&dir).map_err(|why| io(&dir, why))?;
    Ok((dir, true))
}
