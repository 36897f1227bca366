//! Stories as files that hall staff can read and write: `deploy/stories` says what may stand in them.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Closing, Deed, Dismissal, NotAccepted, Procedure, State, StatementKind};
use hallmesh_protocol::ids::{BodyId, BundleCode, MatterCode};
use serde::Deserialize;

use crate::ops::Problem;
use crate::texts::Lang;

/// Steps of one story at the most.
const STEPS_MAX: usize = 200;
/// Bytes of one story's file at the most.
const BYTES_MAX: usize = 64 << 10;

/// The stories that the program brings along, in the order in which they are played.
const BUILT_IN: [&str; 14] = [
    include_str!("../../../deploy/stories/entrusted-receipt.toml"),
    include_str!("../../../deploy/stories/delegated.toml"),
    include_str!("../../../deploy/stories/remote-receipt.toml"),
    include_str!("../../../deploy/stories/minimum-living.toml"),
    include_str!("../../../deploy/stories/tolerance.toml"),
    include_str!("../../../deploy/stories/promise-and-check.toml"),
    include_str!("../../../deploy/stories/correction.toml"),
    include_str!("../../../deploy/stories/stated-elsewhere.toml"),
    include_str!("../../../deploy/stories/refusal.toml"),
    include_str!("../../../deploy/stories/long-examination.toml"),
    include_str!("../../../deploy/stories/provincial-transfer.toml"),
    include_str!("../../../deploy/stories/newborn.toml"),
    include_str!("../../../deploy/stories/restaurant.toml"),
    include_str!("../../../deploy/stories/city-away.toml"),
];

/// A story, as it stands in its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// A stable word.
    pub name: String,
    zh: String,
    en: String,
    pub(super) steps: Vec<Step>,
}

/// One step of a story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// The hall, by name or code.
    pub(super) at: String,
    #[serde(rename = "do")]
    word: String,
    /// Which case of the story, from 1; the last one that was taken in if nothing is said.
    pub(super) case: Option<usize>,
    /// The act must be refused, for this reason: an error's code, or an article.
    pub(super) refused: Option<String>,
    matter: Option<String>,
    place: Option<String>,
    state: Option<String>,
    days: Option<u16>,
    granted: Option<bool>,
    certificate: Option<bool>,
    procedure: Option<String>,
    ground: Option<String>,
    authority: Option<String>,
    how: Option<String>,
    event: Option<u32>,
    kind: Option<String>,
    reason: Option<String>,
    bundle: Option<String>,
    answers: Option<BTreeMap<String, String>>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Receive {
        matter: MatterCode,
        place: String,
    },
    /// One application for a bundle: each of its tasks is a case of the story.
    ReceiveBundle {
        bundle: BundleCode,
        answers: BTreeMap<String, String>,
        place: String,
    },
    /// All that came of the last bundle is handed out.
    DeliverBundle,
    Has(State),
    Waits,
    Untouched,
    Act(Deed),
    /// Something is stated about the case.
    State(StatementKind),
    /// What was stated is included, or dismissed for a reason.
    Answer(StatementKind, Option<Dismissal>),
    Stop,
    Start,
}

impl Script {
    /// The stories that the program brings along.
    pub fn all() -> Result<Vec<Self>, Problem> {
        BUILT_IN.into_iter().map(|text| Self::parse(text, "deploy/stories")).collect()
    }

    /// One of them by its name, or the one in a file.
    pub fn find(named: &str) -> Result<Self, Problem> {
        let all = Self::all()?;
        let names = all.iter().map(|script| script.name.clone()).collect::<Vec<_>>().join(", ");
        if let Some(found) = all.into_iter().find(|script| script.name == named) {
            return Ok(found);
        }
        let text = std::fs::read_to_string(named).map_err(|why| {
            Problem::new("demo.no_story").with("story", named).with("names", names).with("reason", why)
        })?;
        Self::parse(&text, named)
    }

