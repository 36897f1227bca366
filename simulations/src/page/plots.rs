//! Drawings: curves over two axes, bars, and strips of when something happened. All of them are a figure with a heading, a
//! word on how to read it, and a picture that grows and shrinks with the page.

use std::fmt::Write as _;

use super::axis::Axis;
use super::markup::Markup;

/// The picture's width; letters in it are 120 high.
const WIDTH: u64 = 4_800;
/// The height of a picture with two axes.
const HEIGHT: u64 = 2_650;
/// Where the field between the axes lies.
const FIELD: Field = Field { left: 620, right: 4_520, top: 500, bottom: 2_160 };
/// From a line of text to its middle.
const MIDDLE: u64 = 42;
/// How wide a letter is, about.
const LETTER: u64 = 66;
/// From one bar to the next, and how high it is.
const BAR: (u64, u64) = (230, 150);
/// Where bars begin, and how long they are at the most.
const BARS: (u64, u64) = (1_450, 1_400);
/// From one strip to the next, and how high it is.
const STRIP: (u64, u64) = (200, 150);

struct Field {
    left: u64,
    right: u64,
    top: u64,
    bottom: u64,
}

/// A heading, and a word on how to read what is below it.
#[derive(Clone, Copy)]
pub(super) struct Caption<'a> {
    /// The heading.
    pub(super) title: &'a str,
    /// How to read it.
    pub(super) note: &'a str,
}

/// A curve.
pub(super) struct Curve {
    /// What it is of; with one curve alone the axis says it.
    pub(super) name: &'static str,
    /// Its points, from left to right.
    pub(super) points: Vec<(u64, u64)>,
}

/// A bar.
pub(super) struct Bar {
    /// What it is of.
    pub(super) name: &'static str,
    /// How long it is.
    pub(super) value: u64,
    /// The value in words.
    pub(super) said: String,
}

/// When something of one kind happened.
pub(super) struct Strip {
    /// What.
    pub(super) name: &'static str,
    /// From when on, how often.
    pub(super) times: Vec<(u64, u64)>,
}

/// Curves, and a moment from which on things are different.
pub(super) fn curves(
    page: &mut Markup,
    caption: Caption<'_>,
    (x, y): (&Axis, &Axis),
    curves: &[Curve],
    from: Option<(u64, &str)>,
) {
    figure(page, caption, HEIGHT, |svg| {
        axes(svg, x, y);
        if let Some((at, words)) = from {
            moment(svg, across(x, at), words);
        }
        for (number, curve) in curves.iter().enumerate() {
            line(svg, number, curve, (x, y));
        }
        if curves.len() > 1 {
            legend(svg, curves);
        }
    });
}

/// Bars below each other; the longest reaches to the end.
pub(super) fn bars(page: &mut Markup, caption: Caption<'_>, bars: &[Bar]) {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let axis = Axis::count(most, "").ending_at(most);
    figure(page, caption, height(bars.len(), BAR.0), |svg| {
        for (bar, top) in bars.iter().zip(rows(BAR.0)) {
            let long = axis.place(bar.value, BARS.1).max(8);
            let middle = top.saturating_add(BAR.1 / 2).saturating_add(MIDDLE);
            words(svg, "end", (BARS.0.saturating_sub(90), middle), bar.name);
            let shape = (BARS.0, top, long, BAR.1);
            rectangle(svg, "bar", shape);
            words(svg, "start", (BARS.0.saturating_add(long).saturating_add(80), middle), &bar.said);
        }
    });
}

/// Strips below each other, over one axis of time; each mark stands for so long a stretch of it.
pub(super) fn strips(page: &mut Markup, caption: Caption<'_>, x: &Axis, stretch: u64, strips: &[Strip]) {
    let below = height(strips.len(), STRIP.0);
    figure(page, caption, below.saturating_add(420), |svg| {
        for (at, label) in &x.ticks {
            let place = strip_place(x, *at);
            segment(svg, "grid", (place, 0), (place, below));
            words(svg, "middle", (place, below.saturating_add(170)), label);
        }
        for (strip, top) in strips.iter().zip(rows(STRIP.0)) {
            let middle = top.saturating_add(STRIP.1 / 2).saturating_add(MIDDLE);
            words(svg, "end", (BARS.0.saturating_sub(90), middle), strip.name);
            let whole = FIELD.right.saturating_sub(BARS.0);
            rectangle(svg, "strip", (BARS.0, top, whole, STRIP.1));
            marks(svg, x, stretch, (strip, top));
        }
        let centre = BARS.0.midpoint(FIELD.right);
        titled(svg, "middle", (centre, below.saturating_add(370)), x.title);
    });
}

