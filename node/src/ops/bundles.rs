//! Bundles (一件事) for people: what there are, what an application needs, how one has gone on and why it waits.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{
    self, Closing, Deed as CaseDeed, Question, ReceiveBundle, RecordBundle, State, TaskState,
};
use hallmesh_protocol::catalogue::{Bundle, Catalogue, Condition, NotChosen, PinnedBundle, Situation};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::Act;
use hallmesh_protocol::ids::{BundleCode, CaseNumber, DivisionCode};
use hallmesh_protocol::query::{self, BundleView};
use hallmesh_protocol::seal::WrapSecret;
use hallmesh_protocol::signed::Verified;
use hallmesh_protocol::step::Command;
use serde::{Deserialize, Serialize};

use super::answers::{Answer, Material};
use super::content::Content;
use super::deeds::{self, After, Deed};
use super::limits::{self, TimeLimit};
use super::problem::Problem;
use super::questions::{self, Asked, limit, name};

/// What the applications of one answer come to at the most, encoded; a frame takes more than one of them besides.
pub(crate) const ANSWER_BYTES_MAX: usize = 2 << 20;
/// Numbers read at once.
const PAGE: usize = 256;

/// What can be asked of a node about bundles, and done with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum BundleAsk {
    /// Which bundles are in force, after a code?
    Offered {
        /// After this code; empty from the first.
        after: String,
        /// At most so many.
        count: usize,
    },
    /// One bundle: what it asks and needs.
    One {
        /// Its code.
        code: BundleCode,
        /// Answers by question, if only what they bring in is wanted.
        #[serde(default)]
        answers: BTreeMap<String, String>,
    },
    /// Of which applications for bundles does this hall have a task?
    Applications {
        /// After this number; not said from the first.
        after: Option<CaseNumber>,
        /// Only those of which this hall has to see to the end, or to something now.
        #[serde(default)]
        only: Option<Watch>,
        /// At most so many; fewer if they would not fit one answer.
        count: usize,
    },
    /// How has an application for a bundle gone on?
    Application {
        /// Its number or the beginning of it; or the number or id of one of its tasks.
        bundle: String,
    },
    /// Take in an application for a bundle.
    Receive {
        /// The bundle.
        bundle: BundleCode,
        /// Answers by question.
        answers: BTreeMap<String, String>,
        /// The applicant's place.
        place: DivisionCode,
        /// Who applies, with what: the one form.
        content: Content,
    },
    /// Do one act in all tasks of a bundle for which it is to be done.
    Record {
        /// The application's number.
        bundle: String,
        /// What is done.
        act: Together,
        /// Reasons.
        content: Content,
    },
}

/// Applications that came in at this hall and are not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// All of them.
    Open,
    /// Those with a task that cannot go on: a clerk closes it.
    Blocked,
}

/// What a clerk can do with all tasks of a bundle at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Together {
    /// Hand out all that came of it.
    Deliver,
    /// Close the tasks that cannot go on.
    Close,
}

/// A bundle of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleShown {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The division for which it holds.
    pub area: String,
    /// The authority that answers for the whole.
    pub lead: String,
    /// Working days from receipt that are promised for the whole.
    pub promised_days: u16,
    /// What is asked about the situation.
    pub questions: Vec<QuestionShown>,
    /// Its items; of given answers those that they bring in.
    pub items: Vec<ItemShown>,
    /// The fields of the form for these items.
    pub fields: Vec<FieldShown>,
    /// What the applicant brings for these items, each once.
    pub bring: Vec<Material>,
    /// What government holds: asked of nobody.
    pub shared: Vec<String>,
    /// Where the entry came from.
    pub source: String,
    /// Whether the authority confirmed it; if not, it is shown as not official.
    pub official: bool,
    /// The owner's version counter.
    pub version: u32,
}

/// A question about the situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionShown {
    /// By which answers name it.
    pub id: String,
    /// The question.
    pub text: String,
    /// Its answers: the word to give, and what it means.
    pub options: Vec<(String, String)>,
}

