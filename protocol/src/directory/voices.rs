//! Where the city's own hall is lost, a majority of the counties that the root policy names may say so, and who goes on
//! (design section 7, point 5). Nobody stands above the city but the root's holders, and they may be far.
//!
//! Each county states its own record, by two of its clerks; the records spread like all others, by line or stick. Once a
//! majority has, and has met it (see `heard`), all halls read the same in them: the life has ended, as if it had been
//! revoked by the root, and the ruling, or the destruction, stands. A word of a machine that was stolen is not counted; nor are words that
//! were said more than thirty days apart: what some counties thought in one year and others in another is no majority.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::heard::Decided;
use super::ruling::{NotDeclared, Ruled, persons_of};
use super::{Declaration, Directory, Inadmissible, Revocation, RevocationReason};
use crate::ids::{ClerkId, HallAt, HallId, Tier};
use crate::limits::VOICES_TOGETHER_MS;
use crate::record::{Body, Issuer, Record};

/// A county's word about the city's own hall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// The last life of the city's hall.
    pub of: HallAt,
    /// Who goes on; none where the word is that the disk of a life that has ended is destroyed.
    pub to: Option<HallId>,
    /// Why it is lost: closed, or stolen, after which nothing counts that the machine has stated.
    pub reason: RevocationReason,
    /// The clerks of the county who declared it.
    pub by: [ClerkId; 2],
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// How far the counties have come with one declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voices {
    /// Those whose words for it count together, ascending.
    pub spoken: Vec<HallId>,
    /// Those that have named two halls, so that neither counts, ascending.
    pub divided: Vec<HallId>,
    /// Those whose machines have met a majority for it, ascending.
    pub heard: Vec<HallId>,
    /// How many are needed, of the one and of the other.
    pub needed: usize,
}

/// What counties have said alike.
pub(super) struct Word {
    pub(super) of: HallAt,
    pub(super) to: Option<HallId>,
    /// By each county.
    pub(super) said: BTreeMap<HallId, Said>,
}

/// One county's record of it.
#[derive(Clone)]
pub(super) struct Said {
    /// Under which it stands.
    pub(super) key: String,
    pub(super) by: HallAt,
    pub(super) stolen: bool,
    pub(super) wall: u64,
}

impl Voice {
    /// The key under which it stands. A county that says something else takes nothing back.
    pub(crate) fn key(&self) -> String {
        let [clerk, _] = self.by;
        let to = self.to.map_or_else(|| "destroyed".to_owned(), |to| to.to_string());
        format!("voice/{}>{to}/{}", self.of, clerk.hall)
    }

    pub(super) fn admissible(&self, directory: &Directory<'_>, issuer: Issuer) -> Result<(), Inadmissible> {
        directory.card(self.of).ok_or(Inadmissible::Issuer)?;
        let Issuer::Hall(at) = issuer else { return Err(Inadmissible::Malformed) };
        let reasons = match self.reason {
            RevocationReason::Closed => true,
            RevocationReason::Stolen => self.to.is_some(),
            RevocationReason::Replaced => false,
        };
        if !reasons || !persons_of(at.hall, self.by) || self.to == Some(self.of.hall) {
            return Err(Inadmissible::Malformed);
        }
        if let Some(to) = self.to {
            directory.last_life(to).ok_or(Inadmissible::Issuer)?;
        }
        if directory.is_voice(at.hall, self.of.hall) { Ok(()) } else { Err(Inadmissible::OutOfScope) }
    }
}

impl Declaration {
    /// What a county states of it.
    pub fn voice(self, by: [ClerkId; 2], wall: u64) -> Body {
        let (of, to) = self.parts();
        let reason = match self {
            Self::Stolen { .. } => RevocationReason::Stolen,
            Self::TakeOver { .. } | Self::Destroyed { .. } => RevocationReason::Closed,
        };
        Body::Voice(Voice { of, to, reason, by, wall })
    }