fn marks(svg: &mut Markup, x: &Axis, stretch: u64, (strip, top): (&Strip, u64)) {
    for (at, times) in &strip.times {
        let left = strip_place(x, *at);
        let wide = strip_place(x, at.saturating_add(stretch)).saturating_sub(left).max(16);
        let shade = match times {
            0 | 1 => "mark one",
            2..=4 => "mark few",
            5.. => "mark many",
        };
        rectangle(svg, shade, (left, top, wide, STRIP.1));
    }
}

fn strip_place(x: &Axis, at: u64) -> u64 {
    BARS.0.saturating_add(x.place(at, FIELD.right.saturating_sub(BARS.0)))
}

fn figure(page: &mut Markup, caption: Caption<'_>, height: u64, drawn: impl FnOnce(&mut Markup)) {
    page.element("figure", &[], |page| {
        page.words("h3", &[], caption.title);
        page.words("p", &[("class", &"note")], caption.note);
        let view = format!("0 0 {WIDTH} {height}");
        page.element("svg", &[("viewBox", &view), ("role", &"img"), ("aria-label", &caption.title)], drawn);
    });
}

fn axes(svg: &mut Markup, x: &Axis, y: &Axis) {
    for (value, label) in &y.ticks {
        let height = up(y, *value);
        segment(svg, "grid", (FIELD.left, height), (FIELD.right, height));
        words(svg, "end", (FIELD.left.saturating_sub(70), height.saturating_add(MIDDLE)), label);
    }
    for (value, label) in &x.ticks {
        let place = across(x, *value);
        segment(svg, "grid", (place, FIELD.top), (place, FIELD.bottom));
        words(svg, "middle", (place, FIELD.bottom.saturating_add(190)), label);
    }
    segment(svg, "axis", (FIELD.left, FIELD.bottom), (FIELD.right, FIELD.bottom));
    titled(svg, "start", (40, 130), y.title);
    titled(svg, "middle", (FIELD.left.midpoint(FIELD.right), FIELD.bottom.saturating_add(420)), x.title);
}

fn line(svg: &mut Markup, number: usize, curve: &Curve, (x, y): (&Axis, &Axis)) {
    let mut places: Vec<_> =
        curve.points.iter().map(|(right, top)| (across(x, *right), up(y, *top))).collect();
    places.dedup();
    let Some(((first_x, first_y), (last_x, last_y))) = places.first().copied().zip(places.last().copied())
    else {
        return;
    };
    let mut path = format!("M{first_x} {first_y}");
    for (right, down) in places.iter().skip(1) {
        // Writing into a text cannot fail.
        write!(path, "L{right} {down}").ok();
    }
    svg.empty("path", &[("class", &format!("curve c{number}")), ("d", &path)]);
    let end = format!("end c{number}");
    svg.empty("circle", &[("class", &end), ("cx", &last_x), ("cy", &last_y), ("r", &38)]);
}

/// Which curve is which, from left to right above the field.
fn legend(svg: &mut Markup, curves: &[Curve]) {
    let (mut left, line) = (FIELD.left, 330);
    for (number, curve) in curves.iter().enumerate() {
        let right = left.saturating_add(330);
        let class = format!("curve c{number}");
        segment(svg, &class, (left, line), (right, line));
        words(svg, "start", (right.saturating_add(70), line.saturating_add(MIDDLE)), curve.name);
        let letters = u64::try_from(curve.name.len()).unwrap_or(0);
        left = right.saturating_add(240).saturating_add(letters.saturating_mul(LETTER));
    }
}

