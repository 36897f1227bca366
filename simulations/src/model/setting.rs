//! What is explored: which halls, which case, which acts of clerks, which mishaps, and what is expected to come of it.

use hallmesh_protocol::cases::Deed;
use serde::Serialize;

use super::promises::Promise;

/// A hall's place in a setting.
pub type Seat = usize;

/// Halls of a setting at the most.
pub(super) const SEATS: usize = 5;

/// A hall of a setting: division code and name.
pub(super) type Site = (u64, &'static str);

const CITY: Site = (620_700_000_000, "city");
const COUNTY: Site = (620_701_000_000, "county");
const TOWN: Site = (620_701_001_000, "town");
/// Of this number, since its second mirror must not be the city itself.
const VILLAGE: Site = (620_701_001_002, "village");
const OTHER_COUNTY: Site = (620_702_000_000, "other county");

/// Each of the two that hand the case to each other is a mirror of the other; the third mirrors for both.
const THREE: &[Site] = &[CITY, COUNTY, OTHER_COUNTY];
/// The village's mirrors are the town and another hall, the city's are the two counties.
const FIVE: &[Site] = &[CITY, COUNTY, TOWN, VILLAGE, OTHER_COUNTY];

const DECIDED: &[Deed] = &[Deed::Accept, Deed::GRANT, Deed::Deliver];
const ACCEPTED: &[Deed] = &[Deed::Accept];
const CORRECTED: &[Deed] = &[Deed::RequestCorrection, Deed::Supplement];
const ALL: &[Deed] = &[Deed::RequestCorrection, Deed::Supplement, Deed::Accept, Deed::GRANT, Deed::Deliver];

/// Mishaps that a check tries wherever they can happen, each at most so often in one story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// A hall loses its disk and stays away.
    pub losses: u8,
    /// The halls that may.
    pub may_lose: &'static [Seat],
    /// A hall loses its disk, and a new life of it begins with new keys.
    pub rebirths: u8,
    /// The halls that may.
    pub may_be_reborn: &'static [Seat],
    /// A second life ends only when the city has got over the first.
    pub in_turn: bool,
    /// The disk is not lost but replaced: the old machine goes on working, and learns as late as anybody that it is over.
    pub goes_on: bool,
    /// A hall is put back to a copy of its disk that was taken at some moment before.
    pub restores: u8,
    /// The halls that may.
    pub may_be_restored: &'static [Seat],
    /// When such a hall is shown what it has forgotten.
    pub shown: Shown,
}

/// When a hall that was put back to an old disk meets one that was told how far its log had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Before it does anything: the first hall that it meets has heard all that it had signed.
    #[default]
    AtOnce,
    /// After its clerks have worked alone for a while, without a line.
    Later,
    /// Never: nobody has heard of what it has forgotten.
    Never,
}

/// How the environment itself is bent, to show that the check can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// A hall's messages leave before the commit they rest on is durable; once a crash then takes the commit.
    Hasty(Seat),
    /// The disk of a hall keeps nothing of these tables and says it did.
    Forgets(Seat, &'static [u8]),
}

/// Why a case may rest in no hand, or not where it should be, though nothing goes wrong any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// A hall that had a part in it is away for ever, or has forgotten what it signed: its next life has not begun.
    NewLife,
    /// It lay on one disk only, and that is lost. Nobody was told D2.
    OnlyDiskLost,
    /// The life that had it is over, and so is one that would have to fence it off: losses overlap.
    Overlapping,
    /// It was handed over, and all who could witness that are over.
    Unwitnessed,
}

impl Wait {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NewLife => "new-life",
            Self::OnlyDiskLost => "only-disk-lost",
            Self::Overlapping => "overlapping-losses",
            Self::Unwitnessed => "unwitnessed",
        }
    }
}

/// What a check is expected to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every promise holds in every state.
    Holds,
    /// A promise is broken, since the product lacks what would keep it.
    Breaks(Promise),
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The halls, by code.
    pub halls: &'static [(u64, &'static str)],
    /// Where the citizen stands.
    pub window: Seat,
    /// The matter.
    pub matter: &'static str,
    /// What clerks try, in every hall and every state.
    pub deeds: &'static [Deed],
    /// Corrections that are asked for at the most.
    pub corrections: u16,
    /// What goes wrong besides loss, doubling and reordering of messages and crashes at any moment.
    pub mishaps: Mishaps,
    /// How the environment is bent.
    pub bend: Option<Bend>,
    /// Every start, every lost sending and every repeated answer is a transition of its own, and no letter is left out.
    /// Many more states, the same findings.
    pub plain: bool,
    /// Takes minutes: only explored when named.
    pub long: bool,
    /// What is expected.
    pub expected: Expected,
    /// A promise that is known to be broken in some states, and must be; no other one is.
    pub except: Option<Promise>,
    /// Why the case may have to wait, each of which must happen.
    pub waits: &'static [Wait],
}

const NO_MISHAPS: Mishaps = Mishaps {
    losses: 0,
    may_lose: &[],
    rebirths: 0,
    may_be_reborn: &[],
    in_turn: false,
    goes_on: false,
    restores: 0,
    may_be_restored: &[],
    shown: Shown::AtOnce,
};