    /// Reads a story; every step is one that can be played.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problem> {
        let unreadable =
            |why: String| Problem::new("demo.story_unreadable").with("file", file).with("reason", why);
        if text.len() > BYTES_MAX {
            return Err(unreadable(format!("> {BYTES_MAX} B")));
        }
        let script: Self = toml::from_str(text).map_err(|why| unreadable(why.to_string()))?;
        if script.steps.is_empty() || script.steps.len() > STEPS_MAX {
            return Err(unreadable(format!("1..{STEPS_MAX} [[steps]]")));
        }
        for (number, step) in (1_usize..).zip(&script.steps) {
            step.what().map_err(|field| {
                let problem = Problem::new("demo.story_step").with("file", file).with("step", number);
                problem.with("field", field).with("do", &step.word)
            })?;
        }
        Ok(script)
    }

    /// What it is about, in a language.
    pub fn title(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

impl Step {
    /// What it does; the name of the field that is missing, not needed or has no meaning.
    pub(super) fn what(&self) -> Result<What, &'static str> {
        let what = match self.word.as_str() {
            "receive" => What::Receive {
                matter: self.matter.as_ref().and_then(|code| code.parse().ok()).ok_or("matter")?,
                place: self.place.clone().ok_or("place")?,
            },
            "receive-bundle" => What::ReceiveBundle {
                bundle: self.bundle.as_ref().and_then(|code| code.parse().ok()).ok_or("bundle")?,
                answers: self.answers.clone().ok_or("answers")?,
                place: self.place.clone().ok_or("place")?,
            },
            "deliver-bundle" => What::DeliverBundle,
            "has" => What::Has(word(self.state.as_ref(), &State::ALL, |state| state.word()).ok_or("state")?),
            "waits" => What::Waits,
            "untouched" => What::Untouched,
            "state" => What::State(self.kind()?),
            "include" => What::Answer(self.kind()?, None),
            "dismiss" => {
                let reason = word(self.reason.as_ref(), &Dismissal::ALL, |it| it.word()).ok_or("reason")?;
                What::Answer(self.kind()?, Some(reason))
            }
            "stop" => What::Stop,
            "start" => What::Start,
            act => What::Act(self.deed(act)?),
        };
        let refusable = matches!(what, What::Act(_)) || self.refused.is_none();
        if refusable { self.nothing_else(what) } else { Err("refused") }
    }

    fn kind(&self) -> Result<StatementKind, &'static str> {
        word(self.kind.as_ref(), &StatementKind::ALL, |it| it.word()).ok_or("kind")
    }

    fn deed(&self, act: &str) -> Result<Deed, &'static str> {
        let days = self.days.ok_or("days");
        let authority = self.authority.as_ref().map(|code| code.parse::<BodyId>()).transpose();
        let authority = authority.map_err(|_malformed| "authority");
        Ok(match act {
            "accept" => Deed::Accept,
            "accept-lacking" => Deed::AcceptLacking { days: days? },
            "accept-promise" => Deed::AcceptPromise,
            "check" => Deed::Check,
            "revoke" => Deed::Revoke,
            "supply" => Deed::Supply,
            "request-correction" => Deed::RequestCorrection,
            "supplement" => Deed::Supplement,
            "refuse-acceptance" => Deed::RefuseAcceptance {
                ground: word(self.ground.as_ref(), &NotAccepted::ALL, |it| it.word()).ok_or("ground")?,
                authority: authority?,
            },
            "begin-procedure" => Deed::BeginProcedure {
                procedure: word(self.procedure.as_ref(), &Procedure::ALL, |it| it.word())
                    .ok_or("procedure")?,
                days: days?,
            },
            "end-procedure" => Deed::EndProcedure,
            "extend" => Deed::Extend { days: days? },
            "decide" => {
                let (granted, certificate) =
                    (self.granted.ok_or("granted")?, self.certificate.unwrap_or(false));
                if certificate && !granted {
                    return Err("certificate");
                }
                Deed::Decide { granted, certificate }
            }
            "certify" => Deed::Certify,
            "refer" => Deed::Refer { authority: authority?.ok_or("authority")? },
            "withdraw" => Deed::Withdraw,
            "close" => {
                Deed::Close(word(self.how.as_ref(), &Closing::ALL, |it| it.ending().word()).ok_or("how")?)
            }
            "rectify" => Deed::Rectify { event: self.event.ok_or("event")? },
            "deliver" => Deed::Deliver,
            "archive" => Deed::Archive,
            _unknown => return Err("do"),
        })
    }

    /// A field that the step does not need is a mistake of who wrote it.
    fn nothing_else(&self, what: What) -> Result<What, &'static str> {
        let needs: &[&str] = match &what {
            What::Receive { .. } => &["matter", "place"],
            What::ReceiveBundle { .. } => &["bundle", "answers", "place"],
            What::Has(_) => &["state"],
            What::Act(Deed::AcceptLacking { .. } | Deed::Extend { .. }) => &["days"],
            What::Act(Deed::RefuseAcceptance { .. }) => &["ground", "authority"],
            What::Act(Deed::BeginProcedure { .. }) => &["procedure", "days"],
            What::Act(Deed::Decide { .. }) => &["granted", "certificate"],
            What::Act(Deed::Refer { .. }) => &["authority"],
            What::Act(Deed::Close(_)) => &["how"],
            What::Act(Deed::Rectify { .. }) => &["event"],
            What::State(_) | What::Answer(_, None) => &["kind"],
            What::Answer(_, Some(_)) => &["kind", "reason"],
            What::Act(_) | What::DeliverBundle | What::Waits | What::Untouched | What::Stop | What::Start => {
                &[]
            }
        };
        let given = [
            ("matter", self.matter.is_some()),
            ("place", self.place.is_some()),
            ("state", self.state.is_some()),
            ("days", self.days.is_some()),
            ("granted", self.granted.is_some()),
            ("certificate", self.certificate.is_some()),
            ("procedure", self.procedure.is_some()),
            ("ground", self.ground.is_some()),
            ("authority", self.authority.is_some()),
            ("how", self.how.is_some()),
            ("event", self.event.is_some()),
            ("kind", self.kind.is_some()),
            ("reason", self.reason.is_some()),
            ("bundle", self.bundle.is_some()),
            ("answers", self.answers.is_some()),
        ];
        let extra = given.into_iter().find(|(field, given)| *given && !needs.contains(field));
        extra.map_or(Ok(what), |(field, _)| Err(field))
    }
}

