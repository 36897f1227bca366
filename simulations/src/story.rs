//! What happened, in lines for people: kept only when somebody asks for it, the last part of it only.

use std::collections::VecDeque;
use std::fmt::Write as _;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::ids::HallAt;

use crate::clock::FOUNDED;

/// Lines that are kept at the most; older ones are dropped.
const LINES_MAX: usize = 200_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Age of the world, in milliseconds.
    pub at: u64,
    /// Where; none for the whole city.
    pub hall: Option<HallAt>,
    /// What.
    pub what: String,
}

/// Everything that was told.
#[derive(Debug, Default)]
pub struct Story {
    listens: bool,
    scenes: VecDeque<Scene>,
}

impl Story {
    /// Nobody listens.
    pub fn silent() -> Self {
        Self::default()
    }

    /// Somebody listens.
    pub fn told() -> Self {
        Self { listens: true, scenes: VecDeque::new() }
    }

    /// Whether it is worth the words.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// Something happened.
    pub fn note(&mut self, at: u64, hall: Option<HallAt>, what: String) {
        if !self.listens {
            return;
        }
        if self.scenes.len() >= LINES_MAX {
            self.scenes.pop_front();
        }
        self.scenes.push_back(Scene { at, hall, what });
    }

    /// What was told, in order.
    pub fn scenes(&self) -> impl Iterator<Item = &Scene> {
        self.scenes.iter()
    }
}

impl Scene {
    /// The scene as a line: day and time in Beijing, hall, what.
    pub fn line(&self) -> String {
        let mut line = format!("{} ", moment(FOUNDED.saturating_add(self.at)));
        if let Some(hall) = self.hall {
            // Writing into a text cannot fail.
            write!(line, "{hall} ").ok();
        }
        line.push_str(&self.what);
        line
    }
}

/// Day and time in Beijing, from milliseconds since 1970.
pub fn moment(wall: u64) -> String {
    let of_day = wall.saturating_add(8 * 3_600_000) % 86_400_000;
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (seconds, thousandths) = (of_day / 1_000 % 60, of_day % 1_000);
    format!("{} {hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}", CivilDay::of_wall(wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_listens_is_told_and_lines_say_when() {
        let mut silent = Story::silent();
        silent.note(1, None, "x".to_owned());
        assert_eq!(silent.scenes().count(), 0);
        let mut told = Story::told();
        told.note(61_001, None, "x".to_owned());
        assert_eq!(told.scenes().map(Scene::line).collect::<Vec<_>>(), ["2026-11-24 08:01:01.001 x"]);
    }
}