const BASE: Setting = Setting {
    name: "hand-over",
    about: "a village hands a case to the city; nobody acts on it there",
    halls: FIVE,
    window: 3,
    matter: "SIM-city-002",
    deeds: &[],
    corrections: 0,
    mishaps: NO_MISHAPS,
    bend: None,
    plain: false,
    long: false,
    expected: Expected::Holds,
    except: None,
    waits: &[],
};

/// A city of three, in which the county hands a case to the city.
const THREE_HALLS: Setting = Setting { halls: THREE, window: 1, ..BASE };

/// Every setting that the command knows.
pub const SETTINGS: &[Setting] = &[
    BASE,
    Setting {
        name: "plain",
        about: "a city of three hands over, and nothing is left out of the states",
        plain: true,
        ..THREE_HALLS
    },
    Setting {
        name: "own-case",
        about: "a city of three: the hall that receives decides itself",
        window: 0,
        matter: "SIM-city-001",
        deeds: DECIDED,
        ..THREE_HALLS
    },
    Setting {
        name: "mutual",
        about: "giver and target are mirrors of each other: to the city and back with a decision",
        deeds: DECIDED,
        ..THREE_HALLS
    },
    Setting {
        name: "corrected",
        about: "a city of three: back to the window for a correction, and to the city again",
        deeds: CORRECTED,
        corrections: 1,
        ..THREE_HALLS
    },
    Setting {
        name: "returned",
        about: "five halls: to the city and back with a decision, while others mirror",
        deeds: DECIDED,
        ..BASE
    },
    Setting {
        name: "full",
        about: "five halls: corrected, decided, delivered; five epochs",
        deeds: ALL,
        corrections: 1,
        long: true,
        ..BASE
    },
    Setting {
        name: "full-three",
        about: "a city of three: corrected, decided, delivered; five epochs",
        deeds: ALL,
        corrections: 1,
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "disk-lost",
        about: "five halls hand over, and any one of them loses its disk for ever",
        mishaps: Mishaps { losses: 1, may_lose: &[0, 1, 2, 3, 4], ..NO_MISHAPS },
        waits: &[Wait::NewLife],
        ..BASE
    },
    Setting {
        name: "full-disk-lost",
        about: "as full, and any one of the five loses its disk for ever",
        deeds: ALL,
        corrections: 1,
        mishaps: Mishaps { losses: 1, may_lose: &[0, 1, 2, 3, 4], ..NO_MISHAPS },
        waits: &[Wait::NewLife],
        long: true,
        ..BASE
    },
    Setting {
        name: "mutual-disk-lost",
        about: "as mutual, and any one of the three loses its disk for ever",
        deeds: DECIDED,
        mishaps: Mishaps { losses: 1, may_lose: &[0, 1, 2], ..NO_MISHAPS },
        waits: &[Wait::NewLife],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "disk-lost-and-back",
        about: "five halls hand over; any one but the target loses its disk, and a new life of it begins",
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[1, 2, 3, 4], ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        ..BASE
    },
    Setting {
        name: "target-lost-and-back",
        about: "five halls hand over; the target loses its disk, and a new life of it begins",
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[0], ..NO_MISHAPS },
        long: true,
        ..BASE
    },
    Setting {
        name: "three-lost-and-back",
        about: "a city of three hands over; any one of them loses its disk, and a new life of it begins",
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[0, 1, 2], ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        ..THREE_HALLS
    },
    Setting {
        name: "decided-lost-and-back",
        about: "as mutual, and any one of the three loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[0, 1, 2], ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "mirror-lost-and-back",
        about: "as mutual, and the mirror of both loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[2], ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "old-machine",
        about: "a city of three; the target's machine is replaced, and the old one goes on working",
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[0], goes_on: true, ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "same-hall-twice",
        about: "a city of three; the target loses its disk, and its next life loses its own",
        mishaps: Mishaps { rebirths: 2, may_be_reborn: &[0], ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "one-after-the-other",
        about: "a city of three; one of them loses its disk, and when the city has got over that, one does again",
        mishaps: Mishaps { rebirths: 2, may_be_reborn: &[0, 1, 2], in_turn: true, ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "overlapping",
        about: "a city of three; the target and a mirror of it lose their disks, whenever they do",
        mishaps: Mishaps { rebirths: 2, may_be_reborn: &[0, 2], ..NO_MISHAPS },
        waits: &[Wait::Overlapping, Wait::Unwitnessed],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "restored",
        about: "a city of three; one of the two that hand over is put back to an old disk, and is shown that",
        deeds: ACCEPTED,
        mishaps: Mishaps { restores: 1, may_be_restored: &[0, 1], ..NO_MISHAPS },
        waits: &[Wait::NewLife],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "restored-alone",
        about: "as restored, but its clerks work on before it meets anybody",
        deeds: ACCEPTED,
        mishaps: Mishaps { restores: 1, may_be_restored: &[0, 1], shown: Shown::Later, ..NO_MISHAPS },
        except: Some(Promise::OwnLog),
        waits: &[Wait::NewLife],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "restored-unheard",
        about: "as restored, but nobody had heard of what it has forgotten",
        deeds: ACCEPTED,
        mishaps: Mishaps { restores: 1, may_be_restored: &[0, 1], shown: Shown::Never, ..NO_MISHAPS },
        expected: Expected::Breaks(Promise::OneLog),
        ..THREE_HALLS
    },
];

/// The setting of a name.
pub fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
