//! Pictures as wide as the page: time runs from the left edge to the right one, whatever the width.

use super::escape;
use std::fmt::Write as _;

/// A picture that is being drawn. Places from left to right are shares of its width, from 0 to 1; heights
/// are pixels from the upper edge. Classes are those of the style sheet.
#[derive(Clone, Debug)]
pub struct Flow {
    height: u32,
    title: String,
    shapes: String,
}

impl Flow {
    /// Begins a picture. The title says what is to be seen, for those who cannot.
    #[must_use]
    pub fn new(height: u32, title: &str) -> Self {
        Self { height, title: title.to_owned(), shapes: String::new() }
    }

    /// Draws a rectangle between two shares of the width.
    pub fn rect(&mut self, class: &'static str, (from, to): (f64, f64), y: u32, height: u32) {
        let place = across(from, to, y, height);
        let _ = write!(self.shapes, "<rect class=\"{class}\" {place}/>");
    }

    /// Draws a rectangle that says what it is when it is pointed at.
    pub fn bar(
        &mut self,
        class: &'static str,
        (from, to): (f64, f64),
        y: u32,
        height: u32,
        tip: &str,
    ) {
        let (place, tip) = (across(from, to, y, height), escape(tip));
        let _ = write!(self.shapes, "<rect class=\"{class}\" {place}><title>{tip}</title></rect>");
    }

    /// Draws a line from top to bottom.
    pub fn upright(&mut self, class: &'static str, at: f64, from: u32, to: u32) {
        let x = percent(at);
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{from}\" y2=\"{to}\"/>"
        );
    }

    /// Draws a line from edge to edge.
    pub fn level(&mut self, class: &'static str, y: u32) {
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/>"
        );
    }

    /// Writes text that begins, has its middle, or ends there, whichever keeps it within the edges.
    pub fn text(&mut self, class: &'static str, at: f64, y: u32, text: &str) {
        let anchor = match at {
            at if at < EDGE => "start",
            at if at > 1.0 - EDGE => "end",
            _ => "middle",
        };
        let (x, text) = (percent(at), escape(text));
        let _ = write!(
            self.shapes,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        );
    }

    /// Returns the picture.
    pub(super) fn render(&self) -> String {
        let Self { height, title, shapes } = self;
        let title = escape(title);
        format!(
            "<svg class=\"flow\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">{shapes}</svg>"
        )
    }
}

/// So near to an edge text would be cut off.
const EDGE: f64 = 0.03;

fn across(from: f64, to: f64, y: u32, height: u32) -> String {
    let (x, width) = (percent(from), percent((to - from).max(0.0)));
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shares_of_the_width() {
        let mut flow = Flow::new(20, "a < b");
        flow.rect("up", (0.25, 0.5), 2, 16);
        flow.bar("up", (0.5, 0.25), 2, 16, "<i>");
        let svg = flow.render();
        assert!(svg.contains("<rect class=\"up\" x=\"25%\" y=\"2\" width=\"25%\" height=\"16\"/>"));
        assert!(svg.contains("width=\"0%\" height=\"16\"><title>&lt;i&gt;</title>"), "{svg}");
        assert!(svg.contains("aria-label=\"a &lt; b\""), "{svg}");
    }

    #[test]
    fn text_stays_within_the_edges() {
        let mut flow = Flow::new(20, "");
        for at in [0.0, 0.5, 1.0] {
            flow.text("tick", at, 10, "noon");
        }
        let svg = flow.render();
        for anchor in ["\"start\" x=\"0%\"", "\"middle\" x=\"50%\"", "\"end\" x=\"100%\""] {
            assert!(svg.contains(anchor), "{anchor}: {svg}");
        }
    }
}
