//! The four stories. Each ends as told or says what did not.

use hallmesh_protocol::cases::{Deed, State, rule};
use serde::Serialize;

use super::city::{City, Control, Member, unexpected};
use super::patience::until;
use crate::ops::{Answer, Ask, Case, Content, Problem};
use crate::texts::Texts;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const GAOTAI: usize = 2;
const ANYANG: usize = 3;
const CHENGGUAN: usize = 4;
const MIAOJIABU: usize = 5;
const GUOQING: usize = 6;

/// Decided by the city, not delegated.
const OF_THE_CITY: &str = "ZYL-C-001";
/// Decided by the city by law, delegated to the counties.
const DELEGATED: &str = "ZYL-C-032";
/// Decided by the county of the applicant's place.
const OF_A_COUNTY: &str = "ZYL-X-023";
/// The same, another matter.
const OF_A_COUNTY_TOO: &str = "ZYL-X-048";

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
    pub name: &'static str,
    /// Its cases: number, and the hall that delivered.
    pub cases: Vec<Ended>,
}

/// A case that was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The case's number.
    pub number: String,
    /// The place of the delivering hall in the city's list.
    #[serde(skip)]
    pub delivered_at: usize,
}

/// Plays all four stories. They end as told also if nodes are killed and started again on the way.
pub async fn play_all(
    teller: &Teller<'_>,
    city: &City,
    control: &mut dyn Control,
) -> Result<Vec<Story>, Problem> {
    let mut stage = Stage { teller, city, control, steps: 0 };
    Ok(vec![
        stage.entrusted_receipt().await?,
        stage.delegated().await?,
        stage.remote_receipt().await?,
        stage.city_away().await?,
    ])
}

/// One performance.
struct Stage<'a> {
    teller: &'a Teller<'a>,
    city: &'a City,
    control: &'a mut dyn Control,
    steps: u32,
}

/// How a case is to go.
struct Plan {
    matter: &'static str,
    window: usize,
    place_of: usize,
    decides: usize,
}

impl<'a> Stage<'a> {
    /// 委托收件、受审分离: a village takes in what the city decides.
    async fn entrusted_receipt(&mut self) -> Result<Story, Problem> {
        self.title("demo.story1");
        let plan = Plan { matter: OF_THE_CITY, window: MIAOJIABU, place_of: MIAOJIABU, decides: CITY };
        let ended = self.whole_case(&plan).await?;
        Ok(Story { name: "entrusted-receipt", cases: vec![ended] })
    }

    /// 市县同权: a delegated matter is decided at the county; the city has no part in it.
    async fn delegated(&mut self) -> Result<Story, Problem> {
        self.title("demo.story2");
        let plan = Plan { matter: DELEGATED, window: ANYANG, place_of: ANYANG, decides: GANZHOU };
        let ended = self.whole_case(&plan).await?;
        let city = self.member(CITY)?.hall.to_string();
        let hands = self.hands(&plan, &ended.number).await?;
        if hands.contains(&city) {
            return Err(Problem::new("demo.city_was_involved").with("case", &ended.number));
        }
        Ok(Story { name: "delegated", cases: vec![ended] })
    }

    /// 异地代收: a village of one county takes in for the authority of another.
    async fn remote_receipt(&mut self) -> Result<Story, Problem> {
        self.title("demo.story3");
        let plan = Plan { matter: OF_A_COUNTY, window: GUOQING, place_of: MIAOJIABU, decides: GANZHOU };
        let ended = self.whole_case(&plan).await?;
        Ok(Story { name: "remote-receipt", cases: vec![ended] })
    }

    /// The city's node is stopped: a case between the counties completes, one for the city waits for it.
    async fn city_away(&mut self) -> Result<Story, Problem> {
        self.title("demo.story4");
        let city = self.member(CITY)?.clone();
        self.control.stop(&city).await?;
        self.line("demo.city_stopped", &[]);
        let between = Plan { matter: OF_A_COUNTY_TOO, window: ANYANG, place_of: GUOQING, decides: GAOTAI };
        let completed = self.whole_case(&between).await?;
        let waits = Plan { matter: OF_THE_CITY, window: CHENGGUAN, place_of: GUOQING, decides: CITY };
        let number = self.receive(&waits).await?;
        self.still_waits(&waits, &number).await?;
        self.control.start(&city).await?;
        self.line("demo.city_back", &[]);
        let waited = self.decide_and_deliver(&waits, &number).await?;
        Ok(Story { name: "city-away", cases: vec![completed, waited] })
    }

