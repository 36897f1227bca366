//! Plays stories on a city of real nodes. Each ends as told or says what did not.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Deed, Dismissal, State, StatementKind};
use hallmesh_protocol::ids::{BundleCode, MatterCode};
use serde::Serialize;

use super::city::{City, Control, Member, unexpected};
use super::patience::until;
use super::script::{Script, Step, What};
use crate::ops::{
    Answer, Application, Ask, BundleAsk, Case, Content, Problem, StatementAsk, StatementShown, Together,
};
use crate::texts::Texts;

/// More than the stories take in at any window.
const CASES_MAX: usize = 1_000;

/// Who tells the stories.
pub struct Teller<'a> {
    /// The language.
    pub texts: &'a Texts,
    /// Where the lines go.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// A story that ended as told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Its name: a stable word.
    pub name: String,
    /// Its cases: number, and the hall that delivered.
    pub cases: Vec<Ended>,
}

/// A case that was delivered and of which nothing is owed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The case's number.
    pub number: String,
    /// The place in the city's list of the hall where it ended.
    #[serde(skip)]
    pub delivered_at: usize,
}

/// Plays stories, one after the other. They end as told also if nodes are killed and started again on the way.
pub async fn play_all(
    teller: &Teller<'_>,
    city: &City,
    control: &mut dyn Control,
    scripts: &[Script],
) -> Result<Vec<Story>, Problem> {
    let mut stage = Stage { teller, city, control, steps: 0 };
    let mut stories = Vec::new();
    for (number, script) in (1_usize..).zip(scripts) {
        (teller.say)("");
        (teller.say)(&format!("{number}. {}", script.title(teller.texts.lang())));
        stories.push(stage.play(script).await?);
    }
    Ok(stories)
}

/// How many steps stories have: as often a test can break something.
pub fn steps(scripts: &[Script]) -> u32 {
    let steps = scripts.iter().map(|script| script.steps.len()).sum::<usize>();
    u32::try_from(steps).unwrap_or(u32::MAX)
}

/// One performance.
struct Stage<'a> {
    teller: &'a Teller<'a>,
    city: &'a City,
    control: &'a mut dyn Control,
    steps: u32,
}

/// What a story has come to.
#[derive(Default)]
struct Progress {
    numbers: Vec<String>,
    /// The last application for a bundle, and the cases of its tasks.
    bundle: Option<(String, Vec<String>)>,
    ended: Vec<Ended>,
}

impl Progress {
    /// The case that a step is about.
    fn case(&self, step: &Step) -> Result<&str, Problem> {
        let place = step.case.unwrap_or(self.numbers.len());
        let number = place.checked_sub(1).and_then(|place| self.numbers.get(place));
        number.map(String::as_str).ok_or_else(|| Problem::new("demo.no_such_case").with("case", place))
    }
}

impl Progress {
    /// A case ends where it is handed out; one that was granted on a promise where that is found true.
    fn note(&mut self, deed: &Deed, number: String, at: usize) {
        let known = self.ended.iter_mut().find(|it| it.number == number);
        match (deed, known) {
            (Deed::Deliver | Deed::Check, Some(ended)) => ended.delivered_at = at,
            (Deed::Deliver, None) => self.ended.push(Ended { number, delivered_at: at }),
            _other => {}
        }
    }
}