/// A moment from which on things are different: a dashed line, explained above the field.
fn moment(svg: &mut Markup, place: u64, said: &str) {
    segment(svg, "moment", (place, FIELD.top), (place, FIELD.bottom));
    titled(svg, "end", (FIELD.right, 130), said);
}

fn across(x: &Axis, value: u64) -> u64 {
    FIELD.left.saturating_add(x.place(value, FIELD.right.saturating_sub(FIELD.left)))
}

fn up(y: &Axis, value: u64) -> u64 {
    FIELD.bottom.saturating_sub(y.place(value, FIELD.bottom.saturating_sub(FIELD.top)))
}

fn height(rows: usize, each: u64) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX).saturating_mul(each).max(each)
}

/// The upper edges of rows of this height.
fn rows(each: u64) -> impl Iterator<Item = u64> {
    (0_u64..).map(move |row| row.saturating_mul(each))
}

fn segment(svg: &mut Markup, class: &str, from: (u64, u64), to: (u64, u64)) {
    let path = format!("M{} {}L{} {}", from.0, from.1, to.0, to.1);
    svg.empty("path", &[("class", &class), ("d", &path)]);
}

fn rectangle(svg: &mut Markup, class: &str, (left, top, width, height): (u64, u64, u64, u64)) {
    let places: super::markup::Attributes<'_> =
        &[("class", &class), ("x", &left), ("y", &top), ("width", &width), ("height", &height)];
    svg.empty("rect", places);
}

fn words(svg: &mut Markup, anchor: &str, (x, y): (u64, u64), said: &str) {
    svg.words("text", &[("x", &x), ("y", &y), ("text-anchor", &anchor)], said);
}

fn titled(svg: &mut Markup, anchor: &str, (x, y): (u64, u64), said: &str) {
    svg.words("text", &[("class", &"title"), ("x", &x), ("y", &y), ("text-anchor", &anchor)], said);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::markup::tests::flaw;

    const CAPTION: Caption<'_> = Caption { title: "a < b", note: "note" };

    fn drawn(draw: impl FnOnce(&mut Markup)) -> String {
        let mut page = Markup::default();
        draw(&mut page);
        assert_eq!(flaw(page.text()), None, "{}", page.text());
        page.text().to_owned()
    }

    #[test]
    fn curves_lie_within_their_axes() {
        let (x, y) = (Axis::count(10, "x"), Axis::count(100, "y"));
        let two = [
            Curve { name: "one", points: vec![(0, 0), (5, 50), (10, 100)] },
            Curve { name: "none", points: Vec::new() },
        ];
        let page = drawn(|page| curves(page, CAPTION, (&x, &y), &two, Some((5, "half"))));
        assert!(page.contains("d=\"M620 2160L2570 1330L4520 500\""), "{page}");
        assert!(page.contains("aria-label=\"a &lt; b\""));
        assert_eq!(page.matches("<circle").count(), 1, "a curve without points is not drawn");
        assert!(page.contains(">half</text>") && page.contains(">none</text>"));
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_never_nothing() {
        let bar = |name, value| Bar { name, value, said: format!("{value} B") };
        let page = drawn(|page| bars(page, CAPTION, &[bar("a", 100), bar("b", 50), bar("c", 0)]));
        assert!(
            ["width=\"1400\"", "width=\"700\"", "width=\"8\""].iter().all(|it| page.contains(it)),
            "{page}"
        );
        drawn(|page| bars(page, CAPTION, &[]));
        drawn(|page| bars(page, CAPTION, &[bar("a", 0)]));
    }

    #[test]
    fn strips_show_when_and_how_often() {
        let strip = Strip { name: "crash", times: vec![(0, 1), (500, 3), (900, 9)] };
        let x = Axis::time(1_000, "time").ending_at(1_000);
        let page = drawn(|page| strips(page, CAPTION, &x, 100, &[strip]));
        let at = |shade: &str, left: u64| page.contains(&format!("class=\"mark {shade}\" x=\"{left}\""));
        assert!(at("one", 1_450) && at("few", 2_985) && at("many", 4_213), "{page}");
    }
}
