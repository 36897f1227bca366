//! What is drawn of a run: how changes spread, what waits, what people have done, what went over the lines, what went
//! wrong.

use hallmesh_protocol::ids::Tier;

use super::axis::Axis;
use super::markup::Markup;
use super::plots::{Bar, Caption, Curve, Strip, bars, curves, strips};
use super::table::{Head, figures, number, row, table};
use super::units;
use crate::plan::{MINUTE, Plan};
use crate::report::Report;
use crate::series::{Sample, Series, Until};

const OPEN: &str = "time with the halls open";
/// Parts of a tier's halls that the table tells of.
const PARTS: [usize; 3] = [50, 99, 100];
const SPREAD_HEADS: [Head; 6] = [
    Head::Words("tier"),
    Head::Numbers("halls"),
    Head::Numbers("50 %"),
    Head::Numbers("99 %"),
    Head::Numbers("100 %"),
    Head::Numbers("never reached"),
];

/// How changes of directory and lists reached the halls.
pub(super) fn spread(page: &mut Markup, series: &Series) {
    let spread = series.spread();
    if spread.changes() == spread.lost() {
        page.words("p", &[], "Nothing was changed in directory and lists in this run.");
        return;
    }
    let all = Tier::ALL.map(|tier| (tier, spread.curve(tier)));
    let slowest = |until: &Until| until.slowest;
    let all_times = all.iter().flat_map(|(_, curve)| curve).flat_map(|until| [until.middle, until.slowest]);
    let times = || all_times.clone().flatten();
    let x = Axis::delay(
        times().filter(|time| *time > 0).min().unwrap_or(1),
        times().max().unwrap_or(1),
        "time since it was published, with the halls open",
    );
    let y = Axis::share("halls that hold it");
    let of = |which: &dyn Fn(&Until) -> Option<u64>| -> Vec<Curve> {
        let tiers = all.iter().filter(|(_, curve)| !curve.is_empty());
        tiers.map(|(tier, curve)| Curve { name: tier.as_str(), points: points(curve, which) }).collect()
    };
    page.element("div", &[("class", &"pair")], |page| {
        let caption = Caption {
            title: "The change in the middle",
            note: "At each height the median of all changes: half of them were faster.",
        };
        curves(page, caption, (&x, &y), &of(&|until| until.middle), None);
        let caption = Caption {
            title: "The slowest change",
            note: "At each height the slowest: halls that were down or cut off make the tail.",
        };
        curves(page, caption, (&x, &y), &of(&slowest), None);
    });
    spread_table(page, series, &all);
}

/// Points of a curve, as far as it goes: time, percent.
fn points(curve: &[Until], which: &dyn Fn(&Until) -> Option<u64>) -> Vec<(u64, u64)> {
    (0_u64..).zip(curve).filter_map(|(percent, until)| Some((which(until)?, percent))).collect()
}

fn spread_table(page: &mut Markup, series: &Series, all: &[(Tier, Vec<Until>)]) {
    let spread = series.spread();
    table(page, &SPREAD_HEADS, |page| {
        for (tier, curve) in all.iter().filter(|(_, curve)| !curve.is_empty()) {
            row(page, |page| spread_row(page, series, (*tier, curve)));
        }
    });
    let note = format!(
        "Changes of directory and lists: {}. Each time: the change in the middle / the slowest one. A hall that holds \
what takes the place of a change counts as reached.",
        spread.changes()
    );
    page.words("p", &[("class", &"note")], &note);
    if spread.lost() > 0 {
        let note =
            format!("{} of them went with the only disk that held them; they are left out.", spread.lost());
        page.words("p", &[("class", &"note")], &note);
    }
    if spread.left_out() > 0 {
        let note = format!("{} later changes were not followed.", units::count(spread.left_out()));
        page.words("p", &[("class", &"note")], &note);
    }
}

fn spread_row(page: &mut Markup, series: &Series, (tier, curve): (Tier, &[Until])) {
    let said = |time: Option<u64>| time.map_or_else(|| "not all".to_owned(), units::time);
    page.words("td", &[], tier.as_str());
    number(page, &series.spread().halls(tier).to_string());
    for until in PARTS.into_iter().filter_map(|percent| curve.get(percent)) {
        number(page, &format!("{} / {}", said(until.middle), said(until.slowest)));
    }
    number(page, &series.spread().missed(tier).to_string());
}

/// What waits in the outboxes.
pub(super) fn letters(page: &mut Markup, plan: &Plan, series: &Series) {
    let age = samples(series, |sample| sample.oldest);
    let waiting = samples(series, |sample| sample.letters);
    page.element("div", &[("class", &"pair")], |page| {
        let caption = Caption {
            title: "The oldest letter in any outbox",
            note: "How long it has waited for its answer, while the halls were open.",
        };
        let y = Axis::time(most(&age), "age of the oldest letter");
        curves(page, caption, (&open_time(series), &y), &[Curve { name: "age", points: age }], quiet(plan));
        let caption = Caption { title: "Letters that wait", note: "In the outboxes of all halls together." };
        let y = Axis::count(most(&waiting), "letters");
        let waiting = Curve { name: "letters", points: waiting };
        curves(page, caption, (&open_time(series), &y), &[waiting], quiet(plan));
    });
}

