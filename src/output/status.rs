//! The line at the bottom of a terminal that says what is going on, and is gone when it is done.

use crate::output::sanitize::guard;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Arc, Mutex, PoisonError};

/// A handle on the status line. Clones show the same line; where standard error is no terminal, or
/// the user asked for quiet, nothing is ever shown.
///
/// Drawing is throttled, so it may be set as often as is convenient; but preparing the text costs
/// something, and [`Status::is_visible`] tells beforehand whether anybody would see it.
#[derive(Clone, Debug)]
pub struct Status {
    bar: ProgressBar,
    form: Arc<Mutex<Form>>,
}

/// What the line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Text only.
    Line,
    /// How much of how many is done.
    Bar,
    /// How many bytes of how many are read, and how fast.
    Bytes,
    /// The same where nobody knows how many there are.
    Stream,
}

impl Status {
    pub(super) fn new(visible: bool) -> Self {
        if visible {
            Self::drawn_to(ProgressDrawTarget::stderr_with_hz(DRAWINGS_PER_SECOND))
        } else {
            Self::drawn_to(ProgressDrawTarget::hidden())
        }
    }

    fn drawn_to(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target).with_style(Form::Line.style());
        // A bar that has not ended is drawn again after every printed line, even when it is empty.
        bar.finish_and_clear();
        Self { bar, form: Arc::new(Mutex::new(Form::Line)) }
    }

    #[must_use]
    pub fn is_visible(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Shows a line of text. What does not fit into the terminal is cut off.
    pub fn set(&self, text: &str) {
        if !self.is_visible() {
            return;
        }
        self.take_form(Form::Line);
        self.show(text);
    }

    /// Shows how much of `total` is done, with a bar and the time that is left.
    ///
    /// Call it once per chunk, not once per item: it takes a lock.
    pub fn progress(&self, text: &str, done: u64, total: u64) {
        self.gauge(Form::Bar, text, done, Some(total));
    }

    /// Shows how many bytes of `total` are read, how fast, and the time that is left.
    ///
    /// Call it once per chunk, as well.
    pub fn reading(&self, text: &str, done: u64, total: Option<u64>) {
        let form = if total.is_some() { Form::Bytes } else { Form::Stream };
        self.gauge(form, text, done, total);
    }

    fn gauge(&self, form: Form, text: &str, done: u64, total: Option<u64>) {
        if !self.is_visible() {
            return;
        }
        self.take_form(form);
        let place = |state: &mut indicatif::ProgressState| {
            if let Some(total) = total {
                state.set_len(total.max(done));
            }
            state.set_pos(done);
        };
        self.bar.update(place);
        if self.show(text) {
            // What begins, begins at 0.
            self.bar.update(place);
        }
    }

    fn take_form(&self, form: Form) {
        let mut current = self.form.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != form {
            *current = form;
            self.bar.set_style(form.style());
            self.bar.unset_length();
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Runs `write` while the line is out of the way.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.bar.is_finished() || !self.is_visible() { write() } else { self.bar.suspend(write) }
    }

    /// Shows the text and returns whether nothing was shown before.
    fn show(&self, text: &str) -> bool {
        let begins = self.bar.is_finished();
        self.bar.set_message(guard(text).into_owned());
        if begins {
            self.bar.reset();
        }
        begins
    }
}

impl Form {
    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::Line => "{wide_msg}",
            Self::Bar => "{msg}  {wide_bar}  {percent:>3} %  {eta} left",
            Self::Bytes => {
                "{msg}  {wide_bar}  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left"
            }
            Self::Stream => "{msg}  {bytes}  {bytes_per_sec}",
        };
        ProgressStyle::with_template(template)
            .expect("the templates are well-formed")
            .progress_chars("━╸─")
    }
}

const DRAWINGS_PER_SECOND: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that keeps everything written to it.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl Terminal {
        fn write(&self, text: &str) {
            self.0.lock().expect("nobody panicked while writing").push_str(text);
        }

        fn take(&self) -> String {
            std::mem::take(&mut *self.0.lock().expect("nobody panicked while writing"))
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write(text);
            self.write("\n");
            Ok(())
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write("<clear>");
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn status() -> (Status, Terminal) {
        let terminal = Terminal::default();
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let status = Status::drawn_to(target);
        terminal.take();
        (status, terminal)
    }

    #[test]
    fn a_printed_line_takes_the_place_of_the_status_which_then_comes_back() {
        let (status, terminal) = status();
        status.set("12 clients");
        assert!(terminal.take().contains("12 clients"));

        status.suspend(|| terminal.write("<printed>"));

        let written = terminal.take();
        let cleared = written.find("<clear>").expect("it was taken away");
        let printed = written.find("<printed>").expect("the line was printed");
        let again = written.find("12 clients").expect("it came back");
        assert!(cleared < printed && printed < again, "{written}");
    }

    #[test]
    fn nothing_comes_back_after_the_end() {
        let (status, terminal) = status();
        status.suspend(|| terminal.write("<printed>"));
        assert_eq!(terminal.take(), "<printed>", "never set");

        status.set("12 clients");
        status.clear();
        terminal.take();
        status.suspend(|| terminal.write("<printed>"));
        assert_eq!(terminal.take(), "<printed>");

        status.set("13 clients");
        assert!(terminal.take().contains("13 clients"), "it can be set again");
    }

    #[test]
    fn line_and_bar_take_turns() {
        let (status, terminal) = status();
        status.progress("night.jsonl", 25, 100);
        let written = terminal.take();
        assert!(written.contains("night.jsonl") && written.contains("25 %"), "{written}");
        status.set("done reading");
        let written = terminal.take();
        assert!(written.contains("done reading") && !written.contains('%'), "{written}");
    }

    #[test]
    fn bytes_are_shown_with_their_rate_and_the_time_left_where_that_is_known() {
        let (status, terminal) = status();
        status.reading("night", 25 << 20, Some(100 << 20));
        let written = terminal.take();
        for part in ["night", "25.00 MiB of 100.00 MiB", "/s", "left"] {
            assert!(written.contains(part), "`{part}` is not in {written}");
        }
        status.reading("-", 3 << 20, None);
        let written = terminal.take();
        assert!(written.contains("-  3.00 MiB  ") && written.contains("/s"), "{written}");
        assert!(!written.contains("left"), "{written}");
        status.progress("devices", 1, 2);
        assert!(terminal.take().contains("50 %"));
    }

    #[test]
    fn a_hostile_status_does_not_reach_the_terminal() {
        let (status, terminal) = status();
        status.set("client \x1b[2J\n");
        assert!(terminal.take().contains(r"client \x1b[2J\n"));
    }

    #[test]
    fn a_hidden_status_is_never_shown() {
        let status = Status::new(false);
        status.set("12 clients");
        status.progress("night.jsonl", 1, 2);
        assert!(!status.is_visible());
    }
}