    /// Whether a county's word would do what it says at this wall time. That the city's hall is lost is part of it.
    pub fn check_voice(
        self,
        directory: &Directory<'_>,
        county: HallId,
        wall: u64,
    ) -> Result<(), NotDeclared> {
        let (of, to) = self.parts();
        let stolen = matches!(self, Self::Stolen { .. });
        let words = directory.said(&format!("voice/{of}>"));
        // One that is too old to count with others may be raised again.
        let mut own = words.iter().filter(|word| word.said.get(&county).is_some_and(|it| it.stands(wall)));
        let same =
            |word: &Word| word.to == to && word.said.get(&county).is_some_and(|it| it.stolen >= stolen);
        if own.clone().any(same) {
            return Err(NotDeclared::Before);
        }
        let Some(to) = to else { return self.check(directory) };
        if directory.has_ended(of) {
            // That it was stolen may come out when it is lost already.
            return match (Self::TakeOver { of, to }).check(directory) {
                Err(NotDeclared::Before) if stolen && directory.is_trusted(Issuer::Hall(of)) => Ok(()),
                checked => checked,
            };
        }
        if directory.last_life(of.hall) != Some(of) {
            return Err(NotDeclared::LaterLife(of));
        }
        if to == of.hall || directory.present(to).is_none() {
            return Err(NotDeclared::Nobody(to));
        }
        // Whoever has named one hall does not name another one as well: both could come to a majority.
        let other = own.find_map(|word| word.to.filter(|other| *other != to));
        other.map_or(Ok(()), |other| Err(NotDeclared::Ruled(other)))
    }
}

impl Directory<'_> {
    /// Whether a hall is one of the counties that may speak about another, which is the city's own.
    pub fn is_voice(&self, county: HallId, of: HallId) -> bool {
        let city = of.tier() == Tier::City && of.serial() == 0;
        city && self.policy().is_some_and(|policy| policy.counties.contains(&county))
    }

    /// How far the counties have come with a declaration about a life; none where they have no say.
    pub fn voices(&self, of: HallAt, to: Option<HallId>) -> Option<Voices> {
        let city = of.hall.tier() == Tier::City && of.hall.serial() == 0;
        let policy = self.policy().filter(|policy| city && !policy.counties.is_empty())?;
        let prefix = format!("voice/{of}>");
        let (words, said) = (self.words(&prefix), self.said(&prefix));
        let spoken = words.iter().filter(|word| word.to == to).flat_map(Word::most_together).collect();
        let divided = said.iter().flat_map(|word| {
            let gainsaid = |county: &HallId| {
                said.iter().any(|other| word.is_gainsaid(other, *county) && other.is_gainsaid(word, *county))
            };
            word.said.keys().copied().filter(gainsaid).collect::<Vec<_>>()
        });
        let divided = divided.collect::<BTreeSet<_>>().into_iter().collect();
        let heard = self.witnesses(&format!("heard/{of}>"));
        let heard = heard.into_iter().filter(|it| it.to == to).map(|it| it.by.hall).collect::<BTreeSet<_>>();
        Some(Voices { spoken, divided, heard: heard.into_iter().collect(), needed: policy.majority() })
    }

    /// The end of a life that a majority of the counties has declared.
    pub(super) fn lost_by_voices(&self, at: HallAt) -> Option<Revocation> {
        let mut lost = self.decided_of(at.hall).into_iter().filter(|it| it.to.is_some());
        let decided = lost.find(|it| it.of.incarnation >= at.incarnation)?;
        let transport_key = self.card(decided.of)?.transport_key;
        let reason = if decided.stolen { RevocationReason::Stolen } else { RevocationReason::Closed };
        Some(Revocation { at: decided.of, transport_key, reason, since: decided.wall })
    }

    /// Every life whose end a majority of the counties has declared.
    pub(super) fn all_lost_by_voices(&self) -> Vec<HallAt> {
        let lost = self.decided("heard/").into_iter().filter(|it| it.to.is_some());
        lost.map(|it| it.of).collect()
    }

    /// Whether a majority of the counties has declared that a machine with a key of this life was stolen: that of the life
    /// itself, or of a later one.
    pub(super) fn stolen_by_voices(&self, at: HallAt) -> bool {
        let decided = self.decided_of(at.hall);
        decided.iter().any(|it| it.stolen && it.of.incarnation >= at.incarnation)
    }

    /// The rulings that a majority of the counties has made about a hall.
    pub(super) fn ruled_by_voices(&self, of: HallId) -> Vec<Ruled> {
        self.decided_of(of).into_iter().filter_map(Decided::ruled).collect()
    }

    /// Whether a majority of the counties has declared the disk of a life destroyed.
    pub(super) fn destroyed_by_voices(&self, of: HallAt) -> bool {
        self.decided_of(of.hall).iter().any(|it| it.of == of && it.to.is_none())
    }

    /// What counties say alike, as it stands now, and who says it. Whoever names two halls for one life, so that both could
    /// count, has named neither.
    pub(super) fn words(&self, prefix: &str) -> Vec<Word> {
        let said = self.said(prefix);
        let one_word =
            |word: &Word, county: &HallId| !said.iter().any(|other| word.is_gainsaid(other, *county));
        let counted = said.iter().map(|word| word.only(|county, _| one_word(word, county)));
        counted.filter(|word| !word.said.is_empty()).collect()
    }

    /// What counties have said, whatever else they have.
    fn said(&self, prefix: &str) -> Vec<Word> {
        let mut words: BTreeMap<(HallAt, Option<HallId>), Word> = BTreeMap::new();
        self.scan_said(prefix, &mut |record| {
            let (Body::Voice(voice), Some(said)) = (&record.body, Said::of(record)) else { return };
            let fresh = || Word { of: voice.of, to: voice.to, said: BTreeMap::new() };
            words.entry((voice.of, voice.to)).or_insert_with(fresh).said.insert(said.by.hall, said);
        });
        for word in words.values_mut() {
            // Whoever is accused does not silence those who accuse.
            word.said.retain(|_, said| !self.is_stolen_but_for(said.by, Some(word.of.hall)));
        }
        words.into_values().collect()
    }
}