impl Stage<'_> {
    async fn play(&mut self, script: &Script) -> Result<Story, Problem> {
        let mut progress = Progress::default();
        for step in &script.steps {
            self.step(step, &mut progress).await?;
        }
        let missing =
            progress.numbers.iter().find(|it| !progress.ended.iter().any(|ended| ended.number == **it));
        if let Some(number) = missing {
            return Err(Problem::new("demo.not_delivered").with("case", number).with("story", &script.name));
        }
        Ok(Story { name: script.name.clone(), cases: progress.ended })
    }

    async fn step(&mut self, step: &Step, progress: &mut Progress) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(1);
        self.control.disturb(self.city, self.steps).await?;
        let faulty = |field| Problem::new("demo.story_step").with("field", field).with("do", &step.at);
        let at = self.find(&step.at)?;
        let member = self.city.member(at)?;
        match step.what().map_err(faulty)? {
            What::Receive { matter, place } => {
                let place = self.city.member(self.find(&place)?)?;
                progress.numbers.push(self.receive(member, place, &matter).await?);
            }
            What::ReceiveBundle { bundle, answers, place } => {
                let place = self.city.member(self.find(&place)?)?;
                let (number, cases) = self.receive_bundle(member, place, (bundle, answers)).await?;
                progress.numbers.extend(cases.iter().cloned());
                progress.bundle = Some((number, cases));
            }
            What::DeliverBundle => {
                let (number, cases) = progress.bundle.clone().ok_or_else(|| faulty("bundle"))?;
                self.deliver_bundle(member, &number).await?;
                for case in cases {
                    progress.note(&Deed::Deliver, case, at);
                }
            }
            What::Has(state) => self.in_hand(member, progress.case(step)?, state).await?,
            What::Waits => self.still_waits(member, progress.case(step)?).await?,
            What::Untouched => self.untouched(member, progress.case(step)?).await?,
            What::Act(deed) => {
                let number = progress.case(step)?.to_owned();
                match &step.refused {
                    Some(why) => self.refused(member, &number, deed, why).await?,
                    None => self.act(member, &number, deed).await?,
                }
                if step.refused.is_none() {
                    progress.note(&deed, number, at);
                }
            }
            What::State(kind) => self.state(member, progress.case(step)?, kind).await?,
            What::Answer(kind, dismissed) => {
                let number = progress.case(step)?.to_owned();
                self.answer(member, &number, (kind, dismissed)).await?;
                if kind == StatementKind::Delivery && dismissed.is_none() {
                    progress.ended.push(Ended { number, delivered_at: at });
                }
            }
            What::Stop => {
                self.control.stop(member).await?;
                self.line("demo.stopped", &[("hall", &member.name)]);
            }
            What::Start => {
                self.control.start(member).await?;
                self.line("demo.back", &[("hall", &member.name)]);
            }
        }
        Ok(())
    }

    /// The place of a hall in the city's list, by its name or code.
    fn find(&self, hall: &str) -> Result<usize, Problem> {
        let named = |member: &Member| member.name == hall || member.hall.to_string() == hall;
        let found = self.city.members.iter().position(named);
        found.ok_or_else(|| Problem::new("demo.no_such_hall").with("hall", hall))
    }

    /// Takes a case in once: if no answer came, it may be there all the same, and is looked for first.
    async fn receive(&self, window: &Member, place: &Member, matter: &MatterCode) -> Result<String, Problem> {
        let content = Content::one("applicant", "示例申请人");
        let ask = Ask::Receive { matter: matter.clone(), place: place.hall.division(), content };
        let before = until("demo.case_did_not_arrive", async || numbers(window).await.map(Some)).await?;
        let number = until("demo.case_did_not_arrive", async || {
            let fresh = numbers(window).await?.into_iter().find(|number| !before.contains(number));
            if fresh.is_none() {
                window.ask_as_clerk(&ask).await?;
            }
            Ok(fresh)
        })
        .await?;
        let case = seen(window, &number).await?;
        let matter = case.matter_name.unwrap_or(case.matter);
        let said = [("hall", window.name.as_str()), ("number", &number), ("matter", &matter)];
        self.line("demo.received", &[said.as_slice(), &[("to", &case.competent_name)]].concat());
        Ok(number)
    }

    /// Takes in an application for a bundle once; gives its number and those of its tasks.
    async fn receive_bundle(
        &self,
        window: &Member,
        place: &Member,
        (bundle, answers): (BundleCode, BTreeMap<String, String>),
    ) -> Result<(String, Vec<String>), Problem> {
        let one = BundleAsk::One { code: bundle.clone(), answers: answers.clone() };
        let shown = until("demo.case_did_not_arrive", async || {
            let answer = window.client.ask(&Ask::Bundle { of: one.clone() }).await?;
            if let Answer::Bundle(shown) = answer { Ok(Some(shown)) } else { Err(unexpected()) }
        })
        .await?;
        let fields = shown.fields.iter().map(|field| (field.name.clone(), "示例申请人".to_owned()));
        let (content, place) = (Content::of(fields), place.hall.division());
        let ask = Ask::Bundle { of: BundleAsk::Receive { bundle, answers, place, content } };
        let before = until("demo.case_did_not_arrive", async || applications(window).await.map(Some)).await?;
        let known = |it: &Application| before.iter().any(|old| old.number == it.number);
        let found = until("demo.case_did_not_arrive", async || {
            let fresh = applications(window).await?.into_iter().find(|it| !known(it));
            if fresh.is_none() {
                window.ask_as_clerk(&ask).await?;
            }
            Ok(fresh)
        })
        .await?;
        let said = [("hall", window.name.as_str()), ("number", &found.number), ("name", &shown.name)];
        let count = found.tasks.len().to_string();
        self.line("demo.bundle_received", &[said.as_slice(), &[("count", &count)]].concat());
        let cases = found.tasks.into_iter().filter_map(|task| task.case).collect();
        Ok((found.number, cases))
    }

    /// Hands out all that came of a bundle, once.
    async fn deliver_bundle(&self, window: &Member, number: &str) -> Result<(), Problem> {
        let (bundle, content) = (number.to_owned(), Content::one("note", "示例"));
        let ask = Ask::Bundle { of: BundleAsk::Record { bundle, act: Together::Deliver, content } };
        until("demo.case_did_not_arrive", async || {
            let all = applications(window).await?;
            let open = all.iter().filter(|it| it.number == number).flat_map(|it| &it.tasks);
            if open.into_iter().any(|task| task.state != "delivered") {
                window.ask_as_clerk(&ask).await?;
            }
            Ok(Some(()))
        })
        .await?;
        self.line("demo.bundle_delivered", &[("hall", &window.name), ("number", number)]);
        Ok(())
    }

    /// Records a deed once: if no answer came, it may be done all the same.
    async fn act(&self, member: &Member, number: &str, deed: Deed) -> Result<(), Problem> {
        let ask = Ask::Record { case: number.to_owned(), deed, content: Content::one("note", "示例") };
        let before =
            until("demo.case_did_not_arrive", async || done(member, number, deed).await.map(Some)).await?;
        until("demo.case_did_not_arrive", async || {
            if done(member, number, deed).await? == before {
                member.ask_as_clerk(&ask).await?;
            }
            Ok(Some(()))
        })
        .await?;
        let what = self.teller.texts.word("event", deed.word());
        self.line("demo.acted", &[("hall", &member.name), ("number", number), ("what", &what)]);
        Ok(())
    }

    /// States something about a case that another hall has in hand, once.
    async fn state(&self, member: &Member, number: &str, kind: StatementKind) -> Result<(), Problem> {
        let mine = async || {
            let all = stated(member, number).await?;
            let hall = member.hall.to_string();
            Ok(all.iter().filter(|it| it.by == hall && it.kind == kind.word()).count())
        };
        let content = Content::one("text", "示例");
        let of = StatementAsk::State { case: number.to_owned(), kind, deciding: None, content };
        let ask = Ask::Statement { of };
        let before = until("demo.case_did_not_arrive", async || mine().await.map(Some)).await?;
        until("demo.case_did_not_arrive", async || {
            if mine().await? == before {
                member.ask_as_clerk(&ask).await?;
            }
            Ok(Some(()))
        })
        .await?;
        let what = self.teller.texts.word("kind_of_statement", kind.word());
        self.line("demo.stated", &[("hall", &member.name), ("number", number), ("what", &what)]);
        Ok(())
    }

    /// Waits until what was stated is at the hall that has the case in hand, and answers it.
    async fn answer(
        &self,
        member: &Member,
        number: &str,
        (kind, dismissed): (StatementKind, Option<Dismissal>),
    ) -> Result<(), Problem> {
        let outcome = if dismissed.is_some() { "dismissed" } else { "included" };
        until("demo.case_did_not_arrive", async || {
            let all: Vec<_> = stated(member, number).await?;
            let mut of_kind = all.into_iter().filter(|it| it.kind == kind.word());
            let open = of_kind.clone().find(|it| it.here);
            let Some(statement) = open.map(|it| it.statement) else {
                return Ok(of_kind.any(|it| it.outcome == outcome).then_some(()));
            };
            let (case, content) = (number.to_owned(), Content::one("note", "示例"));
            let of = StatementAsk::Answer { case, statement, dismissed, content };
            member.ask_as_clerk(&Ask::Statement { of }).await.map(|_done| Some(()))
        })
        .await?;
        let what = self.teller.texts.word("kind_of_statement", kind.word());
        let outcome = self.teller.texts.word("outcome", outcome);
        let said =
            [("hall", member.name.as_str()), ("number", number), ("what", &what), ("outcome", &outcome)];
        self.line("demo.answered", &said);
        Ok(())
    }

    /// The law, or this hall's part in the case, forbids it.
    async fn refused(&self, member: &Member, number: &str, deed: Deed, why: &str) -> Result<(), Problem> {
        let ask = Ask::Record { case: number.to_owned(), deed, content: Content::one("note", "示例") };
        let refused = until("demo.case_did_not_arrive", async || match member.ask_as_clerk(&ask).await {
            Ok(_done) => Err(Problem::new("demo.not_refused").with("case", number).with("reason", why)),
            Err(problem) if is_for(&problem, why) => Ok(Some(problem)),
            Err(problem) => Err(problem),
        })
        .await?;
        let what = self.teller.texts.word("event", deed.word());
        let article = refused.params.get("article").map(|article| self.teller.texts.word("article", article));
        let why = article
            .unwrap_or_else(|| self.teller.texts.say(&format!("error.{}", refused.code), &params(&refused)));
        self.line(
            "demo.refused",
            &[("hall", &member.name), ("number", number), ("what", &what), ("why", &why)],
        );
        Ok(())
    }

    /// Waits until a hall has the case in hand in a state, and says who holds it.
    async fn in_hand(&self, member: &Member, number: &str, state: State) -> Result<(), Problem> {
        let case = until("demo.case_did_not_arrive", async || {
            let found = case(member, number).await?;
            Ok(found.filter(|case| case.stage == "custodian" && case.state == state))
        })
        .await?;
        let epoch = case.epoch.to_string();
        self.line("demo.in_hand", &[("hall", &member.name), ("number", number), ("epoch", &epoch)]);
        Ok(())
    }

    /// The case is in transit at its window and stays so: nobody else has it in hand.
    async fn still_waits(&self, window: &Member, number: &str) -> Result<(), Problem> {
        let case = seen(window, number).await?;
        if case.stage != "handing-over" || case.in_transit_to.is_none() {
            return Err(Problem::new("demo.case_did_not_wait").with("case", number));
        }
        self.line("demo.waits", &[("hall", &window.name), ("number", number)]);
        Ok(())
    }

    /// A hall has no part in a case: whoever delivered it has the whole log, and the hall has signed nothing in it.
    async fn untouched(&self, member: &Member, number: &str) -> Result<(), Problem> {
        for other in &self.city.members {
            let known =
                until("demo.case_did_not_arrive", async || trace(other, number).await.map(Some)).await?;
            let hall = member.hall.to_string();
            if known.iter().any(|(by, _)| *by == hall) {
                return Err(Problem::new("demo.hall_was_involved").with("case", number).with("hall", hall));
            }
        }
        self.line("demo.untouched", &[("hall", &member.name), ("number", number)]);
        Ok(())
    }

    fn line(&self, key: &str, params: &[(&str, &str)]) {
        let at = crate::texts::clock(super::city::wall());
        let sentence = self.teller.texts.say(key, params);
        (self.teller.say)(&format!("  {at}  {sentence}"));
    }
}

