//! Pages that stand alone: one file, no script, nothing fetched, light or dark as the reader likes.
//!
//! Foreign text is made visible as on a terminal and then escaped, in one place: whatever is handed to
//! a [`Page`] or an [`Svg`] is text, and never markup. A Content-Security-Policy forbids what is not
//! needed, should anything ever get through.

pub mod file;
mod style;
mod svg;
mod verification;

pub use svg::Svg;
pub use verification::verification;

use crate::output::sanitize::guard;
use crate::output::style::Tone;
use crate::output::table::Table;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A page that is being written from top to bottom.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
    figures: u32,
}

impl Page {
    #[must_use]
    pub fn new(title: &str) -> Self {
        let body = format!("<h1>{}</h1>\n", escape(title));
        Self { title: title.to_owned(), body, figures: 0 }
    }

    pub fn heading(&mut self, text: &str) {
        let _ = writeln!(self.body, "<h2>{}</h2>", escape(text));
    }

    /// Adds a paragraph for each line.
    pub fn text(&mut self, text: &str, tone: Tone) {
        for line in text.lines().filter(|line| !line.is_empty()) {
            let _ = writeln!(self.body, "<p{}>{}</p>", class(tone), escape(line));
        }
    }

    /// Adds what is known, each under its name.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        self.body.push_str("<dl>\n");
        for (name, fact) in facts {
            let _ = writeln!(self.body, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(fact));
        }
        self.body.push_str("</dl>\n");
    }

    pub fn table(&mut self, table: &Table) {
        self.body.push_str("<div class=\"wide\"><table>\n<thead><tr>");
        for (header, is_right) in table.headers() {
            let class = if is_right { " class=\"right\"" } else { "" };
            let _ = write!(self.body, "<th scope=\"col\"{class}>{}</th>", escape(header));
        }
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in table.rows() {
            self.body.push_str("<tr>");
            for cell in row {
                let right = if cell.is_right() { "right " } else { "" };
                let class = format!("{right}{}", tone(cell.tone_of()));
                let class = match class.trim_end() {
                    "" => String::new(),
                    class => format!(" class=\"{class}\""),
                };
                let _ = write!(self.body, "<td{class}>{}</td>", escape(cell.shown()));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody>\n</table></div>\n");
    }

    /// Adds a picture with words below it.
    pub fn figure(&mut self, svg: &Svg, caption: &str) {
        self.figures += 1;
        let _ = writeln!(
            self.body,
            "<figure>{}<figcaption>{}</figcaption></figure>",
            svg.render(self.figures),
            escape(caption)
        );
    }

    /// Returns the page.
    #[must_use]
    pub fn finish(self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
             </body>\n</html>\n",
            escape(&self.title),
            style::SHEET,
            self.body
        )
    }
}

/// Returns text as it may stand in markup and in quoted attributes. What acts on its reader or cannot
/// be seen is made visible first.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let shown = guard(text);
    if !shown.contains(['&', '<', '>', '"', '\'']) {
        return shown;
    }
    let mut escaped = String::with_capacity(shown.len() + 16);
    for c in shown.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped.into()
}

fn class(of: Tone) -> String {
    match tone(of) {
        "" => String::new(),
        name => format!(" class=\"{name}\""),
    }
}

/// Returns the class of a tone.
const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Online => "online",
        Tone::Closing => "closing",
        Tone::Offline => "offline",
        Tone::Unknown => "unknown",
        Tone::Suspect => "suspect",
        Tone::Dim => "dim",
        Tone::Bold => "bold",
        Tone::Error => "error",
        Tone::Warning => "warning",
    }
}

/// Styles stand in the page, and that is all it may use.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::table::Cell;

    const EVIL: &str = "</td><script>alert('1')</script>\"&\u{202e}\x1b\0\n";

    #[test]
    fn foreign_text_is_text_wherever_it_stands() {
        let mut page = Page::new(EVIL);
        page.heading(EVIL);
        page.text(EVIL, Tone::Error);
        page.facts(&[("name", EVIL.to_owned())]);
        let mut table = Table::new(&[EVIL]);
        table.row([Cell::text(EVIL)]);
        page.table(&table);
        let mut svg = Svg::new(10, 10, EVIL);
        svg.text("start", 0, 0, EVIL);
        svg.bar("bar", [0, 0, 1, 1], EVIL);
        page.figure(&svg, EVIL);

        let page = page.finish();

        let lower = page.to_lowercase();
        assert!(!lower.contains("<script") && !lower.contains("alert('1')"), "{page}");
        assert!(!page.contains(['\u{202e}', '\x1b', '\0']), "{page}");
        assert_eq!(page.matches("&lt;/td&gt;&lt;").count(), 10, "{page}");
        assert_eq!(lower.matches("&lt;script&gt;").count(), 11, "{page}");
    }

    #[test]
    fn what_needs_no_escape_is_borrowed() {
        assert!(matches!(escape("pump-7"), Cow::Borrowed("pump-7")));
        assert_eq!(escape("a<b>&\"'\n"), r"a&lt;b&gt;&amp;&quot;&#39;\n");
    }

    #[test]
    fn a_page_runs_nothing_and_fetches_nothing() {
        let page = Page::new("night").finish();
        assert!(
            page.contains("content=\"default-src 'none'; style-src 'unsafe-inline';"),
            "{page}"
        );
        for word in ["<script", "href=", "src=", "url(", "@import", "http:", "https:", " on"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("prefers-color-scheme: dark"), "{page}");
        assert!(page.contains("<title>night</title>") && page.contains("<html lang=\"en\">"));
    }
}
