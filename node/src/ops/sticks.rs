//! Parcels for sticks: filled from a snapshot, checked off the loop, signed and taken in by the core.

use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::parcels::{self, Bound, Carries, Cover, Load, Next, Parcel};
use hallmesh_protocol::post::Unfit;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::Command;

use super::answers::{Answer, StickFile};
use super::deeds::{After, Deed};
use super::questions::{Asked, hex, unhex};
use super::{Ask, Problem};
use crate::sticks;

/// What a parcel holds besides its cover, until that is signed.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    contents: Vec<u8>,
    count: usize,
    next: Option<Next>,
    cut: bool,
}

/// A file that this hall has written is told apart before anything is done.
pub(super) fn own(asked: &Asked<'_>, file: &str) -> Option<Answer> {
    let cover = parcel(file).and_then(|parcel| Ok(parcel.cover()?)).ok()?;
    let own = cover.from.hall == asked.at.hall;
    own.then(|| Answer::OwnFile { needed: parcels::still_out(asked.view, &cover) })
}

/// Fills the next parcel of a stick.
pub(super) fn write(asked: &Asked<'_>, ask: &Ask) -> Result<Deed, Problem> {
    let Ask::StickWrite { to, next, directory } = ask else { return Err(Problem::new("call.malformed")) };
    let bound = bound(asked, *to)?;
    let next = next.clone().unwrap_or(Next::FIRST);
    let load = parcels::load(asked.view, bound, &next).ok_or_else(|| Problem::new("call.malformed"))?;
    let Load { consign, contents, count, next, cut } = load;
    if directory.as_ref().is_some_and(|begun| *begun != hex(&consign.directory)) {
        return Err(Unfit::DirectoryMoved.into());
    }
    Ok(Deed::new(
        Command::Consign(consign),
        After::Consigned(Box::new(Loaded { contents, count, next, cut })),
    ))
}

fn bound(asked: &Asked<'_>, to: Option<HallId>) -> Result<Bound, Problem> {
    let Some(to) = to else { return Ok(Bound::All) };
    if to == asked.at.hall {
        return Err(Problem::new("post.to_itself"));
    }
    let known = Directory::new(asked.view).present(to).is_some();
    if known { Ok(Bound::To(to)) } else { Err(Problem::new("hall.unknown").with("hall", to)) }
}

/// The file, now that its cover is signed.
pub(super) fn written(cover: Signed<Cover>, loaded: &Loaded) -> Result<Answer, Problem> {
    let said = cover.peek().ok().ok_or_else(|| Problem::new("call.malformed"))?;
    let (what, to) = match &said.carries {
        Carries::Records { space, .. } => (sticks::space_word(*space), None),
        Carries::Letters { to, .. } => ("letters", Some(to.to_string())),
    };
    Ok(Answer::StickFile(Box::new(StickFile {
        name: sticks::name_of(&said),
        what: what.to_owned(),
        from: said.from.hall.to_string(),
        to,
        count: loaded.count,
        cut: loaded.cut,
        directory: hex(&said.directory),
        next: loaded.next.clone(),
        file: hex(&parcels::file(cover, loaded.contents.clone())),
    })))
}

/// Checks a file for being taken in.
pub(super) fn read(asked: &Asked<'_>, file: &str) -> Result<Deed, Problem> {
    let opened = parcels::open(asked.view, asked.at.hall, parcel(file)?)?;
    Ok(Deed::new(Command::TakeIn(Box::new(opened)), After::Nothing))
}

fn parcel(file: &str) -> Result<Parcel, Problem> {
    let bytes = unhex(file).ok_or_else(|| Problem::new("call.malformed"))?;
    Ok(Parcel::decode(&bytes)?)
}