fn word<T: Copy>(text: Option<&String>, all: &[T], word: fn(&T) -> &'static str) -> Option<T> {
    let text = text?;
    all.iter().copied().find(|one| word(one) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"one\"\nzh = \"一\"\nen = \"one\"\n";

    fn step(words: &str) -> Result<Script, Problem> {
        Script::parse(&format!("{HEAD}[[steps]]\nat = \"x\"\n{words}\n"), "one.toml")
    }

    #[test]
    fn every_story_that_is_brought_along_can_be_played_and_has_a_name_of_its_own() {
        let all = Script::all().expect("they can be read");
        let names: std::collections::BTreeSet<_> = all.iter().map(|script| script.name.clone()).collect();
        assert_eq!(names.len(), BUILT_IN.len());
        for script in &all {
            assert!(Script::find(&script.name).is_ok() && script.title(Lang::Zh) != script.title(Lang::En));
        }
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_its_step_and_field() {
        let field = |words| match step(words) {
            Err(problem) if problem.code == "demo.story_step" => problem.params.get("field").cloned(),
            other => panic!("{words}: {other:?}"),
        };
        for (words, wrong) in [
            ("do = \"dance\"", "do"),
            ("do = \"receive\"\nplace = \"x\"", "matter"),
            ("do = \"has\"\nstate = \"glad\"", "state"),
            ("do = \"receive-bundle\"\nbundle = \"newborn\"\nplace = \"x\"", "answers"),
            ("do = \"deliver-bundle\"\nbundle = \"newborn\"", "bundle"),
            ("do = \"extend\"", "days"),
            ("do = \"decide\"\ngranted = false\ncertificate = true", "certificate"),
            ("do = \"refer\"\nauthority = \"1\"", "authority"),
            ("do = \"accept\"\ndays = 3", "days"),
            ("do = \"state\"\nkind = \"song\"", "kind"),
            ("do = \"dismiss\"\nkind = \"urging\"", "reason"),
            ("do = \"include\"\nkind = \"urging\"\nreason = \"too-late\"", "reason"),
            ("do = \"waits\"\nrefused = \"x\"", "refused"),
        ] {
            assert_eq!(field(words).as_deref(), Some(wrong), "{words}");
        }
        for words in ["do = 3", "do = \"accept\"\nwhy = \"x\"", ""] {
            assert_eq!(step(words).expect_err(words).code, "demo.story_unreadable");
        }
        assert_eq!(Script::parse(HEAD, "one.toml").expect_err("no steps").code, "demo.story_unreadable");
        assert_eq!(Script::find("no-such-story").expect_err("nowhere").code, "demo.no_story");
    }
}
