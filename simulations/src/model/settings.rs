//! Every setting that is explored.

use hallmesh_protocol::cases::Deed;

use super::promises::Promise;
use super::setting::{Closing, Expected, Mishaps, Seat, Setting, Shown, Site, Wait};

const CITY: Site = (620_700_000_000, "city");
const COUNTY: Site = (620_701_000_000, "county");
const TOWN: Site = (620_701_001_000, "town");
/// Of this number, since its second mirror must not be the city itself.
const VILLAGE: Site = (620_701_001_002, "village");
const OTHER_COUNTY: Site = (620_702_000_000, "other county");

/// Each of the two that hand the case to each other is a mirror of the other; the third mirrors for both.
const THREE: &[Site] = &[CITY, COUNTY, OTHER_COUNTY];
/// As three, and a fourth that can keep copies when one of them does not answer.
const FOUR: &[Site] = &[CITY, COUNTY, TOWN, OTHER_COUNTY];
/// The village's mirrors are the town and another hall, the city's are the two counties.
const FIVE: &[Site] = &[CITY, COUNTY, TOWN, VILLAGE, OTHER_COUNTY];

const DECIDED: &[Deed] = &[Deed::Accept, Deed::GRANT, Deed::Deliver];
const ACCEPTED: &[Deed] = &[Deed::Accept];
/// Events of a case that is not decided yet: received, handed over, taken, accepted.
const UNDECIDED: usize = 4;
const CORRECTED: &[Deed] = &[Deed::RequestCorrection, Deed::Supplement];
const ALL: &[Deed] = &[Deed::RequestCorrection, Deed::Supplement, Deed::Accept, Deed::GRANT, Deed::Deliver];

const fn closed(seat: Seat, heir: Seat) -> Closing {
    Closing { seat, heir: Some(heir) }
}

const fn closed_for_nobody(seat: Seat) -> Closing {
    Closing { seat, heir: None }
}

/// A hall that only mirrors needs nobody to go on for it.
const ANY_CLOSED: &[Closing] =
    &[closed(0, 1), closed(0, 2), closed(1, 0), closed(1, 2), closed_for_nobody(2)];
const NOBODY_RULED: &[Closing] = &[closed_for_nobody(0), closed_for_nobody(1), closed_for_nobody(2)];
const CITY_CLOSED: &[Closing] = &[closed(0, 1), closed(0, 4)];
const TARGET_CLOSED: &[Closing] = &[closed(0, 2)];
const TARGET_AND_MIRROR_CLOSED: &[Closing] = &[closed(0, 1), closed_for_nobody(2)];