/// A matter of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemShown {
    /// Its number among the items, from 1.
    pub number: u8,
    /// The matter's code.
    pub matter: String,
    /// Its name, if it is in force here.
    pub name: Option<String>,
    /// The authority that decides.
    pub body: Option<String>,
    /// The answers that bring it in, such as `child=later`; always part of it, if there is none.
    pub when: Vec<String>,
    /// The numbers of the items whose results it needs.
    pub after: Vec<u8>,
}

/// A field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldShown {
    /// Its name in the application.
    pub name: String,
    /// What it means.
    pub label: String,
    /// Whether it has to be filled in.
    pub required: bool,
}

/// An application for a bundle, as far as this hall knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its number.
    pub number: String,
    /// The bundle's code, if its version is held here.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether the bundle's entry was confirmed by the authority.
    pub official: bool,
    /// Milliseconds since 1970 of receipt, as far as it is known here.
    pub received: Option<u64>,
    /// `open`, `ready`, `granted`, `partial` or `nothing`.
    pub state: String,
    /// What was promised for the whole.
    pub limit: Option<TimeLimit>,
    /// Its tasks, in order.
    pub tasks: Vec<TaskShown>,
}

/// A task of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskShown {
    /// Which task, from 1.
    pub task: u8,
    /// `unknown`, `waits`, `blocked`, `open`, `ready` or `delivered`.
    pub state: String,
    /// The tasks that it waits for, or that stop it.
    pub because_of: Vec<u8>,
    /// The case's number, if anything is known of it here.
    pub case: Option<String>,
    /// The case's id.
    pub id: Option<String>,
    /// The matter's name or code.
    pub matter: Option<String>,
    /// How far the case has come.
    pub case_state: Option<State>,
    /// Whether it was granted, once decided.
    pub granted: Option<bool>,
    /// In whose hand it is.
    pub custodian: Option<String>,
    /// On its way to.
    pub in_transit_to: Option<String>,
    /// Milliseconds since 1970 when what it waited for was there.
    pub started: Option<u64>,
}

/// What a case is to its bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOf {
    /// The number of the application for the bundle.
    pub bundle: String,
    /// The bundle's name, if its version is held here.
    pub name: Option<String>,
    /// Which task it is, from 1.
    pub task: u8,
    /// How many there are.
    pub of: u8,
    /// How far it has come, as in [`TaskShown::state`].
    pub state: String,
    /// The tasks that it waits for, or that stop it.
    pub because_of: Vec<TaskShown>,
    /// Milliseconds since 1970 when what it had to wait for was there: since then its limits run.
    pub started: Option<u64>,
    /// What was promised for the whole.
    pub limit: Option<TimeLimit>,
}

/// An application was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleReceived {
    /// Its tasks.
    pub application: Application,
    /// `D1` if one of them is on one disk only, else `D2`.
    pub grade: String,
    /// What the applicant still has to bring, each once.
    pub bring: Vec<Material>,
    /// Fields that were given and that no task needs: they are kept nowhere.
    pub unused: Vec<String>,
}

/// Answers a question about bundles; none if it is a deed.
pub(super) fn answer(asked: &Asked<'_>, of: &BundleAsk) -> Option<Answer> {
    let answer = match of {
        BundleAsk::Offered { after, count } => Ok(offered(asked, after, *count)),
        BundleAsk::One { code, answers } => one(asked, code, answers),
        BundleAsk::Applications { after, only, count } => Ok(applications(asked, (*after, *only), *count)),
        BundleAsk::Application { bundle } => status(asked, bundle),
        BundleAsk::Receive { .. } | BundleAsk::Record { .. } => return None,
    };
    Some(answer.unwrap_or_else(Answer::Refused))
}