/// What people have done.
pub(super) fn cases(page: &mut Markup, plan: &Plan, report: &Report, series: &Series) {
    let received = samples(series, |sample| sample.work.received);
    let y = Axis::count(most(&received), "cases so far");
    let drawn = [
        Curve { name: "received", points: received },
        Curve { name: "decided", points: samples(series, |sample| sample.work.decided) },
        Curve { name: "delivered", points: samples(series, |sample| sample.work.delivered) },
    ];
    page.element("div", &[("class", &"pair")], |page| {
        let caption = Caption {
            title: "Received, decided, delivered",
            note: "Receipts printed, decisions recorded, results handed to citizens.",
        };
        curves(page, caption, (&open_time(series), &y), &drawn, quiet(plan));
        let work = &report.work;
        let rows = [
            ("cases received", units::count(work.received)),
            ("cases accepted or found incomplete", units::count(work.examined)),
            ("cases decided", units::count(work.decided)),
            ("results delivered", units::count(work.delivered)),
            ("list entries published", units::count(work.published)),
            ("commands that the node refused", units::count(work.refused)),
            ("commands that a crash left without an answer", units::count(work.unanswered)),
        ];
        page.element("div", &[], |page| figures(page, "What people saw", &rows));
    });
}

/// What went over the lines.
pub(super) fn traffic(page: &mut Markup, report: &Report) {
    let traffic = &report.traffic;
    let bar = |(name, (messages, bytes)): (&&'static str, &(u64, u64))| {
        let said = format!("{}, {} messages", units::bytes(*bytes), units::count(*messages));
        Bar { name, value: *bytes, said }
    };
    let mut tiers: Vec<_> = traffic.tiers.iter().map(bar).collect();
    tiers.sort_by_key(|bar| Tier::ALL.iter().position(|tier| tier.as_str() == bar.name));
    let mut kinds: Vec<_> = traffic.kinds.iter().map(bar).collect();
    kinds.sort_by_key(|bar| std::cmp::Reverse(bar.value));
    page.element("div", &[("class", &"pair")], |page| {
        page.element("div", &[], |page| {
            let caption = Caption {
                title: "Bytes by tier",
                note: "The lower one of both ends of the line; bytes before the line's own encryption.",
            };
            bars(page, caption, &tiers);
            let rows = [
                ("messages sent", units::count(traffic.messages)),
                ("messages lost on the way", units::count(traffic.lost)),
                ("messages dropped, too many under way", units::count(traffic.overrun)),
                ("messages refused where they arrived", units::count(traffic.refused)),
                ("cases handed over", units::count(traffic.hand_overs)),
                ("inputs that nodes took", units::count(traffic.steps)),
                ("commits", units::count(traffic.commits)),
            ];
            figures(page, "In all", &rows);
        });
        let caption =
            Caption { title: "Bytes by kind of message", note: "The same bytes, by what was said." };
        bars(page, caption, &kinds);
    });
}

/// What went wrong, and when.
pub(super) fn faults(page: &mut Markup, report: &Report, series: &Series) {
    let kinds = series.faults();
    if kinds.is_empty() {
        page.words("p", &[], "Nothing went wrong in this run but what the lines lost.");
        return;
    }
    let met = &report.sometimes.faults;
    let bar = |(name, times): (&&'static str, &u64)| Bar { name, value: *times, said: units::count(*times) };
    let mut often: Vec<_> = met.iter().map(bar).collect();
    often.sort_by_key(|bar| std::cmp::Reverse(bar.value));
    let order = |name: &str| often.iter().position(|bar| bar.name == name);
    let mut when: Vec<_> =
        kinds.into_iter().map(|(fault, times)| Strip { name: fault.word(), times }).collect();
    when.sort_by_key(|strip| order(strip.name));
    page.element("div", &[("class", &"pair")], |page| {
        let caption = Caption { title: "Faults by kind", note: "How often each really came about." };
        bars(page, caption, &often);
        let note = format!(
            "Each mark: {} with one fault; stronger ones: two or more, five or more.",
            units::time(series.every())
        );
        let caption = Caption { title: "When they came", note: &note };
        strips(page, caption, &open_time(series), series.every(), &when);
    });
}

fn samples(series: &Series, of: impl Fn(&Sample) -> u64) -> Vec<(u64, u64)> {
    series.samples().iter().map(|sample| (sample.at, of(sample))).collect()
}

fn most(points: &[(u64, u64)]) -> u64 {
    points.iter().map(|(_, value)| *value).max().unwrap_or(0)
}

fn open_time(series: &Series) -> Axis {
    Axis::time(series.end(), OPEN).ending_at(series.end())
}

/// From when on nothing goes wrong any more.
fn quiet(plan: &Plan) -> Option<(u64, &'static str)> {
    let from = plan.span.days.saturating_mul(plan.span.open_minutes).saturating_mul(MINUTE);
    plan.stop_after.is_none().then_some((from, "dashed: the quiet end begins"))
}
