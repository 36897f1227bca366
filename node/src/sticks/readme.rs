//! The index on a stick, for whoever finds it: in both languages, without anybody's data.

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::parcels::{Carries, Cover};

use super::{Found, space_word};
use crate::texts::{self, Lang, Texts};

/// Windows shows line ends of its own best, and everything else shows them too.
const LINE_END: &str = "\r\n";

/// What the files are, from their covers.
pub(super) fn text(files: &[Found]) -> String {
    let part = |lang| {
        let texts = Texts::new(lang);
        let mut lines = vec![texts.say("stick.readme", &[])];
        lines.extend(files.iter().map(|found| line(&texts, found)));
        lines.join("\n")
    };
    let both = [part(Lang::Zh), part(Lang::En)].join("\n\n");
    both.replace('\n', LINE_END) + LINE_END
}

fn line(texts: &Texts, found: &Found) -> String {
    let Ok(cover) = &found.cover else { return texts.say("stick.unreadable", &[("file", &found.name)]) };
    let (from, written) = (cover.from.hall, moment(cover));
    match &cover.carries {
        Carries::Records { space, .. } => {
            let what = texts.word("stick.space", space_word(*space));
            texts.filled(
                "stick.records",
                &[("file", &found.name), ("from", &from), ("what", &what), ("time", &written)],
            )
        }
        Carries::Letters { to, letters, .. } => texts.filled(
            "stick.letters",
            &[("file", &found.name), ("from", &from), ("to", to), ("count", letters), ("time", &written)],
        ),
    }
}

fn moment(cover: &Cover) -> String {
    format!("{} {}", CivilDay::of_wall(cover.wall), texts::clock(cover.wall))
}
