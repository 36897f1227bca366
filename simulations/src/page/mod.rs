//! A run on one page, for a person with a browser, a phone or a sheet of paper: nothing in it comes from elsewhere, and
//! nothing in it has to be run.

mod axis;
mod figures;
mod markup;
mod plots;
mod table;
mod units;
mod verdict;

use crate::plan::Plan;
use crate::report::Report;
use crate::series::Series;
use crate::sometimes::Branch;

use markup::Markup;

const STYLE: &str = include_str!("style.css");

/// The page about a run that was followed.
pub fn page(plan: &Plan, report: &Report, series: &Series) -> anyhow::Result<String> {
    let (text, halls, seed) = (plan.text()?, report.halls, report.seed);
    let title = format!("A city of {halls} halls, seed {seed}: what a simulated run came to");
    let mut page = Markup::default();
    page.element("html", &[("lang", &"en")], |page| {
        page.element("head", &[], |page| head(page, &title));
        page.element("body", &[], |page| {
            page.words("h1", &[], &title);
            verdict::line(page, plan, report);
            tiles(page, plan, report);
            sections(page, plan, report, series);
            again(page, plan, (&text, &report.trace));
        });
    });
    Ok(page.document())
}

fn head(page: &mut Markup, title: &str) {
    page.empty("meta", &[("charset", &"utf-8")]);
    page.empty("meta", &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")]);
    page.words("title", &[], title);
    page.style(STYLE);
}

fn tiles(page: &mut Markup, plan: &Plan, report: &Report) {
    let (days, open) = (plan.span.days, plan.span.open_minutes);
    let tiles = [
        ("halls", units::count(u64::try_from(report.halls).unwrap_or(u64::MAX))),
        ("working days", format!("{} \u{d7} {open} min", units::count(days))),
        ("quiet time at the end", format!("{} min", plan.span.quiet_minutes)),
        ("cases received", units::count(report.work.received)),
        ("results delivered", units::count(report.work.delivered)),
        ("faults", units::count(report.sometimes.faults_in_all())),
        ("messages", units::count(report.traffic.messages)),
        ("over the lines", units::bytes(report.traffic.bytes)),
    ];
    page.element("dl", &[("class", &"tiles")], |page| {
        for (name, value) in tiles {
            page.element("div", &[], |page| {
                page.words("dt", &[], name);
                page.words("dd", &[], &value);
            });
        }
    });
}

fn sections(page: &mut Markup, plan: &Plan, report: &Report, series: &Series) {
    page.words("h2", &[], "Promises");
    verdict::promises(page, plan, report);
    page.words("h2", &[], "How changes of directory and lists reach the halls");
    figures::spread(page, series);
    page.words("h2", &[], "Letters");
    figures::letters(page, plan, series);
    page.words("h2", &[], "Cases");
    figures::cases(page, plan, report, series);
    page.words("h2", &[], "Over the lines");
    figures::traffic(page, report);
    page.words("h2", &[], "What went wrong");
    figures::faults(page, report, series);
    page.words("h2", &[], "What must sometimes happen");
    branches(page, report);
}

/// Every branch of interest, and how often the run came by it.
fn branches(page: &mut Markup, report: &Report) {
    let met = &report.sometimes.branches;
    let note = "How often the run came by each branch that a set of runs must meet to prove anything. One run alone \
need not meet them all.";
    page.words("p", &[("class", &"note")], note);
    page.element("ul", &[("class", &"met")], |page| {
        for branch in Branch::ALL {
            let times = met.get(branch.word()).copied();
            page.element("li", &[], |page| {
                page.words("span", &[], branch.word());
                match times {
                    Some(times) => page.words("span", &[], &units::count(times)),
                    None => page.words("span", &[("class", &"faint")], "not met"),
                }
            });
        }
    });
}

fn again(page: &mut Markup, plan: &Plan, (text, trace): (&str, &str)) {
    page.words("h2", &[], "How to run it again");
    // A plan that is only its seed needs no file.
    let source = if *plan == Plan::drawn(plan.seed) {
        format!("--seed {}", plan.seed)
    } else {
        page.words(
            "p",
            &[],
            "Save the plan below as plan.toml, in the folder from which the run was started.",
        );
        "plan.toml".to_owned()
    };
    let ways = ["run", "explain", "shrink --out small.toml", "report --out page.html"];
    let lines: Vec<_> = ways.iter().map(|way| format!("hallmesh-sim {way} {source}")).collect();
    page.words("pre", &[], &lines.join("\n"));
    page.element("p", &[("class", &"note")], |page| {
        page.say(&format!("Seed {}. The same run has the trace ", plan.seed));
        page.words("code", &[], trace);
    });
    page.element("details", &[], |page| {
        page.words("summary", &[], "The plan");
        page.words("pre", &[], text);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Known, Load, Span};
    use crate::world;

    fn page_of(plan: &Plan) -> (Report, String) {
        let (report, series) = world::followed(plan, &mut |_| true).expect("runs");
        let page = page(plan, &report, &series).expect("a page");
        assert_eq!(markup::tests::flaw(&page), None, "{page}");
        (report, page)
    }

    /// Every clock is wrong at once: known to break a promise, so there is something to show.
    fn failing() -> Plan {
        let plan =
            Plan::parse(include_str!("../../scenarios/clocks-after-power-cut.toml")).expect("a scenario");
        Plan { known: Vec::new(), ..plan }
    }

    #[test]
    fn the_page_of_a_run_that_holds_says_so_and_how_to_run_it_again() {
        let plan = Plan::drawn(7);
        let (report, page) = page_of(&plan);
        assert!(report.violations.is_empty(), "{report}");
        assert!(page.contains("All promises are kept") && !page.contains("broken, first at"));
        assert!(page.contains("hallmesh-sim run --seed 7\n") && page.contains(&report.trace));
        assert!(page.contains("seed = 7\n"), "the plan is in it");
        for tier in ["city", "county", "township", "village"] {
            assert!(page.contains(&format!("<td>{tier}</td>")), "{tier}");
        }
        for (fault, times) in &report.sometimes.faults {
            assert!(page.contains(&format!(">{fault}</text>")), "{fault}: {times}");
        }
    }

    #[test]
    fn the_page_of_a_failing_run_names_what_is_broken() {
        let plan = failing();
        let (report, page) = page_of(&plan);
        let first = report.violations.first().expect("a wrong clock breaks a promise");
        let word = first.promise.word();
        assert!(page.contains(&format!("\u{2717} Broken: {word}")) || page.contains(&format!(", {word}")));
        assert!(page.contains(&format!(">{word}</td>")) && page.contains("broken, first at"));
        let mut how = Markup::default();
        how.say(&units::at_most(&first.how, 200));
        assert!(page.contains(how.text().trim_end_matches('\u{2026}')), "{}", how.text());
        assert!(page.contains("hallmesh-sim run plan.toml\n"));
    }

    #[test]
    fn what_is_known_to_break_is_told_with_its_reason_and_nothing_slips_into_the_page() {
        let mut plan = failing();
        let (report, _) = page_of(&plan);
        let why = "<script>a & b".to_owned();
        plan.known = report
            .promises()
            .into_iter()
            .map(|promise| Known { promise, why: why.clone(), by_chance: false })
            .collect();
        let (_, page) = page_of(&plan);
        assert!(page.contains("Only what is known to break has broken"));
        assert!(page.contains("as is known: &lt;script&gt;a &amp; b"));
    }

    #[test]
    fn a_run_in_which_nothing_happens_has_a_page() {
        let load = Load { citizens: 0, edits: 0, inspections: 0, ..Load::default() };
        let span = Span { days: 1, open_minutes: 1, quiet_minutes: 1 };
        let (_, page) = page_of(&Plan { span, load, ..Plan::default() });
        assert!(page.contains("Nothing was changed in directory and lists"));
        assert!(page.contains("Nothing went wrong in this run"));
    }
}