/// Turns a deed with bundles into a command.
pub(super) fn prepare(
    asked: &Asked<'_>,
    of: &BundleAsk,
    act: Verified<Act>,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<Deed, Problem> {
    match of {
        BundleAsk::Receive { bundle, answers, place, content } => {
            receive(asked, act, (bundle, answers, *place), content, chance)
        }
        BundleAsk::Record { bundle, act: what, content } => {
            together(asked, act, (bundle, *what), content, (secret, chance))
        }
        BundleAsk::Offered { .. }
        | BundleAsk::One { .. }
        | BundleAsk::Applications { .. }
        | BundleAsk::Application { .. } => Err(Problem::new("call.malformed")),
    }
}

/// The bundles in force.
fn offered(asked: &Asked<'_>, after: &str, count: usize) -> Answer {
    let (found, mut room) =
        (Catalogue::new(asked.view).bundles(after, asked.wall, limit(count)), Room::of(count));
    let all = found.iter().map(|it| shown(asked, it, &all(&it.bundle)));
    let bundles: Vec<BundleShown> = all.take_while(|it| room.takes(it)).collect();
    let more = found.len() >= limit(count) || bundles.len() < found.len();
    Answer::Bundles { bundles, more }
}

/// One bundle: all of it, or what given answers make of it.
fn one(asked: &Asked<'_>, code: &BundleCode, answers: &BTreeMap<String, String>) -> Result<Answer, Problem> {
    let pinned = in_force(asked, code)?;
    let items = if answers.is_empty() { all(&pinned.bundle) } else { chosen(&pinned.bundle, answers)? };
    Ok(Answer::Bundle(Box::new(shown(asked, &pinned, &items))))
}

fn in_force(asked: &Asked<'_>, code: &BundleCode) -> Result<PinnedBundle, Problem> {
    let pinned = Catalogue::new(asked.view).bundle(code, asked.wall);
    pinned.ok_or_else(|| Problem::new("bundle.unknown").with("bundle", code))
}

fn all(bundle: &Bundle) -> Vec<u8> {
    (0_u8..).zip(&bundle.items).map(|(place, _)| place).collect()
}

fn chosen(bundle: &Bundle, answers: &BTreeMap<String, String>) -> Result<Vec<u8>, Problem> {
    let options = |id: &str| {
        let asked = bundle.questions.iter().find(|it| it.id == id);
        asked.map(options).unwrap_or_default()
    };
    bundle.choose(answers).map_err(|why| match why {
        NotChosen::Unanswered(question) => {
            Problem::new("bundle.unanswered").with("options", options(&question)).with("question", question)
        }
        NotChosen::NoSuchAnswer { question, option } => Problem::new("bundle.no_such_answer")
            .with("options", options(&question))
            .with("question", question)
            .with("option", option),
        NotChosen::Nothing | NotChosen::Items => Problem::new("bundle.nothing_chosen"),
    })
}

fn options(question: &Situation) -> String {
    question.options.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn shown(asked: &Asked<'_>, pinned: &PinnedBundle, items: &[u8]) -> BundleShown {
    let it = &pinned.bundle;
    let question = |question: &Situation| QuestionShown {
        id: question.id.clone(),
        text: question.text.clone(),
        options: question.options.iter().map(|option| (option.id.clone(), option.text.clone())).collect(),
    };
    let (bring, shared) = materials(asked, it, items);
    let fields = it.fields.iter().filter(|field| items.iter().any(|item| field.items.contains(item)));
    BundleShown {
        code: it.code.to_string(),
        name: it.name.clone(),
        area: it.area.to_string(),
        lead: it.lead_name.clone(),
        promised_days: it.promised_days,
        questions: it.questions.iter().map(question).collect(),
        items: items.iter().filter_map(|place| item(asked, it, *place)).collect(),
        fields: fields
            .map(|field| FieldShown {
                name: field.name.clone(),
                label: field.label.clone(),
                required: field.required,
            })
            .collect(),
        bring,
        shared,
        source: it.source.clone(),
        official: it.verified,
        version: pinned.version,
    }
}

fn item(asked: &Asked<'_>, bundle: &Bundle, place: u8) -> Option<ItemShown> {
    let it = bundle.item(place)?;
    let matter = Catalogue::new(asked.view).matter(&it.matter, asked.wall).map(|pinned| pinned.matter);
    let condition = |it: &Condition| format!("{}={}", it.question, it.option);
    Some(ItemShown {
        number: place.saturating_add(1),
        matter: it.matter.to_string(),
        name: matter.as_ref().map(|matter| matter.name.clone()),
        body: matter.map(|matter| matter.body_name),
        when: it.when.iter().map(condition).collect(),
        after: it.after.iter().map(|after| after.saturating_add(1)).collect(),
    })
}

/// One set of materials for all items (一套材料): each once, as urgently as the item that needs it most; and what government
/// holds, which nobody brings, even where another item would ask for it.
fn materials(asked: &Asked<'_>, bundle: &Bundle, items: &[u8]) -> (Vec<Material>, Vec<String>) {
    let lists = Catalogue::new(asked.view);
    let matters = items.iter().filter_map(|place| lists.matter(&bundle.item(*place)?.matter, asked.wall));
    let needed: Vec<Material> =
        matters.flat_map(|pinned| pinned.matter.materials).map(|it| questions::material(&it)).collect();
    let shared: BTreeSet<&str> = needed.iter().filter(|it| it.shared).map(|it| it.name.as_str()).collect();
    let mut bring: Vec<Material> = Vec::new();
    for it in needed.iter().filter(|it| !shared.contains(it.name.as_str())) {
        match bring.iter_mut().find(|held| held.name == it.name) {
            Some(held) if it.necessity == "required" => held.necessity.clone_from(&it.necessity),
            Some(_) => {}
            None => bring.push(it.clone()),
        }
    }
    (bring, shared.into_iter().map(str::to_owned).collect())
}

/// The applications of which this hall has a task, or that it watches, after one of them: as many as fit one answer. What
/// follows is asked for after the last of them.
fn applications(
    asked: &Asked<'_>,
    (after, only): (Option<CaseNumber>, Option<Watch>),
    count: usize,
) -> Answer {
    let (mut found, mut room, mut next) = (Vec::<Application>::new(), Room::of(count), None);
    each_number(asked, (after, only), |number| {
        let Some(view) = query::bundle(asked.view, number) else { return true };
        let told = application(asked, &view);
        let fits = room.takes(&told);
        if fits {
            found.push(told);
        } else {
            next = found.last().map(|last| last.number.clone());
        }
        fits
    });
    Answer::Applications { applications: found, after: next }
}

/// What still goes into one answer.
struct Room {
    count: usize,
    bytes: usize,
}

impl Room {
    fn of(count: usize) -> Self {
        Self { count: limit(count), bytes: 0 }
    }

    /// Whether one more fits. The first always does: one of anything is smaller than a frame.
    fn takes(&mut self, one: &impl Serialize) -> bool {
        let before = self.count;
        self.count = before.saturating_sub(1);
        let size = serde_json::to_vec(one).map_or(usize::MAX, |bytes| bytes.len());
        let first = self.bytes == 0;
        self.bytes = self.bytes.saturating_add(size);
        before > 0 && (first || self.bytes <= ANSWER_BYTES_MAX)
    }
}

/// Visits the numbers of applications until it is enough, page by page.
fn each_number(
    asked: &Asked<'_>,
    (mut after, only): (Option<CaseNumber>, Option<Watch>),
    mut visit: impl FnMut(CaseNumber) -> bool,
) {
    loop {
        let page: Vec<(CaseNumber, u32)> = match only {
            None => query::bundles(asked.view, "", after, PAGE).into_iter().map(|it| (it, 0)).collect(),
            Some(_) => query::watched(asked.view, after, PAGE),
        };
        let Some((last, _)) = page.last() else { return };
        after = Some(*last);
        let mut wanted =
            page.into_iter().filter(|(_, blocked)| only != Some(Watch::Blocked) || *blocked != 0);
        if !wanted.all(|(number, _)| visit(number)) {
            return;
        }
    }
}

fn status(asked: &Asked<'_>, text: &str) -> Result<Answer, Problem> {
    Ok(Answer::Application(Box::new(application(asked, &find(asked, text)?))))
}

/// The one application whose number a text begins, or whose task's id it is.
fn find(asked: &Asked<'_>, text: &str) -> Result<BundleView, Problem> {
    let unknown = || Problem::new("bundle.unknown_number").with("bundle", text);
    let found = match query::bundles(asked.view, text, None, 2).as_slice() {
        [] => {
            let task = questions::find(asked.view, text).ok().and_then(|view| view.case.task);
            task.ok_or_else(unknown)?.bundle
        }
        [one] => *one,
        [..] => return Err(Problem::new("bundle.ambiguous").with("bundle", text)),
    };
    query::bundle(asked.view, found).ok_or_else(unknown)
}

/// An application as people read it.
pub(super) fn application(asked: &Asked<'_>, view: &BundleView) -> Application {
    let bundle = view.bundle.as_ref().map(|pinned| &pinned.bundle);
    Application {
        number: view.joined.number.to_string(),
        code: bundle.map(|it| it.code.to_string()),
        name: bundle.map(|it| it.name.clone()),
        official: bundle.is_some_and(|it| it.verified),
        received: view.joined.received().map(|received| received.claimed),
        state: view.joined.whole().word().to_owned(),
        limit: joint(asked, view),
        tasks: (1..=view.joined.of).map(|task| self::task(asked, view, task)).collect(),
    }
}

fn joint(asked: &Asked<'_>, view: &BundleView) -> Option<TimeLimit> {
    let (clock, calendar, pinned) = view.clock.as_ref()?;
    Some(limits::limit_by(clock, (calendar, *pinned), CivilDay::of_wall(asked.wall)))
}

fn task(asked: &Asked<'_>, view: &BundleView, task: u8) -> TaskShown {
    let (state, case) = (view.joined.state(task), view.joined.case(task));
    let known = case.and_then(|case| query::case(asked.view, case.id));
    let matter = known.as_ref().and_then(|view| view.matter.as_ref()).map(|it| it.matter.name.clone());
    TaskShown {
        task,
        state: state.word().to_owned(),
        because_of: state.because_of().to_vec(),
        case: case.map(|case| case.number.to_string()),
        id: case.map(|case| case.id.to_string()),
        matter: matter.or_else(|| case.map(|case| case.matter.to_string())),
        case_state: case.map(|case| case.state),
        granted: case.and_then(|case| case.granted),
        custodian: case.map(|case| name(asked.view, case.custodian.hall)),
        in_transit_to: case.and_then(|case| case.transit).map(|transit| name(asked.view, transit.to.hall)),
        started: case.and_then(|case| case.started).map(|started| started.claimed),
    }
}

/// What a case is to its bundle; none if it is no task of one.
pub(super) fn task_of(asked: &Asked<'_>, case: &cases::Case) -> Option<TaskOf> {
    let place = case.task?;
    let view = query::bundle(asked.view, place.bundle)?;
    let state = view.joined.state(place.ordinal);
    Some(TaskOf {
        bundle: place.bundle.to_string(),
        name: view.bundle.as_ref().map(|pinned| pinned.bundle.name.clone()),
        task: place.ordinal,
        of: place.of,
        because_of: state.because_of().iter().map(|task| self::task(asked, &view, *task)).collect(),
        state: state.word().to_owned(),
        started: case.started.map(|started| started.claimed),
        limit: joint(asked, &view),
    })
}

/// Makes an application's tasks of answers and one form: each sealed under a key of its own, with what it needs.
fn receive(
    asked: &Asked<'_>,
    act: Verified<Act>,
    (code, answers, place): (&BundleCode, &BTreeMap<String, String>, DivisionCode),
    content: &Content,
    chance: &mut Chance,
) -> Result<Deed, Problem> {
    let pinned = in_force(asked, code)?;
    let bundle = &pinned.bundle;
    let items = chosen(bundle, answers)?;
    let unused = filled_in(bundle, &items, content)?;
    let mut tasks = Vec::new();
    for item in &items {
        let Some(entry) = bundle.item(*item) else { continue };
        let (matter, receiving) = (entry.matter.clone(), asked.at.hall);
        let question = Question { matter: matter.clone(), receiving, place, wall: asked.wall };
        let own = of_item(bundle, *item, (answers, content));
        let wanted =
            deeds::application(asked, &question, &own, chance).map_err(|why| why.with("matter", &matter))?;
        tasks.push((*item, wanted));
    }
    let wanted = ReceiveBundle { bundle: code.clone(), place, tasks };
    let (bring, _) = materials(asked, bundle, &items);
    let after = After::ReceivedBundle { bring, unused };
    Ok(Deed::new(Command::ReceiveBundle(act, Box::new(wanted)), after))
}

/// Whether the form is filled in for these items, told at once (一次告知); gives the fields that none of them needs.
fn filled_in(bundle: &Bundle, items: &[u8], content: &Content) -> Result<Vec<String>, Problem> {
    let given: BTreeSet<&str> =
        content.reveal().filter(|(_, value)| !value.trim().is_empty()).map(|(name, _)| name).collect();
    let known: BTreeSet<&str> = bundle.fields.iter().map(|field| field.name.as_str()).collect();
    let strange: Vec<&str> =
        content.reveal().map(|(name, _)| name).filter(|it| !known.contains(it)).collect();
    if !strange.is_empty() {
        return Err(Problem::new("bundle.unknown_fields").with("fields", strange.join(", ")));
    }
    let used =
        |field: &&hallmesh_protocol::catalogue::FormField| items.iter().any(|it| field.items.contains(it));
    let needed = bundle.fields.iter().filter(used).filter(|field| field.required);
    let missing: Vec<&str> =
        needed.map(|field| field.name.as_str()).filter(|name| !given.contains(name)).collect();
    if !missing.is_empty() {
        return Err(Problem::new("bundle.missing_fields").with("fields", missing.join(", ")));
    }
    let unused = bundle.fields.iter().filter(|field| !used(field) && given.contains(field.name.as_str()));
    Ok(unused.map(|field| field.name.clone()).collect())
}

/// What one item needs of the form, and the answers that brought it in: nothing else is sealed for its authority.
fn of_item(bundle: &Bundle, item: u8, (answers, content): (&BTreeMap<String, String>, &Content)) -> Content {
    let fields: BTreeSet<&str> = bundle.fields_of(item).map(|field| field.name.as_str()).collect();
    let filled = content.reveal().filter(|(name, _)| fields.contains(name));
    let filled = filled.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let asked: BTreeSet<&str> =
        bundle.item(item).iter().flat_map(|it| &it.when).map(|it| it.question.as_str()).collect();
    let brought = answers.iter().filter(|(question, _)| asked.contains(question.as_str()));
    Content::of(filled.chain(brought.map(|(question, option)| (question.clone(), option.clone()))))
}

/// Words what was received.
pub(super) fn received(
    asked: &Asked<'_>,
    number: CaseNumber,
    (bring, unused): (&[Material], &[String]),
) -> Answer {
    let Some(view) = query::bundle(asked.view, number) else {
        return Answer::Refused(Problem::new("bundle.unknown_number").with("bundle", number));
    };
    Answer::BundleReceived(Box::new(BundleReceived {
        application: application(asked, &view),
        grade: "D1".to_owned(),
        bring: bring.to_vec(),
        unused: unused.to_vec(),
    }))
}

/// One act in every task for which it is to be done.
fn together(
    asked: &Asked<'_>,
    act: Verified<Act>,
    (text, what): (&str, Together),
    content: &Content,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<Deed, Problem> {
    let number: CaseNumber =
        text.parse().ok().ok_or_else(|| Problem::new("bundle.not_in_full").with("bundle", text))?;
    let view = find(asked, text)?;
    let due = |state: &TaskState| match what {
        Together::Deliver => *state == TaskState::Ready,
        Together::Close => matches!(state, TaskState::Blocked(_)),
    };
    let deed = match what {
        Together::Deliver => CaseDeed::Deliver,
        Together::Close => CaseDeed::Close(Closing::Void),
    };
    let mut acts = Vec::new();
    for (_, state, case) in view.joined.tasks() {
        let Some(case) = case.filter(|_| due(&state)) else { continue };
        match deeds::sealed_act(asked, case.id, deed, content, (secret, &mut *chance)) {
            Ok(sealed) => acts.push(sealed),
            Err(why) => return why.deed(),
        }
    }
    if acts.is_empty() && matches!(what, Together::Close) {
        return Err(Problem::new("bundle.nothing_blocked").with("bundle", text));
    }
    let wanted = RecordBundle { bundle: number, acts };
    Ok(Deed::new(Command::RecordBundle(act, Box::new(wanted)), After::Nothing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_takes_what_fits_a_frame_and_the_first_of_anything() {
        let told = "x".repeat(12_000);
        let mut room = Room::of(1_000);
        let taken = (0..1_000).take_while(|_| room.takes(&told)).count();
        assert_eq!(taken, ANSWER_BYTES_MAX / (told.len() + 2), "a thousand would be twelve million bytes");
        let mut few = Room::of(3);
        assert_eq!((0..9).take_while(|_| few.takes(&told)).count(), 3);
        assert!(Room::of(1).takes(&"x".repeat(ANSWER_BYTES_MAX)));
    }
}
