//! Lines of pictures: cubic curves and what is to be known of them.

use std::fmt::Write as _;

/// Pixels, to the right and down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Pt {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Pt {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Pt { x, y }
    }

    pub(super) fn plus(self, x: f64, y: f64) -> Self {
        Pt { x: self.x + x, y: self.y + y }
    }
}

/// A line of curves, each by two controls and its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) start: Pt,
    pub(super) curves: Vec<[Pt; 3]>,
}

impl Line {
    pub(super) fn from(start: Pt) -> Self {
        Line { start, curves: Vec::new() }
    }

    pub(super) fn end(&self) -> Pt {
        self.curves.last().map_or(self.start, |curve| curve[2])
    }

    /// Straight on.
    pub(super) fn to(mut self, end: Pt) -> Self {
        let start = self.end();
        let between = |part: f64| Pt::new(start.x + (end.x - start.x) * part, start.y + (end.y - start.y) * part);
        self.curves.push([between(1.0 / 3.0), between(2.0 / 3.0), end]);
        self
    }

    /// A curve that leaves and comes in along these directions, which have length one.
    pub(super) fn bend(mut self, out: Pt, end: Pt, into: Pt) -> Self {
        let start = self.end();
        let reach = ((end.x - start.x).hypot(end.y - start.y) * 0.5).clamp(18.0, 130.0);
        let first = start.plus(out.x * reach, out.y * reach);
        let second = end.plus(into.x * reach, into.y * reach);
        self.curves.push([first, second, end]);
        self
    }

    /// The same the other way round.
    pub(super) fn reversed(&self) -> Self {
        let mut back = Line::from(self.end());
        for (at, curve) in self.curves.iter().enumerate().rev() {
            let start = if at == 0 { self.start } else { self.curves[at - 1][2] };
            back.curves.push([curve[1], curve[0], start]);
        }
        back
    }

    /// This one, then another that begins where it ends.
    pub(super) fn then(mut self, other: Line) -> Self {
        if other.start != self.end() {
            self = self.to(other.start);
        }
        self.curves.extend(other.curves);
        self
    }

    /// Beside itself.
    pub(super) fn moved(&self, x: f64, y: f64) -> Self {
        let moved = |point: Pt| point.plus(x, y);
        Line { start: moved(self.start), curves: self.curves.iter().map(|curve| curve.map(moved)).collect() }
    }

    /// Bends the line aside between its ends, downwards where it leads to the left or to the right.
    pub(super) fn bow(&mut self, by: f64) {
        let (start, end) = (self.start, self.end());
        let (x, y) = ((end.x - start.x).abs(), (end.y - start.y).abs());
        let (dx, dy) = if x >= y { (0.0, by) } else { (by, 0.0) };
        let last = self.curves.len().saturating_sub(1);
        for (at, curve) in self.curves.iter_mut().enumerate() {
            curve[0] = curve[0].plus(dx, dy);
            curve[1] = curve[1].plus(dx, dy);
            if at < last {
                curve[2] = curve[2].plus(dx, dy);
            }
        }
    }

    /// Where the line is at a part (0 to 1) of its way, by curves, and its direction there.
    pub(super) fn at(&self, part: f64) -> (Pt, Pt) {
        if self.curves.is_empty() {
            return (self.start, Pt::new(1.0, 0.0));
        }
        let whole = part * self.curves.len() as f64;
        let index = (whole as usize).min(self.curves.len() - 1);
        let t = whole - index as f64;
        let a = if index == 0 { self.start } else { self.curves[index - 1][2] };
        let [b, c, d] = self.curves[index];
        let u = 1.0 - t;
        let mix =
            |a: f64, b: f64, c: f64, d: f64| u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d;
        let slope = |a: f64, b: f64, c: f64, d: f64| u * u * (b - a) + 2.0 * u * t * (c - b) + t * t * (d - c);
        let (x, y) = (slope(a.x, b.x, c.x, d.x), slope(a.y, b.y, c.y, d.y));
        let length = x.hypot(y).max(1e-6);
        (Pt::new(mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)), Pt::new(x / length, y / length))
    }

    /// As the attribute `d` of SVG's path.
    pub(super) fn d(&self) -> String {
        let mut out = format!("M{} {}", n(self.start.x), n(self.start.y));
        for [a, b, c] in &self.curves {
            let _ = write!(out, "C{} {} {} {} {} {}", n(a.x), n(a.y), n(b.x), n(b.y), n(c.x), n(c.y));
        }
        out
    }
}

/// A coordinate to a tenth of a pixel.
pub(super) fn n(value: f64) -> String {
    let tenths = (value * 10.0).round();
    // No minus zero.
    let tenths = if tenths == 0.0 { 0.0 } else { tenths };
    if tenths % 10.0 == 0.0 { format!("{}", tenths / 10.0) } else { format!("{:.1}", tenths / 10.0) }
}