    async fn whole_case(&mut self, plan: &Plan) -> Result<Ended, Problem> {
        let number = self.receive(plan).await?;
        self.decide_and_deliver(plan, &number).await
    }

    /// Takes a case in once: if no answer came, it may be there all the same, and is looked for first.
    async fn receive(&mut self, plan: &Plan) -> Result<String, Problem> {
        self.step().await?;
        let (window, place) = (self.member(plan.window)?, self.member(plan.place_of)?.hall.division());
        let malformed = |why| Problem::new("matter.unknown").with("matter", plan.matter).with("reason", why);
        let matter = plan.matter.parse().map_err(malformed)?;
        let ask = Ask::Receive { matter, place, content: Content::one("applicant", "示例申请人") };
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

    async fn decide_and_deliver(&mut self, plan: &Plan, number: &str) -> Result<Ended, Problem> {
        self.in_hand(plan.decides, number, State::Received).await?;
        self.act(plan.decides, number, Deed::Accept, "demo.accepted").await?;
        self.act(plan.decides, number, Deed::GRANT, "demo.decided").await?;
        self.in_hand(plan.window, number, State::Decided).await?;
        self.act(plan.window, number, Deed::Deliver, "demo.delivered").await?;
        Ok(Ended { number: number.to_owned(), delivered_at: plan.window })
    }

    /// Records a deed once: if no answer came, it may be done all the same.
    async fn act(&mut self, at: usize, number: &str, deed: Deed, said: &str) -> Result<(), Problem> {
        self.step().await?;
        let member = self.member(at)?;
        let ask = Ask::Record { case: number.to_owned(), deed, content: Content::one("note", "示例") };
        until("demo.case_did_not_arrive", async || {
            let done = case(member, number)
                .await?
                .is_some_and(|case| rule(&deed).to.is_none_or(|outcome| case.state >= outcome));
            if !done {
                member.ask_as_clerk(&ask).await?;
            }
            Ok(Some(()))
        })
        .await?;
        self.line(said, &[("hall", &member.name), ("number", number)]);
        Ok(())
    }

    /// Waits until a hall has the case in hand in a state, and says who holds it.
    async fn in_hand(&mut self, at: usize, number: &str, state: State) -> Result<(), Problem> {
        self.step().await?;
        let member = self.member(at)?;
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
    async fn still_waits(&mut self, plan: &Plan, number: &str) -> Result<(), Problem> {
        let window = self.member(plan.window)?;
        let case = seen(window, number).await?;
        if case.stage != "handing-over" || case.in_transit_to.is_none() {
            return Err(Problem::new("demo.case_did_not_wait").with("case", number));
        }
        self.line("demo.waits", &[("hall", &window.name), ("number", number)]);
        Ok(())
    }

    /// The halls that wrote events of a case.
    async fn hands(&self, plan: &Plan, number: &str) -> Result<Vec<String>, Problem> {
        let (window, ask) = (self.member(plan.window)?, Ask::Trace { case: number.to_owned() });
        let answer =
            until("demo.case_did_not_arrive", async || window.client.ask(&ask).await.map(Some)).await?;
        let Answer::Trace(trace) = answer else { return Err(unexpected()) };
        Ok(trace.events.into_iter().map(|event| event.hall).collect())
    }

    /// The borrow is the city's, so that the stage can go on while somebody is asked.
    fn member(&self, index: usize) -> Result<&'a Member, Problem> {
        self.city.member(index)
    }

    async fn step(&mut self) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(1);
        self.control.disturb(self.city, self.steps).await
    }

    fn title(&self, key: &str) {
        (self.teller.say)("");
        (self.teller.say)(&self.teller.texts.say(key, &[]));
    }

    fn line(&self, key: &str, params: &[(&str, &str)]) {
        let at = crate::texts::clock(super::city::wall());
        let sentence = self.teller.texts.say(key, params);
        (self.teller.say)(&format!("  {at}  {sentence}"));
    }
}

/// A case as a hall sees it; none while it does not know it.
async fn case(member: &Member, number: &str) -> Result<Option<Case>, Problem> {
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

/// The numbers of the cases that a hall took in itself.
async fn numbers(member: &Member) -> Result<Vec<String>, Problem> {
    let ask = Ask::Cases { stage: None, count: CASES_MAX };
    let Answer::Cases { cases } = member.client.ask(&ask).await? else { return Err(unexpected()) };
    let hall = member.hall.to_string();
    Ok(cases.into_iter().filter(|case| case.receiving == hall).map(|case| case.number).collect())
}