const NO_MISHAPS: Mishaps = Mishaps {
    losses: 0,
    may_lose: &[],
    rebirths: 0,
    may_be_reborn: &[],
    closings: 0,
    may_be_closed: &[],
    destroyed: &[],
    keeps: (0, usize::MAX),
    in_turn: false,
    goes_on: false,
    restores: 0,
    may_be_restored: &[],
    shown: Shown::AtOnce,
    silences: 0,
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
        name: "decided-target-lost",
        about: "as mutual, and before it has decided the target loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[0], keeps: (0, UNDECIDED), ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "decided-target-lost-late",
        about: "as mutual, and once it has decided the target loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps {
            rebirths: 1,
            may_be_reborn: &[0],
            keeps: (UNDECIDED + 1, usize::MAX),
            ..NO_MISHAPS
        },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "decided-giver-lost",
        about: "as mutual, and before it hears of a decision the giver loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps { rebirths: 1, may_be_reborn: &[1], keeps: (0, UNDECIDED), ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "decided-giver-lost-late",
        about: "as mutual, and once it has heard of a decision the giver loses its disk, and a new life of it begins",
        deeds: DECIDED,
        mishaps: Mishaps {
            rebirths: 1,
            may_be_reborn: &[1],
            keeps: (UNDECIDED + 1, usize::MAX),
            ..NO_MISHAPS
        },
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
        name: "restored-and-lost",
        about: "a city of three hands over; the target is put back to an old disk, and any one loses its disk and is back",
        mishaps: Mishaps {
            restores: 1,
            may_be_restored: &[0],
            rebirths: 1,
            may_be_reborn: &[0, 1, 2],
            ..NO_MISHAPS
        },
        waits: &[Wait::NewLife, Wait::OnlyDiskLost],
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
    Setting {
        name: "closed",
        about: "a city of three; any one of them is closed for good, and another is ruled to go on",
        mishaps: Mishaps { closings: 1, may_be_closed: ANY_CLOSED, ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        ..THREE_HALLS
    },
    Setting {
        name: "closed-unruled",
        about: "as closed, but nobody is ruled to go on",
        mishaps: Mishaps { closings: 1, may_be_closed: NOBODY_RULED, ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost, Wait::Ruling],
        ..THREE_HALLS
    },
    Setting {
        name: "city-closed",
        about: "five halls hand over to the city, which is lost; the root rules that one of the counties goes on",
        mishaps: Mishaps { closings: 1, may_be_closed: CITY_CLOSED, ..NO_MISHAPS },
        long: true,
        ..BASE
    },
    Setting {
        name: "closed-decided",
        about: "as mutual, and any one of the three is closed for good, and another is ruled to go on",
        deeds: DECIDED,
        mishaps: Mishaps { closings: 1, may_be_closed: ANY_CLOSED, ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "closed-machine-works",
        about: "a city of three; the target is closed, the other county is ruled to go on, and the old machine works on",
        mishaps: Mishaps { closings: 1, may_be_closed: TARGET_CLOSED, goes_on: true, ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "closed-and-destroyed",
        about: "a city of three; the target and a mirror of it are closed, the mirror declared destroyed, and the giver goes on",
        mishaps: Mishaps {
            closings: 2,
            may_be_closed: TARGET_AND_MIRROR_CLOSED,
            destroyed: &[(2, 1)],
            ..NO_MISHAPS
        },
        waits: &[Wait::Unwitnessed],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "overlapping-destroyed",
        about: "as overlapping, and the disk of the mirror is declared destroyed",
        mishaps: Mishaps { rebirths: 2, may_be_reborn: &[0, 2], destroyed: &[(2, 0)], ..NO_MISHAPS },
        waits: &[Wait::Unwitnessed],
        long: true,
        ..THREE_HALLS
    },
    Setting {
        name: "silent-mirror",
        about: "five halls hand over, and mirrors of whoever has the case are silent for days, twice",
        mishaps: Mishaps { silences: 2, ..NO_MISHAPS },
        ..BASE
    },
    Setting {
        name: "silent-and-lost",
        about: "as silent-mirror, and any one of the five loses its disk for ever",
        mishaps: Mishaps { silences: 2, losses: 1, may_lose: &[0, 1, 2, 3, 4], ..NO_MISHAPS },
        waits: &[Wait::NewLife],
        ..BASE
    },
    Setting {
        name: "city-silent",
        about: "five halls: a village hands to its county; the city, a mirror of that, is lost for ever and silent",
        matter: "SIM-county-002",
        mishaps: Mishaps { silences: 2, losses: 1, may_lose: &[0], ..NO_MISHAPS },
        ..BASE
    },
    Setting {
        name: "city-gone",
        about: "five halls: a village hands to its county; the city, a mirror of that, is closed by the root",
        matter: "SIM-county-002",
        mishaps: Mishaps { closings: 1, may_be_closed: &[closed_for_nobody(0)], ..NO_MISHAPS },
        ..BASE
    },
    Setting {
        name: "silent-own-case",
        about: "five halls: the city receives and decides itself, and mirrors of it are silent for days, twice",
        window: 0,
        matter: "SIM-city-001",
        deeds: DECIDED,
        mishaps: Mishaps { silences: 2, ..NO_MISHAPS },
        ..BASE
    },
    Setting {
        name: "silent-own-and-back",
        about: "five halls: the city has a case of its own, a mirror is silent for days, it loses its disk and is back",
        window: 0,
        matter: "SIM-city-001",
        deeds: ACCEPTED,
        mishaps: Mishaps { silences: 1, rebirths: 1, may_be_reborn: &[0], ..NO_MISHAPS },
        waits: &[Wait::OnlyDiskLost],
        long: true,
        ..BASE
    },
    Setting {
        name: "silent-and-back",
        about: "four halls hand over, a mirror is silent for days, the target loses its disk and is back",
        halls: FOUR,
        mishaps: Mishaps { silences: 1, rebirths: 1, may_be_reborn: &[0], ..NO_MISHAPS },
        long: true,
        ..THREE_HALLS
    },
];

/// The setting of a name.
pub fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
