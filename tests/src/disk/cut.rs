//! What is left on a disk after a process was killed or power was lost.

use hallmesh_protocol::chance::Chance;

use super::image::{Image, PAGE};
use super::recorder::{Asked, Disk, Tape};

const SECTOR: usize = 512;

/// How the work of a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    /// The process is killed: the system still has every write, and writes none of them by itself.
    Kill,
    /// Power is lost: any of the unsynced writes are on the disk, each whole or not at all.
    Power,
    /// Power is lost, and some writes are torn: a beginning, an end or some sectors of them are on the disk.
    Torn,
    /// As torn, and some sectors of torn writes are neither old nor new. Not the sector with redb's header, which
    /// is written in place: no single file survives that, and disks promise to write a sector whole or not at all.
    Garbage,
}

impl Cut {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Kill, Self::Power, Self::Torn, Self::Garbage];

    /// A stable word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Power => "power",
            Self::Torn => "torn",
            Self::Garbage => "garbage",
        }
    }
}

/// Goes along a tape and knows at every point what is safe and what is not.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    tape: &'a Tape,
    safe: Image,
    synced: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tape: &'a Tape) -> Self {
        Self { tape, safe: tape.base.clone(), synced: 0 }
    }

    /// The disk that the next process finds if it all ends after `point` things were asked. Points must not go
    /// backwards.
    pub(super) fn cut(&mut self, point: usize, cut: Cut, chance: &mut Chance) -> Disk {
        self.advance(point);
        let unsafe_still = &self.tape.asked[self.synced..point];
        match cut {
            Cut::Kill => Disk::after(Tape { base: self.safe.clone(), asked: unsafe_still.to_vec() }),
            Cut::Power | Cut::Torn | Cut::Garbage => {
                Disk::holding(survivor(self.safe.clone(), unsafe_still, cut, chance))
            }
        }
    }

    fn advance(&mut self, point: usize) {
        let later = &self.tape.asked[self.synced..point];
        if let Some(sync) = later.iter().rposition(|asked| matches!(asked, Asked::Sync)) {
            later[..sync].iter().for_each(|asked| asked.apply(&mut self.safe));
            self.synced += sync + 1;
        }
    }
}

/// What power loss leaves: lengths change in order, as file systems keep them; writes survive in any choice.
fn survivor(mut image: Image, asked: &[Asked], cut: Cut, chance: &mut Chance) -> Image {
    let lengths = asked.iter().filter(|asked| matches!(asked, Asked::SetLen(_))).count();
    let mut lengths = chance.below(lengths as u64 + 1);
    // Each image has its own share of writes that survive; none and all are among them.
    let share = chance.below(5);
    for one in asked {
        match one {
            Asked::SetLen(_) if lengths > 0 => {
                one.apply(&mut image);
                lengths -= 1;
            }
            Asked::Write(at, data) if cut != Cut::Power && chance.below(2) == 0 => {
                tear(&mut image, *at, data, cut, chance);
            }
            Asked::Write(..) if chance.below(4) < share => one.apply(&mut image),
            Asked::Write(..) | Asked::SetLen(_) | Asked::Sync => {}
        }
    }
    image
}

fn tear(image: &mut Image, at: usize, data: &[u8], cut: Cut, chance: &mut Chance) {
    let middle = below(chance, data.len() + 1);
    match chance.below(3) {
        0 if cut == Cut::Torn => image.write(at, &data[..middle]),
        1 if cut == Cut::Torn => image.write(at + middle, &data[middle..]),
        _ => mix(image, at, data, cut, chance),
    }
}

/// Sector by sector: the old one, the new one, or one that nobody wrote.
fn mix(image: &mut Image, at: usize, data: &[u8], cut: Cut, chance: &mut Chance) {
    let header = at == 0;
    for (place, sector) in data.chunks(SECTOR).enumerate() {
        let at = at + place * SECTOR;
        match chance.below(3) {
            0 => {}
            1 if cut == Cut::Garbage && !header => {
                let mut noise = vec![0; sector.len()];
                chance.fill(&mut noise);
                image.write(at, &noise);
            }
            _ => image.write(at, sector),
        }
    }
}

pub(super) fn below(chance: &mut Chance, bound: usize) -> usize {
    usize::try_from(chance.below(bound as u64)).unwrap()
}

const _: () = assert!(PAGE.is_multiple_of(SECTOR), "a page is made of whole sectors");
