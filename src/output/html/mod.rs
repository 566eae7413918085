//! Pages that stand alone: one file, nothing fetched, light or dark as the reader likes. At most one script
//! of our own runs, which the policy of the page names by its hash.
//!
//! Foreign text is made visible as on a terminal and then escaped, in one place: whatever is handed to
//! a [`Page`] or an [`Svg`] is text, and never markup. A Content-Security-Policy forbids what is not
//! needed, should anything ever get through.

mod axis;
pub mod course;
pub mod file;
mod flow;
mod style;
mod svg;
mod verification;

pub use flow::Flow;
pub use svg::Svg;
pub use verification::verification;

use crate::output::sanitize::guard;
use crate::output::style::Tone;
use crate::output::table::Table;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A page that is being written from top to bottom.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
    figures: u32,
    /// A section is open.
    is_in_section: bool,
    /// Style beside that of all pages.
    style: &'static str,
    script: Option<Script>,
}

/// A script of our own, and what it knows.
#[derive(Clone, Debug)]
struct Script {
    code: &'static str,
    /// JSON.
    data: String,
}

impl Page {
    #[must_use]
    pub fn new(title: &str) -> Self {
        let body = format!("<h1>{}</h1>\n", escape(title));
        Self {
            title: title.to_owned(),
            body,
            figures: 0,
            is_in_section: false,
            style: "",
            script: None,
        }
    }

    /// Adds to the style sheet.
    #[must_use]
    pub const fn styled(mut self, style: &'static str) -> Self {
        self.style = style;
        self
    }

    /// Runs a script when all is there. It finds its data as JSON in the element `data`.
    pub fn run(&mut self, code: &'static str, data: String) {
        self.script = Some(Script { code, data });
    }

    /// Adds markup of our own.
    pub fn fixed(&mut self, markup: &'static str) {
        self.body.push_str(markup);
    }

    /// Adds links to sections.
    pub fn contents(&mut self, sections: &[(&'static str, &str)]) {
        self.body.push_str("<nav aria-label=\"Contents\"><ul>\n");
        for (id, heading) in sections {
            let _ = writeln!(self.body, "<li><a href=\"#{id}\">{}</a></li>", escape(heading));
        }
        self.body.push_str("</ul></nav>\n");
    }

    /// Begins a section, up to the next one.
    pub fn section(&mut self, id: &'static str, heading: &str) {
        self.end_section();
        self.is_in_section = true;
        let heading = escape(heading);
        let _ = writeln!(
            self.body,
            "<section id=\"{id}\" aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{heading}</h2>"
        );
    }

    fn end_section(&mut self) {
        if std::mem::take(&mut self.is_in_section) {
            self.body.push_str("</section>\n");
        }
    }

    pub fn subheading(&mut self, text: &str) {
        let _ = writeln!(self.body, "<h3>{}</h3>", escape(text));
    }

    /// Adds a heading for one client, with its state beside it.
    pub fn lane_heading(&mut self, id: &str, state: &str, tone: Tone) {
        let (id, state) = (escape(id), escape(state));
        let _ = writeln!(
            self.body,
            "<h3>{id} <span class=\"chip {}\">{state}</span></h3>",
            self::tone(tone)
        );
    }

    /// Adds what is only shown when it is asked for.
    pub fn details(&mut self, summary: &str, fill: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.body, "<details><summary>{}</summary>", escape(summary));
        fill(self);
        self.body.push_str("</details>\n");
    }

    /// Adds a block with a class of the style sheet.
    pub fn block(&mut self, class: &'static str, fill: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.body, "<div class=\"{class}\">");
        fill(self);
        self.body.push_str("</div>\n");
    }

    /// Adds a list.
    pub fn list(&mut self, items: &[String]) {
        self.body.push_str("<ul>\n");
        for item in items {
            let _ = writeln!(self.body, "<li>{}</li>", escape(item));
        }
        self.body.push_str("</ul>\n");
    }

    /// Adds a picture as wide as the page.
    pub fn flow(&mut self, flow: &Flow) {
        self.body.push_str(&flow.render());
        self.body.push('\n');
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
    pub fn finish(mut self) -> String {
        self.end_section();
        let (mut policy, mut script) = (POLICY.to_owned(), String::new());
        if let Some(Script { code, data }) = &self.script {
            let _ = write!(policy, "; script-src '{}'", fingerprint(code));
            let data = in_script(data);
            script = format!(
                "<script type=\"application/json\" id=\"data\">{data}</script>\n\
                 <script>{code}</script>\n"
            );
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
             {script}</body>\n</html>\n",
            escape(&self.title),
            style::SHEET,
            self.style,
            self.body
        )
    }
}

/// Returns what a policy calls a script: nothing else can have this hash.
fn fingerprint(code: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, code.as_bytes());
    format!("sha256-{}", BASE64_STANDARD.encode(digest))
}

/// Returns JSON as it may stand in a script element, which ends at the first `</`. It means the same.
fn in_script(json: &str) -> Cow<'_, str> {
    if json.contains(['<', '>', '&']) {
        let escaped = json.replace('<', "\\u003c").replace('>', "\\u003e");
        return escaped.replace('&', "\\u0026").into();
    }
    json.into()
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

/// Styles stand in the page, and that is all that every page may use.
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
