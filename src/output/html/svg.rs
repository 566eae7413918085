//! Pictures within a page.

use super::escape;
use std::fmt::Write as _;

/// A picture that is being drawn. Coordinates are whole, from the upper left corner; classes are those
/// of the style sheet.
#[derive(Clone, Debug)]
pub struct Svg {
    width: u32,
    height: u32,
    title: String,
    shapes: String,
}

impl Svg {
    /// Begins a picture. The title says what is to be seen, for those who cannot.
    #[must_use]
    pub fn new(width: u32, height: u32, title: &str) -> Self {
        Self { width, height, title: title.to_owned(), shapes: String::new() }
    }

    /// Draws a rectangle (x, y, width, height).
    pub fn rect(&mut self, class: &'static str, [x, y, width, height]: [u32; 4]) {
        let _ = write!(self.shapes, "<rect class=\"{class}\" {}/>", place(x, y, width, height));
    }

    /// Draws a rectangle that says what it is when it is pointed at.
    pub fn bar(&mut self, class: &'static str, [x, y, width, height]: [u32; 4], tip: &str) {
        let place = place(x, y, width, height);
        let tip = escape(tip);
        let _ = write!(self.shapes, "<rect class=\"{class}\" {place}><title>{tip}</title></rect>");
    }

    pub fn line(&mut self, class: &'static str, from: (u32, u32), to: (u32, u32)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        );
    }

    /// Draws a line through points.
    pub fn path(&mut self, class: &'static str, points: &[(u32, u32)]) {
        let _ = write!(self.shapes, "<path class=\"{class}\" d=\"");
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = write!(self.shapes, "{}{x} {y}", if at == 0 { 'M' } else { 'L' });
        }
        self.shapes.push_str("\"/>");
    }

    /// Writes text. The anchor is `start`, `middle` or `end`.
    pub fn text(&mut self, anchor: &'static str, x: u32, y: u32, text: &str) {
        let text = escape(text);
        let _ =
            write!(self.shapes, "<text text-anchor=\"{anchor}\" x=\"{x}\" y=\"{y}\">{text}</text>");
    }

    /// Returns the picture; the number is its own within the page.
    pub(super) fn render(&self, number: u32) -> String {
        let Self { width, height, title, shapes } = self;
        let title = escape(title);
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"p{number}\">\
             <title id=\"p{number}\">{title}</title>{shapes}</svg>"
        )
    }
}

fn place(x: u32, y: u32, width: u32, height: u32) -> String {
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}