impl Word {
    /// With just as many words as are needed, the first of which count together; none if there are not so many.
    pub(super) fn together(&self, needed: usize) -> Option<Self> {
        let said = self.by_wall();
        let first = said.windows(needed).find(|some| lie_together(some))?;
        Some(Self { said: first.iter().map(|said| (said.by.hall, said.clone())).collect(), ..*self })
    }

    /// With the words alone that say it was stolen.
    pub(super) fn stolen(&self) -> Self {
        self.only(|_, said| said.stolen)
    }

    fn only(&self, test: impl Fn(&HallId, &Said) -> bool) -> Self {
        let said = self.said.iter().filter(|(county, said)| test(county, said));
        Self { said: said.map(|(county, said)| (*county, said.clone())).collect(), ..*self }
    }

    /// Whether a county names another hall there, and not so long before that this has taken its place since.
    fn is_gainsaid(&self, other: &Self, county: HallId) -> bool {
        let excluded = other.of == self.of && other.to != self.to && other.to.is_some() && self.to.is_some();
        let (own, theirs) = (self.said.get(&county), other.said.get(&county));
        let late = |(own, theirs): (&Said, &Said)| theirs.stands(own.wall) || theirs.wall > own.wall;
        excluded && own.zip(theirs).is_some_and(late)
    }

    /// The counties most of whose words count together, of several groups the latest.
    fn most_together(&self) -> BTreeSet<HallId> {
        let said = self.by_wall();
        let groups = (0..said.len()).map(|first| {
            let rest = said.get(first..).unwrap_or_default();
            let count = (1..=rest.len()).rev().find(|count| rest.get(..*count).is_some_and(lie_together));
            rest.iter().take(count.unwrap_or(0)).map(|said| said.by.hall).collect::<BTreeSet<_>>()
        });
        groups.max_by_key(BTreeSet::len).unwrap_or_default()
    }

    fn by_wall(&self) -> Vec<Said> {
        let mut said: Vec<Said> = self.said.values().cloned().collect();
        said.sort_unstable_by_key(|said| (said.wall, said.by));
        said
    }
}

impl Said {
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (Body::Voice(voice), Issuer::Hall(by)) = (&record.body, record.issuer) else { return None };
        let stolen = voice.reason == RevocationReason::Stolen;
        Some(Self { key: voice.key(), by, stolen, wall: voice.wall })
    }

    /// Whether it would still count with a word said at this time.
    const fn stands(&self, wall: u64) -> bool {
        self.wall.abs_diff(wall) <= VOICES_TOGETHER_MS
    }
}

/// Whether words, in the order of their dates, lie near enough together to be one decision.
pub(super) fn lie_together(said: &[Said]) -> bool {
    said.first().zip(said.last()).is_some_and(|(first, last)| first.stands(last.wall))
}