/// Whether a problem is what the story says: its code, or the article that forbids the act.
fn is_for(problem: &Problem, why: &str) -> bool {
    problem.code == why || problem.params.get("article").is_some_and(|article| article == why)
}

fn params(problem: &Problem) -> Vec<(&str, &str)> {
    problem.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Who signed what in a case, as far as a hall knows; nothing if it does not know the case.
async fn trace(member: &Member, number: &str) -> Result<Vec<(String, String)>, Problem> {
    match member.client.ask(&Ask::Trace { case: number.to_owned() }).await {
        Ok(Answer::Trace(trace)) => {
            Ok(trace.events.into_iter().map(|event| (event.hall, event.what)).collect())
        }
        Ok(_other) => Err(unexpected()),
        Err(problem) if problem.code == "case.unknown" => Ok(Vec::new()),
        Err(problem) => Err(problem),
    }
}

/// What is stated about a case, as far as a hall knows; nothing if it does not know the case.
async fn stated(member: &Member, number: &str) -> Result<Vec<StatementShown>, Problem> {
    let of = StatementAsk::Shown { case: Some(number.to_owned()), count: CASES_MAX };
    match member.client.ask(&Ask::Statement { of }).await {
        Ok(Answer::Statements { statements }) => Ok(statements),
        Ok(_other) => Err(unexpected()),
        Err(problem) => Err(problem),
    }
}

/// How often an act stands in the log of a case that a hall has.
async fn done(member: &Member, number: &str, deed: Deed) -> Result<usize, Problem> {
    Ok(trace(member, number).await?.iter().filter(|(_, what)| what == deed.word()).count())
}

/// A case as a hall sees it; none while it does not know it.
pub(super) async fn case(member: &Member, number: &str) -> Result<Option<Case>, Problem> {
    match member.client.ask(&Ask::Case { case: number.to_owned() }).await {
        Ok(Answer::Case(case)) => Ok(Some(*case)),
        Ok(_other) => Err(unexpected()),
        Err(problem) if problem.code == "case.unknown" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// A case that a hall knows, once it can be asked.
async fn seen(member: &Member, number: &str) -> Result<Case, Problem> {
    until("demo.case_did_not_arrive", async || case(member, number).await).await
}

/// The applications for bundles of which a hall has tasks.
async fn applications(member: &Member) -> Result<Vec<Application>, Problem> {
    let of = BundleAsk::Applications { after: None, only: None, count: CASES_MAX };
    let answer = member.client.ask(&Ask::Bundle { of }).await?;
    if let Answer::Applications { applications, .. } = answer { Ok(applications) } else { Err(unexpected()) }
}

/// The numbers of the cases that a hall took in itself.
async fn numbers(member: &Member) -> Result<Vec<String>, Problem> {
    let ask = Ask::Cases { stage: None, count: CASES_MAX };
    let Answer::Cases { cases } = member.client.ask(&ask).await? else { return Err(unexpected()) };
    let hall = member.hall.to_string();
    Ok(cases.into_iter().filter(|case| case.receiving == hall).map(|case| case.number).collect())
}
